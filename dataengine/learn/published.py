"""Weights that torchvision publishes, from its cache or the net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dataengine import progress
from dataengine.errors import ModelError


def fetch(weights: Any, wanted: str, instead: str) -> dict[str, Tensor]:
    """The tensors of published weights; downloaded into torch's cache where they are not in it.

    Args:
        weights: A member of one of torchvision's enumerations of weights.
        wanted: The setting that asks for them, for the message.
        instead: The setting that does without them.

    Raises:
        ModelError: They are not in the cache and cannot be downloaded.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]
    if not cached.is_file():
        progress.say(f"downloading {weights.url} to {cached}")
    try:
        # weights_only: torch reads tensors and refuses anything that would run code.
        state: dict[str, Tensor] = weights.get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"{wanted}: cannot download {weights.url} ({error}); put that file at {cached} (TORCH_HOME moves "
            f"the cache), or use {instead}"
        ) from error
    return state
