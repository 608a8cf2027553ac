"""A specification with one-bit operators where a plan says so: what is counted, as what is built and trained."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from archspec.compress.layers import BINARY, planned
from archspec.compress.plan import LayerPlan, Plan
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.graph import Network, Node
from archspec.language.document import Block, Body, Call, Document, Group, Join, Repeat, Step, TableStep, When
from archspec.language.expression import Expression
from archspec.language.steps import within
from archspec.ops import registered

S = TypeVar("S", bound=Step)


def with_one_bit(document: Document, network: Network, plan: Plan) -> Document:
    """The specification whose convolutions and linear layers are one-bit where a plan says `binary`.

    It is called as the plan is. A block whose uses a plan treats differently is copied for those it changes; with
    `normalise`, a batch normalisation stands before each one-bit input that has none (BN, sign, convolution, pooling).

    Args:
        document: The specification.
        network: What it becomes, of any bindings.
        plan: The plan.

    Raises:
        SpecErrors: The plan names layers that the network does not have, or does to one what cannot be done.
        ArchspecError: The plan has no one-bit layers, or tells layers apart that come of one step.

    >>> from archspec.compress import plan
    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> alexnet = load("alexnet")
    >>> found = expand(with_one_bit(alexnet, expand(alexnet), plan.load("xnor_alexnet")))
    >>> [node.name for node in found.nodes if node.operator.one_bit][:2]
    ['conv2/conv2d', 'conv3/conv2d']
    """
    chosen = {node.name: entry for node in planned(network, plan) if (entry := plan.entry(node.name)).binary}
    if not chosen:
        raise ArchspecError(f"the plan {plan.name} makes no layer of {network.name} one-bit: none has 'binary'")
    rewriter = _Rewriter(document, network, plan, chosen)
    body = rewriter.body(document.network)
    blocks = {**document.blocks, **rewriter.blocks}
    used = {name for step in _reached(body, blocks) for name in step.callees()}
    change = {
        "name": plan.name,
        "network": body,
        "blocks": {name: block for name, block in blocks.items() if name in used},
        "initialisation": _initialised(document, rewriter.operators),
    }
    return document.model_copy(update=change)


@dataclass
class _Rewriter:
    """The walk over the steps that have one-bit layers."""

    document: Document
    network: Network
    plan: Plan
    chosen: Mapping[str, LayerPlan]
    blocks: dict[str, Block] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    """The operators that were replaced."""

    def body(self, body: Body, nodes: Sequence[Node] | None = None) -> Body:
        """Steps of one place, which make these nodes; the network's own steps, each with its own nodes, if none."""
        found: list[Any] = []
        taken: Counter[str] = Counter()
        labels = {label for step in body for label in step.labels()}
        for step in body:
            if nodes is None and isinstance(step, TableStep) and not step.table.block:
                found.append(self._rows(step))
            else:
                found += self.step(step, self.own(step, labels) if nodes is None else nodes, taken)
        return tuple(found)

    def own(self, step: Step, labels: set[str]) -> list[Node] | None:
        """The nodes of a step of the network: those of its name, or those that come of it and have no other's name.

        A condition has none: its steps are the network's own.
        """
        if isinstance(step, When):
            return None
        if isinstance(step, TableStep):
            return [node for node in self.network.nodes if node.stage in step.labels()]
        if step.as_ and not isinstance(step, Join):  # the branches of a join stand beside it
            return [node for node in self.network.nodes if node.stage == step.as_]
        reached = {each.at for each in _reached((step,), self.document.blocks)}
        return [node for node in self.network.nodes if node.at in reached and node.stage not in labels]

    def _rows(self, step: TableStep) -> TableStep:
        """A table whose rows name what they are made of: the blocks of some rows are copies."""
        rows, names = [], [column.name for column in step.table.columns]
        for row in step.table.rows:
            cells = dict(zip(names, row, strict=True))
            own = [node for node in self.network.nodes if node.stage == str(cells.get("as"))]
            callee = next((key for key in ("block", "operator") if cells.get(key) is not None), None)
            if callee and self._touched(own):
                cells[callee] = Expression(self.callee(str(cells[callee]), own))
            rows.append(tuple(cells.values()))
        return step.model_copy(update={"table": step.table.model_copy(update={"rows": tuple(rows)})})

    def _touched(self, nodes: Iterable[Node]) -> bool:
        return any(node.name in self.chosen for node in nodes)

    def step(self, step: S, nodes: Sequence[Node] | None, taken: Counter[str]) -> "list[S | Call]":
        """A step, with what comes before it now."""
        change: dict[str, Any] = {}
        if isinstance(step, When):
            change = {"then": self.body(step.then, nodes), "else_": step.else_ and self.body(step.else_, nodes)}
        elif nodes is None or not self._touched(nodes):
            return [step]
        elif isinstance(step, Call):
            return self.call(step, nodes, taken)
        elif isinstance(step, Group | Repeat):
            change = {"body": self.body(step.body, nodes)}
        elif isinstance(step, Join):
            change = {"branches": {name: self.body(inner, nodes) for name, inner in step.branches.items()}}
        elif isinstance(step, TableStep) and step.table.block:
            change = {"table": step.table.model_copy(update={"block": self.callee(step.table.block, nodes)})}
        return [step.model_copy(update=change)]

    def call(self, step: Call, nodes: Sequence[Node], taken: Counter[str]) -> list[Any]:
        """A call of an operator that becomes one-bit, or of a block that has such."""
        if step.name in self.document.blocks:
            label = step.as_ or self._label(step.name, nodes, taken)
            return [step.model_copy(update={"name": self.callee(step.name, nodes), "as_": label})]
        own = [node for node in nodes if node.at == step.at and node.operator.name == step.name]
        entries = {id(entry): entry for node in own if (entry := self.chosen.get(node.name))}
        if not entries:
            return [step]
        first, *others = entries.values()
        if others or any(node.name not in self.chosen for node in own):
            odd = next((node for node in own if self.chosen.get(node.name) is not first), own[0])
            raise ArchspecError(
                f"the plan {self.plan.name} treats {own[0].name} and {odd.name} differently, which come of one step; "
                "write them as two"
            )
        self.operators.add(step.name)
        binary = step.model_copy(update={"name": BINARY[step.name], "args": _settings(step, own[0], first)})
        binary = binary if step.as_ else binary.model_copy(update={"as_": own[0].name.rpartition("/")[2]})
        if not self.plan.normalise or first.binary != "xnor" or self._normalised(own[0]):
            return [binary]
        label = own[0].name.rpartition("/")[2]
        return [Call(name="batch_norm", **{"as": f"norm_{label}"}), binary]

    def _label(self, block: str, nodes: Sequence[Node], taken: Counter[str]) -> str:
        """What the next call without a name of a block is called, whose copy would be called otherwise."""
        labels: dict[str, None] = {}
        for node in nodes:
            path, above = "", ""
            for part in node.name.split("/")[:-1]:
                path = f"{path}/{part}" if path else part
                made = self.network.containers.get(path)
                kind = made.kind if made is not None else ""
                if kind == block and above != "repeat":  # whose units are called so, too
                    labels[part] = None
                above = kind
        taken[block] += 1
        return [*labels, block][taken[block] - 1]

    def _normalised(self, node: Node) -> bool:
        before = node.inputs[0]
        return before not in self.network.inputs and self.network.node(before).operator.name == "batch_norm"

    def callee(self, name: str, nodes: Sequence[Node]) -> str:
        """The name of a block's copy for these nodes; its own, if nothing of it changes."""
        block = self.document.blocks.get(name)
        if block is None:
            raise ArchspecError(f"the plan {self.plan.name} makes a row one-bit that is a {name}; write it as a step")
        changed = block.model_copy(update={"body": self.body(block.body, nodes)})
        if changed.body == block.body:
            return name
        names = (f"{name}_one_bit{'' if number == 1 else number}" for number in count(1))
        taken = {*self.document.blocks, *(name for name, block in self.blocks.items() if block != changed)}
        fresh = next(name for name in names if name not in taken)
        self.blocks[fresh] = changed
        return fresh


