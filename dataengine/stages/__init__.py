"""The five stages of a cycle: mine, label, train, predict, evaluate.

Each reads the files of earlier stages, writes its own into the cycle's folder atomically and returns
their paths; ``dataengine.cycle`` enters them in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dataengine.arm import Arm
from dataengine.lake import read_parquet
from dataengine.schema import POOL
from dataengine.stages import judging, labelling, learning, mining
from dataengine.stages.labelling import bought_nothing, spent

__all__ = ["RUNNERS", "bought_nothing", "record", "spent"]

RUNNERS: Mapping[str, Callable[[Arm, int], list[Path]]] = {
    "mine": mining.run,
    "label": labelling.run,
    "train": learning.train,
    "predict": learning.predict,
    "evaluate": judging.run,
}
"""The stages in their order."""


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
