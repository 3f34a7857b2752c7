"""What of a dataset is ours: remembered in its ``info``, so that a person's own things are left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataengine.errors import ServiceError
from dataengine.files import digest
from dataengine.workspace import Workspace

KEY = "dataengine"


class Ownership:
    """The record of what earlier syncs wrote into one dataset.

    Args:
        dataset: The FiftyOne dataset.
        value: The record as stored.

    Attributes:
        digests: Column -> digest of the source it was written from.
        fields: Sample fields that syncs added.
        views: Saved views that syncs added: name -> digest of what they ask.
        truth_source: The cycles that the mistakes on true boxes come from.
    """

    def __init__(self, dataset: Any, value: Mapping[str, Any]) -> None:
        self._dataset = dataset
        self.workspace = str(value["workspace"])
        self.digests: dict[str, str] = dict(value.get("digests", {}))
        self.fields: set[str] = set(value.get("fields", ()))
        self.views: dict[str, str] = dict(value.get("views", {}))
        self.truth_source = str(value.get("truth_source", ""))
        self._settings: dict[str, str] = dict(value.get("settings", {}))

    @classmethod
    def of(cls, dataset: Any, workspace: Workspace) -> Ownership:
        """Read the record; a dataset with samples but without a record is somebody else's.

        Raises:
            ServiceError: The dataset was not written by a sync.
        """
        value = (dataset.info or {}).get(KEY)
        if value is None and len(dataset):
            raise ServiceError(
                f"the FiftyOne dataset {dataset.name} was not written by dataengine; rename it, or delete "
                f"{workspace.root}/cockpit.json to get another name"
            )
        return cls(dataset, {**(value or {}), "workspace": str(workspace.root.resolve())})

    def forget(self, names: Iterable[str]) -> None:
        """Before columns are rewritten: a crash in between leaves them to be written again."""
        for name in list(names):
            self.digests.pop(name, None)
        self.save()

    def remember(self, digests: Mapping[str, str], truth_source: str) -> None:
        """After all columns are written."""
        self.digests, self.truth_source = dict(digests), truth_source
        self.save()

    def may_set(self, name: str, current: Any, default: Any) -> bool:
        """Whether a setting is still as FiftyOne or a sync left it, so that a person loses nothing."""
        return digest(current) in {self._settings.get(name), digest(default)}

    def note(self, name: str, value: Any) -> None:
        """Remember a setting as it reads after it was set."""
        self._settings[name] = digest(value)

    def save(self) -> None:
        """Write the record into the dataset."""
        info = dict(self._dataset.info or {})
        info[KEY] = {
            "workspace": self.workspace,
            "digests": self.digests,
            "fields": sorted(self.fields),
            "views": self.views,
            "truth_source": self.truth_source,
            "settings": self._settings,
        }
        self._dataset.info = info
        self._dataset.save()
