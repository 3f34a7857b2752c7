"""How frames are kept, flagged, split and made anonymous."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dataengine.config.bounds import check
from dataengine.errors import ConfigError


class Anonymise(Enum):
    """How faces and number plates are made unreadable before a frame is stored."""

    none = "none"
    boxes = "boxes"
    egoblur = "egoblur"


@dataclass(kw_only=True, slots=True)
class CurateConfig:
    """How frames are kept, flagged, split and made anonymous."""

    val_share: float = 0.15
    """Share of the frames put into val where the publisher declares no split."""
    test_share: float = 0.25
    """Share of the frames put into test where the publisher declares no split."""
    stratify: bool = True
    """Draw the drives of val and test so that conditions and classes are shared out evenly."""
    duplicate_bits: int = 4
    """Two frames of one clip whose perceptual hashes differ in at most this many of 64 bits are
    near-duplicates: one pick does not hold both."""
    duplicate_distance: float = 0.02
    """Cosine distance of embeddings, 0..2, up to which two frames of different clips are near-duplicates."""
    embed: str = "detector"
    """What embeds frames: ``detector`` (the newest trained one; a colour thumbnail before there is one),
    ``thumbnail``, a torchvision classifier such as ``resnet50``, ``dino PATH`` or ``clip PATH`` (safetensors
    files), or ``none``: then neither duplicates across clips nor copies across splits are looked for."""
    dark: float = 0.04
    """Frames of a lower mean grey level, 0..1, are flagged ``dark``."""
    bright: float = 0.96
    """Frames of a higher mean grey level, 0..1, are flagged ``bright``."""
    blur: float = 0.2
    """Frames below this share of their clip's median sharpness are flagged ``blurred``."""
    frozen_frames: int = 2
    """A still repeated this many times in a row is flagged ``frozen``."""
    blocked_share: float = 0.6
    """Frames of which more than this share shows no detail are flagged ``blocked``; 1 is off."""
    anonymise: Anonymise = Anonymise.none
    """``none``, ``boxes`` (heads and plates by rule from a detector's boxes) or ``egoblur``."""
    anonymise_weights: str | None = None
    """``boxes``: a checkpoint of this engine, or ``coco``. ``egoblur``: a folder of EgoBlur's weights."""
    anonymise_score: float = 0.2
    """Detections from this score on are blurred: a missed face costs more than a needless blur."""

    def __post_init__(self) -> None:
        check(self, "val_share", 0, 0.9)
        check(self, "test_share", 0, 0.9)
        check(self, "duplicate_bits", 0, 64)
        check(self, "duplicate_distance", 0, 2)
        check(self, "dark", 0, 1)
        check(self, "bright", 0, 1)
        check(self, "blur", 0, 1)
        check(self, "frozen_frames", 2)
        check(self, "blocked_share", 0, 1)
        check(self, "anonymise_score", 0, 1)
        if self.val_share + self.test_share > 0.95:
            raise ConfigError("curate.val_share + curate.test_share leave no pool: keep them under 0.95")
