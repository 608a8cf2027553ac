"""Long formulas in short: a sum over an index for terms that differ by one number, names for what repeats.

A person writes Σᵢ sᵢ where a network gives s₁ + s₂ + … + s₇. What such terms differ by is found, and not guessed: a
rounding ⌊i·x⌋ or ⌈i·x/y⌉ whose i runs through at least `LEAST` whole numbers in a row. A term that has two such in a
row, dᵢ·sᵢ₊₁, is one of them too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from sympy import Add, Expr, Integer, Symbol, count_ops, preorder_traversal

from archspec.formula.writers import natural
from archspec.symbols import Ceil, CeilDiv, Floor, MakeDivisible, TableLookup

ROUNDED = (Floor, Ceil, CeilDiv, MakeDivisible, TableLookup)
LEAST = 3
"""As many terms make a sum over an index; as often something occurs, it gets a name."""

LONG = 16
"""What is written in so many characters gets a name already where it occurs twice."""

SUBSCRIPTS = str.maketrans("0123456789+", "₀₁₂₃₄₅₆₇₈₉₊")


@dataclass(frozen=True, slots=True)
class Series:
    """A sum of terms over an index.

    Attributes:
        index: The letter that runs.
        first: Where it begins.
        last: Where it ends.
        terms: The summands, in the index.
    """

    index: Symbol
    first: int
    last: int
    terms: tuple[Expr, ...]

    def written_out(self) -> Expr:
        """The sum, term by term."""
        return Add(*(term.subs(self.index, at) for term in self.terms for at in range(self.first, self.last + 1)))


@dataclass(frozen=True, slots=True)
class Short:
    """A formula in short.

    Attributes:
        series: The sums over an index; those with the same ends are one.
        terms: The other terms.
        names: What is said of each name behind "where": the symbol, and what it stands for.
        letters: The names as LaTeX has them, by the symbols' names.
        meanings: What every name stands for, those at another index (aᵢ₊₁, a₇) among them.
    """

    series: tuple[Series, ...]
    terms: tuple[Expr, ...]
    names: tuple[tuple[Symbol, Expr], ...]
    letters: Mapping[str, str]
    meanings: Mapping[Symbol, Expr]

    def written_out(self) -> Expr:
        """The formula without names and sums over an index."""
        return Add(
            *(self._meant(term) for term in self.terms),
            *(replace(each, terms=tuple(map(self._meant, each.terms))).written_out() for each in self.series),
        )

    def _meant(self, term: Expr) -> Expr:
        while term.free_symbols & self.meanings.keys():
            term = term.xreplace(self.meanings)
        return term.subs({mark: int(mark.name) for mark in term.free_symbols if mark.name.isdecimal()})


def shortened(terms: Iterable[Expr], letters: Iterable[str]) -> Short:
    """The terms of a sum in short.

    Args:
        terms: The summands.
        letters: What symbols are called, so that no other thing is called so.

    >>> x = Symbol("x", positive=True)
    >>> found = shortened([Floor(i * x) * 5 for i in range(1, 8)], ["x"])
    >>> [(each.first, each.last, len(each.terms)) for each in found.series], found.terms
    ([(1, 7, 1)], ())
    """
    taken = {*letters}
    index = Symbol(next(letter for letter in ("i", "j", "l", "u") if letter not in taken), integer=True, positive=True)
    terms = tuple(terms)
    series, rest = _series([part for term in terms for part in Add.make_args(term)], index)
    alone = [term for term in terms if not term.is_Add and term in rest]  # a term for each spatial size
    left = Add(*(Counter(rest) - Counter(alone)).elements())
    return _named(series, [*alone, *([left] if left != 0 else [])], index, taken | {index.name})


# ------------------------------------------------------------------ sums over an index


def _series(summands: Sequence[Expr], index: Symbol) -> tuple[list[Series], list[Expr]]:
    """The sums over an index that summands make, and what is left of them."""
    steps = _steps(summands, index)
    runs: dict[Expr, dict[int, Expr]] = {}  # of each term in the index, the summands that it is at each number
    for summand in summands:
        at = {steps[atom][1] for atom in summand.atoms(*ROUNDED) if atom in steps}
        if at:
            first = min(at)
            put = {atom: steps[atom][0].subs(index, index + steps[atom][1] - first) for atom in steps}
            runs.setdefault(summand.xreplace(put), {})[first] = summand
    found: dict[tuple[int, int], list[Expr]] = {}
    done: list[Expr] = []
    for term, numbers in runs.items():
        for first, last in _in_a_row(numbers):
            found.setdefault((first, last), []).append(term)
            done += [numbers[at] for at in range(first, last + 1)]
    left = list((Counter(summands) - Counter(done)).elements())
    sums = [Series(index, *ends, tuple(terms)) for ends, terms in found.items()]
    if Add(*left, *(each.written_out() for each in sums)) != Add(*summands):  # a term of another shape than it seems
        return [], list(summands)
    at_number = {atom: kind.subs(index, _mark(number)) for atom, (kind, number) in steps.items()}
    return sorted(sums, key=lambda each: (each.first, -each.last)), [term.xreplace(at_number) for term in left]


def _mark(number: int) -> Symbol:
    """A number that an index is at, as a symbol: what is there at 7 is a₇ where there is an aᵢ."""
    return Symbol(str(number), integer=True, positive=True)


def _steps(summands: Sequence[Expr], index: Symbol) -> dict[Expr, tuple[Expr, int]]:
    """The roundings of a multiple, if the multiples are numbers in a row: each in the index, and its number."""
    kinds: dict[Expr, dict[int, Expr]] = {}
    for atom in {atom for summand in summands for atom in summand.atoms(Floor, Ceil, CeilDiv)}:
        above, *others = atom.args
        number, rest = above.as_coeff_Mul()
        if number.is_Integer and number > 0 and rest.free_symbols and not rest.is_Add:
            kinds.setdefault(atom.func(index * rest, *others), {})[int(number)] = atom
    return {
        atom: (kind, number)
        for kind, atoms in kinds.items()
        if len(_in_a_row(atoms)) == 1 and len(atoms) == max(atoms) - min(atoms) + 1
        for number, atom in atoms.items()
    }


def _in_a_row(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of runs of at least `LEAST` whole numbers.

    >>> _in_a_row([7, 1, 2, 3, 9, 10])
    [(1, 3)]
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [(run[0], run[-1]) for run in runs if len(run) >= LEAST]


# ------------------------------------------------------------------ names


def _named(series: Sequence[Series], rest: Sequence[Expr], index: Symbol, taken: set[str]) -> Short:
    """The same with names for what repeats: aᵢ for what has the index, n₁, n₂, … for the others, in order."""
    parts = [*(term for each in series for term in each.terms), *rest]
    names: list[tuple[Symbol, Expr]] = []
    letters: dict[str, str] = {}
    meanings: dict[Symbol, Expr] = {}
    families = (letter for letter in "abcdefgpqrtuvz" if letter not in taken)
    stem = next(letter for letter in ("n", "m", "N", "r") if letter not in taken)
    numbers = count(1)
    marks = {mark for part in parts for mark in part.free_symbols if mark.name.isdecimal()}
    while (atom := _repeated([*parts, *(meaning for _, meaning in names)], index)) is not None:
        indexed = index in atom.free_symbols
        family = next(families, None) if indexed else f"{stem}_{next(numbers)}"
        if family is None:
            break
        put: dict[Expr, Expr] = {}
        for shift in range(LEAST) if indexed else (0,):
            called = _called(family, index.name, shift) if indexed else family
            letters[called] = f"{family}_{{{index.name}{f'+{shift}' if shift else ''}}}"
            put[atom.subs(index, index + shift) if shift else atom] = Symbol(called, integer=True, positive=True)
        for mark in marks if indexed else ():
            called = f"{family}{mark.name}".translate(SUBSCRIPTS)
            letters[called] = f"{family}_{{{mark.name}}}"
            put[atom.subs(index, mark)] = Symbol(called, integer=True, positive=True)
        parts = [part.xreplace(put) for part in parts]
        names = [(name, meaning.xreplace(put)) for name, meaning in names]
        meanings |= {name: meaning for meaning, name in put.items()}
        names.append((put[atom], atom))
    ordered = _in_order(names, stem, letters)
    parts = [part.xreplace(ordered) for part in parts]
    meanings = {ordered.get(name, name): each.xreplace(ordered) for name, each in meanings.items()}
    names = [(ordered.get(name, name), each.xreplace(ordered)) for name, each in names]
    names.sort(key=lambda each: list(ordered.values()).index(each[0]) if each[0] in ordered.values() else len(ordered))
    sums, others = [], list(parts)
    for each in series:
        sums.append(Series(each.index, each.first, each.last, tuple(others[: len(each.terms)])))
        others = others[len(each.terms) :]
    return Short(tuple(sums), tuple(others), tuple(names), letters, meanings)


def _in_order(names: Iterable[tuple[Symbol, Expr]], stem: str, letters: dict[str, str]) -> dict[Expr, Symbol]:
    """n₁, n₂, … for the names without an index, in the order of what they stand for: ⌊64α⌋ before ⌊128α⌋."""
    plain = sorted((each for each in names if each[0].name.startswith(f"{stem}_")), key=lambda each: natural(each[1]))
    put: dict[Expr, Symbol] = {}
    for number, (name, _) in enumerate(plain, 1):
        called = f"{stem}{number}".translate(SUBSCRIPTS)
        letters[called] = f"{stem}_{{{number}}}"
        put[name] = Symbol(called, integer=True, positive=True)
    return put


def _repeated(expressions: Iterable[Expr], index: Symbol) -> Expr | None:
    """The largest rounding that occurs so often that it wants a name; None if there is none."""
    often: Counter[Expr] = Counter()
    for expression in expressions:
        for part in preorder_traversal(expression):
            if isinstance(part, ROUNDED):
                often[_from_first(part, index)] += 1
    wanted = [atom for atom, times in often.items() if times >= LEAST or (times > 1 and len(str(atom)) >= LONG)]
    return max(wanted, key=lambda atom: (count_ops(atom), str(atom)), default=None)


def _from_first(atom: Expr, index: Symbol) -> Expr:
    """A rounding that has the index, as it is at i: that at i + 1 is the next of those, and that at 7 one of them."""
    marks = [symbol for symbol in atom.free_symbols if symbol.name.isdecimal()]
    if len(marks) == 1 and index not in atom.free_symbols:
        return atom.xreplace({marks[0]: index})
    if index not in atom.free_symbols:
        return atom
    shifts = [
        int(number)
        for part in preorder_traversal(atom)
        if part.is_Add and index in part.args
        for number in part.args
        if number.is_Integer
    ]
    bare = any(index in part.args for part in preorder_traversal(atom) if not part.is_Add)
    least = 0 if bare or not shifts else min(shifts)
    return atom.subs(index, index - Integer(least)) if least else atom


def _called(family: str, index: str, shift: int) -> str:
    """A name with its index, as text has it.

    >>> _called("a", "i", 1)
    'aᵢ₊₁'
    """
    letter = {"i": "ᵢ", "j": "ⱼ", "l": "ₗ", "u": "ᵤ"}[index]
    return f"{family}{letter}" + (f"+{shift}".translate(SUBSCRIPTS) if shift else "")
