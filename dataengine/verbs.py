"""What each verb does, from a checked ``Config``: callable from Python and notebooks without Hydra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataengine import licences
from dataengine import workspace as workspaces
from dataengine.config import Config
from dataengine.errors import ConfigError, LabelsNeededError, UserError
from dataengine.progress import say
from dataengine.workspace import Run, Workspace

if TYPE_CHECKING:
    from dataengine.compare.tables import Comparison


def run(verb: str, config: Config) -> None:
    """Run one verb; raises ``UserError`` for what the user can mend."""
    _VERBS[verb](config)


def workspace_folder(config: Config) -> Path:
    """Where the workspace is."""
    return Path(config.workspace) if config.workspace else Path("work") / config.dataset.name


def cycle(config: Config) -> list[Run]:
    """The whole loop, the report and the FiftyOne dataset; returns the runs."""
    from dataengine import cockpit, cycle, report
    from dataengine.arm import checked

    for name in cycle.arms(config):
        checked(name, config)
    with workspaces.lock(workspace_folder(config)):
        workspace = _ingest(config)
        try:
            runs = cycle.run(workspace, config)
        except LabelsNeededError:
            if config.loop.fiftyone:  # the recordings are worth a look meanwhile
                cockpit.sync(workspace, cycle.latest_runs(workspace))
            raise
        together = cycle.latest_runs(workspace)  # other seeds and arms of the same settings too
        say(f"report: {report.build(workspace, together)}")
        if config.loop.fiftyone:
            name = cockpit.sync(workspace, together)
            say(f"FiftyOne dataset: {name}; open it with `dataengine app workspace={workspace.root}`")
    return runs


def compare(config: Config) -> Comparison:
    """Arms x seeds on one dataset, the statistics and their report.

    A comparison that was stopped goes on with the same command. Arms or seeds that another command adds with
    the same settings join what is there.
    """
    from dataengine.compare import plan as plans
    from dataengine.compare import running, settings

    plan = plans.build(config, compare_folder(config))
    if Workspace.exists(plan.folder):
        raise ConfigError(
            f"{plan.folder} is a workspace; a comparison keeps its own below its folder: choose another "
            "workspace=PATH"
        )
    with running.locked(plan):
        running.prepare(plan, _ingest)
        together = settings.remember(plan.folder, config)
        running.run(plan)
        return _concluded(together, plan.folder)


def compare_folder(config: Config) -> Path:
    """Where a comparison is."""
    return Path(config.workspace) if config.workspace else Path("work") / f"compare-{config.dataset.name}"


def _concluded(config: Config, folder: Path) -> Comparison:
    """The comparison from the runs on disk, written as tables and as a page."""
    from dataengine import forecast
    from dataengine.compare import export, gather, statistics
    from dataengine.report.comparison import build
    from dataengine.report.comparison.reproduce import command

    found = gather.gather(config, folder)
    comparison = statistics.analyse(
        found.cells,
        found.replicates,
        found.picks,
        config=config,
        taxonomy=found.taxonomy,
        forecasts=forecast.backtest(found.cells),
        name=folder.resolve().name,
    )
    if len(comparison.arms) < 2:
        raise UserError(f"{folder}: no arm but {config.compare.baseline} has bought anything; see its runs")
    export.write(comparison, folder, command=command(comparison.settings))
    page = build(comparison, folder / "report" / "index.html")
    say(comparison.headline)
    say(f"report: {page}")
    return comparison


def ingest(config: Config) -> Workspace:
    """Recordings into the workspace, split and checked for leaks."""
    with workspaces.lock(workspace_folder(config)):
        return _ingest(config)


def _ingest(config: Config) -> Workspace:
    from dataengine import ingest, label, privacy

    folder = workspace_folder(config)
    if config.dataset.root is None and Workspace.exists(folder):
        source = Workspace.open(folder).source_root
        config.dataset.root = str(source) if source is not None else None
    workspace, _ = ingest.ingest(config, folder)
    if config.dataset.labels is not None:
        number = label.take_answers(workspace, Path(config.dataset.labels))
        say(f"labels: {number} frames from {config.dataset.labels}" if number else "labels: nothing new")
    if blurred := privacy.summary_line(workspace.lake.read("blurred")):
        say(blurred)
    _check_licences(workspace, config)
    _curate(workspace, config)
    return workspace


def _check_licences(workspace: Workspace, config: Config) -> None:
    """Refuse what ``licence.allow`` forbids, and say what binds a model that is trained on these frames."""
    present: Counter[str] = Counter()
    for part in workspace.lake.scan("frames", ["licence"]):
        counted = part["licence"].value_counts().to_pylist()
        present.update({row["values"]: row["counts"] for row in counted})
    licences.check(present, config.licence.allow)
    if len(present) > 1 or licences.strictest(present) not in ("public_domain", "permissive"):
        say(licences.line(present))


def curate(config: Config) -> None:
    """Split, flag and check what the workspace holds."""
    with workspaces.lock(_existing(config).root):
        _curate(_existing(config), config, refresh=True)


def _curate(workspace: Workspace, config: Config, *, refresh: bool = False) -> None:
    from dataengine import curate

    curate.curate(
        workspace,
        config.curate,
        config.dataset,
        compute=config.compute,
        keep_unlabelled=config.label.name == "request",
        refresh=refresh,
    )


def _stage(*stages: str) -> Callable[[Config], None]:
    """A verb that runs the given stages where ``mine.name``'s run stands."""

    def verb(config: Config) -> None:
        from dataengine import cycle
        from dataengine.arm import Arm, checked

        checked(config.mine.name, config)
        with workspaces.lock(_existing(config).root):
            arm = Arm.open(_existing(config), config, config.mine.name)
            if "train" in stages:
                _check_licences(arm.workspace, config)
            number = cycle.advance(arm, stages)
            say(f"{stages[-1]}: cycle {number} of {arm.run.folder}")

    return verb


