"""A sweep: what networks cost over whole grids of their symbols, exactly."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from archspec.compress.plan import Plan
from archspec.compress.plan import load as load_plan
from archspec.compress.progress import Progress, silent
from archspec.cost import USUAL, Counting
from archspec.dims import exact
from archspec.errors import ArchspecError, BindingError
from archspec.language.document import Document
from archspec.language.rules import refuse_opaque
from archspec.sweeps.criteria import conditions, objective, objectives, quantities
from archspec.sweeps.engine import Engine
from archspec.sweeps.engine import engine as read_engine
from archspec.sweeps.grid import BATCH, MIN_SCATTERED, Subject, tiles, values_of
from archspec.sweeps.journal import Journal
from archspec.sweeps.patches import Cutter
from archspec.sweeps.rows import Rows, objects, together, whole
from archspec.sweeps.table import ALIKE, PLAN, SPEC, Sweep
from archspec.sweeps.tile import Question, Swept, swept

MAX_POINTS = 10**11
MAX_ROWS = 10**7
"""How many points are looked at, and how many kept, at most."""
OF = ("macs", "params")


def sweep(  # noqa: PLR0913  # each is something to ask
    documents: Iterable[Document],
    values: Mapping[str, Any],
    of: str | Iterable[str] = OF,
    *,
    where: str | Iterable[str] | Mapping[str, Any] | None = None,
    front: str | Iterable[str] | None = None,
    sort: str | Iterable[str] | None = None,
    top: int | None = None,
    plans: Iterable[str | Plan] = (),
    bindings: Mapping[str, Any] | None = None,
    counting: Counting = USUAL,
    engine: str = "local",
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Sweep:
    """What networks cost at every combination of values of their symbols.

    Args:
        documents: The specifications; one without a symbol is swept without it.
        values: The values of each symbol, "batch" among them: one, several, or text such as "1/4..2:1/4", "96,128",
            "*". The last symbol moves fastest.
        of: The quantities, by name.
        where: Bounds that a point is to be within, such as "macs<=300M".
        front: Objectives, such as "min:macs,max:params": those points that no other outdoes in all of them.
        sort: What points are sorted by, such as "max:macs"; by default they are in the order of the grid.
        top: How many are kept, the first of those.
        plans: Plans of compression, each another point.
        bindings: Values of other symbols.
        counting: How to count.
        engine: Who does the work: "local", "local=4", "dask", "dask=tcp://…", "ray"; see `sweeps.engine`.
        folder: Where to keep what the sweep has come to, so that it goes on there after an interruption.
        progress: Is told how many points are done.

    Raises:
        BindingError: No specification has a symbol, it cannot have a value, or there are too many points.
        UnknownNameError: There is no such quantity or plan.

    >>> from archspec.language import load
    >>> found = sweep([load("mobilenet")], {"alpha": "1/4..1:1/4", "side": [128, 224]}, where="macs<=300M", top=2)
    >>> found.columns["macs"]
    array([13570048, 41030272])
    """
    documents, read = tuple(documents), tuple(map(load_plan, plans))
    question = _question(bool(read), of, where, front, sort, top, counting)
    subjects = _subjects(documents, read, values, dict(bindings or {}))
    _check_few(subjects, question)
    by = read_engine(engine)
    journal = Journal(Path(folder), question, subjects) if folder is not None else None
    found = _merged(question, _swept(question, subjects, by, journal, progress))
    return _table(question, subjects, tuple(values), dict(bindings or {}), found)


def _question(
    planned: bool, of: Any, where: Any, front: Any, sort: Any, top: int | None, counting: Counting
) -> Question:
    names = [of] if isinstance(of, str) else list(of)
    names = [part.strip() for name in names for part in name.split(",")]
    if not names:
        raise BindingError("a sweep is of one quantity at least, such as macs")
    if top is not None and top < 1:
        raise BindingError(f"top is a whole number from 1 (got {top})")
    best = objectives(front) if front else ()
    order = tuple(map(objective, sort.split(",") if isinstance(sort, str) else sort or ()))
    quantities((each.quantity for each in (*best, *order)), planned)
    return Question(quantities(names, planned), conditions(where, planned), best, order, top, counting)


def _subjects(
    documents: Sequence[Document], plans: Sequence[Plan], values: Mapping[str, Any], bindings: Mapping[str, Any]
) -> tuple[Subject, ...]:
    if not documents:
        raise BindingError("a sweep is of one specification at least")
    for document in documents:
        refuse_opaque(document)
    for name in (*values, *bindings):
        if name != BATCH and not any(name in document.symbols for document in documents):
            if len(documents) == 1:
                values_of(documents[0], name, "1")
            raise BindingError(f"none of these networks has a symbol '{name}'")
    if both := [name for name in values if name in bindings]:
        raise BindingError(f"the symbol '{both[0]}' cannot be both bound and swept")
    return tuple(_subject(document, plan, values, bindings) for document in documents for plan in plans or (None,))


def _subject(document: Document, plan: Plan | None, values: Mapping[str, Any], bindings: Mapping[str, Any]) -> Subject:
    own = {name: value for name, value in bindings.items() if name in document.symbols}
    return Subject(
        document,
        plan,
        {name: value if document.symbols[name].word else exact(value) for name, value in own.items()},
        {
            name: values_of(document, name, given) if name in document.symbols or name == BATCH else (None,)
            for name, given in values.items()
        },
    )


def _check_few(subjects: Sequence[Subject], question: Question) -> None:
    """See that so many points can be swept.

    Raises:
        BindingError: They are too many.
    """
    points = sum(subject.points for subject in subjects)
    sizes = " × ".join(f"{name} {len(values):,}" for name, values in subjects[0].axes.items())
    if points > MAX_POINTS:
        raise BindingError(
            f"these are {points:,} points ({sizes}), more than {MAX_POINTS:,}; give longer steps, or ask archspec "
            f"solve, which follows a symbol by its roundings"
        )
    if points > MAX_ROWS and not question.bounded and not question.where:
        raise BindingError(
            f"these are {points:,} points ({sizes}), and more than {MAX_ROWS:,} are not kept; say which: --front, "
            f"--top or --where"
        )


def _swept(
    question: Question, subjects: Sequence[Subject], by: Engine, journal: Journal | None, progress: Progress
) -> Iterator[Swept]:
    """What every tile comes to, in their order; what the journal has is not asked again."""
    every = list(tiles(subjects, [_scattered(question, subject) for subject in subjects]))
    todo = [n for n in range(len(every)) if journal is None or not journal.has(n)]
    fresh = by.each(swept, [(question, subjects[every[n].subject], every[n]) for n in todo])
    done, total = 0, sum(tile.points for tile in every)
    left = set(todo)
    for number, tile in enumerate(every):
        found = journal.load(number) if journal is not None and number not in left else next(fresh)
        if found is None:  # its file is damaged
            found = swept(question, subjects[tile.subject], tile)
        if journal is not None and number in left:
            journal.save(number, found)
        done += tile.points
        progress("points", done, total)
        yield found


def _scattered(question: Question, subject: Subject) -> bool:
    """Whether most points of a subject are to be counted each for itself; of a few it does not matter."""
    if subject.points <= MIN_SCATTERED:
        return False
    return Cutter(subject, question.quantities, question.counting).scattered()


def _merged(question: Question, parts: Iterable[Swept]) -> Swept:
    """The tiles' answers as one, in their order."""
    waiting: list[Rows] = []
    points = within = unbuilt = 0
    fault: tuple[int, int, str] | None = None
    for part in parts:
        points, within, unbuilt = points + part.points, within + part.within, unbuilt + part.unbuilt
        fault = fault or part.fault
        waiting.append(part.rows)
        if question.bounded and len(waiting) > 1:
            waiting = [question.best(together(waiting, question.shown))]
        if sum(map(len, waiting)) > MAX_ROWS:
            raise BindingError(f"more than {MAX_ROWS:,} points are kept; say which: --front, --top, or closer bounds")
    rows = together(waiting, question.shown)
    return Swept(question.best(rows) if question.bounded else rows, points, within, unbuilt, fault)


