"""Files that are there whole, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archspec.errors import ArchspecError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside the target, which takes the target's place when it is whole, and is gone otherwise.

    Raises:
        ArchspecError: It cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=target.suffix)
        os.close(handle)
    except OSError as error:
        raise ArchspecError(f"cannot write {target}: {error.strerror}") from None
    file = Path(name)
    try:
        yield file
        _publish(file, target)
    except OSError as error:
        raise ArchspecError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        file.unlink(missing_ok=True)


def _publish(file: Path, target: Path) -> None:
    """Put a whole file in the target's place, readable as any new file is."""
    mask = os.umask(0)
    os.umask(mask)
    file.chmod(0o666 & ~mask)
    os.replace(file, target)
