"""EgoBlur's published detectors of faces and number plates, loaded without its package.

EgoBlur (Raina 2023, arXiv 2308.13093) publishes two TorchScript archives, ``ego_blur_face.jit`` and
``ego_blur_lp.jit`` (its Gen1), at https://www.projectaria.com/tools/egoblur; its package pins an old
torch, and is not needed. The contract is that of its own demonstration (``get_image_tensor`` and
``get_detections`` in gen1/script/demo_ego_blur_gen1.py): one uint8 image ``[3, H, W]`` in BGR order of
any size goes in; boxes ``[N, 4]`` xyxy in its pixels, labels, scores ``[N]`` and dimensions come out. Its
score threshold there is 0.9; here it is ``curate.anonymise_score``, which is lower on purpose.

The risk. A TorchScript archive is a program, run by torch's interpreter. Its weights are a pickle, but
``torch.jit.load`` reads it with an unpickler of its own in C++ that builds tensors, plain containers and the
classes that the archive's code declares, and knows no Python function (a test shows that a call of
``os.system`` is refused). It is no sandbox all the same: the program may call every operator of torch, of
which some read and write files, and torch's documentation says to load only what one trusts. So: only
files that you name yourself, fetched from the publisher; never a search, never a download, never
``torch.load``. The digest of both is in the workspace's fingerprint.
"""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision  # noqa: F401  # registers the operators that the archives call
from numpy.typing import NDArray

from dataengine import files
from dataengine.config import ComputeConfig, Device
from dataengine.errors import ModelError
from dataengine.learn import device
from dataengine.privacy.blurring import blur
from dataengine.privacy.regions import Anonymiser, Regions

PARTS = ("ego_blur_face.jit", "ego_blur_lp.jit")
SOURCE = "https://www.projectaria.com/tools/egoblur"


@dataclass(frozen=True, slots=True, kw_only=True)
class EgoBlur(Anonymiser):
    """Blurs the faces and plates that EgoBlur finds.

    Attributes:
        folder: Holds both archives.
        digests: SHA-256 of each.
        score: Boxes from this score on count, 0..1.
        device: Where the detectors run.
    """

    folder: str
    digests: tuple[str, ...]
    score: float
    device: Device

    @classmethod
    def open(cls, folder: str, score: float, where: Device) -> EgoBlur:
        """Check that both archives are there and are TorchScript; nothing of them is run.

        Raises:
            ModelError: One is missing or something else.
        """
        paths = [Path(folder) / name for name in PARTS]
        for path in paths:
            _check_archive(path)
        digests = tuple(files.sha256(path) for path in paths)
        return cls(folder=folder, digests=digests, score=score, device=where)

    def settings(self) -> dict[str, Any]:
        """The archives' digests and the score."""
        return {"anonymise": "egoblur", "weights": self.digests, "score": self.score}

    @property
    def rule(self) -> str:
        """What ``Regions.rule`` says."""
        return f"faces and plates by EgoBlur, score {self.score:g} and up"

    def blur(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Regions]:
        """See ``Anonymiser.blur``."""
        bgr = torch.from_numpy(np.ascontiguousarray(rgb[..., ::-1].transpose(2, 0, 1)))
        found = []
        # one thread: the number of workers must not change a rounding, nor they take each other's cores
        with device.session(ComputeConfig(device=self.device, threads=1, bf16=False)) as session:
            for name, digest in zip(PARTS, self.digests, strict=True):
                path = Path(self.folder) / name
                module = _loaded(str(path), digest, str(session.device))
                found.append(_boxes(module, bgr.clone().to(session.device), self.score, path))
        blurred, number, area = blur(rgb, np.concatenate(found))
        return blurred, Regions(rule=self.rule, num_regions=number, area_share=area)


def _check_archive(path: Path) -> None:
    if not path.is_file():
        raise ModelError(
            f"curate.anonymise_weights: {path} does not exist; give the folder of {' and '.join(PARTS)} "
            f"from {SOURCE}"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            inner = {name.partition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:  # names, versions
        raise ModelError(
            f"{path} is no TorchScript archive ({error}); fetch it again from {SOURCE}"
        ) from error
    # torch.save writes a zip too, without these two
    if "constants.pkl" not in inner or not any(name.startswith("code/") for name in inner):
        raise ModelError(f"{path} is a zip file but no TorchScript archive; fetch it again from {SOURCE}")


@lru_cache(maxsize=len(PARTS))
def _loaded(path: str, digest: str, where: str) -> Any:  # noqa: ARG001  # the digest is part of the key
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch would rather have torch.export
            module: Any = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
            return module.eval().to(where)
    except (RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise ModelError(f"{path} cannot be loaded ({reason}); fetch it again from {SOURCE}") from error


def _boxes(module: Any, image: torch.Tensor, score: float, path: Path) -> NDArray[np.float32]:
    """``[N, 4]`` boxes of one detector from a score on."""
    try:
        # without the profiling executor, whose fusions change roundings after a few frames
        with torch.no_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            boxes, _, scores, _ = module(image)
        xyxy = boxes.float().cpu().numpy().reshape(-1, 4)
        kept = scores.float().cpu().numpy() >= score
        found: NDArray[np.float32] = xyxy[kept]
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(
            f"{path} does not answer like EgoBlur's Gen1, boxes, labels, scores and dimensions of one image "
            f"({reason}); give {' and '.join(PARTS)} from {SOURCE}"
        ) from error
    if not np.isfinite(found).all():
        raise ModelError(f"{path} found a box that is not a number; fetch it again from {SOURCE}")
    return found
