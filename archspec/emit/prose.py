"""Docstrings: what the specification says of itself, as text that can end no string and begin no code."""

import re
from collections.abc import Sequence
from textwrap import wrap

from archspec.language.document import Block, Document
from archspec.language.initialisation import Initialisation
from archspec.language.source import Source

WIDTH = 120


def safe(text: str) -> str:
    r"""A text for a docstring: on one line, without anything that ends the string or cannot be seen.

    >>> print(safe('two' + chr(10) + 'lines that end in ' + chr(92) + '"'))
    two lines that end in \\\"
    """
    joined = " ".join(text.split()).replace("\\", "\\\\")
    quoted = re.sub('"(?="")|"$', r"\"", joined)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in quoted)


def docstring(paragraphs: Sequence[str], indent: str) -> list[str]:
    """The lines of a docstring of paragraphs."""
    lines = [
        line
        for number, paragraph in enumerate(paragraphs)
        for line in ([""] if number else []) + _wrapped(paragraph, len(indent) + (0 if number else 3))
    ]
    if len(lines) == 1 and len(indent) + len(lines[0]) + 6 <= WIDTH:
        return [f'{indent}"""{lines[0]}"""']
    first, *others = lines
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in others), f'{indent}"""']


def _wrapped(paragraph: str, taken: int) -> list[str]:
    if "\n" in paragraph:
        return [line for part in paragraph.split("\n") for line in _entry(part, taken)]
    return wrap(paragraph, WIDTH - taken, break_long_words=False, break_on_hyphens=False) or [""]


def _entry(line: str, taken: int) -> list[str]:
    blanks = line[: len(line) - len(line.lstrip())]
    return wrap(
        line.strip(), WIDTH - taken, initial_indent=blanks, subsequent_indent=blanks + "    ", break_long_words=False,
        break_on_hyphens=False,
    ) or [""]  # fmt: skip


def module_prose(document: Document) -> list[str]:
    """The paragraphs above everything: what the network is, and the paper."""
    doc = sentence(document.doc or "")
    paragraphs = [doc or sentence(document.source.title if document.source else "") or sentence(document.name)]
    if document.source:
        paragraphs.append(cited(document.source, titled=bool(doc)))
        if document.source.note:
            paragraphs.append(sentence(document.source.note))
    return [paragraph for paragraph in paragraphs if paragraph]


def network_prose(document: Document, name: str) -> str:
    """What the class of the network is called in its own docstring."""
    source = document.source
    place = (source.table or (f"section {source.section}" if source.section else None)) if source else None
    return sentence(f"the network of {place}" if place else name)


def beginning_prose(initialisation: Initialisation) -> tuple[str, ...]:
    """What is said of how the weights begin."""
    source = initialisation.source
    if source is None:
        return ("How the weights begin.",)
    said = " ".join(filter(None, (cited(source, titled=True), sentence(source.note or ""))))
    return ("How the weights begin.", *filter(None, (said,)))


def block_prose(block: Block) -> list[str]:
    """The paragraphs of a block's class."""
    paragraphs = [sentence(block.doc or ""), cited(block.source, titled=True) if block.source else ""]
    return [paragraph for paragraph in paragraphs if paragraph]


def sentence(text: str) -> str:
    """A text that begins with a capital and ends with a point."""
    shown = safe(text)
    shown = shown[:1].upper() + shown[1:]
    return shown if not shown or shown.endswith((".", "!", "?", '"')) else f"{shown}."


def cited(source: Source, titled: bool) -> str:
    """Where something was published, as one sentence."""
    found = f"https://doi.org/{source.doi}" if source.doi else None
    arxiv = f"arXiv:{source.arxiv}" if source.arxiv else None
    section = f"section {source.section}" if source.section else None
    year = str(source.year) if source.year else None
    title = source.title if titled else None
    parts = [source.authors, year, title, arxiv, found, source.url, section, source.table]
    return sentence(", ".join(part for part in parts if part))
