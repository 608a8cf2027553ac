"""Where a call stood, from torch.export's stack of modules."""

from collections.abc import Iterable

from archspec.importing.program import Place


def placed(stack: Iterable[tuple[str, str, str]]) -> Place:
    """A place of the keys, paths and classes of a stack; a second call of one module has its key end in @1.

    >>> placed([("L", "", "Net"), ("La", "a", "m.Block"), ("La.0@1", "a.0", "m.Conv")])
    Place(names=('a', '0@1'), kinds=('Block', 'Conv'))
    """
    classes, calls, innermost = {}, {}, ""
    for key, path, kind in stack:
        classes[path], innermost = kind.rpartition(".")[2], path
        calls[path] = f"@{key.rpartition('@')[2]}" if "@" in key else ""
    parts = innermost.split(".") if innermost else []
    paths = [".".join(parts[: end + 1]) for end in range(len(parts))]
    return Place(
        tuple(part + calls.get(path, "") for part, path in zip(parts, paths, strict=True)),
        tuple(classes.get(path, "") for path in paths),
    )
