"""Weights on disk: safetensors with a description, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dataengine import files
from dataengine.config import ModelConfig
from dataengine.errors import ModelError
from dataengine.schema import Taxonomy

FORMAT_VERSION = 1
PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".tar"}
_KEY = "dataengine"


def write(path: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write tensors and a description atomically; the same content gives the same bytes.

    The description goes into one entry of the header, because safetensors writes several in any order.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {_KEY: json.dumps({"format_version": FORMAT_VERSION, **description}, sort_keys=True)}
    content = save(plain, header)  # its own save_file hides a full disk in an error of another kind
    files.atomic(path, lambda temporary: temporary.write_bytes(content))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description of a file written by ``write``.

    Raises:
        ModelError: The file is missing, a pickle, damaged, foreign or of another format version.
    """
    if path.suffix.lower() in PICKLES:
        raise ModelError(
            f"{path} may be a pickle, which runs code when it is opened; convert it where you trust it with "
            "safetensors.torch.save_file and give the .safetensors file"
        )
    if not path.is_file():
        raise ModelError(
            f"{path} does not exist: give a .safetensors checkpoint, or model.weights=none, imagenet or coco"
        )
    try:
        with safe_open(path, framework="pt") as handle:
            description = (handle.metadata() or {}).get(_KEY)
            if description is None:
                raise ModelError(
                    f"{path} was not written by dataengine: it names no classes; train it here first"
                )
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged ({error}); train again or restore the file") from error
    value: dict[str, Any] = json.loads(description)
    if value.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"{path} has format version {value.get('format_version')}, this dataengine reads "
            f"{FORMAT_VERSION}; train again or install the matching version"
        )
    return tensors, value


def write_model(path: Path, tensors: Mapping[str, Tensor], taxonomy: Taxonomy, model: ModelConfig) -> None:
    """Write the weights of a detector with the classes and the settings that it was built from."""
    write(path, tensors, {"classes": list(taxonomy.classes), "model": asdict(model)})


def read_model(path: Path, taxonomy: Taxonomy, model: ModelConfig) -> dict[str, Tensor]:
    """The weights of a detector of this taxonomy and architecture.

    Raises:
        ModelError: The checkpoint belongs to another taxonomy or architecture, or cannot be read.
    """
    tensors, description = read(path)
    classes = description.get("classes")
    if classes is None:
        raise ModelError(f"{path} is no finished model; give a model.safetensors")
    if tuple(classes) != taxonomy.classes:
        raise ModelError(
            f"{path} knows the classes {', '.join(classes)}; this workspace has "
            f"{', '.join(taxonomy.classes)}; train a model in this workspace"
        )
    built = description["model"]
    for name in ("name", "width"):
        if built[name] != getattr(model, name):
            raise ModelError(
                f"{path} was trained with model.{name}={built[name]}, not {getattr(model, name)}; "
                f"set model.{name}={built[name]} or train again"
            )
    return tensors
