"""What no pool, arm, composition or budget may break. An arm falls under it by being in ``ARMS``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import mine
from dataengine.config import Budget, BudgetUnit, LabelConfig
from dataengine.label import buy
from dataengine.mine.basket import feasible_cap, popcount
from dataengine.mine.catalogue import DIVERSITIES, QUOTAS, SCORES
from tests.label.annotators import Counting
from tests.mine.pools import pick, picked, shuffled, synthetic

COMPOSED = st.builds(
    "__".join,
    st.tuples(st.sampled_from(["none", *SCORES]), st.sampled_from([*DIVERSITIES]), st.sampled_from(QUOTAS)),
)
ANY = st.one_of(st.sampled_from(sorted(mine.ARMS)), COMPOSED)
UNITS = st.sampled_from(list(BudgetUnit))
SECONDS_APART = 0.5
every_arm = pytest.mark.parametrize("arm", mine.ARMS)


@dataclass(frozen=True)
class World:
    """A synthetic pool by its numbers: Hypothesis prints these rather than the arrays."""

    seed: int
    num_clips: int
    per_clip: int
    without: str

    def pool(self) -> mine.Pool:
        pool = synthetic(self.seed, self.num_clips, self.per_clip)
        return replace(pool, val=None) if self.without == "val" else pool


WORLDS = st.builds(
    World,
    seed=st.integers(0, 999),
    num_clips=st.integers(1, 9),
    per_clip=st.integers(1, 6),
    without=st.sampled_from(["nothing", "val"]),
)


def quick(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None)


def check_part_of_the_pool(world: World, arm: str, amount: int, seed: int) -> None:
    pool = world.pool()
    found = picked(pick(pool, arm, amount, seed=seed))
    everything = pool.frames["frame_id"].to_pylist()
    assert len(found) == len(set(found)) == min(amount, len(everything))
    assert set(found) <= set(everything)


def check_order(world: World, arm: str, amount: int, seed: int, order: int) -> None:
    pool = world.pool()
    first = pick(pool, arm, amount, seed=seed)
    assert first.equals(pick(pool, arm, amount, seed=seed))
    assert first.equals(pick(shuffled(pool, order), arm, amount, seed=seed))


def check_budget(world: World, arm: str, unit: BudgetUnit, amount: float, truth_seed: int) -> None:
    """Whatever the frames really hold; and where it is not spent, the next frame would not have fitted."""
    pool, rng = world.pool(), np.random.default_rng(truth_seed)
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


@every_arm
@quick(8)
@given(WORLDS, st.integers(0, 70), st.integers(0, 5))
def test_a_pick_is_part_of_the_pool_without_repeats(arm: str, world: World, amount: int, seed: int) -> None:
    check_part_of_the_pool(world, arm, amount, seed)


@every_arm
@quick(6)
@given(WORLDS, st.integers(1, 30), st.integers(0, 5), st.integers(0, 99))
def test_the_order_of_the_pool_does_not_matter(
    arm: str, world: World, amount: int, seed: int, order: int
) -> None:
    check_order(world, arm, amount, seed, order)


@every_arm
@quick(6)
@given(WORLDS, UNITS, st.floats(0, 400), st.integers(0, 99))
def test_the_budget_is_never_exceeded(
    arm: str, world: World, unit: BudgetUnit, amount: float, truth: int
) -> None:
    check_budget(world, arm, unit, amount, truth)


@quick(40)
@given(WORLDS, COMPOSED, st.integers(0, 70), st.integers(0, 5), st.integers(0, 99))
def test_compositions_hold_what_arms_hold(world: World, arm: str, amount: int, seed: int, order: int) -> None:
    check_part_of_the_pool(world, arm, amount, seed)
    check_order(world, arm, amount, seed, order)


@quick(40)
@given(WORLDS, COMPOSED, UNITS, st.floats(0, 400), st.integers(0, 99))
def test_compositions_never_exceed_the_budget(
    world: World, arm: str, unit: BudgetUnit, amount: float, truth: int
) -> None:
    check_budget(world, arm, unit, amount, truth)


@quick(60)
@given(WORLDS, ANY, st.integers(1, 30), st.integers(1, 3), st.sampled_from([0.0, 0.9, 1.6]))
def test_limits_hold_unless_the_reason_says_otherwise(
    world: World, arm: str, amount: int, limit: int, gap: float
) -> None:
    pool = world.pool()
    selection = pick(pool, arm, amount, max_per_clip=limit, bits=4, min_gap_s=gap)
    plain = selection.filter(pc.invert(pc.match_substring(selection["reason"], "as no other was left")))
    clips = Counter(frame_id.split("/")[0] for frame_id in picked(plain))
    if not mine.arm(arm).whole_clips:
        sizes = np.array(list(Counter(pool.frames["clip_id"].to_pylist()).values()))
        assert max(clips.values(), default=0) <= feasible_cap(sizes, min(amount, int(sizes.sum())), limit)
        for clip in clips:
            times = sorted(
                int(f.split("/")[1]) * SECONDS_APART for f in picked(plain) if f.startswith(f"{clip}/")
            )
            assert all(np.diff(times) >= gap)
    hash_of = dict(zip(pool.frames["frame_id"].to_pylist(), pool.frames["phash"].to_numpy(), strict=True))
    hard = selection.filter(pc.invert(pc.match_substring(selection["reason"], "near-duplicate")))
    for clip in clips:
        hashes = np.array([hash_of[f] for f in picked(hard) if f.startswith(f"{clip}/")], np.uint64)
        first, second = np.triu_indices(len(hashes), 1)
        assert (popcount(hashes[first] ^ hashes[second]) > 4).all()


@quick(40)
@given(WORLDS, ANY, st.integers(1, 20))
def test_what_was_bought_is_not_offered_again(world: World, arm: str, amount: int) -> None:
    """Buying a pick and asking again never returns a frame that is no longer there."""
    pool = world.pool()
    found = set(picked(pick(pool, arm, amount)))
    keep = [frame_id not in found for frame_id in pool.frames["frame_id"].to_pylist()]
    rest = replace(pool, frames=pool.frames.filter(pa.array(keep, pa.bool_())))
    assert not found & set(picked(pick(rest, arm, amount)))
