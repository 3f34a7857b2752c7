"""Every exception that the engine raises on purpose.

::

    DataEngineError
    ├── UserError               one line on stderr, exit code 2
    │   ├── ConfigError         a setting is unknown, of the wrong type or out of range
    │   ├── InputError          a dataset folder, file or label cannot be used
    │   ├── WorkspaceError      a workspace is locked, read-only, full or of another format version
    │   ├── ModelError          weights cannot be loaded, or belong to another taxonomy
    │   ├── ServiceError        MongoDB, the FiftyOne App or a browser cannot be reached
    │   └── LabelsNeededError   the loop waits for labels that a person must draw
    └── TrainingDivergedError   the loss is not finite; carries the loss terms (exit code 1)

A ``UserError`` names the value, the file and the remedy in one line. Everything else that escapes
is a bug and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping


class DataEngineError(Exception):
    """Root of the tree."""


class UserError(DataEngineError):
    """The user can mend this; the message says how, in one line."""


class ConfigError(UserError):
    """A setting is unknown, of the wrong type or out of range."""


class InputError(UserError):
    """A dataset folder, file or label cannot be used."""


class WorkspaceError(UserError):
    """A workspace is locked, read-only, full or of another format version."""


class ModelError(UserError):
    """Weights cannot be loaded, or belong to another taxonomy."""


class ServiceError(UserError):
    """MongoDB, the FiftyOne App or a browser cannot be reached."""


class LabelsNeededError(UserError):
    """The loop waits for labels that a person must draw; the message says which and how."""


class TrainingDivergedError(DataEngineError):
    """The loss is not finite.

    Args:
        step: Optimiser step, from 0, at which it happened.
        terms: Value of every loss term at that step.
    """

    def __init__(self, step: int, terms: Mapping[str, float]) -> None:
        shown = ", ".join(f"{name}={value:g}" for name, value in terms.items())
        super().__init__(f"loss is not finite at step {step}: {shown}; try a lower train.learning_rate")
        self.step = step
        self.terms = dict(terms)

    def __reduce__(self) -> tuple[type[TrainingDivergedError], tuple[int, dict[str, float]]]:
        """Cross from a worker process whole."""
        return type(self), (self.step, self.terms)


def first_line(error: BaseException) -> str:
    """The first line of another package's message, or the name of its kind where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
