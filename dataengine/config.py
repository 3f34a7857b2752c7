"""One record per config group; each checks itself, so a wrong value is one line before any work.

Plain dataclasses: no Hydra below ``cli.py``. Build them in a notebook as you would any object,
e.g. ``Config(seed=3, train=TrainConfig(steps=200))``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from dataengine.errors import ConfigError


class BudgetUnit(Enum):
    """What a labelling budget counts."""

    frames = "frames"
    boxes = "boxes"
    seconds = "seconds"


class Device(Enum):
    """Where tensors live; ``auto`` takes CUDA, then MPS, then the CPU."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


def check(record: Any, name: str, low: float, high: float = math.inf) -> None:
    """Raise ``ConfigError`` unless ``low <= record.name <= high``."""
    value = getattr(record, name)
    if not low <= value <= high:
        kind = type(record).__name__.removesuffix("Config").lower()
        group = {"": "", "budget": "mine.budget.", "world": "dataset.world."}.get(kind, f"{kind}.")
        bound = f">= {low:.15g}" if high == math.inf else f"in {low:.15g}..{high:.15g}"
        raise ConfigError(f"{group}{name}={value} is out of range: it must be {bound}")


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
class WorldConfig:
    """The embedded fleet's world. Its rates are stated here and never tuned for an arm."""

    seed: int = 7
    """Seed of the world; another seed is another town with other drives."""
    width: int = 320
    """Image width in pixels."""
    height: int = 192
    """Image height in pixels."""
    fps: float = 4.0
    """Frames per second that a vehicle's camera records."""
    clip_seconds: float = 5.0
    """Length of one clip in seconds."""
    clips_per_drive: int = 4
    """Clips in one drive of one vehicle; a drive never crosses splits."""
    pool_clips: int = 240
    """Clips at natural rates that the loop may buy labels from."""
    val_clips: int = 48
    """Clips at natural rates that steer thresholds and the gate."""
    test_clips: int = 200
    """Clips at natural rates that only evaluation reads."""
    balanced_clips: int = 60
    """Clips of the second test set: every condition and rare class equally often."""
    tail_clip_rates: dict[str, float] = field(
        default_factory=lambda: {"truck": 0.12, "cyclist": 0.04, "cone": 0.035}
    )
    """Share of clips that pass through a scene with this rare class (freight route, cycle street,
    roadworks). Elsewhere the class does not appear."""
    time_of_day_rates: dict[str, float] = field(
        default_factory=lambda: {"day": 0.80, "dusk": 0.12, "night": 0.08}
    )
    """Share of drives at each time of day; adds up to 1."""
    weather_rates: dict[str, float] = field(
        default_factory=lambda: {"clear": 0.82, "rain": 0.12, "fog": 0.06}
    )
    """Share of drives in each weather; adds up to 1."""

    def __post_init__(self) -> None:
        check(self, "seed", 0)
        check(self, "width", 64, 4096)
        check(self, "height", 64, 4096)
        check(self, "fps", 0.5, 120)
        check(self, "clip_seconds", 0.5, 3600)
        check(self, "clips_per_drive", 1, 1000)
        for name in ("pool_clips", "val_clips", "test_clips"):
            check(self, name, 1, 1_000_000)
        check(self, "balanced_clips", 0, 1_000_000)
        if self.width % 2 or self.height % 2:
            raise ConfigError(f"world size {self.width}x{self.height}: H.264 wants even width and height")
        for name in ("time_of_day_rates", "weather_rates"):
            total = sum(getattr(self, name).values())
            if abs(total - 1) > 1e-6:
                raise ConfigError(f"dataset.world.{name} adds up to {total:g}: it must add up to 1")
        for name, rate in self.tail_clip_rates.items():
            if not 0 <= rate <= 1:
                raise ConfigError(f"dataset.world.tail_clip_rates.{name}={rate} must be in 0..1")


@dataclass(kw_only=True, slots=True)
class DatasetConfig:
    """Which recordings to ingest."""

    name: str = "simulated"
    """Name of the adapter and of the card in ``datasets/``."""
    root: str | None = None
    """Folder of the recordings; empty for ``simulated``: rendered into the workspace."""
    fps: float | None = 2.0
    """Sampling rate of videos in frames per second; empty keeps every frame. Image folders keep all."""
    min_box_area: float = 0.0
    """Boxes from masks smaller than this many square pixels become ignore regions."""
    split_gap_s: float = 2.0
    """Seconds of frames dropped between two splits that share one drive."""
    world: WorldConfig = field(default_factory=WorldConfig)
    """The embedded fleet's world; read by ``simulated`` alone."""

    def __post_init__(self) -> None:
        check(self, "min_box_area", 0)
        check(self, "split_gap_s", 0)
        if self.fps is not None:
            check(self, "fps", 0.01, 1000)


