"""EgoBlur's archives, with stand-ins of the same contract: the published weights are not ours to ship."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from dataengine.config import Anonymise, ComputeConfig, CurateConfig, Device
from dataengine.errors import ModelError
from dataengine.privacy import Anonymiser, anonymiser
from dataengine.privacy.egoblur import PARTS

FACE, PLATE = PARTS


class FindsColour(torch.nn.Module):
    """Stands in for a detector: the box of all pixels whose channel is 255, and a doubtful one at a corner.

    It checks what it is given as the published ones would be served by it: uint8, 3 channels first.
    """

    def __init__(self, channel: int) -> None:
        super().__init__()
        self.channel = channel

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        assert image.dtype == torch.uint8
        assert image.dim() == 3
        assert image.size(0) == 3
        place = torch.nonzero(image[self.channel] == 255)
        boxes = torch.zeros(0, 4)
        if place.size(0) > 0:
            low, high = place.min(0).values, place.max(0).values + 1
            boxes = torch.stack([low[1], low[0], high[1], high[0]]).float().unsqueeze(0)
        boxes = torch.cat([boxes, torch.tensor([[0.0, 0.0, 9.0, 9.0]])])
        scores = torch.full([boxes.size(0)], 0.9)
        scores[-1] = 0.1
        return boxes, torch.zeros(boxes.size(0)), scores, torch.tensor([image.size(1), image.size(2)])


class AnswersOnce(torch.nn.Module):
    """Something that is no detector."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


def save(module: torch.nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have torch.export; EgoBlur publishes TorchScript
        torch.jit.script(module).save(str(path))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with both parts: faces are full blue, plates full green (channels are BGR)."""
    folder = tmp_path / "egoblur"
    folder.mkdir()
    save(FindsColour(0), folder / FACE)
    save(FindsColour(1), folder / PLATE)
    return folder


def opened(folder: Path, score: float = 0.5) -> Anonymiser:
    config = CurateConfig(anonymise=Anonymise.egoblur, anonymise_weights=str(folder), anonymise_score=score)
    found = anonymiser(config, ComputeConfig(device=Device.cpu))
    assert found is not None
    return found


def street() -> np.ndarray:
    """Dark noise, a blue face at (20, 10)-(40, 30), a green plate at (60, 50)-(90, 56) and a red sign."""
    image = np.random.default_rng(0).integers(0, 200, (80, 120, 3), np.uint8)
    image[10:30:2, 20:40] = (0, 0, 255)
    image[29, 20:40] = (0, 0, 255)
    image[50:56, 60:90:3] = (0, 255, 0)
    image[50:56, 89] = (0, 255, 0)
    image[70:74, 100:110] = (255, 0, 0)  # neither, unless red were taken for blue
    return image


def test_faces_and_plates_are_found_in_bgr_and_blurred(weights: Path):
    image = street()
    blurred, regions = opened(weights).blur(image)
    assert (regions.num_regions, regions.rule) == (2, "faces and plates by EgoBlur, score 0.5 and up")
    # an ellipse through the corners of a box has pi / 2 of its area
    assert regions.area_share == pytest.approx((20 * 20 + 30 * 6) * np.pi / 2 / (80 * 120), rel=0.03)
    for rows, columns in ((slice(10, 30), slice(20, 40)), (slice(50, 56), slice(60, 90))):
        before, after = image[rows, columns].astype(float), blurred[rows, columns].astype(float)
        assert after.std((0, 1)).max() < before.std((0, 1)).max() / 3
    assert (blurred[:5] == image[:5]).all()
    assert (blurred[65:] == image[65:]).all()


def test_the_score_decides_and_a_frame_comes_out_alike_every_time(weights: Path):
    blur = opened(weights, 0.05)
    results = [blur.blur(street()) for _ in range(4)]
    assert results[0][1].num_regions == 4
    assert len({image.tobytes() for image, _ in results}) == 1
    assert opened(weights, 0.95).blur(street())[1].num_regions == 0


def test_it_is_pickled_without_its_weights_and_known_by_their_digest(weights: Path, tmp_path: Path):
    blur = opened(weights)
    assert pickle.loads(pickle.dumps(blur)) == blur
    moved = tmp_path / "elsewhere"
    weights.rename(moved)
    assert opened(moved).settings() == blur.settings()
    save(FindsColour(2), moved / PLATE)
    assert opened(moved).settings() != blur.settings()


def test_one_archive_alone_is_not_enough(weights: Path):
    (weights / PLATE).unlink()
    with pytest.raises(ModelError, match=r"ego_blur_lp.jit does not exist; give the folder of ") as caught:
        opened(weights)
    assert "\n" not in str(caught.value)


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch " + os.environ["HARM_MARKER"],)


@pytest.mark.parametrize("content", [b"", b"weights", pickle.dumps({"a": 1})])
def test_what_is_no_archive_is_refused_unopened(weights: Path, content: bytes):
    (weights / FACE).write_bytes(content)
    with pytest.raises(ModelError, match="is no TorchScript archive"):
        opened(weights)


def test_a_checkpoint_of_torch_save_is_refused_unopened(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HARM_MARKER", str(tmp_path / "harmed"))
    torch.save({"a": Harm()}, weights / FACE)
    with pytest.raises(ModelError, match="is a zip file but no TorchScript archive"):
        opened(weights)
    assert not (tmp_path / "harmed").exists()


def test_an_archive_whose_pickle_calls_a_function_is_refused_by_torch(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HARM_MARKER", str(tmp_path / "harmed"))
    with zipfile.ZipFile(weights / PLATE) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(weights / FACE, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, pickle.dumps(Harm(), 2) if name.endswith("/data.pkl") else data)
    with pytest.raises(ModelError, match=r"ego_blur_face.jit cannot be loaded") as caught:
        opened(weights).blur(street())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_archive_is_one_line(weights: Path, share: float):
    whole = (weights / FACE).read_bytes()
    (weights / FACE).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="is no TorchScript archive"):
        opened(weights).blur(street())


def test_flipped_bits_end_in_a_line_or_in_an_answer(weights: Path):
    whole = (weights / FACE).read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(20):
        spoilt = bytearray(whole)
        for place in rng.integers(0, len(spoilt), 8):
            spoilt[place] ^= 1 << int(rng.integers(0, 8))
        (weights / FACE).write_bytes(spoilt)
        try:
            opened(weights).blur(street())
        except ModelError as error:
            refused.append(str(error))
    assert refused
    assert not any("\n" in message for message in refused)


def test_an_archive_of_another_contract_is_one_line(weights: Path):
    save(AnswersOnce(), weights / FACE)
    with pytest.raises(ModelError, match="does not answer like EgoBlur's Gen1") as caught:
        opened(weights).blur(street())
    assert "\n" not in str(caught.value)
