"""Sources that are run: the class of the network, and the two models that must be one."""

import ast
import inspect
from functools import cache

import pytest

import archspec

collect_ignore_glob = ["snapshots/*"]


class Written:
    """An emitted source, and its classes by name; the last is the network's."""

    def __init__(self, text):
        self.text = text
        self.scope = {"__name__": "written"}
        exec(compile(text, "<written>", "exec"), self.scope)  # noqa: S102  # written by our emitter
        self.names = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
        self.network = self.scope[self.names[-1]]
        self.parameters = inspect.signature(self.network).parameters

    def __call__(self, bindings):
        """The network, with those of the symbols that its constructor takes; _ stands behind a name that is taken."""
        taken = {known: bindings[known.rstrip("_")] for known in self.parameters if known.rstrip("_") in bindings}
        return self.network(**taken)


@pytest.fixture(scope="session")
def written():
    return Written


@pytest.fixture(scope="session")
def text_of():
    """The source of a network of the zoo, by its name: written once."""
    return cache(lambda name: archspec.load(name).source())


def keys(model):
    return [(name, tuple(array.shape)) for name, array in model.state_dict().items()]


@pytest.fixture(scope="session")
def agree():
    """Whether a source and the compiled model have one state dict and, on numbers, one output, bit for bit."""
    torch = pytest.importorskip("torch")

    def check(arch, source, numbers=True, **bindings):
        network = arch.expand(batch=2, **bindings)
        device = None if numbers else "meta"
        with torch.device(device or "cpu"):
            one = source(network.bindings)
        other = arch.to_torch(device=device, **bindings)
        assert keys(one) == keys(other)
        if numbers:
            one.load_state_dict(other.state_dict())
            from archspec.runtime.calls import drawn, results

            with torch.no_grad():
                mine, theirs = (results(model.eval()(*drawn(network, 0))) for model in (one, other))
            torch.testing.assert_close(mine, theirs, rtol=0, atol=0, equal_nan=True)
            assert [x.shape for x in mine] == [tensor.shape for tensor in network.results]
        return one, other

    return check
