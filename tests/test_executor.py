"""The executor: order, errors, back-pressure, and processes that never outlive their caller."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataengine.errors import ConfigError, InputError
from dataengine.executor import num_cores, ordered_map


def slow_first(item: int) -> int:
    time.sleep(0.2 if item == 0 else 0)
    return item * item


def fail_at_three(item: int) -> int:
    if item == 3:
        raise InputError("clip 3 is broken")
    return item


def pid(_item: int) -> int:
    return os.getpid()


def die(_item: int) -> None:
    os._exit(9)


def report_and_sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_items_whatever_the_workers(workers):
    assert list(ordered_map(slow_first, range(70), workers=workers)) == [i * i for i in range(70)]


def test_one_worker_runs_in_the_calling_process_and_two_do_not():
    assert set(ordered_map(pid, range(3), workers=1)) == {os.getpid()}
    assert os.getpid() not in set(ordered_map(pid, range(3), workers=2))


def test_no_items_give_no_results():
    assert list(ordered_map(slow_first, [], workers=2)) == []


def test_items_are_drawn_as_needed():
    results = ordered_map(slow_first, itertools.count(), workers=2)
    assert list(itertools.islice(results, 5)) == [0, 1, 4, 9, 16]
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_reaches_the_caller_as_it_is(workers):
    results = ordered_map(fail_at_three, range(100), workers=workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="clip 3 is broken"):
        next(results)


def test_a_worker_that_dies_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"compute\.workers=1"):
        list(ordered_map(die, range(4), workers=2))


def test_zero_workers_is_every_core_of_this_process():
    assert num_cores() == len(os.sched_getaffinity(0))


SCRIPT = """
import sys
from dataengine.executor import ordered_map
from tests.test_executor import report_and_sleep
if __name__ == "__main__":
    list(ordered_map(report_and_sleep, sys.argv[1:], workers=2))
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_their_caller(tmp_path: Path, sent):
    reports = [tmp_path / "a", tmp_path / "b"]
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[1]
    # a session of its own, so that the signal reaches the whole group as Ctrl-C does
    caller = subprocess.Popen(
        [sys.executable, str(script), *map(str, reports)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_until(lambda: all(path.exists() and path.read_text() for path in reports))
    workers = [int(path.read_text()) for path in reports]
    if sent == signal.SIGINT:
        os.killpg(caller.pid, sent)
    else:
        caller.send_signal(sent)
    _, stderr = caller.communicate(timeout=20)
    wait_until(lambda: not any(alive(worker) for worker in workers))
    assert caller.returncode == -sent
    assert stderr.count(b"KeyboardInterrupt") == (sent == signal.SIGINT), stderr.decode()


def wait_until(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
