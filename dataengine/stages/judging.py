"""Judge a cycle's model on val and test, and write down what went into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine import evaluate, files, pooling
from dataengine.arm import Arm
from dataengine.frameboxes import Predictions
from dataengine.lake import write_parquet
from dataengine.progress import say
from dataengine.schema import FRAME_ERRORS, JUDGED_SPLITS, MISTAKES, TEST, Measure
from dataengine.stages.labelling import spent
from dataengine.streams import Streams

_MEASURES = pa.schema(
    [("split", pa.string()), ("slice", pa.string()), ("metric", pa.string()), ("value", pa.float64())]
)


def run(arm: Arm, cycle: int) -> list[Path]:
    """Write measures, mistakes, bootstrap replicates and the manifest of a cycle."""
    folder = arm.run.cycle(cycle)
    predictions = pooling.read_predictions(folder / "predictions.parquet", len(arm.workspace.taxonomy))
    judged = [judge(arm, split, predictions) for split in JUDGED_SPLITS]
    results = [result for result in judged if result is not None]
    measures = [measure for result in results for measure in result.measures]
    rows = [{"split": m.split, "slice": m.slice, "metric": m.metric, "value": m.value} for m in measures]
    tables = {
        "errors": pa.concat_tables([FRAME_ERRORS.empty_table(), *(r.errors for r in results)]),
        "mistakes": pa.concat_tables([MISTAKES.empty_table(), *(r.mistakes for r in results)]),
        "measures": pa.Table.from_pylist(rows, _MEASURES),
        "replicates": pa.concat_tables([evaluate.REPLICATES.empty_table(), *(r.replicates for r in results)]),
    }
    for name, table in tables.items():
        write_parquet(folder / f"{name}.parquet", table)
    files.write_json(folder / "manifest.json", _manifest(arm, cycle))
    say(f"{arm.name} cycle {cycle}: {_headline(measures)}")
    return [folder / "manifest.json", *(folder / f"{name}.parquet" for name in tables)]


def judge(arm: Arm, split: str, predictions: Predictions) -> evaluate.Evaluation | None:
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
