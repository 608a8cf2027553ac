"""What can be seen of a body without walking it: its steps, what they are called, what they go back to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from archspec import ops
from archspec.language.document import Body, Call, Document, From, Join, Repeat, Step, TableStep, Use, When
from archspec.language.rules import FLOWING, any_inputs, block_inputs, label_of, labels_of
from archspec.language.steps import callee_of, inner_bodies


def labels(body: Body) -> Iterator[str]:
    """What the steps of a body are called."""
    for step in body:
        if isinstance(step, Call):
            yield step.as_ or step.name
        elif isinstance(step, Join):
            yield step.as_ or step.operator
        elif step.as_:
            yield step.as_
        for inner in inner_bodies(step):
            yield from labels(inner)


def steps(bodies: tuple[Body, ...]) -> Iterator[Step]:
    """The steps of bodies, at any depth."""
    for body in bodies:
        for step in body:
            yield step
            yield from steps(inner_bodies(step))


def froms(bodies: tuple[Body, ...], document: Document) -> Counter[str]:
    """The names that steps go back to, and how often; what is inside of one block, inside of all that share with it."""
    found = Counter(label for step in steps(bodies) for label in _sources(step, document))
    owners = _owners(bodies)
    for label in [*found]:
        head, _, inner = label.partition("/")
        if inner and (head in owners or head in owners.values()):
            owner = owners.get(head, head)
            for name in (owner, *(name for name, other in owners.items() if other == owner)):
                found[f"{name}/{inner}"] += 0
    return found


def _owners(bodies: tuple[Body, ...]) -> dict[str, str]:
    """Of each step that shares weights the one that has them first."""
    found: dict[str, str] = {}
    for step in steps(bodies):
        rows = step.table.cells() if isinstance(step, TableStep) else ()
        pairs = [(cells.get("as"), cells.get("share")) for cells in rows]
        pairs += [(step.as_, step.share)] if isinstance(step, (Call, Use)) else []
        for name, share in pairs:
            if share is not None and name is not None:
                found[str(name)] = found.get(str(share), str(share))
    return found


def _sources(step: Step, document: Document) -> Iterator[str]:
    """The values that one step goes back to."""
    yield from (label for label, _ in step.sources())
    if isinstance(step, (Call, Use)):
        names = block_inputs(document, step.name) if isinstance(step, Call) else any_inputs(document)
        yield from (str(label_of(step.args[name])) for name in names if name in step.args)
    elif isinstance(step, TableStep):
        for cells in step.table.cells():
            yield from labels_of(cells.get("from"))
            names = block_inputs(document, callee_of(step.table, cells))
            yield from (str(label_of(cells[name])) for name in names if cells.get(name) is not None)


def takes(step: Step, document: Document) -> bool:
    """Whether a step itself, not one inside it, takes other values than what flows."""
    return next(_sources(step, document), None) is not None


def shares(step: Step) -> bool:
    """Whether a step itself has the weights of another, or its repetitions those of the first."""
    if isinstance(step, Repeat):
        return step.shared
    if isinstance(step, TableStep):
        return any(cells.get("share") is not None for cells in step.table.cells())
    return isinstance(step, (Call, Use)) and step.share is not None


def names_given(bodies: tuple[Body, ...]) -> Iterator[str]:
    """The names by which the values of bodies can be gone back to."""
    for step in steps(bodies):
        if step.as_:
            yield step.as_
        if isinstance(step, TableStep):
            names = [column.name for column in step.table.columns]
            yield from (str(row[names.index("as")]) for row in step.table.rows if "as" in names)


def given_by(bodies: tuple[Body, ...], asked: Iterable[str]) -> list[str]:
    """Of the names and paths that are asked for, those of values of bodies."""
    asked, labels = list(dict.fromkeys(asked)), list(dict.fromkeys(names_given(bodies)))
    known = set(labels)
    paths = [name for name in asked if "/" in name and name.partition("/")[0] in known]
    return [*(label for label in labels if label in asked), *paths]


def peeled(body: Body) -> tuple[str | None, Body]:
    """The value that a branch begins at, if it goes back to one first of all, and the steps behind that."""
    if body and isinstance(body[0], From):
        return body[0].from_, body[1:]
    if body and isinstance(body[0], (Call, Use)) and len(body[0].from_ or ()) == 1:
        return body[0].from_[0], (body[0].model_copy(update={"from_": None}), *body[1:])
    whens = [step for step in body if isinstance(step, When)]
    if not body or len(whens) < len(body) or any(set(FLOWING) & set(step.when.names) for step in whens):
        return None, body  # a condition on what flows is of what flows before it goes back
    starts: list[str | None] = []
    kept: list[When] = []
    for number, step in enumerate(whens):
        sides = [peeled(side) for side in (step.then, step.else_ or ()) if side]
        starts += [start for start, _ in sides]
        if number < len(body) - 1 and any(rest for _, rest in sides):
            return None, body
        rests = [rest for _, rest in sides]
        if any(rests):
            other = rests[1] if len(rests) > 1 else ()
            kept.append(step.model_copy(update={"then": rests[0], "else_": other or None}))
    if len(set(starts)) != 1 or starts[0] is None:
        return None, body
    return starts[0], tuple(kept)


def expressions(value: Any) -> Iterator[Any]:
    """The expressions in a value, or in a tuple of them."""
    if isinstance(value, tuple):
        for part in value:
            yield from expressions(part)
    elif value is not None:
        yield value


def counted_names(document: Document) -> Counter[str]:
    """What nodes may be called, and in how many places of one body; the highest count over all bodies."""
    found: Counter[str] = Counter()
    for _, body in document.bodies():
        names = Counter(labels(body))
        for step in steps((body,)):
            if isinstance(step, Join):
                names.update(list(step.branches))
            elif isinstance(step, Repeat) and not step.as_:
                names["repeat"] += 1
            elif isinstance(step, Use) and not step.as_:
                names.update([*document.blocks, *ops.names()])
            elif isinstance(step, TableStep):
                columns = [column.name for column in step.table.columns]
                for row in step.table.rows:
                    cells = dict(zip(columns, row, strict=True))
                    callee = cells.get("block", cells.get("operator", step.table.block))
                    names[str(cells.get("as") or callee)] += 1
        for name in list(names):
            base, _, number = name.rpartition("_")
            if number.isdigit() and base in names:
                names[base] += 1
                names[name] += 1
        found |= names
    return found
