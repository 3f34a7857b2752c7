"""The five stages of a cycle: mine, label, train, predict, evaluate.

Each reads the files of earlier stages, writes its own into the cycle's folder atomically and returns
their paths; ``dataengine.cycle`` enters them in the journal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataengine import ceilings, cockpit, evaluate, files, forecast, label, learn, mine, pooling, privacy
from dataengine.arm import Arm, budget, run_of
from dataengine.errors import ConfigError, LabelsNeededError
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.label import Cost
from dataengine.lake import read_parquet, write_parquet
from dataengine.learn.pseudo import PseudoFrames
from dataengine.progress import say
from dataengine.schema import (
    ALL_LABELS,
    FRAME_ERRORS,
    MISTAKES,
    POOL,
    SELECTION,
    TEST,
    TEST_SPLITS,
    VAL,
    Measure,
)
from dataengine.streams import Streams
from dataengine.workspace import Workspace

JUDGED = (VAL, *TEST_SPLITS)

_MEASURES = pa.schema(
    [("split", pa.string()), ("slice", pa.string()), ("metric", pa.string()), ("value", pa.float64())]
)


def _mine(arm: Arm, cycle: int) -> list[Path]:
    path = arm.run.cycle(cycle) / "candidates.parquet"
    if cycle == 0:
        write_parquet(path, _seed_set(arm, arm.workspace.frames(POOL)))
        return [path]
    decided = _freeze_decisions(arm, cycle)
    name = mine.ArmName.parse(arm.name)
    pool = pooling.build(
        arm.workspace,
        arm.run,
        arm.config,
        cycle,
        needs=frozenset() if name.is_ceiling else mine.arm(name.miner, arm.config.mine).needs,
        shut=_rejected(arm, cycle),
    )
    if name.is_ceiling:
        selection = ceilings.select(
            name.miner,
            pool,
            arm.workspace.lake.truth(pool.frames["frame_id"].to_pylist()),
            budget=budget(arm.config, cycle),
            label=arm.config.label,
            max_per_clip=arm.config.mine.max_per_clip,
            cycle=cycle,
        )
    else:
        selection = mine.select(
            pool,
            budget=budget(arm.config, cycle),
            config=replace(arm.config.mine, name=name.miner),
            label=arm.config.label,
            duplicate_bits=arm.config.curate.duplicate_bits,
            cycle=cycle,
            rng=arm.streams.generator(name.stream, cycle),
        )
    write_parquet(path, selection)
    say(f"{arm.name} cycle {cycle}: picked {selection.num_rows} of {pool.frames.num_rows} pool frames")
    for expected in _expected(arm, cycle):
        say(expected)
    return [path, *decided]


def _expected(arm: Arm, cycle: int) -> list[str]:
    """What this batch should bring and what the baseline's would, told before its labels are paid for."""
    baseline = arm.config.loop.baseline
    if mine.ArmName.parse(arm.name).is_ceiling:
        return []
    frames = spent(arm, cycle - 1).frames
    before = frames - (spent(arm, cycle - 2).frames if cycle > 1 else 0)
    next_cost = forecast.next_frames(arm.run.settings, cycle, frames, before)
    curves = {arm.name: arm.run.metrics()}
    if baseline and baseline != arm.name:
        # without a run of its own it begins at the start that they share
        shared = [row for row in curves[arm.name] if row["cycle"] == 0]
        curves[baseline] = run_of(arm.workspace, arm.config, baseline).metrics() or shared
    lines = []
    for name, rows in curves.items():
        found = forecast.outlooks([rows], arm=name, next_cost=next_cost, last_cycle=cycle - 1)
        lines.append(forecast.line(found, next_cost - frames))
    return [line for line in lines if line]


def _freeze_decisions(arm: Arm, cycle: int) -> list[Path]:
    """Bring home what people decided in FiftyOne, once, as files of this cycle."""
    folder = arm.run.cycle(cycle)
    rejected, corrected = folder / "rejected.json", folder / "corrected.parquet"
    decisions = cockpit.pull_decisions(arm.workspace) if arm.config.loop.fiftyone else cockpit.Decisions()
    files.write_json(rejected, sorted(decisions.rejected))
    write_parquet(corrected, decisions.corrected.to_table())
    return [rejected, corrected]


def _rejected(arm: Arm, cycle: int) -> set[str]:
    return set(json.loads((arm.run.cycle(cycle) / "rejected.json").read_text(encoding="utf-8")))


