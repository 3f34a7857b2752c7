"""What no pool, arm or budget may break."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import mine
from dataengine.config import Budget, BudgetUnit, LabelConfig
from dataengine.label import buy
from dataengine.mine.basket import feasible_cap, popcount
from tests.label.annotators import Counting
from tests.mine.pools import pick, picked, shuffled, synthetic

arms = st.sampled_from(sorted(mine.ARMS))
pools = st.builds(
    synthetic, seed=st.integers(0, 999), num_clips=st.integers(1, 9), per_clip=st.integers(1, 6)
)
units = st.sampled_from(list(BudgetUnit))
quick = settings(max_examples=60, deadline=None)


@quick
@given(pools, arms, st.integers(0, 70), st.integers(0, 5))
def test_a_pick_is_part_of_the_pool_without_repeats(
    pool: mine.Pool, arm: str, amount: int, seed: int
) -> None:
    found = picked(pick(pool, arm, amount, seed=seed))
    everything = pool.frames["frame_id"].to_pylist()
    assert len(found) == len(set(found)) == min(amount, len(everything))
    assert set(found) <= set(everything)


@quick
@given(pools, arms, st.integers(1, 30), st.integers(0, 5), st.integers(0, 99))
def test_the_order_of_the_pool_does_not_matter(
    pool: mine.Pool, arm: str, amount: int, seed: int, order: int
) -> None:
    first = pick(pool, arm, amount, seed=seed)
    assert first.equals(pick(pool, arm, amount, seed=seed))
    assert first.equals(pick(shuffled(pool, order), arm, amount, seed=seed))


@quick
@given(pools, arms, units, st.floats(0, 400), st.integers(0, 99))
def test_the_budget_is_never_exceeded(
    pool: mine.Pool, arm: str, unit: BudgetUnit, amount: float, world: int
) -> None:
    """Whatever the frames really hold; and where it is not spent, the next frame would not have fitted."""
    rng = np.random.default_rng(world)
    ids = pool.frames["frame_id"].to_pylist()
    truth = Counting(dict(zip(ids, rng.poisson(3, len(ids)).tolist(), strict=True)))
    budget, config = Budget(amount=amount, unit=unit), LabelConfig()
    selection = pick(pool, arm, 0, budget=budget)
    labels, cost = buy(truth, selection, budget, config)
    assert cost.plain()[unit.value] <= amount
    assert labels.frame_ids.tolist() == picked(selection)[: cost.frames]
    if cost.frames < selection.num_rows:
        boxes = truth.boxes[picked(selection)[cost.frames]]
        price = {
            "frames": 1,
            "boxes": boxes,
            "seconds": config.seconds_per_frame + config.seconds_per_box * boxes,
        }
        assert cost.plain()[unit.value] + price[unit.value] > amount


@quick
@given(pools, arms, st.integers(1, 30), st.integers(1, 3))
def test_limits_hold_unless_the_reason_says_otherwise(
    pool: mine.Pool, arm: str, amount: int, limit: int
) -> None:
    selection = pick(pool, arm, amount, max_per_clip=limit, bits=4)
    plain = selection.filter(pc.invert(pc.match_substring(selection["reason"], "as no other was left")))
    clips = Counter(frame_id.split("/")[0] for frame_id in picked(plain))
    if arm != "random_clips":
        sizes = np.array(list(Counter(pool.frames["clip_id"].to_pylist()).values()))
        assert max(clips.values(), default=0) <= feasible_cap(sizes, min(amount, int(sizes.sum())), limit)
    hash_of = dict(zip(pool.frames["frame_id"].to_pylist(), pool.frames["phash"].to_numpy(), strict=True))
    hard = selection.filter(pc.invert(pc.match_substring(selection["reason"], "near-duplicate")))
    for clip in clips:
        hashes = np.array([hash_of[f] for f in picked(hard) if f.startswith(f"{clip}/")], np.uint64)
        first, second = np.triu_indices(len(hashes), 1)
        assert (popcount(hashes[first] ^ hashes[second]) > 4).all()


@quick
@given(pools, arms, st.integers(1, 20))
def test_frames_that_were_not_picked_do_not_decide_alone(pool: mine.Pool, arm: str, amount: int) -> None:
    """Buying a pick and asking again never returns a frame that is no longer there."""
    found = set(picked(pick(pool, arm, amount)))
    keep = [frame_id not in found for frame_id in pool.frames["frame_id"].to_pylist()]
    rest = replace(pool, frames=pool.frames.filter(pa.array(keep, pa.bool_())))
    assert not found & set(picked(pick(rest, arm, amount)))
