from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from dataengine.learn.ahead import ahead


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads: int) -> None:
    def slow_when_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return number * number

    assert list(ahead(slow_when_even, range(20), threads=threads)) == [n * n for n in range(20)]


def test_an_error_comes_where_its_result_would_have() -> None:
    results = ahead(lambda n: 1 // (3 - n), range(6))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_it_works_ahead_but_not_without_bound() -> None:
    made: list[int] = []
    with closing(ahead(made.append, range(1000), depth=3)) as results:
        next(results)
        time.sleep(0.05)
        assert 1 < len(made) <= 4


def test_closing_early_ends_the_thread() -> None:
    results = ahead(lambda n: n, range(1000))
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
