"""A command in a process of its own, to be killed: `python -m tests.faults.commanding EDGE ARGUMENTS...`.

It says `ready` once everything is imported, waits for a line, and then is `cauri ARGUMENTS...`. At its EDGE, which is
`begin 4` or `end 4` for the beginning or the end of step 4 or `-` for none, it says `held` and waits for another line.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from cli.main import main
from engine.contracts import check
from engine.steps import Stopwatch

CHECK = 3


def hold(word: str) -> None:
    """Say a word and wait for a line."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    sys.stdin.readline()


class Edges:
    """Holds the process at one edge, the first time that it gets there."""

    def __init__(self, edge: str) -> None:
        self._waiting = [edge]

    def reach(self, kind: str, step: int) -> None:
        """One of the edges is there, maybe in several threads."""
        if self._waiting == [f"{kind} {step}"] and self._waiting.pop():
            hold("held")

    def of_steps(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """`Stopwatch.step` or `Stopwatch.within` with the edges of the step."""

        @contextmanager
        def stretch(watch: Stopwatch, number: int, *args: Any, **kwargs: Any) -> Iterator[None]:
            self.reach("begin", number)
            with original(watch, number, *args, **kwargs):
                yield
            self.reach("end", number)

        return stretch

    def of_checks(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The check of a piece: its threads do step 2 as well, so that the edges of step 3 are those of a piece."""

        def checked(*args: Any, **kwargs: Any) -> Any:
            self.reach("begin", CHECK)
            result = original(*args, **kwargs)
            self.reach("end", CHECK)
            return result

        return checked


if __name__ == "__main__":
    edges = Edges(sys.argv[1])
    sys.argv = ["cauri", *sys.argv[2:]]
    with (
        mock.patch.object(Stopwatch, "step", edges.of_steps(Stopwatch.step)),
        mock.patch.object(Stopwatch, "within", edges.of_steps(Stopwatch.within)),
        mock.patch("engine.sift.check", edges.of_checks(check)),
    ):
        hold("ready")
        main()
