"""That nothing a program reads has been written over under another name."""

from collections.abc import Mapping

from archspec.errors import ArchspecError
from archspec.importing.program import Program, ProgramCall, references

VIEWS = frozenset(
    f"aten.{name}"
    for name in (
        *("view", "reshape", "flatten", "transpose", "permute", "slice", "select", "chunk", "split", "narrow"),
        *("split_with_sizes", "squeeze", "unsqueeze", "expand", "detach", "alias", "contiguous", "t", "unbind"),
        *("unflatten", "movedim", "to"),
    )
)
"""Functions whose results may be their input's memory."""


def check_in_place(program: Program) -> None:
    """See to it that no call writes over numbers that are read under another name later.

    Raises:
        ArchspecError: One does.
    """
    root: dict[str, str] = {}
    stale: dict[str, ProgramCall] = {}
    for call in program.calls:
        taken = references(tuple(call.arguments.values()))
        _refuse_stale(taken, stale, f"{call.target} at {call.place or call.outputs[0]}")
        function = call.target.rpartition(".")[0]
        writes = call.target.startswith("aten.") and function.endswith("_") and bool(taken)
        if taken and (writes or function in VIEWS):
            origin = root.get(taken[0], taken[0])
            if writes:
                stale.update((name, call) for name, of in [*root.items(), (origin, origin)] if of == origin)
            root.update((output, origin) for output in call.outputs)
    _refuse_stale(list(program.outputs), stale, "the output")


def _refuse_stale(names: list[str], stale: Mapping[str, ProgramCall], reader: str) -> None:
    for name in names:
        if name in stale:
            writer = stale[name]
            raise ArchspecError(
                f"{writer.target} at {writer.place or writer.outputs[0]} writes over numbers that {reader} reads by "
                "another name; write it without in place"
            )
