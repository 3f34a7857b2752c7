"""Which frames to buy, and what labels cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dataengine.config.bounds import check
from dataengine.errors import ConfigError


class BudgetUnit(Enum):
    """What a labelling budget counts."""

    frames = "frames"
    boxes = "boxes"
    seconds = "seconds"


@dataclass(kw_only=True, slots=True)
class Budget:
    """How much labelling one cycle may buy."""

    amount: float = 120
    """How many of ``unit``; never exceeded."""
    unit: BudgetUnit = BudgetUnit.frames
    """``frames``, ``boxes`` or annotator ``seconds``."""

    def __post_init__(self) -> None:
        check(self, "amount", 0)


@dataclass(kw_only=True, slots=True)
class MineConfig:
    """Which frames to buy next."""

    name: str = "auto"
    """An arm of ``docs/arms.md``; ``SCORE__DIVERSITY__QUOTA`` composes one."""
    budget: Budget = field(default_factory=Budget)
    """What one cycle may buy."""
    max_per_clip: int = 3
    """Most frames of one clip in one pick (``random_clips`` ignores it); 0 is no limit."""
    min_score: float = 0.05
    """Predicted boxes below this score are not looked at."""
    uncertainty: str = "entropy"
    """``entropy`` or ``margin`` of each box's class scores."""
    aggregate: str = "mean"
    """How box scores become a frame's: ``max``, ``mean`` (of the ten highest) or ``sum``."""
    calibrate: bool = False
    """``uncertainty``: whether class scores are calibrated on val first, by a temperature for each class."""
    class_weighted: bool = False
    """``uncertainty``, ``snapshot``, ``expected_errors``: whether classes that are labelled little count for
    more."""
    quota_share: float = 0.7
    """Share of the batch bought under a quota; the rest by coverage (``class_balanced``) or without one."""
    quota_power: float = 0.7
    """The quota of a class, or of a condition, is its count in the pool to the power of minus this."""
    score: str = "none"
    """``composed`` and ``whole_clips``: what a frame is valued by; ``none`` values all alike."""
    diversity: str = "k_centre"
    """``composed``: how the picks are kept apart: ``none``, ``k_centre``, ``badge`` or ``typical``."""
    quota: str = "class"
    """``composed``: ``none``, ``class`` (as predicted) or ``condition`` (as recorded)."""
    conditions: list[str] = field(default_factory=lambda: ["time_of_day", "weather"])
    """Conditions that a quota looks at: only what is known of a frame before anybody labels it."""
    min_gap_s: float = 0.0
    """Frames of one clip closer in time than this are not bought together; 0 is no limit."""
    clip_stride: int = 3
    """``whole_clips``: of a clip that is bought, one frame in so many is labelled."""
    cost_power: float = 0.5
    """``expected_gain`` and ``auto``: the worth of a frame is divided by its expected cost (one frame, and
    one for each box) to this power; 0 takes all frames to cost the same, 1 counts annotator seconds."""

    def __post_init__(self) -> None:
        check(self, "max_per_clip", 0)
        check(self, "min_score", 0, 1)
        check(self, "quota_share", 0, 1)
        check(self, "quota_power", 0, 4)
        check(self, "min_gap_s", 0)
        check(self, "clip_stride", 1, 100_000)
        check(self, "cost_power", 0, 2)
        for name, allowed in (("uncertainty", ("entropy", "margin")), ("aggregate", ("max", "mean", "sum"))):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"mine.{name}={getattr(self, name)}: choose one of {', '.join(allowed)}")


@dataclass(kw_only=True, slots=True)
class LabelConfig:
    """Who labels, and what it costs."""

    name: str = "oracle"
    """``oracle``: the hidden truth of the dataset answers at once. ``request``: people draw the boxes; the
    loop writes what it wants labelled and waits for ``dataset.labels``."""
    judged_frames: int = 60
    """``request``: frames of val, and as many of test, that the first request asks for as well; without
    them nothing can be measured."""
    partial: bool = False
    """``request``: go on with the frames that are labelled, though others were asked for too."""
    seconds_per_frame: float = 7.8
    """Annotator seconds to open one frame and see that nothing is left to draw, objects or not. The
    default is an assumption, of the order that "coverage verification" of an image took in Su, Deng and
    Fei-Fei (2012, HCOMP); measure your own annotators."""
    seconds_per_box: float = 7.0
    """Annotator seconds to draw one box. Default: extreme clicking, 7 s (Papadopoulos et al. 2017, ICCV,
    abstract); dragging corners took ImageNet's annotators 35 s with verification (Su 2012, cited there)."""

    def __post_init__(self) -> None:
        if self.name not in ("oracle", "request"):
            raise ConfigError(f"label.name={self.name}: choose one of oracle, request")
        check(self, "judged_frames", 0)
        check(self, "seconds_per_frame", 0)
        check(self, "seconds_per_box", 0)


@dataclass(kw_only=True, slots=True)
class LoopConfig:
    """How often around, and against what."""

    cycles: int = 3
    """Fits of each arm: the seed set, then ``cycles - 1`` bought batches."""
    batches: list[float] = field(default_factory=list)
    """What cycle 1, 2, ... may buy, in ``mine.budget.unit``; ``mine.budget.amount`` for cycles beyond the
    list, and for all of them where it is empty."""
    seed_frames: int = 150
    """Frames labelled before cycle 1, drawn at random from the pool, the same for every arm."""
    baseline: str | None = "random"
    """Arm that runs beside ``mine.name`` from the same seed set; empty for none."""
    fiftyone: bool = True
    """Write the finished cycles into the workspace's FiftyOne dataset."""

    def __post_init__(self) -> None:
        check(self, "cycles", 1, 1000)
        check(self, "seed_frames", 1)
        if not all(batch >= 0 for batch in self.batches):
            raise ConfigError(f"loop.batches={self.batches}: every batch must be >= 0")
