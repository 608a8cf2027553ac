"""What all tests share: the width of a page, which packages there are, how long runs over random inputs are."""

import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

os.environ["COLUMNS"] = "100"  # wherever the tests run; workers of xdist have their own
os.environ.setdefault("SYMPY_CACHE_SIZE", "50000")  # 1000 results of each function are too few for a hundred networks
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker each core; torch's threads would wait for one another

# pytorchcv asks for torchvision and never loads it; its build fails beside torch's CPU build, where ptflops tries it.
sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--long", action="store_true", help="run the fuzzers for minutes, not seconds")
    except ValueError:
        """Another part of the tests has the option already."""


LATER = {
    *("bert", "densenet", "efficientnet", "ghostnet", "lraspp_mobilenet_v3", "mnasnet", "mobilenet_v3_large"),
    *("mobilenet_wake_words", "mobilevit", "regnet", "resnext", "ssdlite_mobilenet_v3", "swin"),
    *("inception_v3_keras_2016", "mobilenet_full", "resnet34", "resnet101", "resnet152", "squeezenet_v1_1", "vgg19"),
}
"""Networks whose blocks a smaller one of the zoo has too: laws over the whole zoo hold them by --long alone.

Their figures, their agreement with torch and what the language says of them are tested every time.
"""
ALWAYS = ("golden", "language", "zoo")

ZOO = {path.stem for path in (Path(__file__).parent.parent / "specs").glob("*.yaml")}
TRACED = {"acoustic_model", "ds_cnn", "mobilenet_v2", "shufflenet", "squeezenet_meta"}
"""Networks whose laws coverage sees; of the others, and of pages, it would see the same lines in twice their time."""
REPEATED = {"cases", "docs", "golden", "hostile", "peers", "zoo"}
"""Rooms in which coverage sees, all together, forty lines that the tests of the rooms they try do not run."""

FOREIGN = {
    "sympy": ("cancel", "diff", "expand", "factor", "factor_terms", "series", "together"),
    "torch.export": ("export",),
    "torch.onnx": ("export",),
}
"""Functions of others in which coverage sees nothing of ours, and which take twice their time under its tracer."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is tried at length alone, and trace what coverage has not seen of another network."""
    later = pytest.mark.skip(reason="a smaller network of the zoo has the same blocks; run by --long")
    for item in items:
        name = getattr(item, "callspec", None) and item.callspec.params.get("name")  # type: ignore[attr-defined]
        room = item.path.parent.name
        repeated = room in REPEATED or item.path.suffix == ".md"
        if name in ZOO - TRACED or repeated:
            item.add_marker(pytest.mark.no_cover)
        always = room in ALWAYS or item.path.name == "test_verify.py"
        if name in LATER and not (always or config.option.long):
            item.add_marker(later)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what is loaded by now: it stays until the end."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config.option, "long"):
        config.option.long = False
    if hasattr(config, "workerinput") and (coverage := sys.modules.get("coverage")):
        _stop_the_first_tracer_of(coverage)
    if _traced(config):
        for module, names in FOREIGN.items():
            if importlib.util.find_spec(module.partition(".")[0]):
                _untrace(importlib.import_module(module), names)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Pause coverage over the fixtures of what is not traced, too: pytest-cov pauses it over the test alone."""
    controller = _traced(item.config)
    if controller is None or not item.get_closest_marker("no_cover"):
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


@pytest.fixture(scope="session")
def later(request: pytest.FixtureRequest) -> set[str]:
    """The networks that this run leaves to a longer one."""
    return set() if request.config.option.long else LATER


def _traced(config: pytest.Config) -> Any:
    """What starts and pauses coverage; None where no coverage is asked for."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def _untrace(module: ModuleType, names: Iterable[str]) -> None:
    """Let functions of a module run without the tracer that is on where they are called."""
    for name in names:
        setattr(module, name, _untraced(getattr(module, name)))


def _untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(tracer)
            _nothing()

    return call


def _nothing() -> None:
    """A tracer that is set goes on at the next call, and has to go on before its caller returns."""


def _stop_the_first_tracer_of(coverage: ModuleType) -> None:
    """Let `no_cover` mean what it says in a worker of xdist.

    There pytest-cov 7.1 takes its process for the main one, starts to trace, sees at the session's start what it is and
    starts again. A test that is not to be traced pauses the second tracer, and coverage goes on with the first.
    """
    if first := coverage.Coverage.current():
        first.stop()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Torch draws the same numbers in every test, whichever tests ran before."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(2017)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """The bits of a sum depend on how many threads share it; a subprocess of such tests has one too."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def calibrated():
    """Makes a model's outputs worth comparing: fresh weights under fresh statistics give next to nothing."""

    def calibrate(model, x):
        """The statistics of every batch norm become those of `x`; then the model is one to be evaluated."""
        torch = sys.modules["torch"]
        norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
        usual = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = None  # an average of all batches seen: of this one
            norm.reset_running_stats()
        with torch.no_grad():
            model.train()(x)
        for norm, momentum in zip(norms, usual, strict=True):
            norm.momentum = momentum
        return model.eval()

    return calibrate


@pytest.fixture
def apart():
    """How far two outputs are from each other, as a share of what the second one's numbers differ by."""

    def share(found, expected):
        spread = (expected.double() - expected.double().mean()).norm()
        assert spread > 0, "outputs that are all alike prove nothing"
        return ((found.double() - expected.double()).norm() / spread).item()

    return share


@pytest.fixture
def register() -> Iterator[None]:
    """Operators of a test are taken out of the register again."""
    from archspec.ops import base

    before = dict(base._operators)
    yield
    base._operators.clear()
    base._operators.update(before)
