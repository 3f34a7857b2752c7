"""What makes a frame anonymous, by config."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dataengine.config import Anonymise, ComputeConfig, CurateConfig
from dataengine.errors import ConfigError
from dataengine.privacy.regions import Regions


class Anonymiser(Protocol):
    """Makes faces and plates unreadable.

    Instances are small and picklable; weights are loaded at the first frame, once in each process.
    """

    def settings(self) -> dict[str, Any]:
        """What decides the pixels, weights by their digest; part of a workspace's fingerprint."""
        ...

    def blur(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Regions]:
        """``[H, W, 3]`` uint8 RGB with its regions blurred, and which they were; the input is kept.

        On a CPU the same frame gives the same bytes in any process.
        """
        ...


def anonymiser(config: CurateConfig, compute: ComputeConfig) -> Anonymiser | None:
    """The anonymiser that ``curate.anonymise`` names; ``None`` for ``none``.

    Weights are looked at here, so that a wrong path is told before any work.

    Raises:
        ConfigError: ``curate.anonymise_weights`` is empty.
        ModelError: The weights are missing, damaged or of another kind.
    """
    if config.anonymise is Anonymise.none:
        return None
    if not config.anonymise_weights:
        wanted = {
            Anonymise.boxes: "a checkpoint that dataengine trained (.safetensors), or coco",
            Anonymise.egoblur: "the folder of ego_blur_face.jit and ego_blur_lp.jit",
        }[config.anonymise]
        raise ConfigError(
            f"curate.anonymise={config.anonymise.value} needs curate.anonymise_weights: {wanted}"
        )
    if config.anonymise is Anonymise.boxes:
        from dataengine.privacy.detected import Detected

        return Detected.open(config.anonymise_weights, config.anonymise_score, compute.device)
    from dataengine.privacy.egoblur import EgoBlur

    return EgoBlur.open(config.anonymise_weights, config.anonymise_score, compute.device)
