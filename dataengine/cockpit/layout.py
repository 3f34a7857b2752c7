"""How the App looks: colours, the groups of the sidebar, what is switched on, the saved workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dataengine.cockpit.columns import condition_fields
from dataengine.cockpit.curation import CURATED_PATHS, signal_fields
from dataengine.cockpit.decisions import DIGEST, TRUTH
from dataengine.cockpit.facts import Facts
from dataengine.cockpit.ownership import Ownership
from dataengine.cockpit.projection import MAP
from dataengine.schema import IGNORE

WORKSPACE = "curation"
"""Name of the saved layout of panels."""
CLASS_COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2", "#BBBBBB")
"""Distinct for colour-blind people: Okabe and Ito, "Color Universal Design" (2008), and a grey."""
MISTAKE_COLOURS = {
    "hit": "#FFFFFF",
    "false_alarm": "#FF2D2D",
    "swapped_class": "#FF4DFF",
    "bad_location": "#FF9500",
}
"""Colours of predictions, none of which is a class's."""
_IGNORE_COLOUR = "#777777"


def apply(dataset: Any, facts: Facts, ours: Ownership) -> None:
    """Lay out the App, wherever a person has not laid it out otherwise."""
    import fiftyone as fo

    config, plain = dataset.app_config, fo.DatasetAppConfig()
    wanted: dict[str, Any] = {
        "color_scheme": _colours(fo, facts),
        "sidebar_groups": [
            fo.SidebarGroupDocument(name=name, paths=paths, expanded=name not in _FOLDED)
            for name, paths in sidebar(dataset, facts).items()
        ],
        "dynamic_groups_target_frame_rate": frame_rate(facts),
    }
    if hasattr(fo, "ActiveFields"):
        wanted["active_fields"] = fo.ActiveFields(exclude=False, paths=_active(facts))
    written = []
    for name, value in wanted.items():
        if ours.may_set(name, _plain(getattr(config, name, None)), _plain(getattr(plain, name, None))):
            setattr(config, name, value)
            written.append(name)
    dataset.save()
    dataset.reload()
    for name in written:
        ours.note(name, _plain(getattr(dataset.app_config, name)))
    _save_workspace(fo, dataset, ours)
    _offer_annotation(dataset, facts)


_FOLDED = ("telemetry", "quality", "metadata")


def sidebar(dataset: Any, facts: Facts) -> dict[str, list[str]]:
    """Group -> field paths, in the order of the job; fields of a person's own come last."""
    arms, have = facts.arms, dataset.get_field_schema()
    groups = {
        "tags": ["tags", "_label_tags"],
        "labels": [
            TRUTH,
            *(a.predictions_field(cycle) for a in reversed(arms) for cycle in a.predicted[::-1]),
        ],
        "mining": ["status", *(f"{a.pick_field}.{part}" for a in reversed(arms) for part in _PICK_ORDER)],
        "errors": [
            f"{a.errors_field}.{part}" for a in reversed(arms) if a.predicted for part in _ERROR_ORDER
        ],
        "conditions": list(condition_fields(facts).values()),
        "clip": ["split", "clip_id", "drive_id", "frame_number", "frame_id", "dataset", "licence"],
        "telemetry": ["time_s", *SIGNALS, *signal_fields(facts).values()],
        "quality": [
            *(path for path in CURATED_PATHS if path.split(".")[0] in have),
            "sharpness",
            "brightness",
        ],
        "metadata": [
            "id",
            "filepath",
            *(f"metadata.{part}" for part in _METADATA),
            DIGEST,
            "created_at",
            "last_modified_at",
        ],
    }
    listed = {path.split(".")[0] for paths in groups.values() for path in paths}
    others = [name for name in have if name not in listed]
    return {name: paths for name, paths in {**groups, "other": others}.items() if paths}


SIGNALS = ("speed_mps", "yaw_rate_radps", "acceleration_mps2")
_METADATA = ("width", "height", "num_channels", "size_bytes", "mime_type")
_PICK_ORDER = ("cycle", "trigger", "reason", "rank", "score")
_ERROR_ORDER = ("missed", "false_alarm", "swapped_class", "bad_location", "hits")


