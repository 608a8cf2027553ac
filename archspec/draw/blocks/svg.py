"""A scene as SVG that needs nothing else, and the page on which its parts open, where it has such.

Every text goes through `writing`, so that none of it is markup.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archspec.draw.blocks.scene import Arrow, Box, FrameArea, Point, Scene, Words, has_signs
from archspec.draw.style import FAINT, FONT, INK, MARGIN, SIGNS
from archspec.writing import html_text


@dataclass(frozen=True, slots=True)
class SvgDrawing:
    """A drawing.

    Attributes:
        title: What it shows.
        svg: The drawing as SVG, which needs nothing else.
        body: What a page shows in its place, such as stages that open; the SVG itself where that is empty.
    """

    title: str
    svg: str
    body: str = ""

    @property
    def html(self) -> str:
        """A page of HTML that needs nothing else."""
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{html_text(self.title)}</title>\n'
            f"<style>{STYLE}</style>\n{self.body or self.svg}\n</html>\n"
        )

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg}

    def __repr__(self) -> str:
        return f"<SvgDrawing {self.title}, {len(self.svg):,} characters of SVG>"


STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:1.5em;color:#222}h1{font-size:18px;font-weight:600}"
    "details{border-left:2px solid #ccc;margin:.25em 0;padding-left:.6em}summary{cursor:pointer;padding:.15em .3em}"
    ".name{display:inline-block;min-width:12em;font-weight:600}"
    ".fact{display:inline-block;min-width:14em;color:#555;font-variant-numeric:tabular-nums}"
    ".share{display:inline-block;width:10em;height:.8em;vertical-align:-1px;border:1px solid #ccc;"
    "background:linear-gradient(90deg,#56B4E9 var(--part),transparent 0) no-repeat}"
    ".leaf{padding:.15em .3em .15em 1.7em}svg{max-width:100%;height:auto}p.note{color:#555}"
)
"""What the page of a drawing looks like."""


WHITE, DARKEST = (255, 255, 255), (110, 184, 232)
"""The colours of a box that costs nothing and of the one that costs most; black text stands on both."""

CLOSED, FRAME = "#f4f4f4", "#9a9a9a"


def element(name: str, content: str | Iterable[str] = (), /, **attributes: object) -> str:
    """An element: its attributes, and what is in it; one text is text, several are elements.

    >>> element("text", "a < b", x=1.0, font_size=10)
    '<text x="1" font-size="10">a &lt; b</text>'
    """
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    inside = html_text(content) if isinstance(content, str) else "".join(content)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def _value(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else html_text(str(value))


def svg(scene: Scene, title: str) -> str:
    """The scene, with a margin around it."""
    left, top, right, bottom = scene.extent()
    width, height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    parts = [
        element("title", title),
        element("rect", x=left - MARGIN, y=top - MARGIN, width=width, height=height, fill="white"),
        *(part for frame in scene.frames for part in _frame(frame)),
        *(part for arrow in scene.arrows for part in _arrow(arrow)),
        *map(_box, scene.boxes),
        *map(_words, scene.words),
    ]
    return element(
        "svg",
        parts,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"{_value(left - MARGIN)} {_value(top - MARGIN)} {_value(width)} {_value(height)}",
        font_family=FONT,
        role="img",
    )


def _words(words: Words) -> str:
    more = {"font_weight": "bold"} if words.bold else {}
    if has_signs(words.text):
        more["font_family"] = SIGNS
    return element(
        "text",
        words.text,
        x=words.at[0],
        y=words.at[1],
        font_size=words.size,
        text_anchor=words.anchor,
        fill=FAINT if words.faint else INK,
        **more,
    )


def _frame(frame: FrameArea) -> Iterable[str]:
    x, y = frame.corner
    yield element(
        "rect", class_="frame", x=x, y=y, width=frame.width, height=frame.height, rx=8.0, fill="none", stroke=FRAME,
        stroke_dasharray="4 3",
    )  # fmt: skip
    yield _words(frame.title)
    if frame.times is not None:
        yield _words(frame.times)


def _arrow(arrow: Arrow) -> Iterable[str]:
    """The line up to its head, and the head."""
    *_, (x1, y1), (x2, y2) = arrow.points
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    base = (x2 - 6 * dx, y2 - 6 * dy)
    head = (x2, y2), (base[0] - 3.2 * dy, base[1] + 3.2 * dx), (base[0] + 3.2 * dy, base[1] - 3.2 * dx)
    more = {"stroke_dasharray": "5 3"} if arrow.far else {}
    yield element(
        "path", class_="arrow", d=_path((*arrow.points[:-1], base)), fill="none", stroke=INK, stroke_width=1.2, **more
    )
    yield element("path", class_="head", d=f"{_path(head)}Z", fill=INK)


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_value(float(x))},{_value(float(y))}" for x, y in points)


def _box(box: Box) -> str:
    outline = {"stroke": INK, "stroke_width": 1.2}
    fill = box.fill or (CLOSED if box.kind == "end" else _shade(box.shade))
    (x, y), (cx, cy) = box.corner, box.middle
    if box.kind == "sum":
        shapes = [element("circle", cx=cx, cy=cy, r=box.width / 2, fill=fill, **outline)]
    else:
        corner = {"layer": 4.0, "join": 4.0, "closed": 8.0, "end": 12.0, "cell": 0.0}[box.kind]
        size = {"width": box.width, "height": box.height, "rx": corner}
        behind = [element("rect", x=x + 4, y=y + 4, **size, fill="white", **outline)] if box.stacked else []
        shapes = [*behind, element("rect", x=x, y=y, **size, fill=fill, **outline)]
    return element("g", [element("title", box.hint), *shapes, *map(_words, box.words)], class_=box.kind)


def _shade(part: float) -> str:
    mixed = (round(a + (b - a) * min(max(part, 0.0), 1.0)) for a, b in zip(WHITE, DARKEST, strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)
