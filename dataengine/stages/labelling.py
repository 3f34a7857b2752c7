"""Pay for the labels of the frames that were chosen, or say which ones people have to draw."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import files, label, mine, privacy
from dataengine.arm import Arm, budget
from dataengine.errors import LabelsNeededError
from dataengine.frameboxes import FrameBoxes
from dataengine.label import Cost
from dataengine.lake import read_parquet, write_parquet
from dataengine.progress import say
from dataengine.schema import ALL_LABELS, JUDGED_SPLITS
from dataengine.stages import decisions


def run(arm: Arm, cycle: int) -> list[Path]:
    """Write what was bought (``selection.parquet``), all labels so far and their cost.

    Raises:
        LabelsNeededError: People have to draw them first; what they need is written.
    """
    folder = arm.run.cycle(cycle)
    candidates = read_parquet(folder / "candidates.parquet")
    _see_that_labels_exist(arm, cycle, candidates["frame_id"].to_pylist())
    paid_with = budget(arm.config, cycle)
    if mine.ArmName.parse(arm.name).miner == ALL_LABELS:
        paid_with = replace(paid_with, amount=math.inf)
    bought, cost = label.buy(label.Oracle(arm.workspace.lake), candidates, paid_with, arm.config.label)
    paid = pc.is_in(candidates["frame_id"], pa.array(bought.frame_ids, pa.string()))
    write_parquet(folder / "selection.parquet", candidates.filter(paid))
    total = cost
    if cycle:
        total = cost + spent(arm, cycle - 1)
        earlier = FrameBoxes.from_table(read_parquet(arm.run.cycle(cycle - 1) / "labels.parquet"))
        bought = decisions.apply(arm, cycle, decisions.join(earlier, bought))
    write_parquet(folder / "labels.parquet", bought.to_table())
    files.write_json(folder / "cost.json", {"bought": cost.plain(), "total": total.plain()})
    return [folder / name for name in ("selection.parquet", "labels.parquet", "cost.json")]


def _see_that_labels_exist(arm: Arm, cycle: int, wanted: list[str]) -> None:
    """Raise ``LabelsNeededError`` where people have to draw labels first, and write what they need."""
    workspace, config = arm.workspace, arm.config.label
    missing = label.unanswered(workspace, wanted)
    if config.name == "oracle":
        if len(missing) < len(wanted) or not wanted:
            return
        raise LabelsNeededError(
            f"{workspace.card.name} has no labels to answer from, and {len(wanted)} frames are wanted; "
            "add label=request, and the loop writes what people should draw"
        )
    judged = label.unanswered(workspace, _judged_sample(arm)) if cycle == 0 else []
    asked = [*missing, *judged]
    if not asked or (config.partial and len(missing) < len(wanted)):
        return
    folder = label.write_request(workspace, asked, f"{arm.run.run_id}-cycle{cycle}")
    if not workspace.lake.parts("blurred") and (why := privacy.needed(workspace.card)):
        say(why)  # these images are about to be shown to people
    extra = f", {len(judged)} of them to judge with" if judged else ""
    raise LabelsNeededError(
        f"{len(asked)} frames need labels{extra}: draw {', '.join(workspace.taxonomy.classes)} on the images "
        f"in {folder} (CVAT, Label Studio or any tool that writes COCO), and run the same command again with "
        "dataset.labels=PATH of the COCO file added"
    )


def _judged_sample(arm: Arm) -> list[str]:
    """Frames of val and of test that a first request asks for, drawn uniformly."""
    found: list[str] = []
    for split in JUDGED_SPLITS:
        ids = arm.workspace.frames(split)["frame_id"].to_pylist()
        drawn = arm.streams.generator(f"judged/{split}").permutation(len(ids))
        found += sorted(ids[number] for number in drawn[: arm.config.label.judged_frames].tolist())
    return found


def bought_nothing(arm: Arm, cycle: int) -> bool:
    """Whether a cycle's label stage found nothing to buy."""
    costs = json.loads((arm.run.cycle(cycle) / "cost.json").read_text(encoding="utf-8"))
    return int(costs["bought"]["frames"]) == 0


def spent(arm: Arm, cycle: int) -> Cost:
    """What the run has spent up to and including a cycle, the seed set counted."""
    value = json.loads((arm.run.cycle(cycle) / "cost.json").read_text(encoding="utf-8"))
    return Cost(**value["total"])
