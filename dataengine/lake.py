"""The lake: append-only Parquet tables of facts. A part is written once, whole, and never edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataengine import files, schema
from dataengine.errors import WorkspaceError
from dataengine.frameboxes import FrameBoxes

TABLES: dict[str, pa.Schema] = {
    "clips": schema.CLIPS,
    "frames": schema.FRAMES,
    "oracle": schema.FRAME_BOXES,
    "answers": schema.FRAME_BOXES,
    "telemetry": schema.TELEMETRY,
    "blurred": schema.BLURRED,
    "splits": schema.SPLIT_TABLE,
    "quality": schema.QUALITY_FLAGS,
    "duplicates": schema.DUPLICATES,
}


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write one Parquet file atomically; the same table gives the same bytes."""
    files.atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read one Parquet file; a damaged one raises ``WorkspaceError``."""
    try:
        return pq.ParquetFile(path).read(columns)
    except (pa.ArrowInvalid, FileNotFoundError) as error:
        raise WorkspaceError(
            f"{path}: not a readable Parquet table ({error}); delete it and run again"
        ) from error


class Lake:
    """The tables of one workspace.

    The oracle's truth stands apart: ``read("oracle")`` is for the oracle annotator and for the
    evaluation of val and test; a test proves that mining never calls it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def parts(self, table: str) -> list[Path]:
        """The files of a table, in the order in which they were appended."""
        return sorted((self.root / table).glob("part-*.parquet"))

    def append(self, table: str, rows: pa.Table, *, name: str | None = None) -> Path:
        """Append rows as a new part; an empty table adds nothing but still returns the path.

        Args:
            table: One of ``TABLES``.
            rows: Rows of that table's schema.
            name: Names the part, so that a repeated append of the same shard replaces itself.
        """
        label = name if name is not None else f"{len(self.parts(table)):06d}"
        path = self.root / table / f"part-{label}.parquet"
        if rows.num_rows:
            write_parquet(path, rows.cast(TABLES[table]))
        return path

    def read(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """The whole table, parts in order; empty where nothing was appended."""
        wanted = TABLES[table]
        if columns is not None:
            wanted = pa.schema([wanted.field(name) for name in columns])
        parts = [read_parquet(path, columns).cast(wanted) for path in self.parts(table)]
        return pa.concat_tables(parts) if parts else wanted.empty_table()

    def scan(self, table: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The table part by part, for tables that need not fit in memory."""
        for path in self.parts(table):
            yield read_parquet(path, columns)

    def truth(self, frame_ids: list[str]) -> FrameBoxes:
        """The labels of the named frames, in that order; frames that nobody labelled are left out.

        They are the dataset's own, which are hidden from mining, or those that people drew on request;
        what was drawn later counts.
        """
        wanted = pa.array(frame_ids, pa.string())
        found = [
            part.filter(pc.is_in(part["frame_id"], wanted)).cast(TABLES["oracle"])
            for table in ("oracle", "answers")
            for part in self.scan(table)
        ]
        rows = pa.concat_tables(found) if found else TABLES["oracle"].empty_table()
        last = {frame_id: row for row, frame_id in enumerate(rows["frame_id"].to_pylist())}
        order = [last[frame_id] for frame_id in frame_ids if frame_id in last]
        return FrameBoxes.from_table(rows.take(pa.array(order, pa.int64())))

    def labelled(self) -> pa.Array:
        """Ids of every frame that has labels, drawn or hidden; nothing of what is in them."""
        ids = [part["frame_id"] for table in ("oracle", "answers") for part in self.scan(table, ["frame_id"])]
        return pc.unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string()))
