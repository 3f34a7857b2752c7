"""The detectors by name, and where their first weights come from."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import torch

from dataengine.config import ModelConfig
from dataengine.errors import ConfigError, ModelError
from dataengine.frameboxes import FrameBoxes
from dataengine.learn import checkpoint, class_weights
from dataengine.learn.centre_fpn import CentreFPN
from dataengine.learn.detector import Detector
from dataengine.learn.torchvision_detectors import FACTORIES, TorchvisionDetector, load_pretrained
from dataengine.schema import Taxonomy


def _centre_fpn(num_classes: int, model: ModelConfig) -> Detector:
    return CentreFPN(num_classes, model.width)


def _torchvision(num_classes: int, model: ModelConfig) -> Detector:
    return TorchvisionDetector(model.name, num_classes)


_BUILDERS: dict[str, Callable[[int, ModelConfig], Detector]] = {
    "centre_fpn": _centre_fpn,
    **dict.fromkeys(FACTORIES, _torchvision),
}
NAMES = tuple(_BUILDERS)
"""Names of the detectors, as in ``model.name``."""


def build(model: ModelConfig, taxonomy: Taxonomy) -> Detector:
    """A detector with weights from torch's random stream, on the CPU.

    Raises:
        ConfigError: There is no detector of that name.
    """
    if model.name not in _BUILDERS:
        near = get_close_matches(model.name, NAMES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"model.name={model.name} is unknown: {hint}choose one of {', '.join(NAMES)}")
    return _BUILDERS[model.name](len(taxonomy), model)


def initial(model: ModelConfig, taxonomy: Taxonomy, seed: int) -> Detector:
    """A detector ready to be trained: random weights from ``seed``, then what ``model.weights`` names.

    Raises:
        ConfigError: Unknown detector, or one that has no such published weights.
        ModelError: The weights cannot be fetched or read, or belong to another taxonomy.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        detector = build(model, taxonomy)
    if model.weights in {"imagenet", "coco"}:
        if not isinstance(detector, TorchvisionDetector):
            raise ConfigError(
                f"model.weights={model.weights}: nobody publishes such weights for {model.name}; use "
                f"model.weights=none, or model.name={', '.join(FACTORIES)}"
            )
        load_pretrained(detector, model.weights)
    elif model.weights != "none":
        _load(detector, Path(model.weights), taxonomy, model)
    return detector


def continued(path: Path, model: ModelConfig, taxonomy: Taxonomy, seed: int, shrink: float) -> Detector:
    """A detector ready to be trained further: ``shrink`` of a checkpoint's weights, the rest fresh ones.

    A network that was only shrunk towards fresh weights learns new examples as well as the old ones (Ash &
    Adams 2020, "shrink and perturb"); the paper adds small noise, we the scale that each layer starts with.

    Raises:
        ConfigError: Unknown detector, or one that has no such published weights.
        ModelError: Weights cannot be fetched or read, or belong to another taxonomy or detector.
    """
    detector = trained(path, model, taxonomy)
    if shrink < 1:
        fresh = dict(initial(model, taxonomy, seed).named_parameters())
        with torch.no_grad():
            for name, parameter in detector.named_parameters():
                parameter.lerp_(fresh[name], 1 - shrink)
    return detector


def trained(path: Path, model: ModelConfig, taxonomy: Taxonomy) -> Detector:
    """A detector with the weights of a checkpoint, on the CPU.

    Raises:
        ConfigError: There is no detector of that name.
        ModelError: The checkpoint cannot be read, or belongs to another taxonomy or detector.
    """
    detector = build(model, taxonomy)
    _load(detector, path, taxonomy, model)
    return detector


def weigh_classes(detector: Detector, labels: FrameBoxes, model: ModelConfig) -> None:
    """Let the boxes of rare classes weigh more in a detector's loss.

    Raises:
        ConfigError: The detector's loss has no place for it.
    """
    if not detector.weighs_classes:
        raise ConfigError(
            f"train.class_weight=balanced has no effect on model.name={model.name}, whose loss weighs all "
            "classes alike; set train.class_weight=none, or model=centre_fpn"
        )
    weights = class_weights.balanced(labels, detector.num_classes)
    detector.class_weight = torch.from_numpy(weights)


def _load(detector: Detector, path: Path, taxonomy: Taxonomy, model: ModelConfig) -> None:
    tensors = checkpoint.read_model(path, taxonomy, model)
    try:
        detector.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            f"{path} does not fit {model.name}: {str(error).splitlines()[-1].strip()}"
        ) from error
