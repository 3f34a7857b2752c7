"""The anonymiser by config, and what a wrong setting says."""

from __future__ import annotations

import pytest

from dataengine.config import Anonymise, ComputeConfig, CurateConfig
from dataengine.errors import ConfigError
from dataengine.privacy import anonymiser


def test_none_is_none():
    assert anonymiser(CurateConfig(), ComputeConfig()) is None


@pytest.mark.parametrize(
    ("mode", "remedy"), [(Anonymise.boxes, "or coco"), (Anonymise.egoblur, "ego_blur_face.jit")]
)
def test_weights_are_named_or_asked_for(mode: Anonymise, remedy: str):
    with pytest.raises(ConfigError) as caught:
        anonymiser(CurateConfig(anonymise=mode), ComputeConfig())
    message = str(caught.value)
    assert message.startswith(f"curate.anonymise={mode.value} needs curate.anonymise_weights: ")
    assert remedy in message
    assert "\n" not in message
