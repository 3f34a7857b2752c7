"""Heads and plates by rule, from the boxes of a detector of people and vehicles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dataengine import files
from dataengine.config import ComputeConfig, Device, ModelConfig
from dataengine.errors import ConfigError, ModelError
from dataengine.learn import checkpoint, device, models
from dataengine.learn.detector import Detector
from dataengine.learn.predicting import Image, run_batch
from dataengine.learn.torchvision_detectors import FACTORIES
from dataengine.privacy import rules
from dataengine.privacy.blurring import blur
from dataengine.privacy.regions import Anonymiser, Regions
from dataengine.schema import Taxonomy

COCO = "coco"
COCO_MODEL = ModelConfig(name="faster_rcnn", weights=COCO)
"""Of torchvision's detectors with COCO's classes, the one that a CPU runs in a fraction of a second a frame:
32.8 AP on COCO with 4.5 GFLOPs; FCOS has 39.2 with 128 (torchvision's table of weights)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected(Anonymiser):
    """Blurs where a detector's boxes say that heads and plates are.

    A detector reports at most 100 boxes a frame and none below a score of 0.05, so a lower
    ``curate.anonymise_score`` finds no more.

    Attributes:
        weights: Path of a checkpoint of this engine, or ``coco``.
        digest: Of the weights.
        classes: The detector's classes that the rules know.
        score: Boxes from this score on count, 0..1.
        device: Where the detector runs.
    """

    weights: str
    digest: str
    classes: tuple[str, ...]
    score: float
    device: Device

    @classmethod
    def open(cls, weights: str, score: float, where: Device) -> Detected:
        """Check the weights.

        Raises:
            ModelError: They are missing, damaged or foreign, or know neither people nor vehicles.
        """
        taxonomy = Taxonomy(classes=_coco_classes()) if weights == COCO else _described(Path(weights))[1]
        known = (*rules.heads(taxonomy.classes), *rules.plates(taxonomy.classes))
        if not known:
            raise ModelError(
                f"curate.anonymise_weights={weights} knows {', '.join(taxonomy.classes)}, none of which is a "
                "person or a vehicle by name; give another checkpoint, or coco"
            )
        if weights == COCO:
            _coco()  # fetched here, before each worker would
            digest = FACTORIES[COCO_MODEL.name].coco.url.rsplit("/", 1)[-1]
        else:
            digest = files.sha256(Path(weights))
        return cls(weights=weights, digest=digest, classes=known, score=score, device=where)

    def settings(self) -> dict[str, Any]:
        """The weights' digest and the score."""
        return {"anonymise": "boxes", "weights": self.digest, "score": self.score}

    @property
    def rule(self) -> str:
        """What ``Regions.rule`` says."""
        parts = {"heads": rules.heads(self.classes), "plates": rules.plates(self.classes)}
        shown = " and ".join(f"{part} of {', '.join(names)}" for part, names in parts.items() if names)
        return f"{shown} by rule, score {self.score:g} and up"

    def blur(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Regions]:
        """See ``Anonymiser.blur``."""
        # one thread: the number of workers must not change a rounding, nor they take each other's cores
        with device.session(ComputeConfig(device=self.device, threads=1, bf16=False)) as session:
            detector, classes, max_side = _loaded(self.weights, self.digest, str(session.device))
            found = run_batch(detector, [_scaled(rgb, max_side)], session)[0]
        score = found.class_scores[np.arange(len(found.class_id)), found.class_id]
        kept = score >= self.score
        names = [classes[number] for number in found.class_id[kept]]
        blurred, number, area = blur(rgb, rules.regions(found.xyxy[kept], names))
        return blurred, Regions(rule=self.rule, num_regions=number, area_share=area)


def _scaled(rgb: NDArray[np.uint8], max_side: int) -> Image:
    """The frame at the size that the detector was trained for."""
    longer = max(rgb.shape[:2])
    if max_side == 0 or longer <= max_side:
        return Image(rgb, 1.0)
    share = max_side / longer
    size = (max(1, round(rgb.shape[1] * share)), max(1, round(rgb.shape[0] * share)))
    return Image(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), share)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def _loaded(weights: str, digest: str, where: str) -> tuple[Detector, tuple[str, ...], int]:  # noqa: ARG001
    """Detector, class names and ``max_side``; the digest names the content in the cache's key."""
    if weights == COCO:
        detector, classes, max_side = _coco(), _coco_classes(), COCO_MODEL.max_side
    else:
        model, taxonomy = _described(Path(weights))
        detector = models.trained(Path(weights), model, taxonomy)
        classes, max_side = taxonomy.classes, model.max_side
    return detector.eval().to(where).to(memory_format=torch.channels_last), classes, max_side


def _described(path: Path) -> tuple[ModelConfig, Taxonomy]:
    """Which detector a checkpoint holds, and its classes."""
    description = checkpoint.read(path)[1]
    try:
        return ModelConfig(**description["model"]), Taxonomy(classes=tuple(description["classes"]))
    except (KeyError, TypeError, ConfigError) as error:
        raise ModelError(
            f"curate.anonymise_weights={path} is no finished model; give a model.safetensors"
        ) from error


def _coco_classes() -> tuple[str, ...]:
    categories = FACTORIES[COCO_MODEL.name].coco.meta["categories"]
    return tuple(categories[1:])  # the first is the background


def _coco() -> Detector:
    """The published detector, head and all: with COCO's own classes every layer has the published shape."""
    try:
        return models.initial(COCO_MODEL, Taxonomy(classes=_coco_classes()), seed=0)
    except ModelError as error:
        url = FACTORIES[COCO_MODEL.name].coco.url
        cached = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
        raise ModelError(
            f"curate.anonymise_weights=coco: cannot download {url} ({error.__cause__}); put that file at "
            f"{cached}, or give a checkpoint that dataengine trained"
        ) from error
