"""What all pictures look like: colours that colour-blind readers tell apart and that print in grey, fonts, sizes.

The colours are those of Okabe and Ito (2008, Color Universal Design), in an order in which neighbours differ in
lightness, too. Colour never stands alone: lines have dashes beside it, points have shapes.
"""

from typing import Any

BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000",
)  # fmt: skip
SERIES = (BLUE, ORANGE, GREEN, SKY, VERMILION, BLACK, PURPLE)
"""The colours of series, the first first."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 2, 1, 2], [1, 3])
"""The dashes of series; as many as there are colours."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""The shapes of series; as many as there are colours."""

INK, FAINT, GRID = "#222222", "#6b6b6b", "#e3e3e3"
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIGNS = "'DejaVu Sans', 'Segoe UI Symbol', 'Apple Symbols', sans-serif"
"""The fonts of a text with signs that the usual ones lack, ⌈h/2⌉ say; what draws PNG would take any for all of it."""

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": FAINT,
        "tickColor": FAINT,
        "labelLimit": 320,
    },
    "legend": {"labelLimit": 320, "titleFontWeight": "normal", "symbolStrokeWidth": 2},
    "title": {"anchor": "start", "fontSize": 14, "subtitleColor": FAINT, "subtitleFontSize": 11, "offset": 10},
    "header": {"titleFontWeight": "normal", "labelLimit": 600},
    "point": {"filled": True, "size": 50},
    "range": {"category": list(SERIES), "symbol": list(SHAPES)},
}
"""The configuration of every chart."""

MARGIN = 12
"""What is left free around every picture."""
