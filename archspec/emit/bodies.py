"""What can be seen of a body without walking it: its steps, what they are called, what they go back to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from archspec import ops
from archspec.language.document import Body, Call, Document, From, Join, Repeat, Step, TableStep, Use, When
from archspec.language.rules import FLOWING, any_inputs, block_inputs, label_of, labels_of
from archspec.language.steps import callee_of, within


def labels(*body: Any) -> Iterator[str]:
    """What the steps of a body are called, by `as` or after what they call."""
    return (label for step in within(body) if (label := _label(step)) is not None)


def _label(step: Step) -> str | None:
    return step.as_ or (step.name if isinstance(step, Call) else step.operator if isinstance(step, Join) else None)


def names_given(*body: Any) -> Iterator[str]:
    """The names by which the values of a body can be gone back to."""
    return (label for step in within(body) for label in step.labels())


def given_by(body: Body, asked: Iterable[str]) -> list[str]:
    """Of the names and paths that are asked for, those of values of a body."""
    asked, known = list(dict.fromkeys(asked)), dict.fromkeys(names_given(*body))
    paths = [name for name in asked if "/" in name and name.partition("/")[0] in known]
    return [*(label for label in known if label in asked), *paths]


def froms(body: Body, document: Document, given: Iterable[str] = ()) -> Counter[str]:
    """The names that steps go back to, and how often; what is inside of one block, inside of all that share with it.

    What the body has to give counts as gone back to. A name that another block alone asks for is there 0 times.
    """
    found = Counter(label for step in within(body) for label in _sources(step, document))
    found.update(given)
    owners = _owners(body)
    for label in [*found]:
        head, _, inner = label.partition("/")
        if inner and (head in owners or head in owners.values()):
            owner = owners.get(head, head)
            for name in (owner, *(name for name, other in owners.items() if other == owner)):
                found[f"{name}/{inner}"] += 0
    return found


def _owners(body: Body) -> dict[str, str]:
    """Of each step that shares weights the one that has them first."""
    found: dict[str, str] = {}
    for step in within(body):
        for name, share in _shared(step):
            if share is not None and name is not None:
                found[str(name)] = found.get(str(share), str(share))
    return found


def _shared(step: Step) -> list[tuple[object, object]]:
    """What a step is called, and whose weights it has; of a table its rows."""
    if isinstance(step, TableStep):
        return [(cells.get("as"), cells.get("share")) for cells in step.table.cells()]
    return [(step.as_, step.share)] if isinstance(step, (Call, Use)) else []


def shares(step: Step) -> bool:
    """Whether a step itself has the weights of another, or its repetitions those of the first."""
    return step.shared if isinstance(step, Repeat) else any(share is not None for _, share in _shared(step))


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


def counted_names(document: Document) -> Counter[str]:
    """What nodes may be called, and in how many places of one body; the highest count over all bodies."""
    found: Counter[str] = Counter()
    for _, body in document.bodies():
        names = Counter(name for step in within(body) for name in _node_names(step, document))
        for name in list(names):
            base, _, number = name.rpartition("_")
            if number.isdigit() and base in names:
                names[base] += 1
                names[name] += 1
        found |= names
    return found


def _node_names(step: Step, document: Document) -> Iterator[str]:
    """What the nodes and containers of a step may be called."""
    match step:
        case Join():
            yield from step.branches
        case Repeat(as_=None):
            yield "repeat"
        case Use(as_=None):
            yield from (*document.blocks, *ops.names())
        case TableStep():
            yield from (str(cells.get("as") or callee_of(step.table, cells)) for cells in step.table.cells())
    if (label := _label(step)) is not None:
        yield label