def _decide(arm: Arm, cycle: int, labels: FrameBoxes) -> FrameBoxes:
    """Labels without the frames that people rejected, and with the boxes that they corrected."""
    corrected = FrameBoxes.from_table(read_parquet(arm.run.cycle(cycle) / "corrected.parquet"))
    known = set(labels.frame_ids) - _rejected(arm, cycle)
    replaced = known & set(corrected.frame_ids)
    kept = labels.select([frame_id for frame_id in labels.frame_ids if frame_id in known - replaced])
    return _join(kept, corrected.select(sorted(replaced)))


def _join(*parts: FrameBoxes) -> FrameBoxes:
    return FrameBoxes.from_table(pa.concat_tables([part.to_table() for part in parts]).sort_by("frame_id"))


def _seed_set(arm: Arm, pool: pa.Table) -> pa.Table:
    """Frames drawn uniformly, the same for every arm of a seed."""
    wanted = arm.config.loop.seed_frames
    if arm.config.label.name == "request":
        wanted = min(wanted, pool.num_rows)  # whoever draws the labels is asked for what there is
    if wanted > pool.num_rows:
        raise ConfigError(
            f"loop.seed_frames={wanted} is more than the {pool.num_rows} frames of the pool; lower it"
        )
    drawn = arm.streams.generator("seed_set").permutation(pool.num_rows)[:wanted]
    ids = np.array(pool["frame_id"].to_pylist(), object)[drawn]
    reason = f"seed set: {wanted} frames drawn at random before cycle 1"
    rows = [(frame_id, 0, rank, 0.0, "seed", reason) for rank, frame_id in enumerate(ids)]
    return pa.Table.from_pylist([dict(zip(SELECTION.names, row, strict=True)) for row in rows], SELECTION)


def _label(arm: Arm, cycle: int) -> list[Path]:
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
        bought = _decide(arm, cycle, _join(earlier, bought))
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
    for split in JUDGED:
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


def _train(arm: Arm, cycle: int) -> list[Path]:
    folder = arm.run.cycle(cycle)
    labels = FrameBoxes.from_table(read_parquet(folder / "labels.parquet"))
    pseudo = _pseudo_labels(arm, cycle, labels)
    result = learn.fit(
        _images(arm.workspace, labels.frame_ids),
        labels,
        taxonomy=arm.workspace.taxonomy,
        model=arm.config.model,
        train=arm.train(cycle),
        compute=arm.config.compute,
        streams=arm.streams,
        folder=folder,
        label=f"{arm.name} cycle {cycle}: train",
        previous=arm.run.cycle(cycle - 1) / "model.safetensors" if cycle else None,
        pseudo=pseudo,
    )
    files.write_json(folder / "fit.json", {"steps": result.steps, "images_per_s": result.images_per_s})
    say(
        f"{arm.name} cycle {cycle}: trained {result.steps} steps on {labels.num_frames} frames, "
        f"{result.images_per_s:.0f} images/s"
    )
    names = ["model.safetensors", "snapshot.safetensors", "losses.jsonl", "fit.json"]
    return [folder / name for name in (names if pseudo is None else [*names, "pseudo.parquet"])]


def _pseudo_labels(arm: Arm, cycle: int, labels: FrameBoxes) -> PseudoFrames | None:
    """Frames with pseudo-labels for an arm that trains on them, kept as a file; the first cycle has none."""
    if cycle == 0 or not mine.ArmName.parse(arm.name).pseudo:
        return None
    shut = _rejected(arm, cycle) | set(labels.frame_ids)
    found = pooling.pseudo_labels(arm.workspace, arm.run, arm.config.train, cycle, shut)
    write_parquet(arm.run.cycle(cycle) / "pseudo.parquet", found.to_table())
    say(f"{arm.name} cycle {cycle}: {int((~found.ignore).sum())} pseudo-labels on {found.num_frames} frames")
    return PseudoFrames(images=_images(arm.workspace, found.frame_ids), labels=found)


def _predict(arm: Arm, cycle: int) -> list[Path]:
    folder = arm.run.cycle(cycle)
    frames = arm.workspace.frames(POOL, *JUDGED)
    predictions = learn.predict(
        arm.workspace.image_paths(frames),
        frames["frame_id"].to_pylist(),
        checkpoint=folder / "model.safetensors",
        taxonomy=arm.workspace.taxonomy,
        model=arm.config.model,
        compute=arm.config.compute,
        label=f"{arm.name} cycle {cycle}: predict",
    )
    write_parquet(folder / "predictions.parquet", predictions.to_table())
    return [folder / "predictions.parquet"]