def frame_rate(facts: Facts) -> int:
    """Frames per second at which the median clip plays in real time, 1..30."""
    clips = facts.frames["clip_id"].to_numpy(zero_copy_only=False)
    steps = np.diff(facts.frames["time_s"].to_numpy(zero_copy_only=False))
    inside = steps[(clips[1:] == clips[:-1]) & (steps > 0)]
    return int(np.clip(round(1 / float(np.median(inside))), 1, 30)) if len(inside) else 10


def _active(facts: Facts) -> list[str]:
    """What is drawn on the tiles at first: the truth, and the newest predictions of the primary arm."""
    arm = facts.primary
    newest = [arm.predictions_field(arm.predicted[-1])] if arm and arm.predicted else []
    return [TRUTH, *newest]


def _colours(fo: Any, facts: Facts) -> Any:
    """True boxes by class, predictions by the mistake that they are: the two are told apart at a glance."""
    of_class = [
        {"value": name, "color": CLASS_COLOURS[number % len(CLASS_COLOURS)]}
        for number, name in enumerate(facts.classes)
    ]
    of_class.append({"value": IGNORE, "color": _IGNORE_COLOUR})
    of_mistake = [{"value": name, "color": colour} for name, colour in MISTAKE_COLOURS.items()]
    predictions = [arm.predictions_field(cycle) for arm in facts.arms for cycle in arm.predicted]
    return fo.ColorScheme(
        color_by="value",
        color_pool=list(CLASS_COLOURS),
        fields=[
            {"path": TRUTH, "colorByAttribute": "label", "valueColors": of_class},
            *(
                {"path": path, "colorByAttribute": "mistake", "valueColors": of_mistake}
                for path in predictions
            ),
        ],
    )


def _save_workspace(fo: Any, dataset: Any, ours: Ownership) -> None:
    """Samples on the left; how many frames there are of what, and the map, on the right."""
    panels = [fo.Panel(type="Histograms", state={"path": "status"})]
    if dataset.has_brain_run(MAP):
        panels.append(fo.Panel(type="Embeddings", state={"brainResult": MAP, "colorByField": "status"}))
    samples, *sides = (_front(fo, panel) for panel in (fo.Panel(type="Samples", pinned=True), *panels))
    side = fo.Space(children=sides, orientation="vertical") if len(sides) > 1 else sides[0]
    space = fo.Space(children=[samples, side], orientation="horizontal", sizes=[0.64, 0.36])
    current = _workspace_types(dataset)
    if current is not None and not ours.may_set("workspace", current, None):
        return
    dataset.save_workspace(
        WORKSPACE,
        space,
        description="samples, the map of frames by embedding, and histograms",
        color="#0072B2",
        overwrite=True,
    )
    ours.note("workspace", _workspace_types(dataset))


def _front(fo: Any, panel: Any) -> Any:
    """A space with one panel; it shows nothing until it is told which of its panels is in front."""
    return fo.Space(children=[panel], active_child=panel.component_id)


def _workspace_types(dataset: Any) -> Any:
    """The saved layout without its random component ids; ``None`` where there is none."""
    if WORKSPACE not in dataset.list_workspaces():
        return None

    def strip(node: Mapping[str, Any]) -> dict[str, Any]:
        kept = {key: node.get(key) for key in ("type", "orientation", "sizes", "state", "pinned")}
        return {**kept, "children": [strip(child) for child in node.get("children") or ()]}

    return strip(dataset.load_workspace(WORKSPACE).to_dict())


def _offer_annotation(dataset: Any, facts: Facts) -> None:
    """Let people correct true boxes in the App, with the classes of this workspace to choose from."""
    if not hasattr(dataset, "set_label_schemas") or TRUTH in (dataset.label_schemas or {}):
        return
    schema = dataset.generate_label_schemas([TRUTH], scan_samples=False)
    schema = schema.get(TRUTH, schema)
    schema |= {"classes": [*facts.classes, IGNORE], "component": "dropdown"}
    dataset.update_label_schema(TRUTH, schema)
    dataset.activate_label_schemas([TRUTH])


def _plain(value: Any) -> Any:
    """A setting as plain data."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value
