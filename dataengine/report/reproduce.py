"""What it takes to do this again: command, settings, data, files not used, digests, versions."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from dataclasses import asdict
from enum import Enum
from typing import Any

from dataengine.config import Config
from dataengine.report.data import BASELINE, Gathered, RunRecord, flatten
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.inputs import inputs
from dataengine.report.numbers import count, plural
from dataengine.report.tables import Column, capped, table

GROUPS = ("dataset", "model", "mine", "label")
"""Config groups that are chosen by name."""

MAX_COMMANDS = 6
MAX_REASONS = 12
MAX_ROWS = 40


def reproduce(gathered: Gathered) -> Markup:
    """The section about settings, data and digests."""
    return section(
        "reproduce",
        "Settings and data",
        _commands(gathered),
        _data(gathered),
        _quarantine(gathered),
        _hashes(gathered),
        _versions(gathered),
        more("Every setting", _settings(gathered)),
    )


def shell(*words: str) -> Markup:
    """A command to copy."""
    return el("pre", el("code", " ".join(words)))


def command(gathered: Gathered, record: RunRecord, *, seed: str = "", cycles: int = 0) -> str:
    """The command line of a run: the groups it chose, and what differs from the defaults.

    Args:
        gathered: Whose workspace.
        record: The run.
        seed: Other seeds to sweep, e.g. ``0,1,2``; the run's own when empty.
        cycles: Another number of cycles; the run's own when 0.
    """
    settings = plain(record.settings)
    if cycles:
        settings["loop"] = {**(settings.get("loop") or {}), "cycles": cycles}
    chosen = {group: str((settings.get(group) or {}).get("name") or "") for group in GROUPS}
    chosen["mine"] = record.arm
    words = ["dataengine", "cycle", *(["-m"] if seed else []), f"workspace={gathered.workspace.root}"]
    words += [f"{group}={name}" for group, name in chosen.items() if name]
    words += [f"seed={seed or record.seed}", *overrides(settings)]
    return " ".join(shlex.quote(word) for word in words)


def overrides(settings: dict[str, Any]) -> list[str]:
    """Settings that differ from the defaults, as Hydra overrides; those of other kinds are left out."""
    defaults = flatten(plain(asdict(Config())))
    elsewhere = {"seed", "workspace", *(f"{group}.name" for group in GROUPS)}
    return [
        f"{name}={literal(value)}"
        for name, value in flatten(settings).items()
        if name in defaults
        and name not in elsewhere
        and not name.startswith("app.")
        and value != defaults[name]
    ]


def plain(value: Any) -> Any:
    """Enumerations as their values, so that settings compare with those read from YAML."""
    return json.loads(json.dumps(value, default=lambda e: e.value if isinstance(e, Enum) else str(e)))


def literal(value: Any) -> str:
    """A value as Hydra's override grammar reads it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(literal(item) for item in value) + "]"
    return str(value)


def _commands(gathered: Gathered) -> Markup:
    """One command per run; a baseline that another arm's command runs along is not repeated."""
    mined = [r for r in gathered.records if r.arm != BASELINE]
    along = {r.seed for r in mined if (r.settings.get("loop") or {}).get("baseline")}
    chosen = [r for r in gathered.records if r in mined or r.seed not in along]
    lines = [shell(command(gathered, record)) for record in chosen]
    kept, line = capped(lines, MAX_COMMANDS, "commands", "each run's config.yaml")
    title = "The command that makes this again" if len(lines) == 1 else "The commands that make this again"
    return Markup(el("h3", title) + Markup("".join(kept)) + (note(line) if line else ""))


