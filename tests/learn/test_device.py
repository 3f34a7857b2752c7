from __future__ import annotations

import os

import pytest
import torch

from dataengine.config import ComputeConfig, Device
from dataengine.errors import ConfigError
from dataengine.learn import device


def test_a_session_leaves_no_trace() -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with device.session(ComputeConfig(device=Device.cpu, threads=1)) as session:
        assert (torch.get_num_threads(), session.threads) == (1, 1)
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_a_failing_session_leaves_no_trace() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), device.session(ComputeConfig(device=Device.cpu, threads=before + 1)):
        raise KeyError
    assert torch.get_num_threads() == before


def test_zero_threads_are_all_cores_of_this_process() -> None:
    with device.session(ComputeConfig(device=Device.cpu)) as session:
        assert session.threads == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_an_absent_device_is_one_clear_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=rf"compute.device={name} is not available.*compute.device=cpu"):
        device.resolve(Device[name])


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_prefers_accelerators(
    cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device.resolve(Device.auto).type == expected


def test_bf16_is_off_where_it_is_not_allowed() -> None:
    session = device.Session(device=torch.device("cpu"), bf16=True, threads=1)
    one = torch.ones(1, 1)
    with session.autocast():
        assert (one @ one).dtype is torch.bfloat16
    with session.autocast(False):
        assert (one @ one).dtype is torch.float32
