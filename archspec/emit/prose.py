"""What the specification says of itself, as the paragraphs of docstrings; `writing` makes them text that is no code."""

from archspec.language.document import Block, Document
from archspec.language.initialisation import Initialisation
from archspec.language.values import Source


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
    text = " ".join(filter(None, (cited(source, titled=True), sentence(source.note or ""))))
    return ("How the weights begin.", *filter(None, (text,)))


def block_prose(block: Block) -> list[str]:
    """The paragraphs of a block's class."""
    paragraphs = [sentence(block.doc or ""), cited(block.source, titled=True) if block.source else ""]
    return [paragraph for paragraph in paragraphs if paragraph]


def sentence(text: str) -> str:
    """A text that begins with a capital and ends with a point."""
    shown = " ".join(text.split())
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
