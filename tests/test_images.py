"""Images: reading what is whole, refusing what is not, and measures that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.errors import InputError
from dataengine.images import grey_levels, measure, read_image, read_mask
from dataengine.phash import perceptual_hash


def scene(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    channels = [x * 255 // width, (y * x) % 251, ((x // 7 + y // 5) % 2) * 200 + y % 50]
    return np.stack(channels, -1).astype(np.uint8)


# (height, width) -> imagehash 4.3 with Pillow 13 and SciPy's DCT
IMAGEHASH = {
    (192, 320): 0x821252565E567E77,
    (360, 480): 0xA22C0C2C7E007FFF,
    (33, 47): 0x801F3C7873674C6D,  # hardly reduced
    (20, 16): 0x857A551855EA54ED,  # enlarged
}


@pytest.mark.parametrize("shape", IMAGEHASH)
def test_phash_has_the_bits_of_imagehash(shape):
    assert measure(scene(*shape)).phash == IMAGEHASH[shape]


def test_phash_of_a_flat_image_is_its_mean_alone():
    assert measure(np.full((64, 96, 3), 130, np.uint8)).phash == 1 << 63


def test_phash_hardly_moves_with_jpeg_noise_and_moves_with_the_picture():
    image = scene(192, 320)
    noisy = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1], cv2.IMREAD_COLOR)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    reference = measure(image).phash
    assert (reference ^ measure(noisy).phash).bit_count() <= 4
    assert (reference ^ measure(mirrored).phash).bit_count() > 10


def test_phash_reads_views_that_are_not_contiguous():
    grey = grey_levels(scene(64, 96))
    assert perceptual_hash(grey[:, ::-1]) == perceptual_hash(np.ascontiguousarray(grey[:, ::-1]))


def test_brightness_is_the_mean_grey_level():
    half = np.zeros((4, 8, 3), np.uint8)
    half[:, 4:] = 255
    assert measure(half).brightness == pytest.approx(0.5)


def test_sharpness_is_the_variance_of_the_laplacian():
    # one white pixel: the 3x3 Laplacian is -4v in its place and v in 4 others, mean 0
    dot = np.zeros((10, 10, 3), np.uint8)
    dot[5, 5] = 200
    assert measure(dot).sharpness == pytest.approx((16 + 4) * 200**2 / 100)
    blurred = cv2.GaussianBlur(scene(96, 96), (0, 0), 3)
    assert measure(blurred).sharpness < measure(scene(96, 96)).sharpness / 10


def test_grey_levels_are_rounded_itu_601_luma():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert grey_levels(primaries).tolist() == [[76, 150, 29, 255]]


def test_read_image_is_rgb(tmp_path: Path):
    path = tmp_path / "ä image.png"
    rgb = scene(12, 16)
    path.write_bytes(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())
    np.testing.assert_array_equal(read_image(path), rgb)


def test_read_mask_keeps_class_numbers_and_turns_colours_to_rgb(tmp_path: Path):
    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "numbers.png"), numbers)
    cv2.imwrite(str(tmp_path / "colours.png"), scene(5, 6)[..., ::-1])
    cv2.imwrite(str(tmp_path / "deep.png"), numbers.astype(np.uint16))
    np.testing.assert_array_equal(read_mask(tmp_path / "numbers.png"), numbers)
    np.testing.assert_array_equal(read_mask(tmp_path / "colours.png"), scene(5, 6))
    with pytest.raises(InputError, match="uint16"):
        read_mask(tmp_path / "deep.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.99])
def test_a_truncated_image_is_an_input_error_naming_the_file(tmp_path: Path, suffix, kept):
    data = cv2.imencode(suffix, scene(90, 120))[1].tobytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(InputError, match=r"cut\.\w+: "):
        read_image(path)


def test_a_missing_file_or_another_kind_of_file_is_an_input_error(tmp_path: Path):
    (tmp_path / "text.png").write_text("no image")
    for name in ("absent.png", "text.png", "."):
        with pytest.raises(InputError, match=r"cannot be read|not a readable image"):
            read_image(tmp_path / name)
