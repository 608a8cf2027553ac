"""The public face: a specification with all that can be asked of it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from archspec import cost, graph, language
from archspec.cost import ASKED, USUAL, Convention, CostTable, Counting, requested
from archspec.dims import recording
from archspec.errors import BindingError, SpecErrors, UnknownNameError
from archspec.extras import need
from archspec.request import Bindings, request
from archspec.result import Reported

if TYPE_CHECKING:
    import torch

    from archspec.compress.plan import Plan
    from archspec.compress.prediction import Prediction
    from archspec.compress.progress import Progress
    from archspec.files import WrittenFile
    from archspec.formula.closed_form import Formula
    from archspec.formula.explain import Explanation
    from archspec.graph.single import StandaloneBlock
    from archspec.kernels.measuring import Measurement
    from archspec.language.document import Symbol
    from archspec.memory.peak import Memory
    from archspec.runtime import Agreement
    from archspec.sweeps.crossover import Crossover
    from archspec.sweeps.family import Family
    from archspec.sweeps.sensitivity import Sensitivity
    from archspec.sweeps.solve import Solution
    from archspec.sweeps.table import Sweep
    from archspec.weights import Matching


class Network(graph.Network):
    """A network with all its shapes; see `graph.Network`."""

    def count(self, /, counting: Counting | Convention | str = USUAL, **fields: Any) -> CostTable:
        """What it costs; a convention, or its name, says how to count, too, and so do the fields of the request."""
        return cost.count(self, cost.requested(counting, fields))


class Architecture(Reported):
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

    def __init__(self, document: language.Document) -> None:
        faults = language.check(document)
        if faults:
            raise SpecErrors(faults)
        self.document = document

    @property
    def name(self) -> str:
        """The specification's name."""
        return self.document.name

    @property
    def symbols(self) -> "Mapping[str, Symbol]":
        """The symbols by name, each with its default, its range or choices, its letter and what it is.

        >>> import archspec
        >>> archspec.load("mobilenet").symbols["alpha"].doc
        'width multiplier'
        """
        return MappingProxyType(self.document.symbols)

    def in_symbols(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values by name as values by symbol: of a block, other names of its symbols are known too."""
        return values

    @request
    def expand(
        self, /, bindings: Bindings = None, *, free: Iterable[str] = (), batch: Any = 1, **symbols: Any
    ) -> Network:
        """The network: symbols bound as given, those in `free` left symbolic, the others at their defaults.

        Args:
            bindings: Values for symbols, by name.
            free: Symbols to leave free; sizes that depend on them are SymPy expressions.
            batch: How many inputs at once.
            symbols: Values for symbols, in place of a mapping; so in every method.

        Raises:
            BindingError: A symbol that does not exist, or a value that it cannot have.
            SpecErrors: The network cannot be built; all faults are named.

        >>> import archspec
        >>> print(archspec.load("mobilenet").expand(free=["side"]).nodes[-4].output)
        1024×⌈side/32⌉×⌈side/32⌉
        """
        return Network(**vars(graph.expand(self.document, bindings, free=_names(free), batch=batch)))

    @request
    def count(
        self,
        /,
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        free: Iterable[str] = (),
        **symbols: Any,
    ) -> CostTable:
        """What the network costs: `expand`, then count.

        Args:
            bindings: Values for symbols, by name.
            counting: How to count. Its fields, such as `convention`, are keywords here and of every method that counts.
            free: Symbols to leave free.
            symbols: Values for symbols, in place of a mapping.

        >>> import archspec
        >>> archspec.load("mobilenet").count({"alpha": "1/2"}, convention="mobilenet", batch=8).macs
        1195976704
        """
        return self.expand(bindings, free=free, batch=counting.batch).count(counting)

    @request
    def formula(
        self,
        /,
        quantity: str = "macs",
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        free: Iterable[str] | None = None,
        part: str | None = None,
        letters: str | None = None,
        **symbols: Any,
    ) -> "Formula":
        """What the network, or a part of it, costs in its symbols: those in `free`, or all that are not bound.

        `letters` are those that a block declares for its paper's formula.

        Raises:
            UnknownNameError: There is no such quantity or part, or no such letters.
            BindingError: A symbol that does not exist, or a value that it cannot have.
            SpecErrors: No formula can say how the network depends on a symbol; the reason is named.

        >>> import archspec
        >>> print(archspec.load("mobilenet").formula("macs", free=["side"], part="conv"))
        864·⌈side/2⌉²
        """
        return self.formulas(quantity, bindings, counting, free=free, part=part, letters=letters)[0]

    @request
    def formulas(
        self,
        /,
        quantity: str = "macs",
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        by: str | int = "total",
        free: Iterable[str] | None = None,
        part: str | None = None,
        letters: str | None = None,
        **symbols: Any,
    ) -> "tuple[Formula, ...]":
        """The same, one formula per group: "stage", "block", "operator", "layer", or a depth in the tree of names.

        >>> import archspec
        >>> for form in archspec.load("lenet_300_100").formulas("params", by="stage"):
        ...     print(form.of.partition("/")[2], form, sep=": ")
        flatten: 0
        fc1: 300·side² + 300
        relu1: 0
        fc2: 30100
        relu2: 0
        fc3: 101·classes
        """
        names = None if free is None else _names(free)
        asked = {"quantity": quantity, "counting": counting, "part": part, "by": by}
        return self._formulas(letters, bindings or {}, names, **asked)

    def _formulas(
        self, letters: str | None, bindings: Mapping[str, Any], free: Iterable[str] | None, **asked: Any
    ) -> "tuple[Formula, ...]":
        from archspec.formula.of_network import formulas

        return formulas(self.lettered(letters), bindings=bindings, free=free, **asked)

    def lettered(self, letters: str | None) -> language.Document:
        """The specification whose symbols are the letters that a block declares; without letters, this one's."""
        if letters is not None:
            raise UnknownNameError(f"'{self.name}' is a network; letters are those of a block: {self.name}:BLOCK")
        return self.document

    def block(self, name: str) -> "SingleBlock":
        """A block by itself: its arguments and the sizes of its input are its symbols.

        Raises:
            UnknownNameError: There is no such block, or nothing uses it.

        >>> import archspec
        >>> print(archspec.load("squeezenet").block("fire").formula("params"))
        c_in·s1x1 + s1x1·e1x1 + 9·s1x1·e3x3 + s1x1 + e1x1 + e3x3
        """
        return SingleBlock(self.document, name)

    @request
    def to_torch(
        self,
        /,
        bindings: Bindings = None,
        *,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | None" = None,
        seed: int | None = None,
        inplace: bool = True,
        weights: "Mapping[str, torch.Tensor] | str | os.PathLike[str] | None" = None,
        assume: bool = False,
        logits: bool = False,
        **symbols: Any,
    ) -> "torch.nn.Module":
        """The network as an ordinary `torch.nn.Module`, whose `spec` says what it was made from.

        Args:
            bindings: Values for symbols, by name.
            device: Where to make it; on "meta" it has shapes and no numbers.
            dtype: The type of its weights.
            seed: The same seed gives the same weights, on any device; torch's own state stays as it is.
            inplace: Whether a ReLU may write over its input; with hooks on single layers, say no.
            weights: Where its weights come from, a state dict or a file of one; see `match_weights`.
            assume: What `match_weights` says of it.
            logits: Whether it ends before its last softmax, as what torch's losses take; two networks in three of the
                zoo end with a softmax, and the others give logits in any case.
            symbols: Values for symbols, in place of a mapping.

        Raises:
            ArchspecError: The weights cannot be read, or are not those of this network; it is said in what they differ.

        >>> import archspec
        >>> model = archspec.load("lenet_300_100").to_torch(seed=0)
        >>> sum(weights.numel() for weights in model.parameters())
        266610
        """
        need("torch", "torch")
        from archspec import runtime

        network = self._expanded(logits, bindings)
        if weights is None:
            return runtime.build(network, self.document, device=device, dtype=dtype, seed=seed, inplace=inplace)
        need("train", "safetensors")
        from archspec.weights import filled

        return filled(network, self.document, weights, device=device, dtype=dtype, inplace=inplace, assume=assume)

    @request
    def match_weights(
        self,
        /,
        source: "Mapping[str, torch.Tensor] | str | os.PathLike[str]",
        bindings: Bindings = None,
        *,
        assume: bool = False,
        **symbols: Any,
    ) -> "Matching":
        """What of a state dict from elsewhere fills each array of the network, and why; true when everything fits.

        Args:
            source: A state dict, or a file of one: `.safetensors` or `.npz`.
            bindings: Values for symbols, by name.
            assume: Whether to fill what nothing says which of several layers it is, in the order of their names.
            symbols: Values for symbols, in place of a mapping.

        Raises:
            ArchspecError: The source cannot be read.

        >>> import archspec
        >>> arch = archspec.load("lenet_300_100")
        >>> print(arch.match_weights(arch.to_torch().state_dict()).sentence)
        lenet_300_100: 6 of 6 arrays filled, none left over
        """
        need("train", "torch", "safetensors")
        from archspec.weights import match

        return match(self.expand(bindings), source, assume=assume)

    def _expanded(self, logits: bool, bindings: Bindings) -> Network:
        network = self.expand(bindings)
        return graph.before_softmax(network) if logits else network

    @request
    def source(self, /, bindings: Bindings = None, *, logits: bool = False, **symbols: Any) -> str:
        """The network as PyTorch source that needs no archspec: the symbols are its constructor's arguments.

        Args:
            bindings: Values for symbols, by name: the defaults of the arguments.
            logits: Whether it ends before its last softmax.
            symbols: Values for symbols, in place of a mapping.

        Raises:
            BindingError: A symbol that does not exist, or a value that it cannot have.

        >>> import archspec
        >>> "def __init__(self, hidden: int = 500," in archspec.load("mnist_800").source(hidden=500)
        True
        """
        from archspec import emit

        document = graph.without_softmax(self.document, self.expand(bindings)) if logits else self.document
        return emit.source(document, bindings or {})

    @request
    def write(
        self,
        /,
        path: str | os.PathLike[str],
        bindings: Bindings = None,
        *,
        seed: int | None = None,
        weights: "Mapping[str, torch.Tensor] | str | os.PathLike[str] | None" = None,
        logits: bool = False,
        batch: int | None = None,
        opset: int | None = None,
        keep: bool = False,
        **symbols: Any,
    ) -> "WrittenFile":
        """Write the network as a file that runs without this library: PyTorch source, an exported program, or ONNX.

        The file appears when it is whole, or not at all. With weights of a training, a program also holds how images
        are scaled for it and what the classes are called; see docs/compile.md.

        Args:
            path: Ends in `.py`, `.pt2` or `.onnx`.
            bindings: Values for symbols, by name.
            seed: The same seed gives the same weights; a source has none.
            weights: Where its weights come from, as for `to_torch`.
            logits: Whether it ends before its last softmax.
            batch: How many inputs go through a program at once; any number, unless it is given.
            opset: The version of ONNX's operators; torch's own choice, unless it is given.
            keep: Whether ONNX has all arrays under their names and with their values, so that it can be imported again
                whole; else batch normalisations are folded into convolutions, and biases of zeros are gone.
            symbols: Values for symbols, in place of a mapping.

        Returns:
            What was written; `print` says it in one line.

        Raises:
            ArchspecError: Another ending, or a file that cannot be written.
            MissingExtraError: What the format needs is not installed.
        """
        if Path(path).suffix == ".py":
            from archspec.files import WrittenFile, replacing

            source = self.source(bindings, logits=logits)
            with replacing(Path(path)) as file:
                file.write_text(source, encoding="utf-8")
            return WrittenFile(Path(path), len(source.encode()), ("PyTorch source, without weights",))
        need("torch", "torch")
        from archspec import runtime

        runtime.check_ending(path)
        model = self.to_torch(bindings, seed=seed, weights=weights, logits=logits)
        from archspec.weights.file import note

        asked = runtime.ExportRequest(batch, opset, note(weights), keep)
        written = runtime.export(model, self._expanded(logits, bindings), path, asked)
        of = f"weights of {weights}" if isinstance(weights, str | os.PathLike) else "weights handed over"
        return replace(written, facts=(*written.facts, "fresh weights" if weights is None else of))

    @request
    def verify(self, /, bindings: Bindings = None, *, batch: Any = 1, **symbols: Any) -> "Agreement":
        """The network held against its running model, node by node, and its source: true when all agree, to the unit.

        >>> import archspec
        >>> print(archspec.load("mobilenet_v2").verify(alpha="1/2").sentence)
        mobilenet_v2: 161 nodes agree
        """
        need("torch", "torch")
        from archspec import runtime

        network = self.expand(bindings, batch=batch)
        return runtime.verify(network, source=self.source(bindings))

    @request
    def memory(
        self,
        /,
        policy: str = "layerwise",
        dtype: str = "float32",
        order: str = "given",
        bindings: Bindings = None,
        *,
        in_place: bool = False,
        weights: bool = False,
        free: Iterable[str] = (),
        batch: Any = 1,
        **symbols: Any,
    ) -> "Memory":
        """What its activations need in memory at once, under a policy; see `memory.peak`.

        >>> import archspec
        >>> archspec.load("mobilenet_v2").memory("liveness", dtype="int8").peak  # 2·96·112²
        2408448
        """
        from archspec.memory.peak import memory

        network = self.expand(bindings, free=free, batch=batch)
        return memory(network, policy, dtype, order, in_place=in_place, weights=weights)

    @request
    def predict(
        self,
        /,
        plan: "str | os.PathLike[str] | Plan",
        bindings: Bindings = None,
        *,
        free: Iterable[str] = (),
        **symbols: Any,
    ) -> "Prediction":
        """What it weighs under a plan of compression: a file, the name of one that comes with the library, or a Plan.

        >>> import archspec
        >>> round(float(archspec.load("vgg16").predict("vgg16").coded_ratio), 1)
        49.6
        """
        from archspec.compress.plan import load
        from archspec.compress.prediction import prediction

        return prediction(self.expand(bindings, free=free), load(plan))

    @request
    def solve(
        self,
        /,
        symbols: str | Iterable[str],
        budgets: Mapping[str, str | float | Iterable[str]],
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        between: Mapping[str, Iterable[Any]] | None = None,
        maximise: str | None = None,
        minimise: str | None = None,
        **others: Any,
    ) -> "Solution":
        """The largest network within budgets, or the smallest, over all values of one symbol or two; `sweeps.solve`.

        >>> import archspec
        >>> found = archspec.load("mobilenet").solve("alpha", {"macs": "<=300M"})
        >>> print(found.best.spans["alpha"].written("alpha"), found.best.figures["macs"])
        737/1024 ≤ alpha < 369/512 299816242
        """
        from archspec.sweeps.solve import solve

        family = self._family(bindings, counting)
        return solve(family, symbols, budgets, between=between, maximise=maximise, minimise=minimise)

    def _family(self, bindings: Bindings, counting: Counting) -> "Family":
        from archspec.sweeps.family import Family

        return Family(self.document, bindings or {}, counting)

    @request
    def sensitivity(
        self,
        /,
        quantity: str = "macs",
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        symbols: Iterable[str] | None = None,
        **others: Any,
    ) -> "Sensitivity":
        """How a cost answers to each symbol: elasticities, and what the next network costs; see `sweeps.sensitivity`.

        >>> import archspec
        >>> alpha = archspec.load("mobilenet").sensitivity("params", symbols=["alpha"]).responses[0]
        >>> round(float(alpha.elasticity), 2), alpha.step.cost
        (1.74, 4235552)
        """
        from archspec.sweeps.sensitivity import sensitivity

        names = None if symbols is None else _names(symbols)
        return sensitivity(self._family(bindings, counting), quantity, names)

    @request
    def crossover(
        self,
        /,
        symbol: str,
        quantity: str = "macs",
        bindings: Bindings = None,
        counting: Counting = USUAL,
        *,
        by: str = "kind",
        between: Iterable[Any] | None = None,
        **symbols: Any,
    ) -> "Crossover":
        """Which layers dominate a cost along a symbol, and where one kind passes another; see `sweeps.crossover`.

        >>> import archspec
        >>> found = archspec.load("alexnet").crossover("side", between=(63, 90))
        >>> [(reign.span.written("side"), reign.group) for reign in found.reigns]
        [('63 ≤ side ≤ 78', 'linear'), ('79 ≤ side ≤ 90', 'grouped 5×5 conv2d')]
        """
        from archspec.sweeps.crossover import crossover

        return crossover(self._family(bindings, counting), symbol, quantity, by, between)

    @request
    def explain(
        self, /, node: str, bindings: Bindings = None, counting: Counting = USUAL, **symbols: Any
    ) -> "Explanation":
        """One layer, from the rule of its operator to its numbers; `node` is its path, or as much as tells it apart.

        >>> import archspec
        >>> found = archspec.load("mobilenet").explain("separable2/pointwise/conv2d")
        >>> print(found.closed_forms.figures["macs"], "=", found.figures["macs"])
        n·c_out·h′·w′·c_in·k²/g = 25690112
        """
        from archspec.formula.explain import explain

        return explain(self.expand(bindings, batch=counting.batch), node, counting.convention)

    @request
    def with_one_bit(
        self, /, plan: "str | os.PathLike[str] | Plan", bindings: Bindings = None, **symbols: Any
    ) -> "Architecture":
        """The network with one-bit layers where a plan of compression says `binary`: as counted, built and trained.

        Args:
            plan: A plan, its file, or the name of one that comes with the library.
            bindings: Values for symbols, by name.
            symbols: Values for symbols, in place of a mapping.

        Raises:
            ArchspecError: The plan does not fit the network, or has no one-bit layers.

        >>> import archspec
        >>> one_bit = archspec.load("lenet_5").with_one_bit("xnor_lenet_5")
        >>> [node.operator.name for node in one_bit.expand().nodes][2:5]
        ['batch_norm', 'binary_conv2d', 'max_pool2d']
        """
        from archspec.compress import rewriting
        from archspec.compress.plan import load

        return Architecture(rewriting.with_one_bit(self.document, self.expand(bindings), load(plan)))

    @request
    def measure(
        self,
        /,
        bindings: Bindings = None,
        *,
        plan: "str | os.PathLike[str] | Plan | None" = None,
        batch: int = 1,
        threads: int | None = None,
        runs: int | None = None,
        way: str | None = None,
        progress: "Progress | None" = None,
        **symbols: Any,
    ) -> "Measurement":
        """What each convolution and linear layer takes on this machine, in float32 and with bits where it is one-bit.

        Args:
            bindings: Values for symbols, by name.
            plan: Makes the one-bit layers; see `with_one_bit`.
            batch: Inputs at once.
            threads: How many to use; by default as many as torch does.
            runs: The rounds, of which medians are taken; by default 15.
            way: How one-bit layers are computed; see `archspec.kernels.pack`.
            progress: What is told how far it is.
            symbols: Values for symbols, in place of a mapping.

        Raises:
            ArchspecError: It has no such layer.
            MissingExtraError: torch is not installed, or what the way needs.

        >>> import archspec
        >>> found = archspec.load("lenet_5").measure(plan="xnor_lenet_5", way="numpy", runs=1)
        >>> [(layer.node.name, layer.bits is not None) for layer in found.layers]
        [('conv1', False), ('conv2', True), ('fc1', True), ('fc2', False)]
        """
        need("torch", "torch")
        from archspec.compress.progress import silent
        from archspec.kernels.measuring import RUNS, measured

        arch = self if plan is None else self.with_one_bit(plan, bindings)
        network = arch.expand(bindings, batch=batch)
        return measured(
            network,
            arch.document,
            threads=threads,
            runs=RUNS if runs is None else runs,
            way=way,
            progress=progress or silent,
        )

    @request
    def with_defaults(self, /, bindings: Bindings = None, **symbols: Any) -> "Architecture":
        """The same network, with these values as the defaults of its symbols.

        Raises:
            BindingError: A symbol that does not exist, or a value that it cannot have.

        >>> import archspec
        >>> archspec.load("mobilenet").with_defaults(alpha="1/2").count().params
        1331592
        """
        values = graph.bind(self.document, bindings or {}, ())
        symbols = {name: each.model_copy(update={"default": values[name]}) for name, each in self.symbols.items()}
        return Architecture(self.document.model_copy(update={"symbols": symbols}))

    def dumps(self) -> str:
        """The specification as YAML; `loads` gives the same one back."""
        return language.dumps(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.document == other.document

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<Architecture {self.name}>"


class SingleBlock(Architecture):
    """A block as a network of its own.

    Args:
        document: The specification that has the block.
        block: The block's name.

    Raises:
        UnknownNameError: There is no such block, or nothing uses it.
    """

    def __init__(self, document: language.Document, block: str) -> None:
        self._of, self._block = document, block
        found = self._in_letters(None)
        self.document, self._aliases = found.document, found.aliases

    def _in_letters(self, letters: str | None) -> "StandaloneBlock":
        from archspec.graph.single import single

        return single(self._of, self._block, letters)

    def lettered(self, letters: str | None) -> language.Document:
        """The specification whose symbols are the letters that the block declares; without letters, its arguments."""
        return self._in_letters(letters).document

    def _formulas(
        self, letters: str | None, bindings: Mapping[str, Any], free: Iterable[str] | None, **asked: Any
    ) -> "tuple[Formula, ...]":
        from archspec.formula.of_network import formulas

        block = self._in_letters(letters)
        symbol_of = block.aliases
        values = {symbol_of.get(name, name): each for name, each in bindings.items()}
        names = [name for name in block.unbound if name not in values] if free is None else free
        asked |= {"free": [symbol_of.get(name, name) for name in names], "arrangement": block.arrangement}
        with recording(block.decisive):
            found = formulas(block.document, bindings=values, **asked)
        subject = f"{self._of.name}:{self._block}"
        return tuple(replace(each, of=subject + each.of.removeprefix(self.name), aliases=block.names) for each in found)

    def in_symbols(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values by name as values by symbol: in_channels is c_in.

        Raises:
            BindingError: A symbol is bound twice, by two of its names.

        >>> import archspec
        >>> fire = archspec.load("squeezenet:fire")
        >>> fire.count(in_channels=3).params == fire.count(c_in=3).params
        True
        """
        named: dict[str, Any] = {}
        for name, value in values.items():
            symbol = self._aliases.get(name, name)
            if symbol in named:
                raise BindingError(f"the symbol '{symbol}' is bound twice, as '{name}' too")
            named[symbol] = value
        return named


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def load(path: str | os.PathLike[str]) -> Architecture:
    """Read a specification: a path, "-" for standard input, or a name of the zoo.

    `mobilenet:separable` is a block of one; a block's own name will do where the zoo has only one block of that name,
    or only one that declares its paper's letters.

    Raises:
        SpecErrors: It cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor a name of the zoo, nor one of its blocks.

    >>> load("separable"), load("squeezenet:fire")
    (<Architecture separable>, <Architecture fire>)
    """
    name = os.fspath(path)
    if not os.path.exists(name):
        of, _, block = name.rpartition(":")
        if of and block.isidentifier():
            return SingleBlock(language.load(of, network=False), block)
        found = language.with_block(name) if name.isidentifier() and name not in language.zoo.names() else None
        if found is not None:
            return Architecture(language.load(found)).block(name)
    return Architecture(language.load(path))


def loads(text: str, name: str = "<text>") -> Architecture:
    """Read a specification from text; `name` is what its faults call it.

    Raises:
        SpecErrors: It has faults; all of them are named, each with its place.
    """
    return Architecture(language.loads(text, name))


def sweep(
    specs: "str | os.PathLike[str] | Architecture | Iterable[str | os.PathLike[str] | Architecture]",
    values: Mapping[str, Any],
    of: str | Iterable[str] = ("macs", "params"),
    *,
    counting: Counting | Convention | str = USUAL,
    **asked: Any,
) -> "Sweep":
    """What networks cost at every combination of values of their symbols, exactly.

    Args:
        specs: The specifications, each as for `load`, or loaded; one without a symbol is swept without it.
        values: The values of each symbol, "batch" among them: one, several, or text such as "1/4..2:1/4", "96,128",
            "*". The last symbol moves fastest.
        of: The quantities, by name.
        counting: How to count; its fields are keywords, too.
        asked: `where`, `front`, `sort`, `top`, `plans`, `bindings`, `engine`, `folder`, as of `sweeps.sweeping.sweep`.

    Raises:
        BindingError: No specification has a symbol, it cannot have a value, or there are too many points.
        UnknownNameError: There is no such specification, quantity or plan.

    >>> found = sweep("mobilenet", {"alpha": "1/4..1:1/4", "side": [128, 224]}, front="min:macs,max:params")
    >>> found.columns["side"].tolist(), found.columns["macs"].tolist()
    ([128, 128, 128, 128], [13570048, 49160192, 106770432, 186400768])
    """
    from archspec.sweeps.sweeping import sweep as swept

    listed = [specs] if isinstance(specs, str | os.PathLike | Architecture) else specs
    several = [each if isinstance(each, Architecture) else load(each) for each in listed]
    if len(several) == 1:
        values = several[0].in_symbols(dict(values))
    documents = [each.document for each in several]
    fields = {name: asked.pop(name) for name in ASKED if name in asked}
    return swept(documents, values, of, counting=requested(counting, fields), **asked)


def shared_numbers(architectures: Iterable[Architecture]) -> tuple[str, ...]:
    """The symbols that all architectures have and that a formula is over where nobody says over what."""
    documents = [architecture.document for architecture in architectures]
    return tuple(
        name
        for name in documents[0].symbols
        if all(name in other.symbols and other.symbols[name].usually_free for other in documents)
    )
