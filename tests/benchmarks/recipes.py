"""Training recipes against one another on val: ``python -m tests.benchmarks.recipes --world W [W ...]``.

W is a workspace with a finished first cycle; it is only read. A recipe is trained on its seed set, or with
``--frames`` on that and random frames of the pool up to a number, and judged on **val**, never on a test
split. One CSV line for each world, number of frames, recipe and seed goes to ``--out``; lines that are there
are not made again, and a fit that was killed goes on.

A recipe is a name of ``RECIPES`` or settings of ``train``: ``steps=1500+copy_paste=0.3``. ``pseudo`` among
them adds pseudo-labels of the first cycle's model, and ``start=finetune`` goes on from its weights.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataengine import evaluate, learn, pooling
from dataengine.config import ComputeConfig, Device, EvaluateConfig, ModelConfig, TrainConfig
from dataengine.errors import ConfigError
from dataengine.frameboxes import FrameBoxes
from dataengine.lake import read_parquet
from dataengine.learn.pseudo import PseudoFrames
from dataengine.schema import POOL, VAL
from dataengine.streams import Streams
from dataengine.workspace import Run, Workspace

RECIPES: Mapping[str, str] = {
    "base": "",
    "steps1000": "steps=1000",
    "steps1500": "steps=1500",
    "steps2000": "steps=2000",
    "copy_paste": "copy_paste=0.5",
    "balanced": "class_weight=balanced",
    "repeat0": "repeat_threshold=0",
    "repeat3": "repeat_threshold=0.3",
    "finetune": "start=finetune",
    "shrink": "start=finetune+shrink=0.5",
    "pseudo": "pseudo",
}
COMPUTE = ComputeConfig(device=Device.cpu, threads=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One recipe on one set of labels of one world."""

    world: Path
    frames: str
    recipe: str
    seed: int
    steps: int

    @property
    def key(self) -> dict[str, str]:
        """The columns that tell it from the others."""
        return {
            "world": self.world.name,
            "frames": self.frames,
            "recipe": self.recipe,
            "seed": str(self.seed),
            "steps": str(self.settings()[0].steps),
        }

    def settings(self) -> tuple[TrainConfig, bool]:
        """The settings of the recipe, and whether it learns from pseudo-labels."""
        parts = [part for part in RECIPES.get(self.recipe, self.recipe).split("+") if part]
        values: dict[str, Any] = {"steps": self.steps}
        known = {field.name: type(field.default) for field in dataclasses.fields(TrainConfig)}
        for name, _, value in (part.partition("=") for part in parts if part != "pseudo"):
            if name not in known:
                raise ConfigError(
                    f"recipe '{self.recipe}': train.{name} is no setting; name {', '.join(RECIPES)}"
                )
            values[name] = known[name](value)
        return TrainConfig(**values), "pseudo" in parts


def run(trial: Trial, folder: Path) -> dict[str, str]:
    """Train and judge one recipe; returns its line."""
    workspace = Workspace.open(trial.world)
    start = workspace.runs()[0]
    model = ModelConfig(**start.settings["model"])
    labels = labelled(workspace, start, trial)
    train, with_pseudo = trial.settings()
    began = time.perf_counter()
    fitted = learn.fit(
        paths(workspace, labels),
        labels,
        taxonomy=workspace.taxonomy,
        model=model,
        train=train,
        compute=COMPUTE,
        streams=Streams(trial.seed),
        folder=folder,
        label=" ".join(trial.key.values()),
        previous=start.cycle(0) / "model.safetensors",
        pseudo=pseudo_frames(workspace, start, train, labels) if with_pseudo else None,
    )
    figures = judge(workspace, fitted.checkpoint, model)
    spent = {"images_per_s": fitted.images_per_s, "minutes": (time.perf_counter() - began) / 60}
    return {**trial.key, **{name: f"{value:.4f}" for name, value in (figures | spent).items()}}


