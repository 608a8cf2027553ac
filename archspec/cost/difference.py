"""Why two counts of one network disagree, term by term."""

from collections.abc import Iterable
from dataclasses import dataclass

from archspec.cost.conventions import CONVENTIONS, Convention, Term
from archspec.cost.dialects import NAMES
from archspec.dims import Dim
from archspec.errors import entry


@dataclass(frozen=True, slots=True)
class TermDifference:
    """What one doer adds to two figures, and so to their difference.

    Attributes:
        of: What does it, as in `Term`.
        left: Its summands in the one figure; none if it is free there.
        right: Its summands in the other.
    """

    of: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]

    @property
    def difference(self) -> Dim:
        """The left less the right; over all parts this adds up to the difference of the figures."""
        return total(self.left) - total(self.right)


def total(terms: Iterable[Term]) -> Dim:
    """What summands add up to."""
    return sum(term.amount for term in terms)


def difference(left: Iterable[Term], right: Iterable[Term]) -> tuple[TermDifference, ...]:
    """Two figures held against each other, as a part for each that adds to either of them.

    >>> two, one = Term("macs", "macs", 2, 500), Term("macs", "macs", 1, 500)
    >>> [(part.of, part.difference) for part in difference([two, Term("relu", "inputs", 1, 7)], [one])]
    [('macs', 500), ('relu', 7)]
    """
    left, right = tuple(left), tuple(right)
    doers = dict.fromkeys(term.of for term in (*left, *right))
    return tuple(
        TermDifference(
            doer, tuple(term for term in left if term.of == doer), tuple(term for term in right if term.of == doer)
        )
        for doer in sorted(doers, key=lambda doer: _FIRST.index(doer) if doer in _FIRST else len(_FIRST))
    )


_FIRST = ("macs", "biases")


def counter(name: str) -> Convention:
    """The counter or the convention of that name.

    Raises:
        UnknownNameError: There is neither.

    >>> counter("thop").name, counter("mobilenet").name
    ('thop', 'mobilenet')
    """
    known: dict[str, Convention] = {**CONVENTIONS, **NAMES}
    return entry(known, name, "counter or convention")