@dataclass(kw_only=True, slots=True)
class CurateConfig:
    """How frames are kept, flagged and split."""

    val_share: float = 0.15
    """Share of the frames put into val where the publisher declares no split."""
    test_share: float = 0.25
    """Share of the frames put into test where the publisher declares no split."""
    duplicate_bits: int = 4
    """Two frames of one clip whose perceptual hashes differ in at most this many of 64 bits are
    near-duplicates: one pick does not hold both."""
    jpeg_quality: int = 92
    """Quality of frames extracted from videos, 1..100."""

    def __post_init__(self) -> None:
        check(self, "val_share", 0, 0.9)
        check(self, "test_share", 0, 0.9)
        check(self, "duplicate_bits", 0, 64)
        check(self, "jpeg_quality", 1, 100)
        if self.val_share + self.test_share > 0.95:
            raise ConfigError("curate.val_share + curate.test_share leave no pool: keep them under 0.95")


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    """Which detector."""

    name: str = "centre_fpn"
    """``centre_fpn`` (small, learns from scratch), ``ssdlite``, ``fcos`` or ``faster_rcnn``."""
    weights: str = "none"
    """``none``, ``imagenet``, ``coco``, or the path of a safetensors checkpoint to start from."""
    width: int = 32
    """Channels of the first stage of ``centre_fpn``; later stages hold multiples of it."""
    max_side: int = 0
    """Images are scaled so that the longer side has at most this many pixels; 0 keeps their size."""

    def __post_init__(self) -> None:
        check(self, "width", 8, 256)
        check(self, "max_side", 0, 4096)


@dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One fit: a fixed number of optimiser steps, the same in every arm."""

    steps: int = 600
    """Optimiser steps."""
    batch_size: int = 8
    """Images per step. On the embedded fleet 800 steps of 8 learned a little more than 400 of 16 (mean AP50
    +0.03 to +0.05, one seed on 2,400 frames: suggestive, within the noise of seeds) in about the same
    time."""
    learning_rate: float = 2e-3
    """Peak learning rate of AdamW."""
    weight_decay: float = 0.02
    """Decoupled weight decay of AdamW."""
    warmup_share: float = 0.15
    """Share of the steps over which the learning rate rises; a cosine brings it down after."""
    clip_norm: float = 10.0
    """Gradients are scaled down to at most this norm."""
    ema_decay: float = 0.99
    """Decay per step of the averaged weights that are kept; 0 keeps the raw weights."""
    flip: float = 0.5
    """Probability of a mirrored image."""
    scale: float = 0.2
    """Images are zoomed by a factor in ``1 - scale .. 1 + scale``."""
    translate: float = 0.1
    """Images are shifted by up to this share of their size."""
    colour: float = 0.2
    """Strength of brightness, contrast and saturation changes; 0 is off."""
    repeat_threshold: float = 0.1
    """Frames holding a class present in less than this share of the labelled frames are drawn more
    often: r = sqrt(threshold / share), as in LVIS (Gupta 2019, section 4.2); 0 is off."""
    checkpoint_every: int = 50
    """Steps between checkpoints from which a killed fit continues."""
    tensorboard: bool = False
    """Write TensorBoard event files too; needs ``pip install dataengine[tensorboard]``."""

    def __post_init__(self) -> None:
        check(self, "steps", 1, 10_000_000)
        check(self, "batch_size", 1, 4096)
        check(self, "learning_rate", 1e-8, 10)
        check(self, "weight_decay", 0, 10)
        check(self, "warmup_share", 0, 0.9)
        check(self, "clip_norm", 1e-6)
        check(self, "ema_decay", 0, 0.99999)
        check(self, "flip", 0, 1)
        check(self, "scale", 0, 0.9)
        check(self, "translate", 0, 0.5)
        check(self, "colour", 0, 1)
        check(self, "repeat_threshold", 0, 1)
        check(self, "checkpoint_every", 1)


@dataclass(kw_only=True, slots=True)
class EvaluateConfig:
    """How predictions are judged."""

    match_iou: float = 0.5
    """Intersection over union from which a prediction and a label are the same object."""
    error_score: float = 0.3
    """Predictions below this score are not counted as false alarms, nor as finds."""
    small_area: float = 300.0
    """Boxes below this area in square pixels are the slice ``size:small``."""
    large_area: float = 2500.0
    """Boxes from this area on are the slice ``size:large``."""
    bootstrap: int = 200
    """Resamples of the drives for each interval; 0 is off."""
    confidence: float = 0.95
    """Coverage of each interval."""

    def __post_init__(self) -> None:
        check(self, "match_iou", 0.05, 0.95)
        check(self, "error_score", 0, 1)
        check(self, "small_area", 0)
        check(self, "large_area", self.small_area)
        check(self, "bootstrap", 0, 100_000)
        check(self, "confidence", 0.5, 0.999)


@dataclass(kw_only=True, slots=True)
class MineConfig:
    """Which frames to buy next."""

    name: str = "class_balanced"
    """``random``, ``random_clips``, ``every_kth``, ``uncertainty``, ``class_balanced``, ``coverage``."""
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
    quota_share: float = 0.7
    """``class_balanced``: share of the batch bought by class quota; the rest by coverage."""
    quota_power: float = 0.7
    """``class_balanced``: quota of a class is its predicted count to the power of minus this."""

    def __post_init__(self) -> None:
        check(self, "max_per_clip", 0)
        check(self, "min_score", 0, 1)
        check(self, "quota_share", 0, 1)
        check(self, "quota_power", 0, 4)
        for name, allowed in (("uncertainty", ("entropy", "margin")), ("aggregate", ("max", "mean", "sum"))):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"mine.{name}={getattr(self, name)}: choose one of {', '.join(allowed)}")


@dataclass(kw_only=True, slots=True)
class LabelConfig:
    """Who labels, and what it costs."""

    name: str = "oracle"
    """``oracle``: the hidden truth of the dataset answers at once."""
    seconds_per_frame: float = 7.8
    """Annotator seconds to open one frame and see that nothing is left to draw, objects or not. The
    default is an assumption, of the order that "coverage verification" of an image took in Su, Deng and
    Fei-Fei (2012, HCOMP); measure your own annotators."""
    seconds_per_box: float = 7.0
    """Annotator seconds to draw one box. Default: extreme clicking, 7 s (Papadopoulos et al. 2017, ICCV,
    abstract); dragging corners took ImageNet's annotators 35 s with verification (Su 2012, cited there)."""

    def __post_init__(self) -> None:
        check(self, "seconds_per_frame", 0)
        check(self, "seconds_per_box", 0)


