"""Templates of paths: what they may hold, and that they never lead out of the dataset."""

from __future__ import annotations

import pytest

from dataengine.adapters.lerobot.templates import PathTemplate
from dataengine.errors import InputError

V2 = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
FIELDS = ("episode_chunk", "episode_index", "video_key")


def test_a_template_is_filled_in_and_read_back():
    template = PathTemplate(V2, FIELDS, ("episode_index", "video_key"))
    path = template.format(episode_chunk=1, episode_index=1234, video_key="observation.images.top")
    assert path == "videos/chunk-001/observation.images.top/episode_001234.mp4"
    assert template.match(path) == {
        "episode_chunk": 1,
        "episode_index": 1234,
        "video_key": "observation.images.top",
    }


# paths that look alike and that the template does not give
OTHERS = [
    "videos/chunk-1/top/episode_001234.mp4",
    "videos/chunk-001/top/episode_1234.mp4",
    "videos/chunk-001/top/deep/episode_001234.mp4",
    "videos/chunk-001/top/episode_001234xmp4",
    "videos/chunk-001/top/episode_001234.mp4\n",
    "videos/chunk-001/top/episode_00123x.mp4",
    "x/videos/chunk-001/top/episode_001234.mp4",
]


@pytest.mark.parametrize("path", OTHERS)
def test_other_paths_do_not_match(path):
    assert PathTemplate(V2, FIELDS, ()).match(path) is None


def test_a_field_may_stand_twice_and_a_width_be_left_out():
    template = PathTemplate("v{episode_index}/{episode_index:03d}.mp4", FIELDS, ("episode_index",))
    assert template.format(episode_index=7) == "v7/007.mp4"
    assert template.match("v7/007.mp4") == {"episode_index": 7}
    assert template.match("v7/008.mp4") is None


HOSTILE = [
    ("../{episode_index}.mp4", "leads out"),
    ("/etc/{episode_index}.mp4", "leads out"),
    ("a/../../{episode_index}.mp4", "leads out"),
    ("a//{episode_index}.mp4", "leads out"),
    ("a\\..\\{episode_index}.mp4", "leads out"),
    ("./{episode_index}.mp4", "leads out"),
    ("a\0/{episode_index}.mp4", "leads out"),
    ("{episode_index.__class__}.mp4", "may be filled in"),
    ("{episode_index[0]}.mp4", "may be filled in"),
    ("{episode_index!r}.mp4", "may be filled in"),
    ("{episode_index:0999999999d}.mp4", "may be filled in"),
    ("{episode_index:{video_key}}.mp4", "may be filled in"),
    ("{video_key:9d}{episode_index}.mp4", "may be filled in"),
    ("{}.mp4", "may be filled in"),
    ("{other}.mp4", "may be filled in"),
    ("{episode_index", "malformed"),
    ("}{episode_index}", "malformed"),
    ("a.mp4", "lacks episode_index"),
    ("", "lacks episode_index"),
]


@pytest.mark.parametrize(("text", "reason"), HOSTILE)
def test_hostile_templates_are_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        PathTemplate(text, FIELDS, ("episode_index",))


@pytest.mark.parametrize("key", ["..", "../../../etc", "/etc", "", "a/../.."])
def test_values_do_not_lead_out_either(key):
    with pytest.raises(InputError, match="leads out"):
        PathTemplate("{video_key}/{episode_index}.mp4", FIELDS, ()).format(episode_index=0, video_key=key)
