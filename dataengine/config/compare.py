"""Which arms are compared, over which seeds, and what counts as a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataengine.config.bounds import check
from dataengine.errors import ConfigError


@dataclass(kw_only=True, slots=True)
class CompareConfig:
    """Arms x seeds on one dataset."""

    arms: list[str] = field(default_factory=lambda: ["auto"])
    """Arms beside ``baseline``: a miner's name, ``MINER@2`` for another draw of its stream,
    ``MINER+pseudo`` for pseudo-labels on the rest of the pool, ``MINER+plain`` for a trainer that favours no
    class, or a ceiling (``oracle``, ``oracle_errors``, ``all_labels``)."""
    baseline: str = "random"
    """What every arm is measured against."""
    noise: bool = True
    """Run the baseline a second time with another stream first: no gain below their difference is one."""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    """Seeds: each has its seed set and cycle-0 weights, shared by every arm. Five for a claim."""
    world_per_seed: bool = False
    """``simulated`` alone: seed ``s`` runs in the world ``dataset.world.seed + s``, a town of its own."""
    baseline_cycles: int = 0
    """Fits of the baseline, where it is to go further than the arms (``loop.cycles``); 0 is the same."""
    full_steps: float = 4.0
    """``all_labels`` trains for so many times ``train.steps``: it has many more frames to see."""
    full_seeds: int = 1
    """``all_labels`` runs for so many of the seeds only, for it is dear."""
    processes: int = 0
    """Chains of cycles that run at the same time, which share out ``compute.threads``; 0 is one for each
    thread on a CPU (as ``compute.side_by_side`` allows), and one alone on an accelerator."""
    expected_minutes: float = 0.0
    """How long it takes on two cores, told before it starts; 0 is not told."""
    resamples: int = 2000
    """Draws of the bootstrap over seeds and drives for the statistics."""
    confidence: float = 0.95
    """Coverage of every interval."""

    def __post_init__(self) -> None:
        check(self, "baseline_cycles", 0, 1000)
        check(self, "full_steps", 1, 100)
        check(self, "full_seeds", 0)
        check(self, "processes", 0, 4096)
        check(self, "expected_minutes", 0)
        check(self, "resamples", 100, 1_000_000)
        check(self, "confidence", 0.5, 0.999)
        if not self.seeds:
            raise ConfigError("compare.seeds is empty: name at least one")
        for name in ("seeds", "arms"):
            values = getattr(self, name)
            twice = sorted({str(value) for value in values if values.count(value) > 1})
            if twice:
                raise ConfigError(f"compare.{name} holds {', '.join(twice)} twice: name each once")
        if any(seed < 0 for seed in self.seeds):
            raise ConfigError(f"compare.seeds={self.seeds}: seeds must be >= 0")
