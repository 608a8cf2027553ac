"""A block, or a network, drawn from its specification's own tree."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from archspec.cost import CostTable, quantity
from archspec.dims import is_number
from archspec.draw.blocks.labels import shape
from archspec.draw.blocks.layout import GAP, SPREAD, BoxPart, Chain, Layout, Placed, boxes, nodes
from archspec.draw.blocks.routes import arrows
from archspec.draw.blocks.scene import SMALL, TITLE, Scene, Words
from archspec.draw.blocks.svg import SvgDrawing, svg
from archspec.draw.blocks.tree import DEEPEST, NamedPart, Tree
from archspec.draw.charts.parts import at, short_number
from archspec.errors import ArchspecError
from archspec.language.document import INPUT
from archspec.ops.opaque import not_counted
from archspec.writing import html_text, printable

ASIDE = 40.0
"""Between two drawings side by side."""
MOST_BOXES = 1500


class Sketch:
    """What a network's drawings have in common.

    Args:
        table: The counted network.
        of: The quantity whose shares the shades are.
        depth: How many blocks deep it is opened.
    """

    def __init__(self, table: CostTable, of: str, depth: int | None = None) -> None:
        self.table = table
        self.network = table.network
        self.of = quantity(of)
        self.several = len({node.stage for node in table.network.nodes}) > 1
        self.tree = Tree(table.network, depth if depth is not None else 0 if self.several else DEEPEST)
        self._places = {node.name: place for place, node in enumerate(table.network.nodes)}
        whole = table.figure(self.of.name)
        self.whole = whole if self.of.kind == "sum" and is_number(whole) and whole else None

    def share(self, names: Sequence[str]) -> float | None:
        """The share of the whole that nodes have; None where that cannot be said."""
        if self.whole is None:
            return None
        members = [self._places[name] for name in names if name in self._places]
        return float(self.table.together("", "", members).figure(self.of.name) / self.whole) if members else 0.0

    def scene(self, folder: NamedPart | None = None) -> Scene:
        """The drawing of a folder of the network's tree, or of all of it, with what flows in above it."""
        chain = self.tree.chain(folder or self.tree.root)
        found = list(boxes(chain))
        if not 0 < len(found) <= MOST_BOXES:
            raise ArchspecError(f"{self.network.name}: {len(found):,} boxes are too many to be seen; draw less deep")
        return self._arranged(chain, found)

    def _arranged(self, chain: Chain, found: Sequence[BoxPart]) -> Scene:
        taken = self.tree.outside(nodes(chain)) or list(self.network.inputs)[:1]
        begins = [BoxPart("end", (self._called(name, taken),), (name,), name) for name in taken]
        shapes = {box.output: shape(self.network.tensor(box.output)) for box in (*begins, *found)}
        shares = {id(box): self.share(box.nodes) for box in found}
        layout = Layout(shapes, {id(box): note for box in found if (note := self._note(box, shares[id(box)]))})
        axis, bottom = 0.0, 0.0
        for begin in begins:
            size = layout.measure(begin)
            axis += size.left + SPREAD if layout.placed else 0.0
            bottom = layout.place(begin, axis, 0.0)
            axis += size.right
        layout.place(chain, 0.0, bottom + GAP)
        scene = Scene(frames=layout.frames)
        for each in layout.placed:
            shade = (shares.get(id(each.part)) or 0.0) ** 0.5  # a part of a few per cent is still to be seen
            scene.boxes.append(replace(each.box, shade=shade, hint=self._hint(each)))
            beside = (
                each.axis + 5,
                each.box.bottom + (16 if each.box.stacked else 13),
            )  # the line that it leaves along
            scene.words.append(Words(shapes[each.part.output], beside, anchor="start", faint=True))
        edge = scene.extent()[2] if scene.boxes else 0.0
        scene.arrows.extend(arrows(self.network, self.tree.alias, layout.placed, self._last(chain), edge))
        return scene

    def _called(self, name: str, taken: Sequence[str]) -> str:
        """What stands where something flows in: the input's name, where there are several."""
        several = len(self.network.inputs) > 1 or len(taken) > 1
        return f"input {name.rpartition('/')[2]}" if several and name != INPUT else "input"

    def _note(self, box: BoxPart, share: float | None) -> str:
        """The last line of a box: its share of the cost, and which output it is, where there are several."""
        if box.kind == "sum":
            return ""
        known = self.network.outputs if len(self.network.outputs) > 1 else {}
        given = [f"output {name}" for name, node in known.items() if self.tree.alias[node] == box.output]
        return ", ".join((*given, *([f"{100 * share:.1f} %"] if share else [])))

    def _last(self, chain: Chain) -> str:
        """The node of a chain that runs last."""
        inside = nodes(chain)
        return next(node.name for node in reversed(self.network.nodes) if node.name in inside)

    def _hint(self, each: Placed) -> str:
        """What a page says where one points at a box."""
        names = each.part.nodes
        if each.part.kind == "end":
            return f"{each.part.lines[0]} {self.network.tensor(each.part.output)}"
        row = self.table.together("", "", [self._places[name] for name in names if name in self._places])
        text = f"{names[0]} … {names[-1]}" if len(names) > 1 else names[0]
        return f"{text}: params {row.params}, MACs {row.macs}"


