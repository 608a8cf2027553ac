"""A block by itself: a network of one block, whose arguments and input sizes are its symbols."""

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archspec import dims
from archspec.errors import UnknownNameError, did_you_mean
from archspec.graph.expand import first_use
from archspec.language.document import INPUT, Block, Call, Document, Symbol
from archspec.language.expression import BUILTINS, CONSTANTS, Expression
from archspec.language.rules import flow_sizes, signature
from archspec.ops import Tensor

SIZES = {"in_channels": "c_in", "in_height": "h", "in_width": "w", "in_length": "length"}
"""What flows into a block, and the letters of that."""

LENGTH = "L"
"""How the length of a sequence is written where nothing else is written so."""


MOST = 10**6
"""Up to where an argument is allowed whose default is 0: a padding."""


@dataclass(frozen=True, slots=True)
class StandaloneBlock:
    """A block as a specification of its own.

    Attributes:
        document: The specification of a network that is the block.
        names: The symbol of each size that flows in (in_channels, …) and of each argument that is a number.
        optional: The symbols of arguments that have a default of their own.
        lettered: The symbols that are letters of a paper, in its order; none without letters.
        arrangement: How formulas in these letters are written.
    """

    document: Document
    names: Mapping[str, str]
    optional: frozenset[str]
    lettered: tuple[str, ...] = ()
    arrangement: Literal["collected", "sum", "factored"] = "collected"

    @property
    def unbound(self) -> tuple[str, ...]:
        """The symbols that a formula is in: required arguments, the input's sizes, those of the specification.

        With letters, those that are named by them.
        """
        numbers = (name for name, symbol in self.document.symbols.items() if not symbol.word)
        return self.lettered or tuple(name for name in numbers if name not in self.optional)

    @property
    def decisive(self) -> dict[str, Any]:
        """The defaults that decide what symbols leave open: not what the first use of the block gives its letters."""
        given = {name for name in self.names.values() if name not in self.optional}
        return {name: each.default for name, each in self.document.symbols.items() if name not in given}

    @property
    def aliases(self) -> dict[str, str]:
        """Other names of its symbols: in_channels for c_in, and the names of arguments for letters."""
        others = {letter: name for name, each in self.document.symbols.items() if (letter := each.latex)}
        found = {**others, **self.names}
        return {other: name for other, name in found.items() if other not in self.document.symbols}


def single(document: Document, block: str, letters: str | None = None) -> StandaloneBlock:
    """A block by itself, as a network of one block.

    Its symbols are the block's arguments, the sizes of its input (c_in, h, w) and the symbols of the document; their
    defaults are the block's own, and without one what it is given where it is used first. With a paper's letters, they
    are called by these, and two sizes of one letter are one symbol.

    Args:
        document: The specification that has the block.
        block: The block's name.
        letters: The name of letters that the block declares.

    Raises:
        UnknownNameError: There is no such block, nothing uses it, or it has no such letters.

    >>> from archspec.language import load
    >>> list(single(load("mobilenet"), "separable").document.symbols)
    ['c_in', 'h', 'w', 's', 'c', 'k']
    >>> list(single(load("mobilenet"), "separable", "paper").document.symbols)
    ['M', 'D_F', 's', 'N', 'D_K']
    """
    found = _block(document, block)
    use = first_use(document, block)
    if use is None:
        raise UnknownNameError(
            f"'{document.name}' does not use the block '{block}' at its defaults; "
            f"count '{document.name}' at values at which it does"
        )
    values, tensors = use
    shown = _letters(document, block, found, letters)
    shapes = {name: _flowing(name, tensor) for name, tensor in tensors.items()}
    flowing = {key: size for sizes in shapes.values() for key, size in sizes.items()}
    numbers = {arg: values[arg] for arg in found.args if dims.is_number(values[arg])}
    reached = _reached(document, block)
    lets = {name: each for name, each in document.let.items() if name in reached}
    symbols = {name: each for name, each in document.symbols.items() if name in reached}
    named = _name_symbols(symbols, {**flowing, **numbers}, shown, lets)
    others = {arg: _written(values[arg]) for arg in found.args if arg not in numbers}  # as they are where it is used
    args = {arg: Expression(named[arg]) for arg in numbers}
    labels = {name: Expression(name) for name in found.inputs}  # the network has inputs of these names
    as_network = document.model_copy(
        update={
            "name": block,
            "doc": found.doc,
            "source": found.source or document.source,
            "symbols": symbols,
            "let": lets,
            **_inputs({name: tuple(Expression(named[key]) for key in sizes) for name, sizes in shapes.items()}),
            "outputs": (),
            "network": (Call(name=block, args={**others, **args, **labels}),),
        }
    )
    optional = frozenset(named[arg] for arg in numbers if not Block.is_required(found.args[arg]))
    lettered = tuple(dict.fromkeys(named.get(key, key) for key in shown))
    return StandaloneBlock(
        as_network, named, optional, lettered, found.letters[letters].form if letters else "collected"
    )


