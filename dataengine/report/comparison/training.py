"""How much of a gain is the trainer's: what mining and training bring, alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dataengine.compare.curves import AREA_CYCLE
from dataengine.mine import PLAIN, PSEUDO
from dataengine.report.comparison.forest import Row, forest
from dataengine.report.comparison.view import FIGURES, View, estimate_of
from dataengine.report.html import Markup, el, note, section
from dataengine.report.numbers import Estimate, signed

ADDED: Mapping[str, str] = MappingProxyType(
    {PLAIN: "favouring rare classes in training", PSEUDO: "pseudo-labels"}
)
"""What the greater of the two trainers adds."""


def training(view: View) -> Markup:
    """The section."""
    title = "Mining and training"
    base = view.baseline.name
    pairs = _pairs(view)
    if not pairs:
        line = (
            f"How much of a gain is the trainer's was not measured. {base}+plain and, say, auto+plain do not "
            f"favour rare classes in training; {base}+pseudo and auto+pseudo train with pseudo-labels."
        )
        return section("training", title, note(line))
    words = el(
        "p",
        f"Better frames raise the curve, and so does a trainer that makes more of them. {base} and an arm "
        "were each trained in another way too, on the frames that they bought. Each bar is the difference "
        f"between two of these four, seed by seed, with its {view.comparison.confidence:.0%} interval: of "
        "frames (mining, with and without the better trainer), of trainers (on the frames of one miner), or "
        "of both at once.",
    )
    return section("training", title, words, [_pair(view, arm, trainer) for arm, trainer in pairs])


def _pairs(view: View) -> list[tuple[str, str]]:
    """Arms and trainers that were measured, as the arms stand on the page."""
    rows = view.table("trainers").select(["arm", "trainer"]).to_pylist()
    known = {(row["arm"], row["trainer"]) for row in rows}
    return [(arm.name, trainer) for trainer in ADDED for arm in view.rivals if (arm.name, trainer) in known]


def _pair(view: View, arm: str, trainer: str) -> Markup:
    """What the tail's gains come to in words, and a panel for each leading figure on each test."""
    panels = []
    for part, metric, name in FIGURES[:2]:
        for split in view.splits:
            told, cycle = _parts(view, arm, trainer, (split, part, metric))
            if not told:
                continue
            drawn = forest(
                _rows(view.baseline.name, arm, told),
                f"{name}: what {arm} and {ADDED[trainer]} gain",
                label="◂ loss · gain ▸",
            )
            caption = el("figcaption", el("b", name), f" after cycle {cycle}, {view.split_title(split)}")
            panels.append(el("figure", caption, drawn, class_="panel"))
    head = el("h3", f"{arm} and {ADDED[trainer]}")
    return el("div", head, el("p", _in_words(view, arm, trainer)), el("div", panels, class_="panels"))


def _in_words(view: View, arm: str, trainer: str) -> str:
    """The gain of both and of each alone, a sentence a test."""
    part, metric, name = FIGURES[0]
    sentences = []
    for split in view.splits:
        told, _ = _parts(view, arm, trainer, (split, part, metric))
        if told:
            whole, trained, mined = (
                signed(told[key].value) for key in ("both", "training_baseline", "mining_lesser")
            )
            sentences.append(
                f"On the {view.split_title(split)} the two together gain {whole} {name}: {ADDED[trainer]} "
                f"alone {trained}, {arm} alone {mined}."
            )
    return " ".join(sentences)


def _parts(
    view: View, arm: str, trainer: str, figure: tuple[str, str, str]
) -> tuple[Mapping[str, Estimate], int]:
    """The parts of one figure after the last cycle that was measured, and which it is."""
    rows = [
        row
        for row in view.rows("trainers", *figure)
        if (row["arm"], row["trainer"]) == (arm, trainer) and row["cycle"] != AREA_CYCLE
    ]
    last = max((row["cycle"] for row in rows), default=0)
    return {row["part"]: estimate_of(row) for row in rows if row["cycle"] == last}, last


def _rows(base: str, arm: str, told: Mapping[str, Estimate]) -> list[Row]:
    names = {
        "mining_lesser": "mining, without",
        "mining_greater": "mining, with",
        "training_baseline": f"training, {base}",
        "training_arm": f"training, {arm}",
        "both": "both",
    }
    return [Row.of(name, told[part]) for part, name in names.items()]
