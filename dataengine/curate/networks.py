"""Embedders that need torch: published torchvision models, and a user's DINO or CLIP weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dataengine import files
from dataengine.config import ComputeConfig
from dataengine.curate.embedder import Embedder, decode, on_threads
from dataengine.curate.vit import VisionTransformer
from dataengine.errors import ConfigError, ModelError
from dataengine.learn import device
from dataengine.learn.checkpoint import PICKLES
from dataengine.learn.published import fetch

SIDE = 224
"""Images are squeezed to a square of this side, so that all of each one is seen."""
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
"""Mean and spread of the channels in training (the model cards of torchvision, DINO and CLIP)."""
BATCH = 32


def published(name: str, compute: ComputeConfig) -> Embedder:
    """A torchvision classifier without its last layer, with the weights that torchvision recommends.

    Raises:
        ConfigError: torchvision has no such classifier.
        ModelError: The weights are not in the cache and cannot be downloaded.
    """
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"curate.embed={name} is unknown: {hint}choose detector, thumbnail, none, dino PATH, clip PATH "
            "or a torchvision classifier such as resnet50"
        )
    weights = torchvision.models.get_model_weights(name).DEFAULT
    network = torchvision.models.get_model(name, weights=None, **_INCEPTIONS.get(name, {}))
    network.load_state_dict(fetch(weights, f"curate.embed={name}", instead="curate.embed=thumbnail"))
    last = [place for place, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    network.set_submodule(last, nn.Identity())
    key = f"{name}-{Path(weights.url).stem}-{SIDE}"
    return _embedder(name, key, network, IMAGENET, SIDE, compute)


_INCEPTIONS = {name: {"init_weights": False, "aux_logits": True} for name in ("googlenet", "inception_v3")}


def transformer(kind: str, path: Path, compute: ComputeConfig) -> Embedder:
    """A vision transformer from a user's safetensors file.

    Args:
        kind: ``dino``: DINO or DINOv2 weights under the names of their authors and of timm. ``clip``: the
            image half of CLIP under the names of OpenAI and open_clip.
        path: The file. Pickles (.pt, .pth, .bin) and TorchScript archives run code when they are opened
            and are refused.
        compute: The device.

    Raises:
        ModelError: The file is missing, a pickle, damaged or of another architecture.
    """
    network = VisionTransformer.from_tensors(kind, _tensors(path), path)
    channels = CLIP if kind == "clip" else IMAGENET
    return _embedder(f"{kind} {path.name}", files.sha256(path), network, channels, network.side, compute)


def _embedder(
    name: str,
    key: str,
    network: Callable[[Tensor], Tensor] | nn.Module,
    channels: tuple[tuple[float, ...], tuple[float, ...]],
    side: int,
    compute: ComputeConfig,
) -> Embedder:
    mean, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in channels)

    def prepare(path: Path) -> NDArray[np.uint8]:
        squeezed = cv2.resize(decode(path, side), (side, side), interpolation=cv2.INTER_AREA)
        return squeezed[..., ::-1]  # type: ignore[return-value]

    def embed(paths: Sequence[Path]) -> NDArray[np.float32]:
        images = torch.from_numpy(np.stack(on_threads(prepare, paths))).permute(0, 3, 1, 2)
        with device.session(compute) as session, torch.inference_mode():
            model = network.to(session.device).eval() if isinstance(network, nn.Module) else network
            pixels = (images.float() / 255 - mean) / spread
            return model(pixels.to(session.device)).flatten(1).float().cpu().numpy()

    return Embedder(name=name, key=key, embed=embed, batch=BATCH)


def _tensors(path: Path) -> dict[str, Tensor]:
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path} may be a pickle or TorchScript, which run code when they are opened; convert it where "
            "you trust it with safetensors.torch.save_file and give the .safetensors file"
        )
    if not path.is_file():
        raise ModelError(f"curate.embed: {path} does not exist; give the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as handle:
            return {name: handle.get_tensor(name).float() for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is no readable safetensors file ({error}); fetch it again") from error
