"""A block by itself: a network of one block, whose arguments and input sizes are its symbols."""

import re
from collections.abc import Mapping
from typing import Any

from archspec import dims
from archspec.errors import UnknownNameError, did_you_mean
from archspec.graph.expand import expand
from archspec.language.document import Block, Call, Document, Symbol
from archspec.language.expression import Expression
from archspec.language.rules import signature

SIZES = {"in_channels": "c_in", "in_height": "h", "in_width": "w"}
"""What flows into a block, and the letters of that."""


def single(document: Document, block: str, letters: str | None = None) -> Document:
    """The specification of a network that is one block.

    Its symbols are the block's arguments, the sizes of its input (c_in, h, w) and the symbols of the document; their
    defaults are those of the block's first use. With a paper's letters, two sizes of one letter are one symbol.

    Args:
        document: The specification that has the block.
        block: The block's name.
        letters: The name of letters that the block declares.

    Raises:
        UnknownNameError: There is no such block, nothing uses it, or it has no such letters.

    >>> from archspec.language import load
    >>> list(single(load("mobilenet"), "separable").symbols)
    ['c_in', 'h', 'w', 's', 'c', 'k']
    """
    found = _block(document, block)
    uses = expand(document).uses
    if block not in uses:
        raise UnknownNameError(f"'{document.name}' does not use the block '{block}' at its defaults; count it in a use")
    values, tensor = uses[block]
    shown = _letters(document, block, found, letters)
    flowing = (
        dict(zip(SIZES, tensor.shape[1:], strict=False))
        if len(tensor.shape) == 4
        else {"in_channels": tensor.shape[-1]}
    )
    numbers = {arg: values[arg] for arg in found.args if dims.is_number(values[arg])}
    reached = _reached(document, block)
    symbols = {name: each for name, each in document.symbols.items() if name in reached}
    named: dict[str, str] = {}
    by_letter: dict[str, str] = {}  # the symbol of a letter; two sizes of one letter are one symbol
    for key, default in (*flowing.items(), *numbers.items()):
        letter = shown.get(key)
        named[key] = by_letter.get(letter, "") if letter else ""
        named[key] = named[key] or _free(SIZES.get(key, key), symbols)
        by_letter.setdefault(letter or named[key], named[key])
        symbols.setdefault(named[key], Symbol(default=default, latex=letter))
    for key, letter in shown.items():
        if key not in named and key in symbols:
            symbols[key] = symbols[key].model_copy(update={"latex": letter})
    args = {arg: Expression(named[arg]) for arg in numbers}
    return document.model_copy(
        update={
            "name": block,
            "doc": found.doc,
            "source": found.source or document.source,
            "symbols": symbols,
            "let": {name: each for name, each in document.let.items() if name in reached},
            "input": tuple(Expression(named[key]) for key in flowing),
            "network": (Call(name=block, args={**_others(found, values), **args}),),
        }
    )


def unbound(document: Document, block: str, letters: str | None = None) -> tuple[str, ...]:
    """The symbols of `single` that a block's formula is in: its required arguments, its input's sizes, the document's.

    With letters, those that are named by them.
    """
    found = _block(document, block)
    alone = single(document, block, letters)
    if letters is not None:
        by_letter = {symbol.latex: name for name, symbol in alone.symbols.items()}
        return tuple(dict.fromkeys(by_letter[letter] for letter in _letters(document, block, found, letters).values()))
    bound = {arg for arg, default in found.args.items() if not Block.is_required(default)}
    return tuple(name for name, symbol in alone.symbols.items() if name not in bound and not symbol.word)


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


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_in"
    return name


def _others(block: Block, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are no numbers, as they are where the block is used first."""
    return {arg: _written(values[arg]) for arg in block.args if not dims.is_number(values[arg]) and arg in values}


def _written(value: Any) -> Any:
    return tuple(map(_written, value)) if isinstance(value, tuple) else Expression(value)
