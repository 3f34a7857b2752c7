"""Progress bars with a rate and a time left; silent when standard error is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_silent = False
_hushed = False


def hush() -> None:
    """Neither bars nor lines in this process: another one speaks for it."""
    global _hushed  # noqa: PLW0603  one terminal, one decision for each process
    silence()
    _hushed = True


def silence() -> None:
    """Show no more bars in this process; lines are still printed."""
    global _silent  # noqa: PLW0603  one terminal, one decision for each process
    _silent = True


@contextmanager
def bar(
    label: str, total: int | None, unit: str = "frames", *, done: int = 0
) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; call the yielded function with how many were finished.

    Args:
        label: What is being done.
        total: Of how many; ``None`` where unknown.
        unit: What is counted; ``bytes`` are shown as kB, MB, GB.
        done: How many were finished before; they do not count for the rate.
    """
    if _silent or not sys.stderr.isatty():
        yield lambda _number: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counted = (MofNCompleteColumn(), TextColumn(f"{unit}, {{task.fields[rate]}}/s, left"))
    weighed = (DownloadColumn(), TransferSpeedColumn(), TextColumn("left"))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        *(weighed if unit == "bytes" else counted),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, completed=done, rate="-")

        def advance(number: int) -> None:
            progress.advance(task, number)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:,.0f}" if speed else "-")

        yield advance


@contextmanager
def slow_bar(label: str, total: int, unit: str, *, done: int = 0) -> Iterator[Callable[[int], None]]:
    """``bar`` for things that take minutes each: what one took, and the time left at that rate."""
    if _silent or not sys.stderr.isatty():
        yield lambda _number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit}, {{task.fields[rate]}}"),
    )
    began, before = time.monotonic(), done
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, completed=done, rate="...")

        def advance(number: int) -> None:
            nonlocal done
            done += number
            minutes = (time.monotonic() - began) / 60 / max(done - before, 1)
            left = f"{minutes:.1f} min each, {minutes * (total - done):.0f} min left"
            progress.update(task, completed=done, rate=left)

        yield advance


def track(items: Iterable[T], label: str, total: int | None = None, unit: str = "frames") -> Iterator[T]:
    """Iterate with a bar."""
    with bar(label, total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def say(line: str) -> None:
    """One line for the person at the terminal, on standard error."""
    if _hushed:
        return
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
