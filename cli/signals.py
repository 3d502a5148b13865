"""SIGTERM and Ctrl-C end a command cleanly: what is committed stays, what is under way is rolled back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from warehouse.interruption import Interruption


class TerminatedError(Exception):
    """SIGTERM ended the command."""


@contextmanager
def heeded_signals() -> Iterator[None]:
    """Turn signals into KeyboardInterrupt in the main thread, and end the statements of the others.

    Raises:
        TerminatedError: SIGTERM came, whatever error the command made of it.
        KeyboardInterrupt: SIGINT came, likewise.
    """
    interruption = Interruption()
    came: list[int] = []

    def heed(number: int, _frame: FrameType | None) -> None:
        # `uv run` passes SIGTERM on although a service manager sends it to all processes: one is enough.
        signal.signal(number, signal.SIG_IGN if number == signal.SIGTERM else signal.default_int_handler)
        came.append(number)
        interruption.begin()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, heed) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except BaseException as exc:
        # The command line's library makes an exit code of an interrupt.
        if came:
            raise (TerminatedError if signal.SIGTERM in came else KeyboardInterrupt) from exc
        raise
    finally:
        interruption.end()
        for number, handler in before.items():
            signal.signal(number, handler)
