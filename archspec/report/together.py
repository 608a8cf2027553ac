"""Networks that answer together: an ensemble, and a generalist with its specialists."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from archspec.report.page import Column, Name, Notes, Number, Report, Section, Table, Title, percent

if TYPE_CHECKING:
    from archspec.train.ensemble import Ensemble
    from archspec.train.result import Score
    from archspec.train.specialists import Specialists


def ensemble(found: "Ensemble") -> Report:
    """The members, the mean of what they say, and the network distilled from it."""
    rows = [(f"member {number}", score) for number, score in enumerate(found.members)]
    joint = ((f"ensemble of {len(found.members)}", found.mean), ("distilled", found.distilled))
    rows += [(what, score) for what, score in joint if score is not None]
    title = f"{found.spec}, {found.data}: {len(found.members)} members, in {found.out}"
    notes = [f"mean error of the members: {found.baseline:.2f} %"]
    if found.kept is not None:
        notes.append(f"of what the ensemble gains over it, the distilled network has {100 * found.kept:.0f} %")
    table = Table(
        [
            Column("", [Name(name) for name, _ in rows], "name"),
            Column("test error", [Number(score.error, f"{score.error:.2f} %") for _, score in rows], "error"),
            Column("errors", [Number(score.images - score.right) for _, score in rows]),
            Column("test loss", [Number(score.loss, f"{score.loss:.4f}") for _, score in rows], "loss"),
        ]
    )
    return Report(
        (Section((Title(title),)), Section((table,)), Section((Notes(tuple(notes)),))),
        data=lambda: _ensemble(found),
        records=lambda: table,
    )


def _ensemble(found: "Ensemble") -> dict[str, Any]:
    def figures(score: "Score | None") -> dict[str, Any] | None:
        return None if score is None else {"images": score.images, "error": score.error, "loss": score.loss}

    return {
        "spec": found.spec,
        "data": found.data,
        "out": str(found.out),
        "members": [figures(score) for score in found.members],
        "baseline": found.baseline,
        "ensemble": figures(found.mean),
        "distilled": figures(found.distilled),
        "kept": found.kept,
    }


def specialists(found: "Specialists") -> Report:
    """What a generalist does alone and with its specialists, on all images and on those of each specialist."""
    title = f"{found.spec}, {found.data}: {found.generalist} with {len(found.specialists)} specialists"
    rows = [("generalist", False, found.alone), (f"+ {len(found.specialists)} specialists", True, found.together)]
    system = Table(
        [
            Column("", [Name(name) for name, *_ in rows], "name"),
            Column("conditional test accuracy", [percent(found.conditional(together=each)) for _, each, _ in rows]),
            Column("test accuracy", [percent(100 * right / found.images) for *_, right in rows]),
        ]
    )
    each = found.specialists
    own = Table(
        [
            Column("classes", [Name(" ".join(one.classes)) for one in each]),
            Column("images", [Number(one.images) for one in each]),
            Column("right alone", [Number(one.alone) for one in each], "alone"),
            Column("together", [Number(one.together) for one in each], "together"),
            Column("these only: alone", [Number(one.conditional_alone) for one in each], "conditional_alone"),
            Column(
                "together",
                [Number(one.conditional_together) for one in each],
                "conditional_together",
            ),
        ],
        wide="records",
    )
    return Report(
        (Section((Title(title),)), Section((system,)), Section((own,))),
        data=lambda: {
            "spec": found.spec,
            "data": found.data,
            "generalist": found.generalist,
            "images": found.images,
            "alone": found.alone,
            "together": found.together,
            "conditional_alone": found.conditional(together=False),
            "conditional_together": found.conditional(together=True),
            "specialists": [
                {**asdict(one), "classes": list(one.classes), "out": str(one.out)} for one in found.specialists
            ],
        },
        records=lambda: own,
    )
