"""A network held against its running model, as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archspec.cost import QUANTITIES
from archspec.report import numbers
from archspec.report.page import Column, Name, Notes, Number, Report, Role, Section, Table, Title

if TYPE_CHECKING:
    from archspec.runtime import Agreement, Comparison

COUNTS = ("params", "buffers", "macs", "activations")

DROPPED = {"buffers": 2, "activations": 3}
"""What goes first on a narrow page; see `Column.drop`."""


def verify(agreements: "Sequence[Agreement]", *, layers: bool = False) -> Report:
    """What was compared: one line per network, or per node; where both differ, "ours ≠ torch's".

    Args:
        agreements: The networks that were compared.
        layers: Whether to print every node.
    """
    if layers:
        sections = [section for agreement in agreements for section in _nodes(agreement)]
    else:
        columns = [
            *_called(agreements),
            *_counts([agreement.total for agreement in agreements]),
            _agrees(agreements),
        ]
        sections = [Section((Table(columns, _roles(agreements)),))]
    return Report(
        (*sections, Section((Notes(_findings(agreements)),))),
        data=lambda: [
            {
                "spec": agreement.name,
                "bindings": agreement.bindings,
                "agrees": bool(agreement),
                "nodes": len(agreement.rows),
                "totals": {fact: getattr(agreement.total.analytic, fact) for fact in COUNTS},
                "disagreements": [
                    {
                        "name": row.name,
                        "operator": row.operator,
                        "facts": {
                            fact: {
                                "analytic": getattr(row.analytic, fact),
                                "torch": row.real and getattr(row.real, fact),
                            }
                            for fact in row.differing
                        },
                    }
                    for row in agreement.compared
                    if not row
                ],
            }
            for agreement in agreements
        ],
        records=lambda: Table(  # ours, as those of torch are the same or named among the findings
            [
                *_called(agreements),
                *(Column(fact, [Number(getattr(each.total.analytic, fact)) for each in agreements]) for fact in COUNTS),
                Column("agrees", [Number(bool(agreement)) for agreement in agreements]),
            ]
        ),
    )


def agreement(found: "Agreement") -> Report:
    """One network, node by node."""
    return verify([found], layers=True)


def _nodes(agreement: "Agreement") -> Iterator[Section]:
    rows = agreement.compared
    bound = numbers.bindings(agreement.bindings)
    columns = [
        Column("layer", [Name(row.name) for row in rows], least=40),
        Column("operator", [Name(row.operator) for row in rows], drop=4),
        Column("output", [_both(row, "output", _shapes) for row in rows]),
        *_counts(rows),
        _agrees(rows),
    ]
    yield Section((Title(f"{agreement.name}, counted and run" + (f": {bound}" if bound else "")),))
    yield Section((Table(columns, (*_roles(rows[:-1]), "total")),))


def _shapes(output: tuple[Any, ...]) -> str:
    """The shape of a result, or those of several."""
    several = output and isinstance(output[0], tuple)
    return ", ".join(map(numbers.shape, output)) if several else numbers.shape(output)


def _called(agreements: "Sequence[Agreement]") -> list[Column]:
    return [
        Column("network", list(map(Name, _told_apart(agreements))), least=12),
        Column("nodes", [Number(len(agreement.rows)) for agreement in agreements]),
    ]


def _agrees(compared: Sequence[Any]) -> Column:
    return Column("agrees", [Name("yes" if each else "NO") for each in compared])


def _roles(compared: Sequence[Any]) -> list[Role]:
    return ["" if each else "finding" for each in compared]


def _counts(rows: "Sequence[Comparison]") -> Iterator[Column]:
    """What both count; on a narrow page without some of what nothing differs in."""
    weights = [_both(row, "weights", lambda weights: str(len(weights))) for row in rows]
    columns = [Column("weights", weights, drop=1)]
    for fact in COUNTS:
        cells = [_both(row, fact, numbers.number) for row in rows]
        columns.append(Column(QUANTITIES[fact].heading, cells, fact, DROPPED.get(fact, 0)))
    for column in columns:
        differs = any("≠" in cell.text for cell in column.cells)
        yield replace(column, drop=0) if differs else column


def _told_apart(agreements: "Sequence[Agreement]") -> list[str]:
    """The networks' names, with those bindings in which networks of one name differ."""
    names = []
    for agreement in agreements:
        others = [other.bindings for other in agreements if other.name == agreement.name]
        differing = [key for key in agreement.bindings if len({other.get(key) for other in others}) > 1]
        names.append(" ".join((agreement.name, *(f"{key}={agreement.bindings[key]}" for key in differing))))
    return names


def _both(row: "Comparison", fact: str, written: Any) -> Number:
    """What both say, or what each says where they differ."""
    ours = getattr(row.analytic, fact)
    theirs = "–" if row.real is None else written(getattr(row.real, fact))
    differ = row.real is None or fact in row.differing
    return Number(ours, f"{written(ours)} ≠ {theirs}" if differ else written(ours))


def _findings(agreements: "Sequence[Agreement]") -> list[str]:
    """One sentence on the whole, and one on each network that disagrees."""
    agreeing = sum(bool(agreement) for agreement in agreements)
    nodes = sum(len(agreement.rows) for agreement in agreements)
    facts = "inputs, shapes, weights, params, buffers, MACs and activations"
    sentence = f"{agreeing} of {len(agreements)} networks agree ({nodes:,} nodes: {facts})"
    one_bit = any(row.operator.startswith("binary_") for agreement in agreements for row in agreement.rows)
    return [sentence, *(agreement.sentence for agreement in agreements if not agreement), *[ONE_BIT] * one_bit]


ONE_BIT = (
    "MACs are those that torch carries out: it computes one-bit layers by real ones; count has their operations as "
    "binary, and not among the MACs"
)
