"""What a comparison has to run: trials, and in each of them a chain of cycles for every arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataengine import mine
from dataengine.arm import budget
from dataengine.compare.grid import same_but_for_the_draw
from dataengine.config import BudgetUnit, Config
from dataengine.errors import ConfigError
from dataengine.schema import ALL_LABELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One seed in its world.

    Attributes:
        name: ``s0`` for seed 0.
        seed: Its seed.
        root: Folder of its workspace; trials of one dataset share it.
        config: The settings of its runs.
    """

    name: str
    seed: int
    root: Path
    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One arm in one trial; its cycles follow from each other, so one process runs them.

    Attributes:
        trial: Where.
        arm: Name of the arm.
        cycles: Fits, cycle 0 counted.
    """

    trial: Trial
    arm: str
    cycles: int

    @property
    def config(self) -> Config:
        """The settings of its run."""
        return replace(self.trial.config, loop=replace(self.trial.config.loop, cycles=self.cycles))

    @property
    def length(self) -> float:
        """How long it takes, in fits of ``train.steps``; cycle 0 is there already."""
        longer = mine.ArmName.parse(self.arm).miner == ALL_LABELS
        return (self.cycles - 1) * (self.trial.config.compare.full_steps if longer else 1)

    def __str__(self) -> str:
        return f"{self.trial.name} {self.arm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of a comparison, in the order in which it runs.

    Attributes:
        folder: Where it stands on disk.
        trials: By seed, in the order of ``compare.seeds``.
        chains: The noise floor of every trial, then trial by trial, so that a comparison that is stopped
            early has whole trials; within each the longest first.
    """

    folder: Path
    trials: tuple[Trial, ...]
    chains: tuple[Chain, ...]

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders of the workspaces, each once."""
        return tuple(dict.fromkeys(trial.root for trial in self.trials))

    @property
    def num_fits(self) -> float:
        """Length of everything, in fits of ``train.steps``."""
        return len(self.trials) + sum(chain.length for chain in self.chains)


def build(config: Config, folder: Path) -> Plan:
    """The plan of a comparison, from settings that have been checked against each other.

    Args:
        config: What to compare.
        folder: Where.

    Raises:
        ConfigError: An arm is unknown or makes no sense here, or settings contradict each other.
    """
    arms = _arms(config)
    _check_loop(config)
    trials = tuple(trial(config, folder, seed) for seed in config.compare.seeds)
    floor = [name for name in arms if _is_floor(name, config)]
    others = [name for name in arms if name not in floor]
    return Plan(
        folder=folder,
        trials=trials,
        chains=tuple(
            chain for names in (floor, others) for where in trials for chain in _chains(where, names)
        ),
    )


def trial(config: Config, folder: Path, seed: int) -> Trial:
    """The trial of one seed."""
    dataset, root = replace(config.dataset), folder / "data"
    if config.compare.world_per_seed:
        world = replace(dataset.world, seed=dataset.world.seed + seed)
        dataset, root = replace(dataset, world=world), folder / "worlds" / str(world.seed)
    own = replace(
        config,
        seed=seed,
        workspace=str(root),
        dataset=dataset,
        loop=replace(config.loop, fiftyone=False, baseline=config.compare.baseline),
    )
    return Trial(name=f"s{seed}", seed=seed, root=root, config=own)


def _chains(where: Trial, names: Sequence[str]) -> Iterator[Chain]:
    """The arms of one trial, the longest first."""
    chains = []
    for name in names:
        parsed, compare = mine.ArmName.parse(name), where.config.compare
        cycles = where.config.loop.cycles
        if _is_floor(name, where.config):
            cycles = compare.baseline_cycles or cycles
        if parsed.miner == ALL_LABELS:
            if where.seed not in compare.seeds[: compare.full_seeds]:
                continue
            cycles = 2
        chains.append(Chain(trial=where, arm=name, cycles=cycles))
    yield from sorted(chains, key=lambda chain: -chain.length)


def _is_floor(name: str, config: Config) -> bool:
    """Whether an arm is the baseline, in this or another draw."""
    return same_but_for_the_draw(mine.ArmName.parse(name), mine.ArmName.parse(config.compare.baseline))


def _arms(config: Config) -> list[str]:
    """Every arm once: the baseline, its second draw where wanted, then those that were named."""
    base = _checked(config.compare.baseline, "compare.baseline", config)
    if base.is_ceiling:
        raise ConfigError(
            f"compare.baseline={base} sees the truth of frames that nobody bought: choose an arm, e.g. random"
        )
    names = [str(base)]
    if config.compare.noise:
        names.append(str(replace(base, draw=base.draw + 1)))
    names += [str(_checked(name, "compare.arms", config)) for name in config.compare.arms]
    if len(set(names)) == 1:
        raise ConfigError("compare.arms is empty and compare.noise is off: name an arm to compare")
    return list(dict.fromkeys(names))


def _checked(text: str, setting: str, config: Config) -> mine.ArmName:
    name = mine.ArmName.parse(text)
    same = replace(name, draw=1) if name.is_ceiling else name  # it draws nothing
    if name.miner == ALL_LABELS or (name.trainer == mine.PLAIN and config.train == config.train.plain()):
        same = replace(same, trainer="")
    if same != name:
        raise ConfigError(f"{setting}: {text} is no other than {same}: write {same}")
    if name.is_ceiling:
        return name
    try:
        mine.arm(name.miner, config.mine)
    except ConfigError as error:
        if "__" in name.miner or name.miner in mine.arm_names():  # the message says what is wrong with it
            raise
        near = mine.nearest(name.miner, [*mine.arm_names(), *mine.CEILINGS])
        raise ConfigError(f"{setting}: '{text}' is not an arm: did you mean {near}?") from error
    return name


def _check_loop(config: Config) -> None:
    compare, loop = config.compare, config.loop
    if config.label.name != "oracle":
        raise ConfigError(
            f"label={config.label.name}: a comparison buys the same frames many times over, which people "
            "cannot draw; it needs a dataset with labels, and label=oracle"
        )
    if compare.world_per_seed and (config.dataset.name != "simulated" or config.dataset.root is not None):
        raise ConfigError(
            "compare.world_per_seed renders a world for every seed: it goes with dataset=simulated without "
            "dataset.root alone; set it to false"
        )
    if loop.cycles < 2:
        raise ConfigError(
            f"loop.cycles={loop.cycles} leaves no arm anything to buy: a comparison takes 2 or more"
        )
    if 0 < compare.baseline_cycles < loop.cycles:
        raise ConfigError(
            f"compare.baseline_cycles={compare.baseline_cycles} is less than loop.cycles={loop.cycles}: the "
            "baseline has to go as far as the arms; 0 is the same"
        )
    for cycle in range(1, max(loop.cycles, compare.baseline_cycles)):
        amount = budget(config, cycle).amount
        if amount <= 0 or (config.mine.budget.unit is BudgetUnit.frames and amount < 1):
            setting = f"loop.batches={loop.batches}" if cycle <= len(loop.batches) else "mine.budget.amount"
            raise ConfigError(
                f"{setting}: cycle {cycle} may buy {amount:g} {config.mine.budget.unit.value}, so there is "
                "nothing to compare; give it more, or lower loop.cycles and compare.baseline_cycles"
            )
