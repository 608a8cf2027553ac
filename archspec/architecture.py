"""The public face: a specification with all that can be asked of it."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from archspec import cost, graph, spec
from archspec.cost import Convention, CostTable
from archspec.errors import SpecErrors
from archspec.spec import Document

if TYPE_CHECKING:
    from archspec.compress.plan import Plan
    from archspec.compress.predict import Prediction
    from archspec.cost.memory import Memory


class Network(graph.Network):
    """A network with all its shapes; see `graph.Network`."""

    def count(self, convention: str | Convention = cost.DEFAULT) -> CostTable:
        """What it costs, under a counting convention."""
        return cost.count(self, cost.convention(convention))


class Architecture:
    """A network as its paper prints it.

    Args:
        document: The specification, loaded or built in Python.

    Raises:
        SpecErrors: The specification has faults; all of them are named.

    >>> import archspec
    >>> arch = archspec.load("mobilenet")
    >>> arch.count().macs, arch.count(alpha="1/2").macs
    (568740352, 149497088)
    """

    def __init__(self, document: Document) -> None:
        faults = spec.check(document)
        if faults:
            raise SpecErrors(faults)
        self.document = document

    @property
    def name(self) -> str:
        """The specification's name."""
        return self.document.name

    def expand(self, *, free: Iterable[str] = (), batch: Any = 1, **bindings: Any) -> Network:
        """The network: symbols bound as given, those in `free` left symbolic, the others at their defaults.

        Raises:
            BindingError: A symbol that does not exist, or a value that it cannot have.
            SpecErrors: The network cannot be built; all faults are named.

        >>> import archspec
        >>> print(archspec.load("mobilenet").expand(free=["side"]).nodes[-4].output)
        1024×⌈side/32⌉×⌈side/32⌉
        """
        names = (free,) if isinstance(free, str) else tuple(free)
        return Network(**vars(graph.expand(self.document, bindings, free=names, batch=batch)))

    def count(
        self,
        *,
        convention: str | Convention = cost.DEFAULT,
        free: Iterable[str] = (),
        batch: Any = 1,
        **bindings: Any,
    ) -> CostTable:
        """What the network costs: `expand`, then count."""
        return self.expand(free=free, batch=batch, **bindings).count(convention)

    def memory(
        self,
        policy: str = "layerwise",
        dtype: str = "float32",
        order: str = "given",
        *,
        in_place: bool = False,
        weights: bool = False,
        free: Iterable[str] = (),
        batch: Any = 1,
        **bindings: Any,
    ) -> "Memory":
        """What its activations need in memory at once, under a policy; see `cost.memory`.

        >>> import archspec
        >>> archspec.load("mobilenet_v2").memory("liveness", dtype="int8").peak  # 2·96·112²
        2408448
        """
        from archspec.cost.memory import memory

        network = self.expand(free=free, batch=batch, **bindings)
        return memory(network, policy, dtype, order, in_place=in_place, weights=weights)

    def predict(
        self, plan: "str | os.PathLike[str] | Plan", *, free: Iterable[str] = (), **bindings: Any
    ) -> "Prediction":
        """What it weighs under a plan of compression: a file, the name of one that comes with the library, or a Plan.

        >>> import archspec
        >>> round(float(archspec.load("vgg16").predict("vgg16").coded_ratio), 1)
        49.6
        """
        from archspec.compress.plan import Plan, load
        from archspec.compress.predict import predict

        return predict(self.expand(free=free, **bindings), plan if isinstance(plan, Plan) else load(plan))

    def dumps(self) -> str:
        """The specification as YAML; `loads` gives the same one back."""
        return spec.dumps(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.document == other.document

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<Architecture {self.name}>"


def load(path: str | os.PathLike[str]) -> Architecture:
    """Read a specification: a path, "-" for standard input, or a name of the zoo.

    Raises:
        SpecErrors: It cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor a name of the zoo.
    """
    return Architecture(spec.load(path))


def loads(text: str, name: str = "<text>") -> Architecture:
    """Read a specification from text; `name` is what its faults call it.

    Raises:
        SpecErrors: It has faults; all of them are named, each with its place.
    """
    return Architecture(spec.loads(text, name))


def shared_numbers(architectures: Iterable[Architecture]) -> tuple[str, ...]:
    """The symbols that all architectures have and that can be left free: those of numbers, not of words."""
    documents = [architecture.document for architecture in architectures]
    return tuple(
        name
        for name in documents[0].symbols
        if all(name in other.symbols and not other.symbols[name].word for other in documents)
    )
