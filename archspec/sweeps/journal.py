"""What a sweep has come to so far, tile by tile in a folder, so that it goes on after an interruption."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from archspec.dims import exact
from archspec.errors import ArchspecError
from archspec.files import DAMAGED, replacing
from archspec.language import dumps
from archspec.sweeps.grid import Subject
from archspec.sweeps.rows import Rows, objects
from archspec.sweeps.tile import Question, Swept

QUESTION = "sweep.json"
VERSION = 1
"""Of the tiles' files, and of what decides what is in them."""


class Journal:
    """The folder of a sweep.

    Another question than the one that the folder holds begins anew.

    Args:
        folder: Where it is; made if it is not there.
        question: What is asked.
        subjects: Of what.

    Raises:
        ArchspecError: It cannot be written, or holds something else.
    """

    def __init__(self, folder: Path, question: Question, subjects: Sequence[Subject]) -> None:
        self.folder = folder
        key = {"version": VERSION, "sweep": fingerprint(question, subjects)}
        try:
            found = folder / QUESTION
            if folder.exists() and not found.exists() and any(folder.iterdir()):
                raise ArchspecError(f"{folder}: is no folder of a sweep, and not empty; name another")
            if found.exists() and json.loads(found.read_text(encoding="utf-8")) != key:
                shutil.rmtree(folder)
            folder.mkdir(exist_ok=True)
        except (OSError, ValueError) as error:
            raise (
                error if isinstance(error, ArchspecError) else ArchspecError(f"cannot write {folder}: {error}")
            ) from None
        with replacing(folder / QUESTION) as file:
            file.write_text(json.dumps(key), encoding="utf-8")

    def has(self, number: int) -> bool:
        """Whether there is a file of a tile."""
        return self._path(number).is_file()

    def load(self, number: int) -> Swept | None:
        """What a tile has come to; None if that is not known, or its file is damaged."""
        path = self._path(number)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                facts = json.loads(str(arrays["facts"]))
                figures = {name: _read(arrays, f"figure_{place}") for place, name in enumerate(facts["names"])}
                rows = Rows(arrays["subject"], arrays["place"], figures, arrays["alike"])
        except DAMAGED:
            return None
        fault = tuple(facts["fault"]) if facts["fault"] else None
        return Swept(rows, facts["points"], facts["within"], facts["unbuilt"], fault)

    def save(self, number: int, found: Swept) -> None:
        """Keep what a tile has come to; its file is there whole, or not at all."""
        rows = found.rows
        facts = {
            "names": list(rows.figures),
            "points": found.points,
            "within": found.within,
            "unbuilt": found.unbuilt,
            "fault": found.fault,
        }
        arrays = {f"figure_{place}": _written(column) for place, column in enumerate(rows.figures.values())}
        with replacing(self._path(number)) as file, file.open("wb") as target:
            np.savez(
                target,
                facts=np.array(json.dumps(facts)),
                subject=rows.subject,
                place=rows.place,
                alike=rows.alike,
                **arrays,
            )

    def _path(self, number: int) -> Path:
        return self.folder / f"tile-{number:06}.npz"


def fingerprint(question: Question, subjects: Sequence[Subject]) -> str:
    """What tells a sweep from others: all that its points and their figures depend on."""
    asked = question.counting
    parts = [
        repr((question.of, question.where, question.front, question.sort, question.top)),
        repr((asked.convention.name, asked.batch, asked.policy, asked.dtype, asked.order, asked.in_place, asked.bits)),
    ]
    for subject in subjects:
        plan = subject.plan.model_dump_json() if subject.plan else ""
        axes = [(name, tuple(map(str, values))) for name, values in subject.axes.items()]
        parts += [dumps(subject.document), plan, repr(axes), repr(sorted(map(str, subject.bindings.items())))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _written(column: Any) -> Any:
    """A column as an array without objects: other numbers than int64 as text."""
    if column.dtype != object:
        return column
    return np.array(json.dumps([None if value is None else str(value) for value in column.tolist()]))


def _read(arrays: Any, name: str) -> Any:
    found = arrays[name]
    if found.dtype.kind != "U":
        return found
    return objects([None if text is None else exact(Fraction(text)) for text in json.loads(str(found))])
