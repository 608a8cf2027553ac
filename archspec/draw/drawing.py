"""A drawing: SVG of our own, and the page on which its parts open, where it has such."""

from dataclasses import dataclass
from typing import Any

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
