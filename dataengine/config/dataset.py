"""What is read: datasets, the embedded world, and how recordings become frames."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataengine.config.bounds import check
from dataengine.errors import ConfigError


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
    tail_alone: bool = False
    """In those clips the rare class shows as one object in ordinary traffic, not as a scene of many."""
    plain_trucks: bool = False
    """Trucks have the shape and the paint of vans, a quarter larger: a rare class without its own look."""
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
class PartConfig:
    """One dataset of several that are read as one."""

    name: str
    """Name of its adapter and card."""
    root: str = ""
    """Folder of its recordings; only ``fiftyone`` knows it by itself."""
    fields: dict[str, str] = field(default_factory=dict)
    """As ``dataset.fields``, for this part."""
    card: str | None = None
    """As ``dataset.card``, for this part."""


@dataclass(kw_only=True, slots=True)
class DatasetConfig:
    """Which recordings to ingest, and what their labels mean."""

    name: str = "simulated"
    """Name of the adapter and of the card in ``datasets/``."""
    root: str | None = None
    """Folder of the recordings; empty for ``simulated``: rendered into the workspace."""
    card: str | None = None
    """A card of your own (TOML), instead of ``datasets/<name>.toml``: classes, class map, tail, licence."""
    classes: list[str] = field(default_factory=list)
    """Classes of the workspace in order, instead of the card's; empty takes the card's."""
    class_map: dict[str, str] = field(default_factory=dict)
    """From a dataset's own class to one of the workspace's, or to ``ignore``; added to the card's map."""
    parts: list[PartConfig] = field(default_factory=list)
    """``mixed`` alone: the datasets that are read as one."""
    cameras: list[str] = field(default_factory=list)
    """Cameras to read, by the dataset's own names; empty reads all."""
    fields: dict[str, str] = field(default_factory=dict)
    """``fiftyone`` and the exchange formats: which of their fields means what; see the card."""
    labels: str | None = None
    """COCO file with the labels that a labelling request asked for (``label=request``)."""
    min_box_area: float = 0.0
    """Boxes from masks or projections smaller than this many square pixels become ignore regions."""
    splits: dict[str, str] = field(default_factory=dict)
    """From a drive to ``pool``, ``val`` or ``test``, in place of a published or drawn split; drives that are
    not named are of the pool. A val and a test are named together, or the rest would be drawn."""
    split_gap_s: float = 2.0
    """Seconds of frames dropped between two splits that share one drive."""
    world: WorldConfig = field(default_factory=WorldConfig)
    """The embedded fleet's world; read by ``simulated`` alone."""

    def __post_init__(self) -> None:
        check(self, "min_box_area", 0)
        check(self, "split_gap_s", 0)
        if len(set(self.classes)) < len(self.classes):
            raise ConfigError(f"dataset.classes={self.classes} names a class twice")
        if self.splits and not {"val", "test"} <= set(self.splits.values()) <= {"pool", "val", "test"}:
            raise ConfigError(
                f"dataset.splits={self.splits}: name drives of val and of test, and of the pool if you like"
            )
        if self.parts and self.name != "mixed":
            raise ConfigError(f"dataset.parts is read by dataset=mixed alone, not by {self.name}")


@dataclass(kw_only=True, slots=True)
class IngestConfig:
    """How recordings become frames."""

    fps: float | None = 2.0
    """Sampling rate of videos in frames per second; empty keeps every frame. Image folders keep all."""
    jpeg_quality: int = 92
    """Quality of frames extracted from videos, 1..100."""
    telemetry_gap_s: float = 1.0
    """Telemetry is not interpolated across a longer pause than this, nor taken from further away."""

    def __post_init__(self) -> None:
        if self.fps is not None:
            check(self, "fps", 0.01, 1000)
        check(self, "jpeg_quality", 1, 100)
        check(self, "telemetry_gap_s", 0)


@dataclass(kw_only=True, slots=True)
class LicenceConfig:
    """What the frames' licences allow."""

    allow: list[str] = field(default_factory=list)
    """Kinds of licence that may be ingested and trained on (``dataengine.licences.KINDS``); empty is all."""
