"""The detector, its training and its evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from dataengine.config.bounds import check
from dataengine.errors import ConfigError


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    """Which detector."""

    name: str = "centre_fpn"
    """``centre_fpn`` (small, learns from scratch), ``ssdlite``, ``fcos`` or ``faster_rcnn``."""
    weights: str = "none"
    """``none``, ``imagenet``, ``coco``, or the path of a safetensors checkpoint to start from."""
    width: int = 32
    """Channels of the first stage of ``centre_fpn``, from 16 on; later stages hold multiples of it. With
    fewer, PyTorch 2.15's backward pass on a CPU writes outside of its memory at some image sizes."""
    max_side: int = 0
    """Images are scaled so that the longer side has at most this many pixels; 0 keeps their size."""

    def __post_init__(self) -> None:
        check(self, "width", 16, 256)
        check(self, "max_side", 0, 4096)


@dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One fit: a fixed number of optimiser steps, the same in every arm."""

    steps: int = 600
    """Optimiser steps."""
    batch_size: int = 8
    """Images per step. On the embedded fleet 800 steps of 8 learned a little more than 400 of 16 (mean AP50
    +0.03 to +0.05, one seed on 2,400 frames: suggestive, within the noise of seeds) in about the same
    time."""
    learning_rate: float = 2e-3
    """Peak learning rate of AdamW."""
    weight_decay: float = 0.02
    """Decoupled weight decay of AdamW."""
    warmup_share: float = 0.15
    """Share of the steps over which the learning rate rises; a cosine brings it down after."""
    clip_norm: float = 10.0
    """Gradients are scaled down to at most this norm."""
    ema_decay: float = 0.99
    """Decay per step of the averaged weights that are kept; 0 keeps the raw weights."""
    flip: float = 0.5
    """Probability of a mirrored image."""
    scale: float = 0.2
    """Images are zoomed by a factor in ``1 - scale .. 1 + scale``."""
    translate: float = 0.1
    """Images are shifted by up to this share of their size."""
    colour: float = 0.2
    """Strength of brightness, contrast and saturation changes; 0 is off."""
    repeat_threshold: float = 0.1
    """Frames holding a class present in less than this share of the labelled frames are drawn more
    often: r = sqrt(threshold / share), as in LVIS (Gupta 2019, section 4.2); 0 is off."""
    start: str = "retrain"
    """Weights that the fits after the first begin with: ``retrain`` begins all with those of
    ``model.weights``, ``finetune`` with the weights of the cycle before."""
    shrink: float = 1.0
    """``finetune``: share of the old weights in the mean of them and fresh ones (Ash & Adams 2020, section
    5, with fresh weights in place of their noise); 1 keeps the old ones, 0 is ``retrain``."""
    copy_paste: float = 0.0
    """Probability that a rare object of another labelled frame is pasted into an image; 0 is off."""
    class_weight: str = "none"
    """``balanced`` weighs the boxes of a class in the centre loss by one over their effective number (Cui
    2019), 1 on average; ``none`` weighs all alike. ``centre_fpn`` alone has such a loss."""
    pseudo_share: float = 0.5
    """Arms named ``MINER+pseudo``: share of each batch that is frames nobody labelled, with what the model
    of the cycle before is sure to see in them."""
    pseudo_precision: float = 0.9
    """Share of the pseudo-labels of a class that should be right: the score from which a prediction counts as
    a label is set so that they are on val; 0 asks for ``pseudo_score`` instead."""
    pseudo_score: float = 0.7
    """Score from which a prediction is a label where val does not say (Liu 2021, Unbiased Teacher)."""
    pseudo_ignore: float = 0.1
    """Predictions from this score on that are no labels are ignore regions: nobody knows what they are. On
    three fleets 0.1 took a tenth of the image out and left 10% of the pedestrians and 25% of the cones to be
    learned as background; 0.2 took out 3% and left 20% and 49%."""
    checkpoint_every: int = 50
    """Steps between checkpoints from which a killed fit continues."""
    tensorboard: bool = False
    """Write TensorBoard event files too; needs ``pip install dataengine[tensorboard]``."""

    def __post_init__(self) -> None:
        check(self, "steps", 1, 10_000_000)
        check(self, "batch_size", 1, 4096)
        check(self, "learning_rate", 1e-8, 10)
        check(self, "weight_decay", 0, 10)
        check(self, "warmup_share", 0, 0.9)
        check(self, "clip_norm", 1e-6)
        check(self, "ema_decay", 0, 0.99999)
        check(self, "flip", 0, 1)
        check(self, "scale", 0, 0.9)
        check(self, "translate", 0, 0.5)
        check(self, "colour", 0, 1)
        check(self, "repeat_threshold", 0, 1)
        check(self, "shrink", 0, 1)
        check(self, "copy_paste", 0, 1)
        check(self, "pseudo_share", 0, 0.95)
        check(self, "pseudo_precision", 0, 1)
        check(self, "pseudo_score", 0.01, 1)
        check(self, "pseudo_ignore", 0.01, 1)
        check(self, "checkpoint_every", 1)
        for name, allowed in (("start", ("retrain", "finetune")), ("class_weight", ("none", "balanced"))):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"train.{name}={getattr(self, name)}: choose one of {', '.join(allowed)}")

    def first(self) -> dict[str, Any]:
        """The settings that the first fit of a run depends on.

        What is off is left out, so that a digest from before a setting existed still holds.
        """
        settings = asdict(self)
        for name in self.later():
            del settings[name]
        return {name: value for name, value in settings.items() if _OFF.get(name) != value}

    def later(self) -> dict[str, Any]:
        """The settings that only the fits after the first depend on."""
        return {name: value for name, value in asdict(self).items() if name in _LATER}

    def plain(self) -> TrainConfig:
        """These settings with no class favoured: every labelled frame and box counts alike."""
        return replace(self, repeat_threshold=0.0, class_weight="none", copy_paste=0.0)


_OFF = {"copy_paste": 0.0, "class_weight": "none"}
_LATER = {"start", "shrink", "pseudo_share", "pseudo_precision", "pseudo_score", "pseudo_ignore"}


@dataclass(kw_only=True, slots=True)
class EvaluateConfig:
    """How predictions are judged."""

    match_iou: float = 0.5
    """Intersection over union from which a prediction and a label are the same object."""
    error_score: float = 0.3
    """Predictions below this score are not counted as false alarms, nor as finds."""
    small_area: float = 300.0
    """Boxes below this area in square pixels are the slice ``size:small``."""
    large_area: float = 2500.0
    """Boxes from this area on are the slice ``size:large``."""
    bootstrap: int = 200
    """Resamples of the drives for each interval; 0 is off."""
    confidence: float = 0.95
    """Coverage of each interval."""

    def __post_init__(self) -> None:
        check(self, "match_iou", 0.05, 0.95)
        check(self, "error_score", 0, 1)
        check(self, "small_area", 0)
        check(self, "large_area", self.small_area)
        check(self, "bootstrap", 0, 100_000)
        check(self, "confidence", 0.5, 0.999)
