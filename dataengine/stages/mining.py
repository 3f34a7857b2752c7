"""Choose the frames of the pool whose labels to buy; before cycle 1, draw the seed set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataengine import ceilings, forecast, mine, pooling
from dataengine.arm import Arm, budget, run_of
from dataengine.errors import ConfigError
from dataengine.lake import write_parquet
from dataengine.progress import say
from dataengine.schema import POOL, SELECTION
from dataengine.stages import decisions
from dataengine.stages.labelling import spent


def run(arm: Arm, cycle: int) -> list[Path]:
    """Write ``candidates.parquet``: frames in the order in which they are to be bought."""
    path = arm.run.cycle(cycle) / "candidates.parquet"
    if cycle == 0:
        write_parquet(path, _seed_set(arm, arm.workspace.frames(POOL)))
        return [path]
    decided = decisions.freeze(arm, cycle)
    name = mine.ArmName.parse(arm.name)
    pool = pooling.build(
        arm.workspace,
        arm.run,
        arm.config,
        cycle,
        needs=frozenset() if name.is_ceiling else mine.arm(name.miner, arm.config.mine).needs,
        shut=decisions.rejected(arm, cycle),
    )
    if name.is_ceiling:
        selection = ceilings.select(
            name.miner,
            pool,
            arm.workspace.lake.truth(pool.frames["frame_id"].to_pylist()),
            budget=budget(arm.config, cycle),
            label=arm.config.label,
            judging=arm.config.evaluate,
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
    for line in expected(arm, cycle):
        say(line)
    return [path, *decided]


def expected(arm: Arm, cycle: int) -> list[str]:
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
