"""The public face: a specification with all that can be asked of it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec import cost, graph, spec
from archspec.cost import Convention, CostTable
from archspec.errors import SpecErrors
from archspec.extras import need
from archspec.files import replacing
from archspec.spec import Document

if TYPE_CHECKING:
    import torch

    from archspec.runtime import Agreement


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

    def to_torch(
        self,
        *,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        seed: int | None = None,
        inplace: bool = True,
        **bindings: Any,
    ) -> "torch.nn.Module":
        """The network as an ordinary `torch.nn.Module`, whose `spec` says what it was made from.

        Args:
            device: Where to make it; on "meta" it has shapes and no numbers.
            dtype: The type of its weights.
            seed: The same seed gives the same weights, on any device; torch's own state stays as it is.
            inplace: Whether a ReLU may write over its input; with hooks on single layers, say no.
            bindings: Values for symbols.

        >>> import archspec
        >>> model = archspec.load("lenet_300_100").to_torch(seed=0)
        >>> sum(weights.numel() for weights in model.parameters())
        266610
        """
        need("torch", "torch")
        from archspec import runtime

        network = self.expand(**bindings)
        return runtime.build(network, self.document, device=device, dtype=dtype, seed=seed, inplace=inplace)

    def write(self, path: str | os.PathLike[str], *, seed: int | None = None, **bindings: Any) -> None:
        """Write the network as a file that runs without this library: PyTorch source, an exported program, or ONNX.

        The file appears when it is whole, or not at all. Any batch goes through a program.

        Args:
            path: Ends in `.py`, `.pt2` or `.onnx`.
            seed: The same seed gives the same weights; a source has none.
            bindings: Values for symbols.

        Raises:
            ArchspecError: Another ending, or a file that cannot be written.
            MissingExtraError: What the format needs is not installed.
        """
        if Path(path).suffix == ".py":
            source = self.source(**bindings)  # type: ignore[attr-defined]  # the floor beside this one
            with replacing(Path(path)) as file:
                file.write_text(source, encoding="utf-8")
            return
        need("torch", "torch")
        from archspec import runtime

        runtime.check_ending(path)
        network = self.expand(**bindings)
        model = runtime.build(network, self.document, seed=seed)
        runtime.export(model, network.input.shape, path)

    def verify(self, *, batch: Any = 1, **bindings: Any) -> "Agreement":
        """The network held against its running model, node by node: true when all agree, to the unit.

        >>> import archspec
        >>> print(archspec.load("mobilenet_v2").verify(alpha="1/2"))
        mobilenet_v2: 161 nodes agree
        """
        need("torch", "torch")
        from archspec import runtime

        return runtime.verify(self.expand(batch=batch, **bindings))

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