def _table(
    question: Question, subjects: Sequence[Subject], names: tuple[str, ...], bindings: Mapping[str, Any], found: Swept
) -> Sweep:
    rows = found.rows.ordered(question.sort, question.top)
    columns: dict[str, Any] = {SPEC: objects([subject.document.name for subject in subjects])[rows.subject]}
    plans = tuple(dict.fromkeys(subject.plan.name for subject in subjects if subject.plan))
    if plans:
        columns[PLAN] = objects([subject.plan and subject.plan.name for subject in subjects])[rows.subject]
    figures = {name: whole(rows.figures[name]) for name in question.shown}
    if taken := [name for name in names if name in (*columns, *figures, ALIKE)]:
        raise ArchspecError(f"the symbol '{taken[0]}' has the name of another column")
    columns |= {name: _values(subjects, name, axis, rows) for axis, name in enumerate(names)} | figures
    columns |= {ALIKE: rows.alike} if question.front else {}
    first = f"{subjects[found.fault[0]].named(found.fault[1])}: {found.fault[2]}" if found.fault else ""
    return Sweep(
        columns=columns,
        axes=names,
        of=question.shown,
        specs=tuple(dict.fromkeys(subject.document.name for subject in subjects)),
        plans=plans,
        bindings=bindings,
        counting=question.counting,
        conditions=question.where,
        objectives=question.front,
        points=found.points,
        within=found.within,
        unbuilt=(found.unbuilt, first),
    )


def _values(subjects: Sequence[Subject], name: str, axis: int, rows: Rows) -> Any:
    """The values of one symbol at each row."""
    every = [whole(objects(subject.axes[name])) for subject in subjects]
    found = np.empty(len(rows), dtype=np.result_type(*every))
    for number, (subject, values) in enumerate(zip(subjects, every, strict=True)):
        mine = rows.subject == number
        inner = prod(subject.shape[axis + 1 :])
        found[mine] = values[rows.place[mine] // inner % len(values)]
    return found