def _flowing(name: str, tensor: Tensor) -> dict[str, Any]:
    """The sizes that a block takes, by what they are called: those of what flows in as expressions call them."""
    shape = tensor.shape
    known = flow_sizes(shape)
    if name != INPUT:
        prefix = f"{name}_"
        axes = ("channels", "height", "width") if len(shape) == 4 else (*map(str, range(1, len(shape) - 1)), "channels")
        return {f"{prefix}{axis}": size for axis, size in zip(axes, shape[1:], strict=True)}
    if len(known) == len(shape) - 1:
        return known
    if len(shape) == 3:
        return {"in_length": shape[1], **known}
    return {**{f"in_size{axis}": size for axis, size in enumerate(shape[1:-1], 1)}, **known}


def _inputs(shapes: Mapping[str, tuple[Expression, ...]]) -> dict[str, Any]:
    """The inputs of a network that is a block."""
    return {"input": shapes[INPUT], "inputs": {}} if len(shapes) == 1 else {"input": None, "inputs": shapes}


def _name_symbols(
    symbols: dict[str, Symbol], sizes: Mapping[str, Any], shown: Mapping[str, str], lets: Iterable[str]
) -> dict[str, str]:
    """The symbol of each size, which is put among the symbols; two sizes of one letter are one symbol."""
    named: dict[str, str] = {}
    by_letter: dict[str, str] = {}
    for key, default in sizes.items():
        letter = shown.get(key)
        called = letter if letter and _is_name(letter) else SIZES.get(key, key)
        named[key] = by_letter.get(letter or "") or _free(called, (*symbols, *lets))
        by_letter.setdefault(letter or named[key], named[key])
        limits = None if default > 0 else (default, MOST)
        if key == "in_length" and not letter and all(each.latex != LENGTH for each in symbols.values()):
            letter = LENGTH
        symbols.setdefault(named[key], Symbol(default=default, latex=letter, range=limits))
    for key, letter in shown.items():
        if key not in named and key in symbols:
            symbols[key] = symbols[key].model_copy(update={"latex": letter})
    return named


def _is_name(letter: str) -> bool:
    """Whether a letter can be the name of a symbol."""
    plain = letter.isascii() and letter.isidentifier() and not keyword.iskeyword(letter)
    return plain and letter not in BUILTINS and letter not in CONSTANTS


def _reached(document: Document, block: str) -> set[str]:
    """The words in the text of a block, and in that of the blocks, functions and names that it mentions, and so on."""
    texts = {name: each.model_dump_json(by_alias=True) for name, each in document.blocks.items()}
    texts |= {signature(head)[0]: body.text for head, body in document.functions.items()}
    texts |= {name: str(each) for name, each in document.let.items()}
    reached, ahead = set[str](), [block]
    while ahead:
        words = set(re.findall(r"[A-Za-z]\w*", texts.get(ahead.pop(), ""))) - reached
        reached |= words
        ahead += words
    return reached


def _block(document: Document, name: str) -> Block:
    if name not in document.blocks:
        known = list(document.blocks)
        hint = did_you_mean(name, known) or (f"; it has {', '.join(known)}" if known else "; it has none")
        raise UnknownNameError(f"'{document.name}' has no block '{name}'{hint}")
    return document.blocks[name]


def _letters(document: Document, name: str, block: Block, letters: str | None) -> Mapping[str, str]:
    if letters is None:
        return {}
    if letters not in block.letters:
        known = f"; it has {', '.join(block.letters)}" if block.letters else "; it declares none"
        raise UnknownNameError(f"the block '{name}' of '{document.name}' has no letters '{letters}'{known}")
    return block.letters[letters].names


def _free(name: str, taken: Iterable[str]) -> str:
    taken = set(taken)
    while name in taken:
        name += "_in"
    return name


def _written(value: Any) -> Any:
    return tuple(map(_written, value)) if isinstance(value, tuple) else Expression(value)
