"""The command line: verbs and Hydra overrides in, one line and an exit code out.

Exit codes: 0 done, 1 a bug (with its traceback), 2 the user's mistake, 130 interrupted.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from dataengine.errors import UserError

VERBS = {
    "cycle": "the whole loop: record, ingest, curate, train, evaluate, mine, label, again (the default)",
    "compare": "arms x seeds at equal cost, with the statistics that a claim takes",
    "ingest": "read a dataset into the workspace and account for every file",
    "curate": "splits, duplicates, quality and leaks of what is in the workspace",
    "train": "fit the detector on what is labelled so far",
    "evaluate": "predict every frame, judge val and test",
    "mine": "choose the frames to label next, with the reason for each",
    "label": "buy the labels of the frames that were mined",
    "report": "write <workspace>/report/index.html, of runs or of a comparison",
    "app": "open the workspace in the FiftyOne App",
    "datasets": "list datasets; download=NAME fetches one, verify=NAME root=PATH checks one",
    "doctor": "what works on this machine, and the line that installs what does not",
}

OPTIONS = (
    ("workspace=PATH", "folder of the project (work/<dataset>)"),
    ("dataset=NAME dataset.root=PATH", "simulated, or any that `dataengine datasets` lists"),
    ("experiment=smoke|demo", "a minute, or the full default"),
    ("label=request", "people draw the labels: the loop says which, and waits"),
    ("mine=NAME", "auto, random, class_balanced, uncertainty, coverage ...: see conf/mine"),
    ("experiment=compare_smoke", "compare: a try of four minutes; compare_sim is the real one"),
    (
        "compare.arms=[NAME,...]",
        "compare: arms beside random; NAME@2: another draw; NAME+pseudo, NAME+plain: trained otherwise",
    ),
    ("compare.seeds=[0,1,2,3,4]", "compare: five for a claim"),
    ("seed=N train.steps=N loop.cycles=N", "any setting of --cfg job"),
    ("-m seed=0,1,2", "sweep: one run after the other"),
    ("--cfg job", "print every setting and its value"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``dataengine`` command."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if any(flag in argv for flag in ("--help", "-h")):
        sys.stdout.write(help_text())
        return
    if "--version" in argv:
        from dataengine import __version__

        sys.stdout.write(__version__ + "\n")
        return
    sys.exit(_guarded(argv))


def help_text() -> str:
    """What ``dataengine --help`` prints."""
    verbs = "".join(f"  {name:<10}{line}\n" for name, line in VERBS.items())
    options = "".join(f"  {name:<36}{line}\n" for name, line in OPTIONS)
    return f"usage: dataengine [VERB] [setting=value ...]\n\nverbs\n{verbs}\nsettings\n{options}"


def _guarded(argv: list[str]) -> int:
    """Run, and turn every expected way to fail into one line and an exit code."""
    try:
        verb, overrides = _split(argv)
        if verb == "datasets":
            from dataengine import fetch

            fetch.main(overrides)
        else:
            _run_with_hydra(verb, overrides)
    except UserError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command continues where it was\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        line = _hydra_mistake(error)
        if line is None:
            raise
        return _complain(line)
    return 0


def _complain(message: str) -> int:
    sys.stderr.write("dataengine: " + " ".join(message.split()) + "\n")
    return 2


def _split(argv: list[str]) -> tuple[str, list[str]]:
    """The verb and the rest; a first word that looks like neither a setting nor a flag must be a verb."""
    if argv and "=" not in argv[0] and not argv[0].startswith(("-", "+", "~")):
        if argv[0] not in VERBS:
            hint = _nearest(argv[0], VERBS)
            raise UserError(f"unknown verb '{argv[0]}'{hint}; verbs: {', '.join(VERBS)}")
        return argv[0], argv[1:]
    for word in argv:
        if several := re.fullmatch(r"dataset=\[(.*)\]", word):
            parts = ", ".join(f"{{name: {name.strip()}, root: PATH}}" for name in several[1].split(","))
            raise UserError(
                f"{word}: several datasets are read as one with dataset=mixed 'dataset.parts=[{parts}]'"
            )
    return "cycle", argv


def _run_with_hydra(verb: str, overrides: list[str]) -> None:
    import hydra
    from hydra.core.config_store import ConfigStore
    from omegaconf import DictConfig, OmegaConf

    from dataengine import resources, verbs
    from dataengine.config import Config

    ConfigStore.instance().store(name="schema", node=Config)
    failures: list[Exception] = []

    @hydra.main(version_base="1.3", config_path=str(resources.folder("conf")), config_name="config")
    def job(composed: DictConfig) -> None:
        if failures:
            return  # a sweep stops at its first failure
        try:
            config = OmegaConf.to_object(composed)
            assert isinstance(config, Config)
            verbs.run(verb, config)
        except Exception as error:  # noqa: BLE001  raised again below: Hydra would print around it
            failures.append(error)

    before = sys.argv
    sys.argv = ["dataengine", *map(_with_new_keys, map(_miner_by_name, overrides))]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # composition errors reach _guarded, not Hydra's own printer
    try:
        job()
    finally:
        sys.argv = before
        del os.environ["HYDRA_FULL_ERROR"]
    if failures:
        raise failures[0]


def _miner_by_name(override: str) -> str:
    """``mine=NAME`` of an arm that is no file in ``conf/mine``: a composed one, or one of another package."""
    from dataengine import resources

    named = re.fullmatch(r"mine=([a-z][a-z0-9_]*)", override)
    if named and not (resources.folder("conf") / "mine" / f"{named[1]}.yaml").is_file():
        return f"mine.name={named[1]}"
    return override


def _with_new_keys(override: str) -> str:
    """The override, allowed to add keys where the setting is a dictionary of the user's own keys."""
    name = override.partition("=")[0]
    if any(f"{name}.".startswith(f"{own}.") for own in _settings(dict)):
        return f"++{override}"
    return override


def _hydra_mistake(error: Exception) -> str | None:
    """One line for a mistake that Hydra or OmegaConf found in the settings; None for anything else."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    if not isinstance(error, HydraException | OmegaConfBaseException):
        return None
    text = str(error)
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown and unknown.group(1) not in _settings():
        name = unknown.group(1)
        return f"unknown setting '{name}'{_nearest(name, _settings())}; `dataengine --cfg job` lists them all"
    if choice := re.search(r"Could not find '([^']+)/([^']+)'", text):
        group, name = choice.groups()
        options = re.findall(r"^\t(\S+)$", text.partition("Config search path")[0], re.MULTILINE)
        return f"{group}={name}: no such choice{_nearest(name, options)}; choose one of {', '.join(options)}"
    technical = ("full_key", "object_type", "reference_type", "See https", "To append to your config")
    lines = [line.strip().rstrip(":.") for line in f"{text}\n{error.__cause__ or ''}".splitlines()]
    return ": ".join(line for line in lines if line and not line.startswith(technical))


def _nearest(word: str, known: Any) -> str:
    import difflib

    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _settings(kind: type = object) -> list[str]:
    """Every setting by its dotted name; or those whose value is of one kind."""
    from dataengine.config import Config

    def walk(record: Any, prefix: str) -> list[str]:
        names = []
        for item in fields(record):
            value = getattr(record, item.name)
            name = prefix + item.name
            if isinstance(value, kind):
                names.append(name)
            if is_dataclass(value):
                names += walk(value, name + ".")
        return names

    return walk(Config(), "")
