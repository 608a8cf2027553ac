"""The classes of blocks: a block's arguments are its class's."""

from typing import Any

from archspec.emit import code
from archspec.emit.bodies import froms
from archspec.emit.classes import Class, Param
from archspec.emit.code import INT, NONE
from archspec.emit.facts import BlockFacts, together
from archspec.emit.flow import mapped
from archspec.emit.frame import TENSOR, Frame
from archspec.emit.prose import block_prose
from archspec.emit.scope import Scope, dimensions
from archspec.emit.statements import Assign, If, Return, used
from archspec.emit.tables import Tables
from archspec.language.document import Block


class Blocks(Tables):
    """The part of the walk that writes the classes of blocks."""

    def write_block(self, facts: BlockFacts) -> None:
        """The class of a block, and what its callers know of it."""
        callee, rank = facts.key
        block = self.document.blocks[callee]
        scope = Scope(self.facts, callee, facts.key, froms((block.body,)))
        sizes = {axis: f"in_{text}" for axis, text in enumerate(dimensions(rank)) if axis}
        facts.sizes = {axis: code.name(scope.names.new(text)) for axis, text in sizes.items()}
        flow = (code.name("batch"), *facts.sizes.values())
        explicit = not self.chain(block.body, Frame(scope, "self", {}, flow, scope.lines, None))
        frame = Frame(scope, "self", {}, flow, scope.lines, scope.forward if explicit else None)
        frame.named["input"] = (flow, "x")
        if scope.gone_back_to["input"]:
            frame.pinned |= {"x"}
        for arg, default in block.args.items():
            self._arg(arg, default, facts, frame)
        self.lets(block.let, frame)
        self.body(block.body, frame)
        if explicit:
            scope.forward.add(Return(code.name(frame.x, TENSOR)))
        order = list(self.facts.globals)
        facts.free = dict(sorted(scope.symbols.items(), key=lambda item: order.index(item[0])))
        self._finish(facts, scope, frame.flow, explicit)
        own = {*facts.sizes.values(), *facts.args.values(), *facts.free.values()}
        facts.shape = mapped(lambda size: size if set(code.names(size)) <= own else None, frame.flow)
        facts.does = frame.does if set(code.names(frame.does)) <= own else True

    def _arg(self, arg: str, default: Any, facts: BlockFacts, frame: Frame) -> None:
        """An argument: its variable, and its default where it has one."""
        scope, known = frame.scope, self.facts.previous.get(facts.key)
        kind = (known or facts).kinds.get(arg, facts.kinds.get(arg, frozenset()))
        values = (known or facts).values.get(arg, ())
        variable = scope.names.new(arg)
        scope.origins[variable] = arg
        if not Block.is_required(default) and self.facts.constant(default) is None:
            found = self.reader(frame).value(default)
            if arg in facts.whole:
                found = scope.whole(found)
            facts.defaults[arg] = found
            kind, values = kind | code.kind_of(found), together(values, code.known_values(found))
            condition = code.compare(code.name(variable), "is", None)
            frame.lines.add(If(condition, (Assign(variable, found, kept=True),)))
        elif not Block.is_required(default):
            facts.defaults[arg] = self.facts.constant(default)
        facts.args[arg] = frame.env[arg] = code.name(variable, (kind - NONE) or INT, values)

    def _finish(self, facts: BlockFacts, scope: Scope, flow: tuple[Any, ...], explicit: bool) -> None:
        block = self.document.blocks[facts.key[0]]
        fixed = {str(n) for n in (*facts.sizes.values(), *facts.args.values(), *facts.free.values())}
        body = self.facts.finished(scope, flow, frozenset(fixed))
        uses = used(body)
        facts.needed = tuple(axis for axis, name in facts.sizes.items() if uses[str(name)])
        facts.free = {text: name for text, name in facts.free.items() if uses[str(name)]}
        params = [Param(str(facts.sizes[axis]), INT) for axis in facts.needed]
        required = [arg for arg, default in block.args.items() if Block.is_required(default)]
        params += [self._param(facts, arg) for arg in required]
        params += [self._param(facts, arg) for arg in block.args if arg not in required]
        params += [Param(str(name), name.kind, keyword=True) for name in facts.free.values()]
        doc = block_prose(block)
        forward = scope.forward.done() if explicit else None
        self.facts.classes[facts.key] = Class(facts.name, doc, tuple(params), body, forward)

    def _param(self, facts: BlockFacts, arg: str) -> Param:
        name = facts.args[arg]
        if arg not in facts.defaults:
            return Param(str(name), name.kind)
        constant = self.facts.constant(self.document.blocks[facts.key[0]].args[arg])
        kind = name.kind | (NONE if constant is None else frozenset())
        return Param(str(name), kind, constant)