def _settings(step: Call, node: Node, entry: LayerPlan) -> dict[str, Any]:
    """The arguments of the one-bit operator, those that it has another default for written out.

    Raises:
        SpecErrors: One is not among its arguments.
    """
    fields = registered()[BINARY[step.name]].model_fields
    if unknown := [name for name in step.args if name not in fields]:
        message = f"'{node.name}' has {unknown[0]}, which one-bit layers have not"
        raise SpecErrors([SpecError(message, entry.key_at("binary"))])
    own = {name: value for name, value in node.operator.settings().items() if name in fields and name not in step.args}
    own |= {"binary_input": entry.binary == "xnor", "input_scale": entry.input_scale}
    odd = {name: value for name, value in own.items() if value != fields[name].default}
    return {**step.args, **{name: Expression(_text(value)) for name, value in odd.items()}}


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _reached(body: Iterable[Step], blocks: Mapping[str, Block]) -> Iterator[Step]:
    """The steps of a body at any depth, and those of the blocks that they call."""
    called: set[str] = set()
    waiting: list[Any] = [body]
    while waiting:
        for step in within(waiting.pop()):
            yield step
            fresh = {name for name in step.callees() if name in blocks} - called
            called |= fresh
            waiting += [blocks[name].body for name in fresh]


def _initialised(document: Document, replaced: Iterable[str]) -> Any:
    """The rules, those of operators for their one-bit forms, too."""
    rules = document.initialisation
    if rules is None:
        return None
    forms = {name: BINARY[name] for name in replaced}
    changed = tuple(
        rule.model_copy(update={"of": (*rule.of, *(forms[name] for name in rule.of if name in forms))})
        for rule in rules.rules
    )
    return rules.model_copy(update={"rules": changed})
