"""The two layouts of CamVid on disk, read into pairs of image and mask.

The SegNet release holds ``<split>/`` and ``<split>annot/`` with the same names and masks of class
numbers; ``<split>.txt``, where present, lists which pairs count, with paths from the author's
machine (``/SegNet/CamVid/test/x.png``), of which the last two parts are read. The original holds
``701_StillsRaw_full/x.png``, ``LabeledApproved_full/x_L.png`` in colours, and ``label_colors.txt``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dataengine.errors import InputError
from dataengine.schema import POOL, TEST, VAL
from dataengine.workspace import Outcome

STILLS, MASKS, COLOURS = "701_StillsRaw_full", "LabeledApproved_full", "label_colors.txt"
SPLITS = {"train": POOL, "val": VAL, "test": TEST}


@dataclass(frozen=True, slots=True)
class Pair:
    """One image, its mask, and the publisher's split; paths relative to the root."""

    image: str
    mask: str
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a layout lists: pairs, outcomes of its lists, and the folders where only listed files count."""

    pairs: list[Pair]
    outcomes: list[Outcome]
    lists: dict[str, str]

    def why_unused(self, name: str) -> str:
        """The reason why a file on disk is part of no pair."""
        folder = name.partition("/")[0]
        return f"not in {self.lists[folder]}" if folder in self.lists else "no part of CamVid's layout"


def list_pairs(root: Path, files: list[str]) -> Listing:
    """The pairs of whichever layout is there; none where it is neither.

    Args:
        root: The dataset's root.
        files: Every file below it, as from ``base.files_under``.
    """
    original = any(name.startswith(f"{STILLS}/") for name in files)
    return _original(root, files) if original else _segnet(root, files)


def read_colours(path: Path) -> dict[str, tuple[int, int, int]]:
    """The colour of every name in a ``label_colors.txt``: lines of ``R G B<tabs>Name``, blank ones skipped.

    Raises:
        InputError: The file is missing, or a line of it is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read; it names the colours of coloured masks, fetch it again"
        ) from error
    colours = {}
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not all(field.isdigit() and int(field) < 256 for field in fields[:3]):
            raise InputError(
                f"{path}: line {number} {line.strip()!r} is not `R G B Name`; fetch the file again"
            )
        colours[fields[3]] = (int(fields[0]), int(fields[1]), int(fields[2]))
    return colours


def _segnet(root: Path, files: list[str]) -> Listing:
    folders: dict[str, list[str]] = defaultdict(list)
    for name in files:
        folders[str(PurePosixPath(name).parent)].append(name)
    listing = Listing(pairs=[], outcomes=[], lists={})
    paired = {name for name in folders if f"{name}annot" in folders}
    for split in sorted(paired | {name for name in SPLITS if f"{name}.txt" in files}):
        hint = SPLITS.get(split, "")
        if f"{split}.txt" in files:
            pairs, outcome = _read_list(root, split)
            listing.outcomes.append(outcome)
            listing.lists.update(dict.fromkeys((split, f"{split}annot"), f"{split}.txt"))
        else:
            pairs = [(name, f"{split}annot/{PurePosixPath(name).name}") for name in folders.get(split, [])]
        listing.pairs.extend(Pair(image, mask, hint) for image, mask in pairs)
    return listing


def _read_list(root: Path, split: str) -> tuple[list[tuple[str, str]], Outcome]:
    name = f"{split}.txt"
    pairs, bad = [], []
    for number, line in enumerate(
        (root / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1
    ):
        paths = ["/".join(PurePosixPath(path).parts[-2:]) for path in line.split()]
        if len(paths) == 2:
            pairs.append((paths[0], paths[1]))
        elif paths:
            bad.append(number)
    if bad:
        return pairs, Outcome(
            path=name, status="broken", reason=f"lines {bad} are not `IMAGE MASK`; left out"
        )
    return pairs, Outcome(path=name, status="added")


def _original(root: Path, files: list[str]) -> Listing:
    read_colours(root / COLOURS)
    pairs = [
        Pair(name, f"{MASKS}/{PurePosixPath(name).stem}_L.png", "")
        for name in files
        if name.startswith(f"{STILLS}/") and name.endswith(".png")
    ]
    return Listing(pairs=pairs, outcomes=[Outcome(path=COLOURS, status="added")], lists={})
