"""The detector, its training and its evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from dataengine.config.bounds import check


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
        check(self, "checkpoint_every", 1)


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
