"""CONTRIBUTING's promise: a class is known to every part as soon as it is registered, or offered by a package."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec import ops  # noqa: E402
from archspec.dims import exact_div  # noqa: E402
from archspec.ops import Function, Operations, Tensor, Weight  # noqa: E402
from archspec.ops.base import Axis, NonNegative, Operator, Positive, Weightless, image  # noqa: E402

pytestmark = pytest.mark.usefixtures("register")

HEAD = "archspec: 1\nname: tried\nsymbols: {c: {default: 8}}\ninput: [c, 6, 6]\nnetwork:\n"


def known_everywhere(text, *shapes):
    """A network with a new operator, checked, written, counted, in closed form, as a model and as source."""
    arch = archspec.loads(HEAD + text)
    assert archspec.loads(arch.dumps()) == arch
    network = arch.expand()
    assert [node.output.shape for node in network.nodes][-len(shapes) :] == list(shapes)
    cost = arch.count()
    for quantity in ("params", "flops", "activations"):
        assert arch.formula(quantity, free=("c",))(c=8) == getattr(cost, quantity)
    x = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    model = arch.to_torch().eval()
    space = {}
    exec(arch.source(), space)  # noqa: S102  # our own text
    written = space["Tried"]().eval()
    written.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(model(x), written(x))
    assert arch.verify()
    return arch, model(x)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_an_operator_is():
    class Unshuffle(Weightless, name="unshuffle_of_a_test"):
        """Squares of pixels as channels."""

        downscale_factor: Positive

        def output(self, x):
            n, c, h, w = image(x, self.name)
            r = self.downscale_factor
            return Tensor((n, c * r * r, exact_div(h, r), exact_div(w, r)))

        def operations(self, _):
            return Operations()

        def torch_call(self, _):
            return self.module("torch.nn.PixelUnshuffle", self.settings(), 1)

    arch, _ = known_everywhere("  - unshuffle_of_a_test: {downscale_factor: 2}\n", (1, 32, 3, 3))
    assert "nn.PixelUnshuffle(2)" in arch.source()


def test_a_join_is():
    class Larger(Weightless, name="larger_of_a_test"):
        """The larger of branches, with an argument that changes nothing."""

        arity = "many"
        dim: Axis = 1

        def output(self, *xs):
            return xs[0]

        def operations(self, *xs):
            return Operations(comparisons=(len(xs) - 1) * xs[0].elements)

        def torch_call(self, *_):
            return Function("torch.maximum", takes="fold")

    text = "  - larger_of_a_test: [[relu], [{when: c > 4, then: [sigmoid]}], identity]\n    dim: 2\n    as: most\n"
    arch = archspec.loads(HEAD + text)
    assert arch.expand().node("most").inputs == ("branch1/relu", "branch2/sigmoid", "branch3/identity")
    assert arch.expand(c=4).node("most").operator.dim == 2
    assert arch.expand(c=4).node("most").inputs == ("branch1/relu", "branch3/identity")
    _, y = known_everywhere("  - larger_of_a_test: {a: relu, b: [tanh, relu]}\n", (1, 8, 6, 6))
    x = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(y, torch.maximum(x.relu(), x.tanh().relu()))
    with pytest.raises(archspec.errors.SpecErrors, match="has no argument 'dmi'; did you mean 'dim'"):
        archspec.loads(HEAD + "  - larger_of_a_test: [relu, tanh]\n    dmi: 2\n")
    with pytest.raises(archspec.errors.SpecErrors, match="dim must be an axis other than 0"):
        archspec.loads(HEAD + "  - larger_of_a_test: [relu, tanh]\n    dim: 0\n")


def test_a_normalisation_is():
    class InstanceNorm(Operator, name="instance_norm_of_a_test"):
        """(x − mean)/√(variance + eps)·γ + β of each channel of each image."""

        eps: NonNegative = 1e-5

        def output(self, x):
            image(x, self.name)
            return x

        def weights(self, x):
            return (Weight("weight", x.shape[1:2], "scale"), Weight("bias", x.shape[1:2], "shift"))

        def operations(self, x):
            return Operations(additions=4, multiplications=2).times(x.elements)

        def torch_call(self, x):
            return self.module(
                "torch.nn.InstanceNorm2d", {"num_features": x.shape[1], "affine": True, "eps": self.eps}, 1
            )

    arch, _ = known_everywhere("  - instance_norm_of_a_test\n  - relu\n", (1, 8, 6, 6), (1, 8, 6, 6))
    assert arch.count().params == 2 * 8
    assert "nn.InstanceNorm2d(" in arch.source()


PACKAGE = '''
from archspec.ops.base import Function, Operations, Weightless


class Smaller(Weightless, name="smaller_of_a_package"):
    """The smaller of branches."""

    arity = "many"

    def output(self, *xs):
        return xs[0]

    def operations(self, *xs):
        return Operations(comparisons=(len(xs) - 1) * xs[0].elements)

    def torch_call(self, *xs):
        return Function("torch.minimum", takes="fold")


class Softsign(Weightless, name="softsign_of_a_package"):
    """x/(1 + |x|)."""

    def output(self, x):
        return x

    def operations(self, x):
        return Operations(additions=1, divisions=1).times(x.elements)

    def torch_call(self, x):
        return self.module("torch.nn.Softsign", {})
'''

OFFERED = """[archspec.operators]
smaller_of_a_package = brought:Smaller
softsign_of_a_package = brought:Softsign
misnamed_of_a_package = brought:Softsign
"""


@pytest.fixture
def installed(tmp_path):
    """A folder with a package that offers operators, as an installer leaves it."""
    (tmp_path / "brought.py").write_text(PACKAGE, encoding="utf-8")
    metadata = tmp_path / "brought-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(OFFERED, encoding="utf-8")
    return tmp_path


@pytest.fixture
def package(installed, monkeypatch):
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("brought", None)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "step",
    [
        "softsign_of_a_package",
        "{smaller_of_a_package: [[relu], [softsign_of_a_package]]}",
        "{smaller_of_a_package: [[relu], [{use: softsign_of_a_package}]]}",
        "{smaller_of_a_package: [[relu], [act]], as: least}",
    ],
)
def test_the_operators_of_a_package_are(step):
    blocks = "blocks: {act: {args: {a: softsign_of_a_package}, body: [{use: a}]}}\n" if "act" in step else ""
    assert "brought" not in sys.modules
    arch = archspec.loads(HEAD.replace("network:", f"{blocks}network:") + f"  - {step}\n")
    assert "brought" in sys.modules
    assert arch.verify()
    assert "oftsign" in arch.source()


@pytest.mark.usefixtures("package")
def test_a_package_is_not_loaded_for_names_that_are_known():
    block = "blocks: {softsign_of_a_package: {body: [relu]}}\n"
    archspec.loads(HEAD.replace("network:", f"{block}network:") + "  - softsign_of_a_package\n  - tanh\n").count()
    assert "brought" not in sys.modules


@pytest.mark.usefixtures("package")
def test_what_is_offered_under_another_name_is_refused():
    with pytest.raises(archspec.errors.ArchspecError, match=r"'misnamed_of_a_package' in archspec\.operators is no"):
        ops.operator("misnamed_of_a_package")


def test_the_command_counts_with_the_operators_of_a_package(installed, tmp_path, monkeypatch):
    spec = tmp_path / "brought.yaml"
    spec.write_text(HEAD + "  - softsign_of_a_package\n", encoding="utf-8")
    command = [sys.executable, "-m", "archspec", "count", str(spec), "--format", "json"]
    monkeypatch.setenv("PYTHONPATH", f"{installed}:{archspec.__path__[0]}/..")
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f'"flops": {2 * 8 * 6 * 6}' in found.stdout
    monkeypatch.setenv("PYTHONPATH", f"{archspec.__path__[0]}/..")
    lost = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (lost.returncode, lost.stdout) == (2, "")
    assert "unknown operator or block 'softsign_of_a_package'" in lost.stderr
