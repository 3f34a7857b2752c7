"""Files that can be parsed and mean nonsense: other types, lost keys and columns, numbers off the scale."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NONSENSE: list[Any] = [
    None,
    True,
    "",
    "text",
    -1,
    10**400,
    1e308,
    float("nan"),
    float("-inf"),
    [],
    [[]],
    {},
    {"a": 1},
]
WORDS = ["", "text", "-1", "NaN", "1e999", "9" * 400, "0x10", "../..", "\u2028", "0"]


def mean_otherwise(path: Path, seed: int) -> bool:
    """Change what a file of JSON, XML, text, Parquet or NumPy means at one place; false for other kinds."""
    rng = np.random.default_rng(seed)
    try:
        data = path.read_bytes()
        if data.startswith(b"PAR1"):
            _retype_column(path, rng)
        elif data.startswith(b"\x93NUMPY"):
            _other_array(path, rng)
        elif path.suffix in {".json", ".jsonl"}:
            path.write_text(_other_json(data.decode(), rng, lines=path.suffix == ".jsonl"))
        elif path.suffix in {".txt", ".csv", ".xml", ".gpx", ".yaml", ""} and b"\0" not in data[:200]:
            path.write_text(_other_text(data.decode(), rng))
        else:
            return False
    except UnicodeDecodeError:
        return False
    return True


def _other_json(text: str, rng: np.random.Generator, *, lines: bool) -> str:
    rows = text.splitlines() if lines else [text]
    number = int(rng.integers(len(rows)))
    holder = {"root": json.loads(rows[number])}
    places = list(_places(holder))
    parent, key = places[int(rng.integers(len(places)))]
    if rng.random() < 0.25 and isinstance(parent, dict) and parent is not holder:
        del parent[key]
    else:
        parent[key] = NONSENSE[int(rng.integers(len(NONSENSE)))]
    rows[number] = json.dumps(holder["root"])
    return "\n".join(rows)


def _places(value: Any) -> Any:
    """Every (container, key) in a tree."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _other_text(text: str, rng: np.random.Generator) -> str:
    """One number or word becomes another, is doubled or lost."""
    words = list(re.finditer(r"[^\s,;<>=\"]+", text))
    if not words:
        return text + WORDS[int(rng.integers(len(WORDS)))]
    found = words[int(rng.integers(len(words)))]
    other = WORDS[int(rng.integers(len(WORDS)))]
    return text[: found.start()] + other + text[found.end() :]


def _retype_column(path: Path, rng: np.random.Generator) -> None:
    table = pq.ParquetFile(path).read()
    number = int(rng.integers(table.num_columns))
    name, rows = table.column_names[number], table.num_rows
    others = [
        pa.nulls(rows),
        pa.array(["text"] * rows),
        pa.array([[1.0]] * rows),
        pa.array([[] for _ in range(rows)], pa.list_(pa.float32())),
        pa.array([-1] * rows, pa.int64()),
        pa.array([2**62] * rows, pa.int64()),
        pa.array([float("nan")] * rows),
        pa.array([b"\xff\xfe"] * rows),
        pa.array([{"a": 1}] * rows),
    ]
    choice = int(rng.integers(len(others) + 2))
    if choice == len(others):
        table = table.drop_columns([name])
    elif choice > len(others):
        table = table.slice(0, 0)
    else:
        table = table.set_column(number, name, others[choice])
    pq.write_table(table, path)


def _other_array(path: Path, rng: np.random.Generator) -> None:
    values = np.load(path, allow_pickle=False)
    spoilt = values.astype(np.float64).copy()
    spoilt.flat[int(rng.integers(max(spoilt.size, 1)))] = [np.nan, np.inf, -1e308][int(rng.integers(3))]
    others: list[Any] = [
        spoilt,
        values[::-1],
        values[: len(values) // 2],
        values[:0],
        values.ravel()[None],
        np.float64(1.0),
        values.astype("S8"),
        np.array([{"a": 1}, None], object),  # a pickle, which nobody may open
        values.astype(">f4"),
        values.astype(np.complex128),
        np.zeros(3, [("t", "f8"), ("v", "i4")]),
    ]
    with path.open("wb") as handle:
        np.save(handle, others[int(rng.integers(len(others)))], allow_pickle=True)
