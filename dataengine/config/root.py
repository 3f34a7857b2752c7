"""Everything one invocation needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

from dataengine.config.bounds import check
from dataengine.config.compare import CompareConfig
from dataengine.config.curate import CurateConfig
from dataengine.config.dataset import DatasetConfig, IngestConfig, LicenceConfig
from dataengine.config.learning import EvaluateConfig, ModelConfig, TrainConfig
from dataengine.config.machine import AppConfig, ComputeConfig
from dataengine.config.mining import LabelConfig, LoopConfig, MineConfig


@dataclass(kw_only=True, slots=True)
class Config:
    """Everything one invocation needs."""

    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    licence: LicenceConfig = field(default_factory=LicenceConfig)
    curate: CurateConfig = field(default_factory=CurateConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    mine: MineConfig = field(default_factory=MineConfig)
    label: LabelConfig = field(default_factory=LabelConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    compare: CompareConfig = field(default_factory=CompareConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    app: AppConfig = field(default_factory=AppConfig)
    workspace: str | None = None
    """Folder of the workspace; empty is ``work/<dataset.name>``."""
    seed: int = 0
    """Seed of the run: seed set, initialisation, data order, augmentation, selection. The bootstrap
    over drives draws the same for every seed, so that seeds can be paired."""

    def __post_init__(self) -> None:
        check(self, "seed", 0)

    def plain(self) -> dict[str, Any]:
        """The settings as nested dictionaries of JSON values."""
        return asdict(self, dict_factory=_plain)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Config:
        """The settings from what ``plain`` gave; what is missing has its default.

        Raises:
            ValueError: A setting is unknown, or its value is.
        """
        config: Config = _record(cls, plain)
        return config


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, Enum) else value for name, value in items}


def _record(kind: Any, plain: Mapping[str, Any]) -> Any:
    kinds = get_type_hints(kind)
    if not isinstance(plain, Mapping):
        raise ValueError(f"{kind.__name__} is no {type(plain).__name__}")
    if unknown := sorted(set(plain) - set(kinds)):
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    return kind(**{name: _value(kinds[name], value) for name, value in plain.items()})


def _value(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return _record(kind, value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if get_origin(kind) is list and is_dataclass(get_args(kind)[0]):
        return [_record(get_args(kind)[0], item) for item in value]
    return value