def blocks(
    *tables: CostTable,
    of: str | Sequence[str] = "macs",
    depth: int | None = None,
    columns: Sequence[tuple[str, str]] = (),
) -> SvgDrawing:
    """A block or a network as its paper draws it: branches side by side, repeats once with ×n, shapes on the arrows.

    Several stand side by side. In a page, the stages of a network open.

    Args:
        tables: What is drawn, counted.
        of: The quantity whose share of the whole is the shade of a box.
        depth: How many blocks deep it is opened. Unless it is given, of a network the stages are seen, of a block all.
        columns: Where a network begins another column: a title, and the stage that is the first below it.

    Raises:
        ArchspecError: There is nothing to be drawn, or too much; a column begins nowhere.
    """
    if not tables:
        raise ArchspecError("name what is to be drawn")
    if columns and len(tables) > 1:
        raise ArchspecError("columns are of one network")
    name = of if isinstance(of, str) else next(iter(of))
    sketches = [Sketch(table, name, depth) for table in tables]
    if columns:
        scene, titles = _columns(sketches[0], columns)
    else:
        scene, titles = _beside([(_named(each, sketches), each.scene()) for each in sketches])
    whole = printable(", ".join(dict.fromkeys(each.network.name for each in sketches)), 120)
    finished = _with_words(scene, whole if len(titles) > 1 else titles[0], sketches)
    body = _page(sketches[0], whole) if len(tables) == 1 and sketches[0].several else ""
    return SvgDrawing(whole, svg(finished, whole), body)


def _named(sketch: Sketch, others: Sequence[Sketch]) -> str:
    """The name of a network, with what it is bound to otherwise than usually, or than others of its name."""
    network = sketch.network
    symbols = network.document.symbols if network.document else {}
    alike = [each.network.bindings for each in others if each.network.name == network.name]
    odd = {
        key: value
        for key, value in network.bindings.items()
        if (is_number(value) or isinstance(value, str))
        and ((key in symbols and symbols[key].default != value) or any(each.get(key) != value for each in alike))
    }
    return f"{network.name}, {at(odd)}" if odd else network.name


def _beside(scenes: Sequence[tuple[str, Scene]]) -> tuple[Scene, list[str]]:
    """Scenes side by side, each with its title above it where there are several."""
    titles = [printable(title, 60) for title, _ in scenes]
    found: Scene | None = None
    for title, (_, scene) in zip(titles, scenes, strict=True):
        if len(scenes) > 1:
            left, top, _, _ = scene.extent()
            scene.words.append(Words(title, (left, top - 14), TITLE, "start", bold=True))
        found = scene if found is None else found.beside(scene, ASIDE)
    assert found is not None  # noqa: S101  # there is one at least
    return found, titles