def labelled(workspace: Workspace, start: Run, trial: Trial) -> FrameBoxes:
    """The seed set, and random frames of the pool up to the wanted number."""
    seed_set = FrameBoxes.from_table(read_parquet(start.cycle(0) / "labels.parquet"))
    if trial.frames == "seed":
        return seed_set
    ids = sorted(set(workspace.frames(POOL)["frame_id"].to_pylist()) - set(seed_set.frame_ids))
    more = Streams(trial.seed).generator("recipes").permutation(len(ids))
    wanted = max(int(trial.frames) - seed_set.num_frames, 0)
    chosen = [*seed_set.frame_ids, *(ids[number] for number in more[:wanted])]
    return workspace.lake.truth(sorted(chosen))


def paths(workspace: Workspace, labels: FrameBoxes) -> list[Path]:
    """The images of labelled frames."""
    frames = workspace.frames()
    of_id = dict(zip(frames["frame_id"].to_pylist(), workspace.image_paths(frames), strict=True))
    return [of_id[frame_id] for frame_id in labels.frame_ids]


def pseudo_frames(workspace: Workspace, start: Run, train: TrainConfig, labels: FrameBoxes) -> PseudoFrames:
    """What the first cycle's model is sure to see in the rest of the pool."""
    found = pooling.pseudo_labels(workspace, start, train, 1, set(labels.frame_ids))
    return PseudoFrames(images=paths(workspace, found), labels=found)


def judge(workspace: Workspace, checkpoint: Path, model: ModelConfig) -> dict[str, float]:
    """Figures on val: AP50 and mAP of all classes and of the tail, and AP50 of each class."""
    frames = workspace.frames(VAL)
    ids = frames["frame_id"].to_pylist()
    found = learn.predict(
        workspace.image_paths(frames),
        ids,
        checkpoint=checkpoint,
        taxonomy=workspace.taxonomy,
        model=model,
        compute=COMPUTE,
    )
    result = evaluate.evaluate(
        workspace.lake.truth(ids),
        found.boxes,
        frames,
        taxonomy=workspace.taxonomy,
        config=EvaluateConfig(bootstrap=0),
        split=VAL,
        rng=Streams(0).generator("recipes"),
    )
    named = [
        ("tail", "tail"),
        ("all", "all"),
        *((name, f"class:{name}") for name in workspace.taxonomy.classes),
    ]
    return {f"{name}_ap50": result.value(part, "ap50") for name, part in named} | {
        f"{name}_map": result.value(name, "map50_95") for name in ("tail", "all")
    }


def main(arguments: list[str]) -> None:
    """Every trial that has no line yet, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.recipes", description=__doc__)
    parser.add_argument("--world", type=Path, nargs="+", required=True, help="workspaces with a first cycle")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), help="names, or settings of train")
    parser.add_argument("--frames", nargs="+", default=["seed"], help="seed, or a number of frames")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=600, help="of recipes that name none")
    parser.add_argument(
        "--out", type=Path, default=Path("recipes"), help="folder of recipes.csv and the models"
    )
    options = parser.parse_args(arguments)
    table = options.out / "recipes.csv"
    options.out.mkdir(parents=True, exist_ok=True)
    for world in options.world:
        for frames in options.frames:
            for seed in options.seeds:
                for recipe in options.recipes:
                    trial = Trial(world=world, frames=frames, recipe=recipe, seed=seed, steps=options.steps)
                    if not any(trial.key.items() <= row.items() for row in rows_of(table)):
                        add(table, run(trial, options.out / "-".join(trial.key.values())))


def rows_of(table: Path) -> list[dict[str, str]]:
    """The lines that are there."""
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def add(table: Path, row: dict[str, str]) -> None:
    """Append one line to the file and print it; the first names the columns."""
    lines = [row] if table.exists() else [dict.fromkeys(row), row]
    with table.open("a", encoding="utf-8", newline="") as handle:
        for target in (handle, sys.stdout):
            writer = csv.DictWriter(target, list(row))
            for line in lines:
                writer.writeheader() if line is not row else writer.writerow(line)
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
