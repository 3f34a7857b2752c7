"""Arrays on disk: what their headers promise is checked, and nothing is unpickled."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.arrays import check_array, in_time_order, read_array
from dataengine.errors import InputError
from tests.adapters.comma_recordings import write_array


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "f4", "i8", "u2"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_numbers_of_any_width_come_out_as_a_column(tmp_path: Path, dtype, shape):
    write_array(tmp_path / "value", np.arange(4).astype(dtype).reshape(shape))
    assert check_array(tmp_path / "value", 1) == 4
    read = read_array(tmp_path / "value", 1)
    assert (read.dtype, read.tolist()) == (np.float64, [[0], [1], [2], [3]])


def test_no_rows_are_an_array_too(tmp_path: Path):
    write_array(tmp_path / "value", np.zeros((0, 3)))
    assert read_array(tmp_path / "value", 3).shape == (0, 3)


BAD_SHAPES = [np.float64(3.0), np.zeros((4, 2)), np.zeros((4, 3, 1)), np.zeros(4)]


@pytest.mark.parametrize("values", BAD_SHAPES)
def test_another_shape_is_named(tmp_path: Path, values):
    write_array(tmp_path / "value", values)
    with pytest.raises(InputError, match="N x 3 are needed"):
        check_array(tmp_path / "value", 3)


class _Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


def test_objects_are_refused_and_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    array = np.empty(1, object)
    array[0] = _Trap()
    np.save(tmp_path / "value.npy", array, allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(InputError, match="array of object, not of numbers"):
        read_array(tmp_path / "value.npy", 1)
    with pytest.raises(InputError, match="not a NumPy array"):
        read_array(tmp_path / "pickle.npy", 1)
    assert not (tmp_path / "trapped").exists()


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


DAMAGE = [
    (b"", "empty file"),
    (b"\x93NUM", "not a NumPy array"),
    (b"PK\x03\x04" + bytes(60), "not a NumPy array"),
    (b"\x93NUMPY\x07\x00" + bytes(60), "version 7.0"),
    (header("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,), }"), "cut short"),
    (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-4,), }"), "array of -4 values"),
    (header("{'descr': '|S8', 'fortran_order': False, 'shape': (1,), }"), "not of numbers"),
    (header("(" * 5000), "not a NumPy array"),
    (header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }"), "not of numbers"),
]


@pytest.mark.parametrize(("data", "reason"), DAMAGE)
def test_damage_is_one_line(tmp_path: Path, data, reason):
    (tmp_path / "value").write_bytes(data)
    for read in (check_array, read_array):
        with pytest.raises(InputError, match=reason) as caught:
            read(tmp_path / "value", 1)
        assert "\n" not in str(caught.value)


def test_what_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        check_array(tmp_path / "value", 1)


def test_an_array_cut_anywhere_is_refused(tmp_path: Path):
    write_array(tmp_path / "value", np.arange(8.0))
    whole = (tmp_path / "value").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "value").write_bytes(whole[:length])
        with pytest.raises(InputError):
            check_array(tmp_path / "value", 1)


def test_late_measurements_are_sorted_in_and_those_without_a_time_left_out():
    times, values = in_time_order(np.array([1.0, 3.0, np.nan, 2.0]), np.array([[1.0], [3.0], [9.0], [2.0]]))
    assert (times.tolist(), values.tolist()) == ([1, 2, 3], [[1], [2], [3]])
