"""One mining strategy with one seed at work in a workspace: its run, its settings, its budgets."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass, replace
from pathlib import Path

from dataengine import files, mine
from dataengine.config import Budget, Config, TrainConfig
from dataengine.errors import ConfigError
from dataengine.schema import ALL_LABELS
from dataengine.streams import Streams
from dataengine.workspace import Run, Workspace


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One mining strategy with one seed, at work in a workspace."""

    name: str
    workspace: Workspace
    config: Config
    run: Run

    @classmethod
    def open(cls, workspace: Workspace, config: Config, name: str) -> Arm:
        """The arm's run, created or continued.

        A run is named by arm, seed and a digest of every setting that its figures depend on, so
        other settings make another run, and more ``loop.cycles`` continue the same one. The source of an arm
        that another package brings counts as a setting.
        """
        settings, start = identity(workspace, config)
        run = run_of(workspace, config, name)
        run.create({"arm": name, "seed": config.seed, "hash": settings, "start": start, **config.plain()})
        return cls(name=name, workspace=workspace, config=config, run=run)

    @property
    def streams(self) -> Streams:
        """The run's random streams."""
        return Streams(self.config.seed)

    def train(self, cycle: int) -> TrainConfig:
        """How a cycle is trained: alike in every arm, but for what the name of the arm asks for.

        The first cycle, which arms share, is the settings' own; all labels are trained on for longer.
        """
        name, train = mine.ArmName.parse(self.name), self.config.train
        if cycle and name.trainer == mine.PLAIN:
            train = train.plain()
        if cycle and name.miner == ALL_LABELS:
            train = replace(train, steps=round(train.steps * self.config.compare.full_steps))
        return train


def run_of(workspace: Workspace, config: Config, name: str) -> Run:
    """The run of an arm, created or not."""
    own, _ = identity(workspace, config)
    miner = mine.ArmName.parse(name).miner
    if miner == ALL_LABELS:  # other arms do not depend on it
        own = files.digest({"settings": own, "full_steps": config.compare.full_steps})
    if module := mine.rule_module(miner, config.mine):
        own = files.digest({"settings": own, "rule": _source_digest(module)})
    return workspace.run(f"{name}-s{config.seed}-{own[:6]}")


def _source_digest(module: str) -> str:
    """Digest of a module's source file; empty where it has none."""
    found = importlib.util.find_spec(module)
    source = Path(found.origin) if found and found.origin else None
    return files.sha256(source) if source and source.is_file() else ""


def checked(name: str, config: Config) -> mine.ArmName:
    """The name of an arm that the loop may run, taken apart.

    Raises:
        ConfigError: It sees the truth, or there is no such arm.
    """
    parsed = mine.ArmName.parse(name)
    if parsed.is_ceiling:
        raise ConfigError(
            f"mine.name={name} sees the truth of frames that nobody bought: it is a ceiling, which only "
            f"`dataengine compare 'compare.arms=[{name}]'` measures; choose an arm for the loop"
        )
    mine.arm(parsed.miner, config.mine)
    return parsed


def identity(workspace: Workspace, config: Config) -> tuple[str, str]:
    """Digest of the settings that decide a run's figures, and of those that decide its cycle 0."""
    plain = config.plain()
    start = {group: plain[group] for group in ("model", "evaluate")}
    start["train"] = config.train.first()
    start["curate"] = {name: plain["curate"][name] for name in ("val_share", "test_share", "duplicate_bits")}
    if config.dataset.splits:
        start["splits"] = config.dataset.splits
    start["label"] = {name: plain["label"][name] for name in ("seconds_per_frame", "seconds_per_box")}
    start |= {"data": workspace.fingerprint, "seed_frames": config.loop.seed_frames}
    mining = {key: value for key, value in plain["mine"].items() if key != "name"}
    if config.loop.batches:
        mining["batches"] = config.loop.batches
    return files.digest({**start, "mine": mining, "later": config.train.later()}), files.digest(start)


def budget(config: Config, cycle: int) -> Budget:
    """What a cycle may buy: its own batch where ``loop.batches`` names one, else ``mine.budget``."""
    batches = config.loop.batches
    if cycle == 0:
        return replace(config.mine.budget, amount=math.inf)
    return (
        replace(config.mine.budget, amount=batches[cycle - 1])
        if cycle <= len(batches)
        else config.mine.budget
    )
