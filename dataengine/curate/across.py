"""What embeddings say across clips and splits: duplicates, and the leak test of all pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine import files, progress
from dataengine.config import ComputeConfig, CurateConfig
from dataengine.curate import copies, duplicates, embedders
from dataengine.curate.embedder import Embedder, thumbnail
from dataengine.curate.splits import Assignment
from dataengine.curate.store import Store
from dataengine.curate.timeline import Timeline
from dataengine.errors import InputError
from dataengine.schema import SPLITS
from dataengine.workspace import Workspace

_FILE = "curated.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found, as it is remembered in the workspace.

    Attributes:
        key: Digest of the frames and settings it was found for.
        embedder: What embedded, in words.
        across_clips: Frames that repeat a better one of another clip; ``None`` without embeddings.
        looked_at: Suspected copies that were looked at.
        left_out: Suspected copies that were not.
        copies: Ids of frames that are left out of their split as copies.
    """

    key: str
    embedder: str = ""
    across_clips: int | None = None
    looked_at: int = 0
    left_out: int = 0
    copies: tuple[str, ...] = ()

    def frames(self, timeline: Timeline) -> NDArray[np.int64]:
        """Places of ``copies``."""
        place = pc.index_in(pa.array(self.copies, pa.string()), timeline.frame_ids).drop_null()
        return np.asarray(place.to_numpy(), np.int64)


def judge(
    workspace: Workspace,
    timeline: Timeline,
    assigned: Assignment,
    flawed: NDArray[np.bool_],
    *,
    config: CurateConfig,
    compute: ComputeConfig,
    key: str,
    refresh: bool,
) -> tuple[Judged, duplicates.Duplicates | None]:
    """Find duplicates across clips and copies across splits, unless that was done for the same ``key``.

    Copies are looked for by thumbnails, whatever ``curate.embed`` says: what is the same picture does not
    depend on what a detector has learned.

    Returns:
        What was found, and the duplicates; ``None`` in place of these where they stand in the lake.

    Raises:
        InputError: Two splits hold the same picture.
    """
    before = _remembered(workspace)
    if before is not None and before.key == key and not refresh:
        return before, None
    embedder = embedders.choose(workspace, config.embed, compute)
    if embedder is None:
        found = duplicates.find(timeline, flawed, bits=config.duplicate_bits)
        return Judged(key=key), found
    return _judged(workspace, timeline, assigned, flawed, config=config, embedder=embedder, key=key)


def _judged(
    workspace: Workspace,
    timeline: Timeline,
    assigned: Assignment,
    flawed: NDArray[np.bool_],
    *,
    config: CurateConfig,
    embedder: Embedder,
    key: str,
) -> tuple[Judged, duplicates.Duplicates]:
    bits, distance = config.duplicate_bits, config.duplicate_distance
    frames = workspace.lake.read("frames", ["frame_id", "media_root", "image_path"])
    images = workspace.image_paths(frames.take(pc.sort_indices(frames["frame_id"])))
    store = Store(workspace.root / "embeddings")
    embeddings = _embedded(store, images, thumbnail())
    leaking = copies.find(timeline, assigned.splits, embeddings, images, distance=distance, bits=bits)
    left_out = _mended(timeline, assigned, leaking)
    if embedder.name != "thumbnail":
        embeddings = _embedded(store, images, embedder)
    with progress.bar("duplicates", len(images)) as advance:
        found = duplicates.find(
            timeline, flawed, bits=bits, embeddings=embeddings, distance=distance, advance=advance
        )
    judged = Judged(
        key=key,
        embedder=embedder.name,
        across_clips=int(((found.best >= 0) & (found.kind == duplicates.EMBEDDING)).sum()),
        looked_at=leaking.looked_at,
        left_out=leaking.left_out,
        copies=left_out,
    )
    return judged, found


def _embedded(store: Store, images: Sequence[Path], embedder: Embedder) -> NDArray[np.float32]:
    with progress.bar(f"embed: {embedder.name}", len(images)) as advance:
        return store.embed(images, embedder, advance)


def remember(workspace: Workspace, judged: Judged) -> None:
    """Keep what was found, once the tables are written."""
    if _remembered(workspace) != judged:
        files.write_json(workspace.root / _FILE, asdict(judged))


def _mended(timeline: Timeline, assigned: Assignment, leaking: copies.Copies) -> tuple[str, ...]:
    """Ids of copies to leave out; raises where that is not for us to decide.

    Where nobody published splits, the frame that yields is left out of a drive that we cut in time, and of
    a drive of one frame, of which nothing tells where it belongs. Else a copy says that the published
    splits, or the drives, are wrong.
    """
    size = np.bincount(timeline.drives)
    wrong = []
    for frame, other in leaking.pairs.tolist():
        drives = timeline.drives[[frame, other]]
        ours = drives[0] == drives[1] or size[drives].min() == 1
        if not (assigned.drawn and ours):
            wrong.append((frame, other))
    if wrong:
        frame, other = wrong[0]
        shown = [f"{timeline.name(one)} ({SPLITS[assigned.splits[one]]})" for one in (frame, other)]
        more = f" (and {len(wrong) - 1} more pairs)" if len(wrong) > 1 else ""
        same = timeline.drives[frame] == timeline.drives[other]
        remedy = "raise dataset.split_gap_s" if same else "leave one of them out, or give both the same drive"
        raise InputError(
            f"the splits leak: {shown[0]} and {shown[1]} show the same picture{more}; {remedy}, and use "
            "another workspace=PATH"
        )
    return tuple(timeline.name(frame) for frame in np.unique(leaking.pairs[:, 0]))


def _remembered(workspace: Workspace) -> Judged | None:
    path = workspace.root / _FILE
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Judged(**{**value, "copies": tuple(value["copies"])})
    except (ValueError, TypeError, KeyError):
        return None  # found again
