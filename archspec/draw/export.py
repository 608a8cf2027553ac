"""Pictures as files: SVG, PNG, PDF, HTML that needs no network; of a chart also its Vega-Lite, as JSON."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archspec.draw.blocks.svg import STYLE, SvgDrawing
from archspec.errors import ArchspecError, did_you_mean
from archspec.extras import need
from archspec.files import WrittenFile, replacing
from archspec.writing import html_text, javascript_value, json_text, visible_text

SCALE = 2
"""The pixels of a PNG for each of a picture's units, along both sides."""


def save(picture: Any, path: str | os.PathLike[str]) -> WrittenFile:
    """Write a picture as a file, which appears when it is whole.

    Args:
        picture: A chart or a drawing.
        path: Its ending says how: one of `ENDINGS`.

    Raises:
        ArchspecError: There is no such ending, or the file cannot be written.
        MissingExtraError: What it is written with is not installed.
    """
    target = Path(path)
    data, what = written(picture, check_ending(path))
    with replacing(target) as file:
        file.write_bytes(data)
    return WrittenFile(target, len(data), (what,))


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending of a path, if pictures can be written so.

    Raises:
        ArchspecError: They cannot.

    >>> check_ending("net.svg")
    'svg'
    """
    ending = Path(path).suffix[1:].lower()
    if ending not in ENDINGS:
        hint = did_you_mean(ending, ENDINGS) if ending else ""
        known = ", ".join(f".{name}" for name in ENDINGS)
        raise ArchspecError(f"{path}: a picture is written as {known}{hint}")
    return ending


def written(picture: Any, ending: str) -> tuple[bytes, str]:
    """The bytes of a picture in a format, and what they are."""
    found = ENDINGS[ending](picture)
    return (found.encode() if isinstance(found, str) else found), ending.upper()


def _vega() -> str:
    """The version of Vega-Lite that charts are written in."""
    import altair

    return ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def _converter() -> Any:
    need("plot", "vl_convert")
    import vl_convert

    return vl_convert


def specification(chart: Any) -> dict[str, Any]:
    """A chart as Vega-Lite, each of its texts without what cannot be seen: a control character ends the converter."""
    found: dict[str, Any] = _seen(chart.to_dict())
    return found


def _seen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _seen(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_seen(each) for each in value]
    return visible_text(value) if isinstance(value, str) else value


def svg(picture: Any) -> str:
    """A picture as SVG."""
    if isinstance(picture, SvgDrawing):
        return picture.svg
    return str(_converter().vegalite_to_svg(specification(picture), vl_version=_vega()))


def html(picture: Any) -> str:
    """A picture as a page that needs no network: a chart's has the libraries that draw it, and its tooltips, in it."""
    if isinstance(picture, SvgDrawing):
        return picture.html
    found = specification(picture)
    bundle = _converter().javascript_bundle(vl_version=_vega())
    title = html_text(str(found.get("title", {}).get("text", "archspec")))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{STYLE}</style>\n'
        f'<div id="chart"></div>\n<script>{bundle}</script>\n'
        f"<script>vegaEmbed('#chart', {javascript_value(found)}, {javascript_value(EMBED)})</script>\n</html>\n"
    )


EMBED = {"renderer": "svg", "actions": {"export": True, "source": False, "compiled": False, "editor": False}}
"""What a page offers beside a chart: its picture as a file, and no editor elsewhere."""


def _json(picture: Any) -> str:
    if isinstance(picture, SvgDrawing):
        raise ArchspecError("a drawing has no Vega-Lite to be written as .json; write it as .svg")
    return json_text(specification(picture)) + "\n"


ENDINGS: Mapping[str, Callable[[Any], str | bytes]] = MappingProxyType(
    {
        "svg": svg,
        "png": lambda picture: bytes(_converter().svg_to_png(svg(picture), scale=SCALE)),
        "pdf": lambda picture: bytes(_converter().svg_to_pdf(svg(picture))),
        "html": html,
        "json": _json,
    }
)
"""Who writes a picture, by the ending of its file."""
