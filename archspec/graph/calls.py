"""What a call puts into the network: an operator or a block by its name, several times over, or as a row of a table."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from archspec import dims, ops
from archspec.errors import ArchspecError, Mark, SpecError, UndecidableError, did_you_mean
from archspec.graph.expansion import BodyFrame, Flow, bind_lets, inside
from archspec.graph.network import Container, Trace
from archspec.graph.sharing import share
from archspec.language.document import INPUT, Block, Call, Repeat, Step, TableRows, TableStep, Use
from archspec.language.expression import Scope
from archspec.language.rules import argument_faults, from_fault, labels_of, repeat_fault, value_mark
from archspec.language.steps import BESIDE, CALLEE, callee_of
from archspec.language.values import Value, evaluated
from archspec.ops import Tensor
from archspec.ops.base import same_size


def walk_call(step: Call, frame: BodyFrame) -> None:
    """An operator or a block by its name."""
    sources = sources_of(step, frame)
    before = frame.flow.tensor
    args = frame.values(step.args, step.name)
    apply(step.name, args, step, frame, sources=sources, shared=_shared(step))
    if not frame.path:  # a step of the network itself, not of a block
        after = frame.flow
        traces = frame.expansion.traces
        taken = {"from": ", ".join(step.from_)} if step.from_ else {}
        taken |= {"share": step.share} if step.share else {}
        nominal, built = {**step.args, **taken}, {**args, **taken}
        traces.append(Trace(tuple(built), after.name, step.name, nominal, built, None, before, after.tensor))


def walk_use(step: Use, frame: BodyFrame) -> None:
    """An operator or a block whose name is an expression."""
    callee, document = step.use.evaluate(frame.scope), frame.expansion.document
    if callee not in document.blocks and not (isinstance(callee, str) and ops.find(callee)):
        hint = did_you_mean(str(callee), [*ops.names(), *document.blocks]) or "; give the name of one"
        raise SpecError(f"use: '{callee}' is not an operator or a block{hint}", step.use.at)
    if callee in ops.joins() and not step.from_:
        raise SpecError(f"use: '{callee}' takes branches: {callee}: [[…], […]]", step.use.at)
    sources = sources_of(step, frame)
    if sources and (fault := from_fault(document, callee, len(sources))):
        raise SpecError(fault, step.value_at("from"))
    args = frame.values(step.args, callee)
    for name, fault in argument_faults(document, callee, args, len(sources)):
        raise SpecError(fault, step.at if name is None else step.key_at(f"with.{name}"))
    apply(callee, args, step, frame, sources=sources, shared=_shared(step))


def _shared(step: Call | Use) -> tuple[str, Mark | None] | None:
    return None if step.share is None else (step.share, step.value_at("share"))


def sources_of(step: Call | Use, frame: BodyFrame) -> tuple[Flow, ...]:
    """The values that a call takes in place of what flows; its expressions see the sizes of the first."""
    found = tuple(frame.value_of(label, "from", at) for label, at in step.sources())
    if found:
        frame.flow = found[0]
        frame.see_sizes()
    return found


def apply(
    callee: str,
    args: Mapping[str, Any],
    step: Step,
    frame: BodyFrame,
    label: str | None = None,
    sources: tuple[Flow, ...] = (),
    shared: tuple[str, Mark | None] | None = None,
) -> Mapping[str, Flow]:
    """Put an operator or the body of a block into the network, after what flows.

    Args:
        callee: The operator or block.
        args: Its arguments; of a block's inputs, the names of the values.
        step: What calls it.
        frame: The body in which it is called.
        label: Its name, if that is not `as`.
        sources: What it takes: what flows, if nothing is given.
        shared: The name of the step whose weights it has, and where that is said.

    Returns:
        The values inside the block that `from` can go back to, by name.
    """
    label = label or step.as_
    name = frame.name(label or callee, step if label else None)
    first = len(frame.expansion.nodes)
    block = frame.expansion.document.blocks.get(callee)
    inner: Mapping[str, Flow] = {}
    if block is None:
        frame.expansion.add_node(callee, args, sources or (frame.flow,), name, step, frame)
    else:
        taken = {
            label: frame.value_of(args[label], label, step.value_at(label)) for label in block.inputs if label in args
        }
        taken |= dict(zip(block.inputs, sources[1:], strict=False))
        inner, places = _walk_block(callee, block, args, taken, name, frame)
        if label:
            frame.places.update(inside(label, places))
    if shared is not None:
        share(frame.expansion, first, name, frame.place_of(*shared), shared[1])
    if label:
        frame.places[label] = name
    frame.keep(step.as_, inner)
    return inner


def _walk_block(
    callee: str, block: Block, args: Mapping[str, Any], taken: Mapping[str, Flow], name: str, frame: BodyFrame
) -> tuple[Mapping[str, Flow], Mapping[str, str]]:
    """Walk the body of a block: the values inside it that have names, and where the steps of these names stand."""
    expansion = frame.expansion
    expansion.containers[name] = Container(callee, {key: args[key] for key in args if key not in block.inputs})
    scope = expansion.globals.within({})
    inner = BodyFrame(expansion, scope, frame.flow, name, frame.block or name, frame.kind or callee, frame.depth + 1)
    inner.root = name
    inner.named.update({INPUT: frame.flow, **taken})
    inner.see_sizes()
    for arg, default in block.args.items():
        scope.values[arg] = args[arg] if arg in args else evaluated(default, scope)
    if callee not in expansion.uses:
        tensors = {INPUT: inner.flow.tensor, **{label: flow.tensor for label, flow in taken.items()}}
        expansion.uses[callee] = ({**scope.values, **_own_defaults(block, scope)}, tensors)
    bind_lets(block.let, scope)
    expansion.walk(block.body, inner)
    frame.flow = inner.flow
    own = {label: flow for label, flow in inner.named.items() if label != INPUT and label not in taken}
    return own, inner.places


def _own_defaults(block: Block, scope: Scope) -> dict[str, Any]:
    """The arguments of a block that have a default, at that, as far as it has a value here."""
    defaults: dict[str, Any] = {}
    inner = scope.within({})
    for arg, default in block.args.items():
        if not Block.is_required(default):
            with suppress(ArchspecError), dims.recording():
                defaults[arg] = inner.values[arg] = evaluated(default, inner)
    return defaults


# ------------------------------------------------------------------ repeats: units, each under a name of its own


def walk_repeat(step: Repeat, frame: BodyFrame) -> None:
    """Steps several times over."""
    expansion = frame.expansion
    times = step.repeat.evaluate(frame.scope)
    path = frame.name(step.as_ or "repeat", step if step.as_ else None)
    if step.index:
        times = dims.settled(times)
    expansion.containers[path] = Container("repeat")

    def walk_unit(unit: int) -> None:
        expansion.count(step)
        first = len(expansion.nodes)
        inner = frame.inner(f"{path}/unit{unit + 1}", {step.index: unit} if step.index else None)
        expansion.containers[inner.path] = Container("unit")
        expansion.walk(step.body, inner)
        taken, frame.flow = frame.flow.tensor, inner.flow
        if step.shared and not inner.flow.guessed:
            _check_shape(taken, inner.flow.tensor, step.value_at("shared"))
        if step.shared and unit:
            share(expansion, first, inner.path, f"{path}/unit1", step.value_at("shared"))

    walk_units("repeat", times, walk_unit, frame, step.repeat.at)
    frame.keep(step.as_)


def _check_shape(taken: Tensor, given: Tensor, at: Mark | None) -> None:
    """See that a unit can be called again on what it gives."""
    if len(taken.shape) != len(given.shape) or not all(map(same_size, taken.shape, given.shape)):
        raise SpecError(f"shared: a unit must give the shape that it takes, {taken}; it gives {given}", at)


def walk_units(key: str, times: Any, walk_unit: Callable[[int], None], frame: BodyFrame, at: Mark | None) -> None:
    """Walk each unit of a repeat; if their number is an expression, the first and one that stands for the others.

    Units are the same as soon as one gives the shape that it takes.

    Args:
        key: What the number of units is called in messages.
        times: How many there are.
        walk_unit: Walks a unit, given its number from 0.
        frame: The body that they are in.
        at: Where the number stands.

    Raises:
        SpecError: The number is none that something can be done so often.
        UndecidableError: The units differ, and the number is open.
    """
    if not dims.is_symbolic(times):
        times = dims.settled(times)
        if fault := repeat_fault(key, times):
            raise SpecError(fault, at)
        for unit in range(times):
            walk_unit(unit)
        return
    if not dims.is_whole(times):
        raise SpecError(f"{key} must be a whole number (got {times})", at)
    dims.at_least_one(times)
    walk_unit(0)
    expansion = frame.expansion
    first, taken, guessed = len(expansion.nodes), frame.flow.tensor, frame.flow.guessed
    go_back = expansion.checkpoint(frame)
    with dims.recording() as conditions:
        walk_unit(1)
    if frame.flow.tensor == taken and frame.flow.guessed == guessed:
        for condition in conditions:
            dims.record(condition)
        expansion.nodes[first:] = [replace(each, times=each.times * (times - 1)) for each in expansion.nodes[first:]]
        return
    shapes = f"the next takes {taken} and gives {frame.flow.tensor}"
    go_back()
    try:
        units = dims.settled(times)
    except UndecidableError:
        raise UndecidableError(f"the units of this {key} differ: {shapes}; bind {times}") from None
    for unit in range(1, units):
        walk_unit(unit)


# ------------------------------------------------------------------ tables: a row is a call, or several of one kind


def walk_table(step: TableStep, frame: BodyFrame) -> None:
    """The rows of a table, one after the other."""
    table = step.table
    names = tuple(column.name for column in table.columns)
    for number, row in enumerate(table.rows):
        cells = dict(zip(names, row, strict=True))
        marks = {f"{key}:": mark for key, cell in cells.items() if (mark := value_mark(cell))}
        place = Step().placed(table.key_at(f"rows[{number}]"), marks)
        frame.expansion.count(place)
        frame.see_sizes()
        try:
            _walk_row(table, cells, place, frame)
        except ArchspecError as error:
            frame.expansion.fault(error, place.at, frame)


@dataclass(frozen=True, slots=True)
class RowCall:
    """What a row of a table calls.

    Attributes:
        table: The table.
        callee: The operator or block.
        nominal: The numbers of the row, as they are printed; None where a cell is empty.
        place: Where the row stands.
    """

    table: TableRows
    callee: str
    nominal: dict[str, Any]
    place: Step

    def built(self, scope: Scope, later: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the header makes of the numbers; empty cells are left out, and `later` has others for some."""
        values = {key: value for key, value in {**self.nominal, **(later or {})}.items() if value is not None}
        headers = {column.name: column.built for column in self.table.columns}
        inner = scope.within(values)
        return {
            key: value if (header := headers.get(key)) is None else header.evaluate(inner)
            for key, value in values.items()
        }

    def later(self, frame: BodyFrame) -> dict[str, Any]:
        """What `after_first` gives the columns; it sees the cells of the row as they are printed."""
        cells = frame.scope.within({key: value for key, value in self.nominal.items() if value is not None})
        return {key: evaluated(value, cells) for key, value in self.table.after_first.items()}

    def unit(
        self, built: dict[str, Any], name: str, frame: BodyFrame, sources: tuple[Flow, ...]
    ) -> Callable[[int], None]:
        """What puts a unit of the row into the network, by its number from 0."""
        args = built

        def walk_unit(unit: int) -> None:
            nonlocal args
            if unit == 1:
                args = self.built(frame.scope, self.later(frame))
                args.pop(self.table.repeat or "", None)
            inner = frame.inner(name)
            inner.see_sizes()
            frame.expansion.count(self.place)
            taken = (inner.flow, *sources[1:]) if sources else ()
            apply(self.callee, args, self.place, inner, f"unit{unit + 1}", taken)
            frame.flow = inner.flow

        return walk_unit


