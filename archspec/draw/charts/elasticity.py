"""How costs answer to symbols, as bars."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from archspec.cost import quantity
from archspec.draw.charts.parts import ROW, alt, at, plain, rows, titled
from archspec.draw.style import BLUE, FAINT
from archspec.errors import ArchspecError
from archspec.sweeps.family import decimal
from archspec.sweeps.sensitivity import Response, Sensitivity


def elasticity(*found: Sensitivity) -> Any:
    """One panel for each quantity: the elasticity of its formula, and what the next network really costs more.

    Args:
        found: Of one network, one a quantity.

    Raises:
        ArchspecError: No symbol has an elasticity, or a next network.
    """
    responses = [response for each in found for response in each.responses]
    if all(response.elasticity is None and response.step is None for response in responses):
        raise ArchspecError(f"no number of {found[0].name} changes what it costs, so there are no bars")
    order = [response.symbol for response in found[0].responses]
    panels = [_panel(each, order) for each in found]
    reasons = {f"{r.symbol}: {r.reason}": None for each in found for r in each.responses if r.reason}
    return titled(
        alt.hconcat(*panels, spacing=24),
        f"{found[0].name}: elasticities at {at(found[0].bindings)}",
        "bars: by how many per cent the formula grows when the symbol does by 1 %",
        "above them: from where on the next network costs something else, and how much more",
        *reasons,
    )


def _panel(found: Sensitivity, order: Sequence[str]) -> Any:
    records = [
        {
            "symbol": response.symbol,
            "value": plain(response.elasticity),
            "label": f"{_label(response)}{_next(found, response)}",
        }
        for response in found.responses
    ]
    base = alt.Chart(rows(records)).encode(y=alt.Y("symbol:N", sort=list(order), title=None))
    x = alt.X("value:Q", title=f"elasticity of {quantity(found.quantity).heading}")
    bars = base.mark_bar(color=BLUE, height={"band": 0.35}).encode(x=x, tooltip=["symbol:N", "value:Q", "label:N"])
    words = base.mark_text(align="left", dx=3, dy=-ROW + 3, fontSize=10, color=FAINT).encode(
        x=alt.XDatum(0), text="label:N"
    )
    return (bars + words).properties(width=300, height=2.5 * ROW * len(records))


def _label(response: Response) -> str:
    return "–" if response.elasticity is None else f"{float(response.elasticity):.3f}"


def _next(found: Sensitivity, response: Response) -> str:
    """From where on the next network costs something else, and by how many per cent."""
    if response.step is None or not found.cost:
        return ""
    more = 100 * (Fraction(response.step.cost) / found.cost - 1)
    return f"; next at {decimal(response.step.span.low)}: {float(more):+.2f} %"