def _existing(config: Config) -> Workspace:
    workspace = Workspace.open(workspace_folder(config))
    if workspace.card.name != config.dataset.name:
        raise ConfigError(
            f"{workspace.root} holds the dataset {workspace.card.name}: add dataset={workspace.card.name}"
        )
    return workspace


def report(config: Config) -> Path:
    """Write the report of the runs that were last worked on, or of the comparison in the folder."""
    from dataengine import cycle, report
    from dataengine.compare import settings

    for folder in (workspace_folder(config), compare_folder(config)):
        if settings.exists(folder) and not Workspace.exists(workspace_folder(config)):
            _concluded(settings.recall(folder), folder)
            return folder / "report" / "index.html"
    workspace = Workspace.open(workspace_folder(config))
    runs = cycle.latest_runs(workspace)
    if not any(run.completed_cycles() for run in runs):
        raise UserError(
            f"{workspace.root} holds no finished cycle; run `dataengine workspace={workspace.root}` first"
        )
    page = report.build(workspace, runs)
    say(f"report: {page}")
    return page


def app(config: Config) -> None:
    """Open the FiftyOne App on what the lake and the runs hold now."""
    from dataengine import cockpit, cycle

    workspace = Workspace.open(workspace_folder(config))
    with workspaces.lock(workspace.root):
        cockpit.sync(workspace, cycle.latest_runs(workspace))
    cockpit.launch(workspace, config.app)


def doctor(config: Config) -> None:
    """Print what works on this machine; raises ``UserError`` when something required does not."""
    from dataengine import doctor

    doctor.report(workspace_folder(config))


_VERBS: Mapping[str, Callable[[Config], object]] = {
    "cycle": cycle,
    "compare": compare,
    "ingest": ingest,
    "curate": curate,
    "train": _stage("train"),
    "evaluate": _stage("predict", "evaluate"),
    "mine": _stage("mine"),
    "label": _stage("label"),
    "report": report,
    "app": app,
    "doctor": doctor,
}