def _walk_row(table: TableRows, cells: dict[str, Value | None], place: Step, frame: BodyFrame) -> None:
    given = {k: v for k, v in cells.items() if k not in CALLEE and k not in BESIDE}
    callee = callee_of(table, cells)
    sources = tuple(frame.value_of(label, "from", place.value_at("from")) for label in labels_of(cells.get("from")))
    if sources:
        frame.flow = sources[0]
        frame.see_sizes()
    before = frame.flow.tensor
    given_values = frame.values({k: v for k, v in given.items() if v is not None}, callee)
    nominal = {k: given_values.get(k) for k in given}
    row = RowCall(table, callee, nominal, place)
    built = row.built(frame.scope)
    label = None if cells.get("as") is None else str(cells["as"])
    inner: Mapping[str, Flow] = {}
    if table.repeat is None:
        shared = next(((label, place.value_at("share")) for label in labels_of(cells.get("share"))), None)
        inner = apply(callee, built, place, frame, label, sources, shared)
        name = frame.flow.name
    else:
        times = built.pop(table.repeat, None)
        name = frame.name(label or callee, place if label else None)
        frame.expansion.containers[name] = Container("repeat")
        walk_units(table.repeat, times, row.unit(built, name, frame, sources), frame, place.value_at(table.repeat))
    frame.keep(label, inner)
    after = frame.flow.tensor
    for key in ("from", "share"):
        if key in cells:
            nominal[key] = ", ".join(labels_of(cells[key])) or None
    frame.expansion.traces.append(Trace(tuple(cells), name, callee, nominal, built, id(table), before, after))
