"""Embeddings on disk, by the content of the image and the model: nothing is embedded twice.

``<workspace>/embeddings/<model>/part-*.parquet`` holds content hashes and vectors;
``<workspace>/embeddings/contents.parquet`` remembers the content of files by their size and time, so that
unchanged files are not read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine.curate.embedder import Embedder, on_threads
from dataengine.errors import InputError
from dataengine.lake import read_parquet, write_parquet

DIGEST_BYTES = 16
PART = 32_768
"""Embeddings written at once: what a killed run loses."""

_CONTENTS = pa.schema([("path", pa.string()), ("stamp", pa.string()), ("content", pa.binary(DIGEST_BYTES))])


class Store:
    """The embeddings of one workspace.

    Args:
        root: Its folder ``embeddings``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def embed(
        self, paths: Sequence[Path], embedder: Embedder, advance: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float32]:
        """``[F, D]`` embeddings of image files, computed where they are not known.

        Args:
            paths: One image a frame.
            embedder: The model.
            advance: Called with how many frames are done.

        Raises:
            InputError: An image is gone or cannot be decoded.
        """
        folder = self.root / embedder.key
        contents = self._contents(paths)
        distinct, place = _distinct(contents)
        vectors, known = _read(folder, distinct)
        first = np.full(len(distinct), -1, np.int64)
        first[place[::-1]] = np.arange(len(paths))[::-1]
        missing = np.flatnonzero(~known)
        advance(len(paths) - len(missing))
        for begin in range(0, len(missing), PART):
            rows = missing[begin : begin + PART]
            found = np.concatenate(
                list(_computed([paths[i] for i in first[rows].tolist()], embedder, advance))
            )
            _append(folder, distinct.take(pa.array(rows)), found)
            if vectors is None:
                vectors = np.empty((len(distinct), found.shape[1]), np.float32)
            vectors[rows] = found
        assert vectors is not None
        if len(distinct) == len(paths) and np.array_equal(place, np.arange(len(paths))):
            return vectors
        return vectors[place]

    def _contents(self, paths: Sequence[Path]) -> pa.Array:
        """The content hash of each file, read where its size or time changed."""
        stamps = on_threads(_stamp, paths)
        names = pa.array([str(path) for path in paths], pa.string())
        known = self._known_contents()
        keys = pc.binary_join_element_wise(names, pa.array(stamps, pa.string()), "\n")
        held = pc.binary_join_element_wise(known["path"], known["stamp"], "\n")
        at = pc.index_in(keys, held.combine_chunks())
        fresh = np.flatnonzero(at.is_null().to_numpy(zero_copy_only=False))
        contents = known["content"].combine_chunks().take(at)
        if not len(fresh):
            return contents
        read = pa.array(on_threads(_content, [paths[i] for i in fresh.tolist()]), pa.binary(DIGEST_BYTES))
        where = np.full(len(paths), -1, np.int64)
        where[fresh] = np.arange(len(fresh))
        old = pa.array(where, mask=where < 0)
        contents = pc.coalesce(contents, read.take(old))
        table = pa.table([names, pa.array(stamps, pa.string()), contents], schema=_CONTENTS)
        write_parquet(self.root / "contents.parquet", table)
        return contents

    def _known_contents(self) -> pa.Table:
        path = self.root / "contents.parquet"
        return read_parquet(path).cast(_CONTENTS) if path.is_file() else _CONTENTS.empty_table()


def _computed(
    paths: Sequence[Path], embedder: Embedder, advance: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    for begin in range(0, len(paths), embedder.batch):
        part = paths[begin : begin + embedder.batch]
        yield embedder.embed(part).astype(np.float32)
        advance(len(part))


def _read(folder: Path, wanted: pa.Array) -> tuple[NDArray[np.float32] | None, NDArray[np.bool_]]:
    """The known vectors of the wanted contents, and which those are; ``None`` where nothing is known."""
    known = np.zeros(len(wanted), np.bool_)
    vectors: NDArray[np.float32] | None = None
    for path in sorted(folder.glob("part-*.parquet")):
        part = read_parquet(path)
        place = pc.index_in(part["content"], wanted).combine_chunks()
        used = np.flatnonzero(place.is_valid().to_numpy(zero_copy_only=False))
        column = part["embedding"].combine_chunks()
        rows = column.flatten().to_numpy().reshape(len(part), -1)
        if vectors is None:
            vectors = np.empty((len(wanted), rows.shape[1]), np.float32)
        target = place.drop_null().to_numpy()
        vectors[target] = rows[used]
        known[target] = True
    return vectors, known


def _append(folder: Path, contents: pa.Array, vectors: NDArray[np.float32]) -> None:
    number = len(list(folder.glob("part-*.parquet")))
    flat = pa.array(np.ascontiguousarray(vectors).ravel())
    columns = [contents, pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])]
    table = pa.Table.from_arrays(columns, ["content", "embedding"])
    write_parquet(folder / f"part-{number:06d}.parquet", table)


def _distinct(contents: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """The different contents in the order in which they come, and each frame's place among them."""
    encoded = contents.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(
            f"{path}: the image is gone ({error.strerror}); restore it, or ingest again"
        ) from error
    return f"{found.st_size} {found.st_mtime_ns}"


def _content(path: Path) -> bytes:
    return hashlib.blake2b(path.read_bytes(), digest_size=DIGEST_BYTES).digest()
