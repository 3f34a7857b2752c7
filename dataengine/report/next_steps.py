"""What to do next: open the workspace in FiftyOne, look, decide, go on."""

from __future__ import annotations

import shlex

from dataengine.report.data import Gathered
from dataengine.report.html import Markup, el, section
from dataengine.report.reproduce import command, shell
from dataengine.report.summary import Comparison

Step = tuple[str | Markup, ...]

SEEDS_FOR_A_CLAIM = 5
"""Fewest seeds from which paired intervals may carry a claim."""


def next_steps(gathered: Gathered, comparison: Comparison | None) -> Markup:
    """The last section."""
    workspace = f"workspace={shlex.quote(str(gathered.workspace.root))}"
    steps = [
        (
            "Open the frames, labels and predictions in FiftyOne.",
            shell("dataengine", "app", workspace),
            "It serves on this machine alone; Ctrl-C stops it. Add app.browser=false on a server.",
        ),
        *_looking(gathered, comparison),
        (
            el(
                "p",
                "Decide. Tag frames that should never be labelled or trained on with ",
                el("code", "reject"),
                ", and correct boxes in the field ",
                el("code", "ground_truth"),
                ": the next cycle leaves out the first and trains on the second.",
            ),
        ),
        *_going_on(gathered, comparison, workspace),
    ]
    items = [el("li", [_part(part) for part in step]) for step in steps]
    return section("next", "What to do next", el("ol", items, class_="steps"))


def _part(part: str | Markup) -> Markup:
    return part if isinstance(part, Markup) else el("p", part)


def _looking(gathered: Gathered, comparison: Comparison | None) -> list[Step]:
    """Names of saved views as the App shows them; the arm stands in brackets."""
    if comparison is None:
        return []
    conditions = {value for pairs in gathered.conditions for value in pairs.values()}
    views = []
    for arm in reversed(comparison.arms):
        name = arm.runs[0].arm
        views += [f"mined in cycle {comparison.cycle} ({name})"] if comparison.cycle else []
        views.append(f"worst misses on val ({name})")
        views += [f"night misses ({name})"] if "night" in conditions else []
    names = el("ul", [el("li", el("b", view)) for view in (*views[:6], "clips as video")], class_="views")
    return [("Choose a saved view, in the menu at the top left of the App:", names)]


def _going_on(gathered: Gathered, comparison: Comparison | None, workspace: str) -> list[Step]:
    if comparison is None:
        return [("Run the loop.", shell("dataengine", "cycle", workspace))]
    record = comparison.arms[-1].runs[0]
    cycles = max(record.planned_cycles for record in gathered.records)
    steps: list[Step] = []
    if comparison.unfinished:
        finish = shell(command(gathered, record))
        steps.append(("Finish what stopped early: the same command continues where it was.", finish))
    more = shell(command(gathered, record, cycles=cycles + 1))
    steps.append(("Buy one more batch: more cycles continue the same runs.", more))
    if comparison.num_seeds < SEEDS_FOR_A_CLAIM:
        seeds = ",".join(str(seed) for seed in range(SEEDS_FOR_A_CLAIM))
        steps.append(
            (
                f"Repeat with other seeds: a claim wants at least {SEEDS_FOR_A_CLAIM}, paired. The second "
                "line puts them all on this page.",
                shell(command(gathered, record, seed=seeds) + "\n" + f"dataengine report {workspace}"),
            )
        )
    return steps
