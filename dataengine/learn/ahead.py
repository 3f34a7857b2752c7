"""Work done ahead of its consumer, in background threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")


def ahead(
    function: Callable[[A], T], items: Iterable[A], *, depth: int = 3, threads: int = 1
) -> Generator[T]:
    """``map(function, items)``, with up to ``depth`` results made before they are asked for.

    Results come in the order of the items whatever the number of threads, and an exception comes where its
    result would have. Close the iterator (``contextlib.closing``) to stop early.
    """
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[T]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > depth:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
