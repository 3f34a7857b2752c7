"""Run a function over items in processes: the same results, in the same order, with any number of them.

The processes are spawned, so no thread or lock of the caller is copied into them. They live no
longer than the caller: each watches a pipe whose other end only the caller holds, and leaves when
it closes, be it after an error, after Ctrl-C or because the caller was killed with ``kill -9``.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from dataengine.errors import ConfigError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD_PER_WORKER = 16
"""Items handed out before their turn, so that one slow item does not leave the other workers idle."""


def num_cores() -> int:
    """Cores that this process may use: containers and ``taskset`` count."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(function: Callable[[T], R], items: Iterable[T], *, workers: int = 0) -> Iterator[R]:
    """Yield ``function(item)`` for every item, in the order of the items.

    Results wait for their turn, at most a few dozen of them; items are drawn as needed, so an
    endless iterable works. With one worker everything runs in the calling process.

    Args:
        function: Importable by name, as are its arguments and results picklable.
        items: Inputs; drawn in the calling process.
        workers: Processes; 0 takes every core.

    Raises:
        ConfigError: A worker process died, for want of memory for instance.
    """
    count = workers or num_cores()
    if count == 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, context, _begin_worker, (watched,))
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            with _interrupts_held_back():
                pending.append(pool.submit(function, item))
            if len(pending) >= count * _AHEAD_PER_WORKER:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise ConfigError(
            "a worker process died: out of memory, or a script that calls dataengine outside "
            '`if __name__ == "__main__":`; set compute.workers=1'
        ) from error
    finally:
        held.close()
        pool.shutdown(cancel_futures=True)
        watched.close()


def _begin_worker(watched: Connection) -> None:
    """Leave when the caller does; Ctrl-C is the caller's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def leave_with_the_caller() -> None:
        wait([watched])
        os._exit(1)

    threading.Thread(target=leave_with_the_caller, daemon=True).start()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let processes that start in this block be born deaf to Ctrl-C.

    They would answer it with a traceback before ``_begin_worker`` runs. The caller hears it when the
    block ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
