"""What the machine may be used for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dataengine.config.bounds import check


class Device(Enum):
    """Where tensors live; ``auto`` takes CUDA, then MPS, then the CPU."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


@dataclass(kw_only=True, slots=True)
class ComputeConfig:
    """What the machine may be used for."""

    device: Device = Device.auto
    """``auto``, ``cpu``, ``cuda`` or ``mps``."""
    threads: int = 0
    """Threads of one fit; 0 takes every core. The same number gives the same bits."""
    workers: int = 0
    """Processes that render and decode; 0 takes every core. Any number gives the same files."""
    bf16: bool = True
    """Compute in bfloat16 where the device does so natively (AVX-512 BF16, AMX, CUDA)."""
    side_by_side: bool = True
    """On a CPU, run the arms at the same time and share the threads out among them."""

    def __post_init__(self) -> None:
        check(self, "threads", 0, 4096)
        check(self, "workers", 0, 4096)


@dataclass(kw_only=True, slots=True)
class AppConfig:
    """The FiftyOne App."""

    port: int = 5151
    """First port tried; the next free one is taken when it is in use."""
    address: str = "127.0.0.1"
    """Interface to bind: the App has no password, so keep it local."""
    browser: bool = True
    """Open a browser; false on servers."""

    def __post_init__(self) -> None:
        check(self, "port", 1, 65535)
