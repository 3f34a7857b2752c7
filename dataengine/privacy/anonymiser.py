"""What makes a frame anonymous, by config."""

from __future__ import annotations

from dataengine.config import Anonymise, ComputeConfig, CurateConfig
from dataengine.errors import ConfigError
from dataengine.privacy.regions import Anonymiser


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