def _data(gathered: Gathered) -> Markup:
    frames = gathered.frames
    rows = zip(*(frames[name].to_pylist() for name in ("split", "clip_id", "drive_id")), strict=True)
    found: dict[str, tuple[int, set[str], set[str]]] = {}
    for split, clip, drive in rows:
        number, clips, drives = found.get(split, (0, set(), set()))
        clips.add(clip)
        drives.add(drive)
        found[split] = (number + 1, clips, drives)
    body = [
        [split or "no split", count(number), count(len(clips)), count(len(drives)), _objects(gathered, split)]
        for split, (number, clips, drives) in sorted(found.items())
    ]
    card = gathered.workspace.card
    fingerprint = _digest(gathered.workspace.fingerprint)
    about = el("p", f"{card.title}. Licence: {card.licence}. Data fingerprint ", fingerprint, ".")
    titles = ("Split", "Frames", "Clips", "Drives", "Objects judged")
    splits = table("Frames of each split", [Column(t) for t in titles], body)
    return Markup(el("h3", "Data") + about + splits + inputs(gathered))


def _objects(gathered: Gathered, split: str) -> str:
    for record in gathered.records:
        value = record.values.get((record.cycles[-1], split, "all", "num_objects"))
        if value is not None:
            return count(value)
    return "–"


def _quarantine(gathered: Gathered) -> Markup:
    entries = gathered.quarantine
    if not entries:
        return note("Every input file was used: the quarantine is empty.")
    kinds = [(str(e.get("status", "")), str(e.get("reason", ""))) for e in entries]
    example = {kind: str(e.get("path", "")) for kind, e in reversed(list(zip(kinds, entries, strict=True)))}
    ranked = sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0]))
    kept, line = capped(ranked, MAX_REASONS, "reasons", "quarantine.jsonl")
    rows = [[status, count(number), reason, example[status, reason]] for (status, reason), number in kept]
    columns = [Column("Status"), Column("Files"), *(Column(t, words=True) for t in ("Reason", "For example"))]
    caption = f"{plural(len(entries), 'input file')} not used"
    return table(caption, columns, rows, left_out=line)


def _digest(value: Any) -> Markup:
    text = str(value or "–")
    return el("code", text[:12], title=text)


def _hashes(gathered: Gathered) -> Markup:
    names = ("config_hash", "data_fingerprint", "selection_sha256", "labels_sha256", "weights_sha256")
    titles = ("Settings", "Data", "Selection", "Labels", "Weights")
    rows = [
        [f"{record.run_id} · cycle {cycle}", *(_digest(record.manifests[cycle].get(name)) for name in names)]
        for record in gathered.records
        for cycle in record.cycles
    ]
    kept, line = capped(rows, MAX_ROWS, "rows", "each cycle's manifest.json")
    columns = [Column("Run and cycle"), *(Column(title, words=True) for title in titles)]
    hint = line or "The first twelve characters; the whole digests are in each cycle's manifest.json."
    return Markup(el("h3", "Digests") + table("SHA-256 digests of every cycle", columns, kept, left_out=hint))


def _versions(gathered: Gathered) -> Markup:
    found: dict[str, list[str]] = {}
    for record in gathered.records:
        for cycle in record.cycles:
            for name, version in (record.manifests[cycle].get("versions") or {}).items():
                versions = found.setdefault(str(name), [])
                if str(version) not in versions:
                    versions.append(str(version))
    if not found:
        return note("The manifests name no software versions.")
    items = [el("span", el("b", name), " ", ", ".join(versions)) for name, versions in sorted(found.items())]
    return Markup(el("h3", "Software") + el("p", items, class_="versions"))


def _settings(gathered: Gathered) -> Markup:
    flats = [flatten(plain(record.settings)) for record in gathered.records]
    names = list(dict.fromkeys(name for flat in flats for name in flat))
    differ = [name for name in names if len({str(flat.get(name)) for flat in flats}) > 1]
    rows = []
    for name in [*differ, *(n for n in names if n not in differ)]:
        values = list(dict.fromkeys("–" if name not in flat else literal(flat[name]) for flat in flats))
        shown = ", ".join(values[:6]) + (f" and {len(values) - 6} more" if len(values) > 6 else "")
        rows.append([el("code", name), shown])
    caption = "Settings of the runs; those that differ between runs come first"
    return table(caption, [Column("Setting"), Column("Value", words=True)], rows)
