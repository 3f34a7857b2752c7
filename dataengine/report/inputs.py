"""What the frames are: their datasets and licences, what curation flagged, what was made unreadable."""

from __future__ import annotations

from collections import Counter

from dataengine import licences
from dataengine.report.data import Gathered
from dataengine.report.html import Markup, el
from dataengine.report.numbers import count, plural
from dataengine.report.tables import Column, table


def inputs(gathered: Gathered) -> Markup:
    """A table of datasets where there are several, and a table of what curation found, where it found any."""
    return Markup(_datasets(gathered) + _flags(gathered))


def _datasets(gathered: Gathered) -> Markup:
    frames = gathered.frames
    pairs = Counter(zip(frames["dataset"].to_pylist(), frames["licence"].to_pylist(), strict=True))
    if len(pairs) < 2:
        return Markup("")
    rows = [[name or "–", kind or "–", count(number)] for (name, kind), number in sorted(pairs.items())]
    strictest = licences.strictest(kind for _, kind in pairs if kind)
    titles = (Column("Dataset"), Column("Licence"), Column("Frames"))
    line = el(
        "p", "A model trained on all of them is bound by the strictest licence: ", el("b", strictest), "."
    )
    return Markup(table("Frames by dataset and licence", list(titles), rows) + line)


def _flags(gathered: Gathered) -> Markup:
    lake = gathered.workspace.lake
    flags = lake.read("quality", ["frame_id", "flag", "reason"]).to_pylist()
    example = {row["flag"]: f"{row['frame_id']}: {row['reason']}" for row in reversed(flags)}
    found = Counter(row["flag"] for row in flags)
    rows = [[name, count(number), example[name]] for name, number in sorted(found.items())]
    copies = lake.read("duplicates").to_pylist()
    for kind, number in sorted(Counter(row["kind"] for row in copies).items()):
        first = next(row for row in copies if row["kind"] == kind)
        rows.append(
            [
                f"near-duplicate by {kind}",
                count(number),
                f"{first['frame_id']} repeats {first['best_frame_id']}",
            ]
        )
    blurred = lake.read("blurred", ["num_regions"])["num_regions"].to_pylist()
    if blurred:
        rows.append(["anonymised", count(len(blurred)), plural(sum(blurred), "region") + " made unreadable"])
    if not rows:
        return Markup("")
    columns = [Column("Found"), Column("Frames"), Column("For example", words=True)]
    return table("What curation found; flagged frames stay in the workspace", columns, rows)
