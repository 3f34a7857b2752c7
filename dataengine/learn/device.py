"""Where tensors live and how much of the machine they may use."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import torch

from dataengine.config import ComputeConfig, Device
from dataengine.errors import ConfigError
from dataengine.executor import num_cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The device of one fit or prediction.

    Attributes:
        device: Where tensors live.
        bf16: Whether convolutions compute in bfloat16.
        threads: Threads that the CPU part uses.
    """

    device: torch.device
    bf16: bool
    threads: int

    def autocast(self, allowed: bool = True) -> AbstractContextManager[object]:
        """Compute in bfloat16 where that was asked for, native and allowed; weights stay float32."""
        if not (self.bf16 and allowed):
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


@contextmanager
def session(compute: ComputeConfig) -> Iterator[Session]:
    """Set threads and determinism for the block, and put both back after it.

    Raises:
        ConfigError: The device asked for is not there.
    """
    device = resolve(compute.device)
    threads = compute.threads or num_cores()
    before = (
        torch.get_num_threads(),
        cv2.getNumThreads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )
    try:
        torch.set_num_threads(threads)
        cv2.setNumThreads(1)
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Off: nothing here reads memory that it has not written, and filling it costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*(does not have a deterministic|not deterministic because).*")
            yield Session(device=device, bf16=compute.bf16 and native_bf16(device), threads=threads)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
        torch.use_deterministic_algorithms(before[2], warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = before[3]  # type: ignore[attr-defined]


def resolve(wanted: Device) -> torch.device:
    """The device for a setting.

    Raises:
        ConfigError: ``cuda`` or ``mps`` was named and this machine has none.
    """
    present = {
        Device.cuda: torch.cuda.is_available(),
        Device.mps: torch.backends.mps.is_available(),
        Device.cpu: True,
    }
    if wanted is Device.auto:
        return torch.device(next(device.value for device, there in present.items() if there))
    if not present[wanted]:
        raise ConfigError(
            f"compute.device={wanted.value} is not available here (see `dataengine doctor`); "
            "use compute.device=auto or compute.device=cpu"
        )
    return torch.device(wanted.value)


def cpu_threads(compute: ComputeConfig) -> int:
    """Threads that fits on the CPU may share out among them; 1 where an accelerator computes."""
    if resolve(compute.device).type != "cpu":
        return 1
    return compute.threads or num_cores()


@cache
def native_bf16(device: torch.device) -> bool:
    """Whether bfloat16 products run in hardware; emulation is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    cpuinfo = Path("/proc/cpuinfo")
    if device.type == "cpu" and cpuinfo.is_file():
        flags = cpuinfo.read_text(encoding="utf-8", errors="replace")
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
