"""Saved views: the questions that are worth a click after every cycle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataengine import files
from dataengine.cockpit.columns import condition_fields
from dataengine.cockpit.curation import DUPLICATE, QUALITY
from dataengine.cockpit.facts import LABELLED, REJECT, Arm, Facts
from dataengine.cockpit.ownership import Ownership
from dataengine.schema import VAL

CLIPS = "clips as video"
NIGHT = "night"
_COLOURS = {"mined": "#0072B2", "errors": "#D55E00", "frames": "#009E73", "video": "#CC79A7"}
_MAX_CONDITIONS = 4
_VERSION = 1
"""Raise it when a view of the same name and description is to ask something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """One question.

    Attributes:
        name: What a person reads in the App.
        view: The FiftyOne view that answers it.
        description: One line.
        kind: Key of its colour.
    """

    name: str
    view: Any
    description: str
    kind: str


def save(dataset: Any, facts: Facts, ours: Ownership) -> None:
    """Save the views that are new, and remove those of earlier syncs that have lost their subject.

    A person's own view of the same name stays, and ours takes another name. Views are questions, not
    lists of frames: one that is there already needs no rewriting.
    """
    present = set(dataset.list_saved_views())
    theirs = present - set(ours.views)
    saved = {}
    for item in wanted(dataset, facts):
        name = f"{item.name} (dataengine)" if item.name in theirs else item.name
        saved[name] = files.digest([_VERSION, item.name, item.description])
        if name not in present or ours.views.get(name) != saved[name]:
            dataset.save_view(
                name, item.view, description=item.description, color=_COLOURS[item.kind], overwrite=True
            )
    for name in set(ours.views) & present - set(saved):
        dataset.delete_saved_view(name)
    ours.views = saved


def wanted(dataset: Any, facts: Facts) -> Iterator[SavedView]:
    """The views that have something to show."""
    for arm in reversed(facts.arms):
        yield from _mined(dataset, arm)
        if arm.predicted:
            yield from _errors(dataset, facts, arm)
    yield _clips(dataset, facts)
    yield SavedView(
        name="labelled frames",
        view=dataset.match_tags(LABELLED),
        description="every frame whose labels were bought",
        kind="frames",
    )
    yield SavedView(
        name="rejected frames",
        view=dataset.match_tags(REJECT),
        description=f"frames tagged `{REJECT}`: the next cycle leaves them out",
        kind="frames",
    )
    yield from _curated(dataset, facts)
    yield SavedView(
        name="blurriest frames",
        view=dataset.sort_by("sharpness").limit(200),
        description="the 200 frames of least sharpness",
        kind="frames",
    )


def _curated(dataset: Any, facts: Facts) -> Iterator[SavedView]:
    """What curation flagged, where it flagged anything."""
    from fiftyone import ViewField as F

    lake = facts.workspace.lake
    if lake.parts("quality"):
        yield SavedView(
            name="flagged frames",
            view=dataset.match(F(f"{QUALITY}.flags") != None).sort_by("frame_id"),  # noqa: E711
            description=f"dark, bright, blurred, frozen or blocked; {QUALITY}.reason says why",
            kind="frames",
        )
    if lake.parts("duplicates"):
        yield SavedView(
            name="near-duplicates",
            view=dataset.match(F(f"{DUPLICATE}.of") != None).sort_by(f"{DUPLICATE}.of"),  # noqa: E711
            description=f"frames that repeat another, which {DUPLICATE}.of names",
            kind="frames",
        )


def highlights(dataset: Any, limit: int = 4) -> list[str]:
    """Names of the saved views worth opening first: what was mined last, the worst misses, the video."""
    names = list(dataset.list_saved_views())
    mined = [name for name in names if name.startswith("mined in cycle")]
    newest = max(mined, key=lambda name: int(name.split()[3]), default=None)
    found = (
        ([newest] if newest else [])
        + [name for name in names if "misses" in name][:2]
        + [n for n in names if n == CLIPS]
    )
    return found[:limit]


def _mined(dataset: Any, arm: Arm) -> Iterator[SavedView]:
    from fiftyone import ViewField as F

    for cycle in arm.picked:
        yield SavedView(
            name=f"mined in cycle {cycle} ({arm.name})" if cycle else f"seed set ({arm.name})",
            view=dataset.match(F(f"{arm.pick_field}.cycle") == cycle).sort_by(f"{arm.pick_field}.rank"),
            description=f"what {arm.name} bought, best first; {arm.pick_field}.reason says why"
            if cycle
            else "labelled before cycle 1, drawn at random",
            kind="mined",
        )


def _errors(dataset: Any, facts: Facts, arm: Arm) -> Iterator[SavedView]:
    from fiftyone import ViewField as F

    last = f"of {arm.name} after cycle {arm.predicted[-1]}"

    def worst(name: str, count: str, what: str, scope: Any) -> SavedView:
        field = f"{arm.errors_field}.{count}"
        view = scope.match(F(field) > 0).sort_by(field, reverse=True)
        return SavedView(name=f"{name} ({arm.name})", view=view, description=f"{what} {last}", kind="errors")

    val = dataset.match(F("split") == VAL)
    yield worst("worst misses on val", "missed", "frames of val with most missed objects", val)
    for field, value in _hard_conditions(facts):
        scope = dataset.match(F(field) == value)
        yield worst(f"{value} misses", "missed", f"frames of {field} {value} with missed objects", scope)
    yield worst("false alarms on val", "false_alarm", "frames of val with most false alarms", val)
    yield worst("swapped classes on val", "swapped_class", "frames of val with swapped classes", val)


def _hard_conditions(facts: Facts) -> list[tuple[str, str]]:
    """Field and value of night and of the conditions that the card declares rare, where frames have them."""
    fields = condition_fields(facts)
    present = {pair for pairs in facts.frames["conditions"].to_pylist() for pair in pairs or ()}
    rare = {
        (name, value)
        for name, values in facts.workspace.taxonomy.tail_conditions.items()
        for value in values
        if (name, value) in present
    }
    nights = {(name, value) for name, value in present if value == NIGHT}
    return [(fields[name], value) for name, value in [*sorted(nights), *sorted(rare - nights)]][
        :_MAX_CONDITIONS
    ]


def _clips(dataset: Any, facts: Facts) -> SavedView:
    """Frames grouped by clip in time order; the App plays such groups as video."""
    clips = facts.frames.group_by("clip_id").aggregate([("frame_number", "min")])
    first = set(clips["frame_number_min"].to_pylist())
    # With one first number for all clips, FiftyOne finds the groups by index instead of sorting all frames.
    key = {"order_by_key": first.pop()} if len(first) == 1 else {}
    return SavedView(
        name=CLIPS,
        view=dataset.group_by("clip_id", order_by="frame_number", **key),
        description="one tile a clip, frames in time order; open it to play it",
        kind="video",
    )
