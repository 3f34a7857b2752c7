"""Ctrl-C held back is delivered, late but not lost."""

from __future__ import annotations

import os
import signal

import pytest

from dataengine.interrupts import held_back


def test_an_interrupt_arrives_after_the_block() -> None:
    reached = []

    def work() -> None:
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("end of the block")
        reached.append("after the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["end of the block"]
