"""One record per config group; each checks itself, so a wrong value is one line before any work.

Plain dataclasses: no Hydra below ``cli.py``. Build them in a notebook as you would any object,
e.g. ``Config(seed=3, train=TrainConfig(steps=200))``.
"""

from dataengine.config.bounds import check
from dataengine.config.compare import CompareConfig
from dataengine.config.curate import Anonymise, CurateConfig
from dataengine.config.dataset import DatasetConfig, IngestConfig, LicenceConfig, PartConfig, WorldConfig
from dataengine.config.learning import EvaluateConfig, ModelConfig, TrainConfig
from dataengine.config.machine import AppConfig, ComputeConfig, Device
from dataengine.config.mining import Budget, BudgetUnit, LabelConfig, LoopConfig, MineConfig
from dataengine.config.root import Config

__all__ = [
    "Anonymise",
    "AppConfig",
    "Budget",
    "BudgetUnit",
    "CompareConfig",
    "ComputeConfig",
    "Config",
    "CurateConfig",
    "DatasetConfig",
    "Device",
    "EvaluateConfig",
    "IngestConfig",
    "LabelConfig",
    "LicenceConfig",
    "LoopConfig",
    "MineConfig",
    "ModelConfig",
    "PartConfig",
    "TrainConfig",
    "WorldConfig",
    "check",
]
