"""What a model was made from, small enough to travel with it: enough to make it again, or to tell it from another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from archspec.language.document import Document


@dataclass(frozen=True)
class Origin:
    """A specification and the values of its symbols.

    Attributes:
        name: The specification's name.
        digest: The SHA-256 of what it says, whatever its layout and comments; see `digest`.
        bindings: The symbols' values, defaults included, as text.
    """

    name: str
    digest: str
    bindings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        bound = ", ".join(f"{name} = {value}" for name, value in self.bindings.items())
        return f"{self.name} {self.digest[:12]}" + (f" ({bound})" if bound else "")


def origin(document: Document, bindings: Mapping[str, Any]) -> Origin:
    """Where a network of this document comes from."""
    return Origin(document.name, digest(document), {name: str(value) for name, value in bindings.items()})


def digest(document: Document) -> str:
    """The SHA-256 of what a document says: the same for every text that is read as this document."""
    return sha256(document.model_dump_json(by_alias=True, exclude_defaults=True).encode()).hexdigest()