def _columns(sketch: Sketch, columns: Sequence[tuple[str, str]]) -> tuple[Scene, list[str]]:
    """A network in columns, each of some of its stages."""
    inner = sketch.tree.root.inner
    names = list(inner)
    for _, first in columns:
        if first not in inner:
            raise ArchspecError(
                f"{sketch.network.name} has no stage '{printable(first, 40)}'; it has {', '.join(names)}"
            )
    starts = [0, *(names.index(first) for _, first in columns[1:]), len(names)]
    if sorted(set(starts)) != starts:
        raise ArchspecError("columns begin at stages in the order of the network, each at another one")
    parts = [dict(list(inner.items())[a:b]) for a, b in pairwise(starts)]
    scenes = [sketch.scene(NamedPart("", inner=part)) for part in parts]
    return _beside(list(zip((title for title, _ in columns), scenes, strict=True)))


def _with_words(scene: Scene, title: str, sketches: Sequence[Sketch]) -> Scene:
    """A scene with its title above it, and what the shades are below."""
    left, top, _, bottom = scene.extent()
    words = [Words(title, (left, top - 18), 14.0, "start", bold=True)]
    first = sketches[0]
    said = []
    if first.whole is not None:
        many = "each one's" if len(sketches) > 1 else short_number(first.whole)
        said.append(f"shade and per cent: share of the {first.of.heading} ({many})")
    said += dict.fromkeys(printable(note, 120) for each in sketches for note in not_counted(each.network.opaque))
    for line, text in enumerate(said):
        words.append(Words(text, (left, bottom + 22 + 14 * line), SMALL, "start", faint=True))
    return Scene(scene.boxes, scene.frames, scene.arrows, [*scene.words, *words])


# ------------------------------------------------------------------ the page of a network


def _page(sketch: Sketch, title: str) -> str:
    """The stages of a network, each of which opens."""
    network = sketch.network
    opened = Sketch(sketch.table, sketch.of.name, DEEPEST)
    lines = [f"<h1>{html_text(title)}</h1>", f'<p class="note">{html_text(_facts(sketch))}</p>']
    given = ", ".join(map(str, network.results))
    lines += [_stage(opened, name, each) for name, each in opened.tree.root.inner.items()]
    return "\n".join((*lines, f'<p class="note">output {html_text(given)}</p>'))


def _facts(sketch: Sketch) -> str:
    network = sketch.network
    unknown = "".join(f"; {note}" for note in not_counted(network.opaque))
    whole = "" if sketch.whole is None else f"; bars: share of {short_number(sketch.whole)} {sketch.of.heading}"
    return f"input {', '.join(map(str, network.inputs.values()))}; {at(network.bindings)}{whole}{unknown}"


def _stage(sketch: Sketch, name: str, each: Any) -> str:
    inside = [node.name for node in each.all()] if isinstance(each, NamedPart) else [each.name]
    last = sketch.network.tensor(inside[-1])
    text = _kind_of(each) if isinstance(each, NamedPart) else each.operator.name
    share = sketch.share(inside)
    bar = "" if share is None else f'<span class="share" style="--part:{100 * share:.1f}%"></span> {100 * share:.1f} %'
    facts = "".join(f'<span class="fact">{html_text(fact)}</span>' for fact in (text, f"→ {last}"))
    head = f'<span class="name">{html_text(name)}</span>{facts}{bar}'
    if len(inside) == 1:
        return f'<div class="leaf">{head}</div>'
    drawn = svg(sketch.scene(NamedPart("", inner={name: each})), name)
    return f"<details><summary>{head}</summary>\n{drawn}\n</details>"


def _kind_of(folder: NamedPart) -> str:
    """What a stage is made of: a block, or several of it."""
    if folder.kind != "repeat":
        return folder.kind
    units = [each for each in folder.inner.values() if isinstance(each, NamedPart)]
    kinds = dict.fromkeys(unit.kind for unit in units)
    times = f" ×{len(units)}" if len(units) > 1 else ""
    return f"{' and '.join(kinds)}{times}" if units else folder.kind