@dataclass(kw_only=True, slots=True)
class LoopConfig:
    """How often around, and against what."""

    cycles: int = 3
    """Fits of each arm: the seed set, then ``cycles - 1`` bought batches."""
    seed_frames: int = 150
    """Frames labelled before cycle 1, drawn at random from the pool, the same for every arm."""
    baseline: str | None = "random"
    """Arm that runs beside ``mine.name`` from the same seed set; empty for none."""
    fiftyone: bool = True
    """Write the finished cycles into the workspace's FiftyOne dataset."""

    def __post_init__(self) -> None:
        check(self, "cycles", 1, 1000)
        check(self, "seed_frames", 1)


@dataclass(kw_only=True, slots=True)
class ComputeConfig:
    """What the machine may be used for."""

    device: Device = Device.auto
    """``auto``, ``cpu``, ``cuda`` or ``mps``."""
    threads: int = 0
    """Threads of one fit; 0 takes every core. The same number gives the same bits."""
    workers: int = 0
    """Processes that render and decode; 0 takes every core. Any number gives the same files."""
    bf16: bool = True
    """Compute in bfloat16 where the device does so natively (AVX-512 BF16, AMX, CUDA)."""
    side_by_side: bool = True
    """On a CPU, run the arms at the same time and share the threads out among them."""

    def __post_init__(self) -> None:
        check(self, "threads", 0, 4096)
        check(self, "workers", 0, 4096)


@dataclass(kw_only=True, slots=True)
class AppConfig:
    """The FiftyOne App."""

    port: int = 5151
    """First port tried; the next free one is taken when it is in use."""
    address: str = "127.0.0.1"
    """Interface to bind: the App has no password, so keep it local."""
    browser: bool = True
    """Open a browser; false on servers."""

    def __post_init__(self) -> None:
        check(self, "port", 1, 65535)


@dataclass(kw_only=True, slots=True)
class Config:
    """Everything one invocation needs."""

    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    curate: CurateConfig = field(default_factory=CurateConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    mine: MineConfig = field(default_factory=MineConfig)
    label: LabelConfig = field(default_factory=LabelConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    app: AppConfig = field(default_factory=AppConfig)
    workspace: str | None = None
    """Folder of the workspace; empty is ``work/<dataset.name>``."""
    seed: int = 0
    """Seed of the run: seed set, initialisation, data order, augmentation, selection, bootstrap."""

    def __post_init__(self) -> None:
        check(self, "seed", 0)

    def plain(self) -> dict[str, Any]:
        """The settings as nested dictionaries of JSON values."""
        return asdict(self, dict_factory=_plain)


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, Enum) else value for name, value in items}
