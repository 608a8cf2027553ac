"""The law of the written source, for one specification: counted = compiled = written."""

import inspect

import torch

from archspec.errors import ArchspecError
from archspec.runtime.calls import drawn, results

LIMITS = (
    "too many conditions",
    "may be of an earlier round",
    "sizes that only a part of it knows",
    "on all conditions",
    "another part of the source",
    "called with other arguments",
    "are asked for",
    "nothing before this is called",
)
"""What the emitter says where it cannot translate what can be counted."""


LARGEST = 2**26
"""A network of more parameters than this, 256 MiB of them, is counted and not compiled."""


def bindings(symbols):
    """The defaults, and other values: one after another, and all at once."""
    others = {name: another(symbol) for name, symbol in symbols.items()}
    return [{}, *({name: value} for name, value in others.items()), others]


def another(symbol):
    """A value beside the default."""
    if symbol.choices:
        return next(choice for choice in symbol.choices if choice != symbol.default)
    return not symbol.default if isinstance(symbol.default, bool) else symbol.default + 1


def held(arch):
    """How many networks of a specification are counted, compiled and written alike.

    Raises:
        ArchspecError: Its source cannot be written.
        AssertionError: They are not alike.
    """
    network = network_of(arch.source())
    return sum(agrees(arch, network, values) for values in bindings(arch.document.symbols))


def agrees(arch, network, values):
    try:
        expanded = arch.expand(batch=2, **values)
    except ArchspecError:
        return False  # not every number makes a network
    if expanded.count().params > LARGEST:
        return False
    taken = inspect.signature(network).parameters  # a source has no argument that changes nothing in it
    chosen = {name: values[name.rstrip("_")] for name in taken if name.rstrip("_") in values}
    chosen |= {name: values[name] for name in taken if name in values}
    written, model = network(**chosen), arch.to_torch(seed=1, **values)
    assert shapes(written) == shapes(model)
    assert sum(weights.numel() for weights in written.parameters()) == expanded.count().params
    written.load_state_dict(model.state_dict())
    taken = drawn(expanded, 2)
    one, other = computed(written, model, taken)
    assert [x.shape for x in one] == [tensor.shape for tensor in expanded.results]
    if "tf_same" not in arch.dumps():
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
        return True
    # Zeros around an image are a convolution's own in the one where both sides have as many, and put there before it in
    # the other; torch may then add up in another order.
    wide = (x.double() if x.is_floating_point() else x for x in taken)
    one, other = computed(written.double(), model.double(), tuple(wide))
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10, equal_nan=True)
    return True


def computed(written, model, taken):
    """What both give."""
    with torch.no_grad():
        return [results(each.eval()(*(x.clone() for x in taken))) for each in (written, model)]


def shapes(model):
    return [(key, tuple(array.shape)) for key, array in model.state_dict().items()]


def network_of(source):
    """The class of an emitted source's network: its last module."""
    scope = {"__name__": "woven"}
    exec(compile(source, "<woven>", "exec"), scope)  # noqa: S102  # written by our emitter
    made = [value for value in scope.values() if isinstance(value, type) and issubclass(value, torch.nn.Module)]
    return next(cls for cls in reversed(made) if cls.__module__ == "woven")