def _evaluate(arm: Arm, cycle: int) -> list[Path]:
    folder = arm.run.cycle(cycle)
    predictions = pooling.read_predictions(folder / "predictions.parquet", len(arm.workspace.taxonomy))
    judged = [_judge(arm, split, predictions) for split in JUDGED]
    results = [result for result in judged if result is not None]
    measures = [measure for result in results for measure in result.measures]
    rows = [{"split": m.split, "slice": m.slice, "metric": m.metric, "value": m.value} for m in measures]
    written = [
        folder / name
        for name in (
            "errors.parquet",
            "mistakes.parquet",
            "measures.parquet",
            "manifest.json",
            "replicates.parquet",
        )
    ]
    write_parquet(written[0], pa.concat_tables([FRAME_ERRORS.empty_table(), *(r.errors for r in results)]))
    write_parquet(written[1], pa.concat_tables([MISTAKES.empty_table(), *(r.mistakes for r in results)]))
    write_parquet(written[2], pa.Table.from_pylist(rows, _MEASURES))
    files.write_json(written[3], _manifest(arm, cycle))
    write_parquet(
        written[4], pa.concat_tables([evaluate.REPLICATES.empty_table(), *(r.replicates for r in results)])
    )
    say(f"{arm.name} cycle {cycle}: {_headline(measures)}")
    return written


def _judge(arm: Arm, split: str, predictions: Predictions) -> evaluate.Evaluation | None:
    """Evaluation of one split against the hidden truth; None where the split has no labelled frame."""
    frames = arm.workspace.frames(split)
    truth = arm.workspace.lake.truth(frames["frame_id"].to_pylist())
    if not truth.num_frames:
        return None
    known = pc.is_in(frames["frame_id"], pa.array(truth.frame_ids, pa.string()))
    return evaluate.evaluate(
        truth,
        predictions.select(truth.frame_ids).boxes,
        frames.filter(known),
        taxonomy=arm.workspace.taxonomy,
        config=arm.config.evaluate,
        split=split,
        # one stream for all seeds, arms and cycles: resample b of each holds the same drives, so that their
        # differences are paired, and seeds that are judged on the same drives share the luck of them
        rng=Streams(0).generator(f"bootstrap/{split}"),
    )


def record(arm: Arm, cycle: int) -> None:
    """Put the cycle's figures and timings into ``metrics.jsonl``."""
    head = {"arm": arm.name, "seed": arm.config.seed, "cycle": cycle, **spent(arm, cycle).plain()}
    rows = read_parquet(arm.run.cycle(cycle) / "measures.parquet").to_pylist()
    for stage in RUNNERS:
        entry = arm.run.entry(cycle, stage)
        if entry is not None:
            rows.append(
                {"split": POOL, "slice": "all", "metric": f"{stage}_time_s", "value": entry["time_s"]}
            )
    arm.run.write_metrics(cycle, [{**head, **row} for row in rows])


def _manifest(arm: Arm, cycle: int) -> dict[str, Any]:
    """What went in and what came out, by digest: the same seed selects the same ids again."""
    from importlib.metadata import version

    folder = arm.run.cycle(cycle)
    digests = {
        f"{name}_sha256": files.sha256(folder / f"{name}.{kind}")
        for name, kind in (("selection", "parquet"), ("labels", "parquet"), ("model", "safetensors"))
    }
    return {
        "arm": arm.name,
        "seed": arm.config.seed,
        "cycle": cycle,
        "cost": spent(arm, cycle).plain(),
        "config_hash": arm.run.settings["hash"],
        "data_fingerprint": arm.workspace.fingerprint,
        "weights_sha256": digests.pop("model_sha256"),
        **digests,
        "classes": list(arm.workspace.taxonomy.classes),
        "versions": {name: version(name) for name in ("dataengine", "torch", "torchvision", "numpy")},
    }


def _headline(measures: Sequence[Measure]) -> str:
    def figure(split: str, part: str) -> float:
        found = [m.value for m in measures if (m.split, m.slice, m.metric) == (split, part, "ap50")]
        return found[0] if found else float("nan")

    return f"AP50 {figure(TEST, 'all'):.3f} on test, {figure(TEST, 'tail'):.3f} on its tail"


def _images(workspace: Workspace, frame_ids: Iterable[str]) -> list[Path]:
    frames = workspace.frames()
    paths = dict(zip(frames["frame_id"].to_pylist(), workspace.image_paths(frames), strict=True))
    return [paths[frame_id] for frame_id in frame_ids]


RUNNERS: Mapping[str, Callable[[Arm, int], list[Path]]] = {
    "mine": _mine,
    "label": _label,
    "train": _train,
    "predict": _predict,
    "evaluate": _evaluate,
}
"""The stages in their order."""
