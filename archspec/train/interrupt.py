"""A signal that ends a training is heard after the step in which it comes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

HEARD = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """Which signal has come; None as long as none has."""

    signal: int | None = None


@contextmanager
def stop_signal(patient: bool) -> Iterator[StopSignal]:
    """Note the first signal; a second one kills, unless `patient`: torchrun repeats what the terminal has sent already.

    In a thread that is not the first, where Python hears no signals, it does nothing.
    """
    found = StopSignal()

    def note(number: int, _: FrameType | None) -> None:
        if found.signal is not None and not patient:
            raise KeyboardInterrupt
        found.signal = found.signal or number

    before = {}
    with suppress(ValueError):
        before = {number: signal.signal(number, note) for number in HEARD}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
