"""A dataset in FiftyOne's database, by its name or loaded from the Dataset Zoo, and its fields."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataengine.adapters.exchange.reading import DAMAGE, reader, told
from dataengine.errors import ConfigError, InputError, ServiceError

_SERVICE = {"FiftyOneConfigError", "ServiceException", "PyMongoError"}
"""Names of the errors of a database that cannot be found, started or reached."""

BOX_VALUES = ("label", "bounding_box", "index", "iscrowd", "ignore", "occluded")
"""What is read of each box; the last three only where a dataset has declared them."""

REMEDY = "run `dataengine doctor`, or set FIFTYONE_DATABASE_URI to a running MongoDB >= 6.0"


@contextmanager
def database() -> Iterator[Any]:
    """The ``fiftyone`` module; ``ServiceError`` if its MongoDB cannot be reached while the block runs.

    FiftyOne's own settings are honoured (``FIFTYONE_DATABASE_URI`` and the rest); without them it starts
    a MongoDB or joins the one that it started before.
    """
    os.environ.setdefault("FIFTYONE_SHOW_PROGRESS_BARS", "false")
    fiftyone = reader("fiftyone")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield fiftyone
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        about_mongod = isinstance(error, RuntimeError | PermissionError) and "mongod" in str(error)
        refused = isinstance(error, ConnectionError) and "mongod" in str(error)
        if not (kinds & _SERVICE or about_mongod or refused):
            raise
        raise ServiceError(f"FiftyOne's MongoDB does not answer ({told(error)}); {REMEDY}") from error


def opened(name: str, split: str = "") -> Any:
    """The dataset of a name; one of the Dataset Zoo is downloaded and loaded if there is none yet.

    Args:
        name: Of a dataset in the database, or of one of the zoo.
        split: Which split of a zoo dataset to load; empty loads all.

    Raises:
        ConfigError: There is no such dataset, nor is there one in the zoo.
        InputError: The zoo dataset cannot be loaded: no network, or its files need an account.
        ServiceError: MongoDB cannot be reached.
    """
    if not name:
        raise ConfigError(
            "dataset=fiftyone needs dataset.fields.dataset=NAME, a dataset of FiftyOne's database or its zoo"
        )
    with database() as fiftyone:
        local = f"{name}-{split}" if split else name
        if fiftyone.dataset_exists(local):
            return fiftyone.load_dataset(local)
        zoo = reader("fiftyone.zoo.datasets")
        if name not in zoo.list_zoo_datasets():
            own = ", ".join(fiftyone.list_datasets()[:10]) or "none"
            raise ConfigError(
                f"dataset.fields.dataset={name}: FiftyOne's database has no such dataset (it has {own}), "
                "and the Dataset Zoo none of that name"
            )
        return _from_zoo(zoo, name, split, local)


def _from_zoo(zoo: Any, name: str, split: str, local: str) -> Any:
    loading = (*DAMAGE, ImportError, reader("eta.core.web").WebSessionError)
    try:
        return zoo.load_zoo_dataset(name, split=split or None, dataset_name=local, progress=False)
    except loading as error:
        raise InputError(
            f"dataset.fields.dataset={name}: the Dataset Zoo could not load it ({told(error)}); go online, "
            f"or load it yourself with fiftyone.zoo.load_zoo_dataset('{name}')"
        ) from error


def is_video(dataset: Any) -> bool:
    """Whether its samples are videos rather than images; ``InputError`` if they are neither."""
    if dataset.media_type not in ("image", "video"):
        more = ""
        if dataset.media_type == "group":
            slices = ", ".join(dataset.group_slices)
            more = f": clone one of its slices ({slices}), dataset.select_group_slices('NAME').clone('NEW')"
        raise InputError(
            f"FiftyOne dataset {dataset.name}: media of type {dataset.media_type} is not read{more}"
        )
    return bool(dataset.media_type == "video")


def label_field(dataset: Any, wanted: str) -> str:
    """The field of boxes: the wanted one, else ``ground_truth``, ``detections`` or the only one.

    Raises:
        ConfigError: There is no such field of type Detections, or several and none is named.
    """
    found = _detection_fields(dataset)
    shown = ", ".join(found) or "none"
    if wanted:
        if wanted not in found:
            raise ConfigError(
                f"dataset.fields.labels={wanted}: {dataset.name} has no such field of type Detections; "
                f"it has {shown}"
            )
        return wanted
    for name in ("ground_truth", "detections"):
        if name in found:
            return name
    if len(found) == 1:
        return found[0]
    every = ", ".join(_schema(dataset))
    raise ConfigError(
        f"dataset.fields.labels names no field of {dataset.name}: of type Detections it has {shown} (fields: "
        f"{every}); give dataset.fields.labels=FIELD, or none to read it without labels"
    )


def box_attributes(dataset: Any, field: str) -> list[str]:
    """Those of ``BOX_VALUES`` that the boxes of a field have."""
    schema = _schema(dataset, flat=True)
    return [name for name in BOX_VALUES if f"{field}.detections.{name}" in schema]


def value_path(dataset: Any, name: str, setting: str) -> str:
    """Path of a sample field's value: its label where it is a classification; ``ConfigError`` if unknown."""
    schema: Mapping[str, Any] = dataset.get_field_schema(flat=True)
    if name not in schema:
        plain = ", ".join(dataset.get_field_schema())
        raise ConfigError(
            f"dataset.fields.{setting}={name}: {dataset.name} has no such field; it has {plain}"
        )
    return f"{name}.label" if f"{name}.label" in schema else name


def common_folder(paths: Sequence[str], what: str) -> Path:
    """The folder that files share; ``InputError`` if there are none."""
    if not paths:
        raise InputError(f"FiftyOne dataset {what} holds no samples; give another dataset.fields.dataset")
    return Path(os.path.commonpath([os.path.dirname(path) for path in paths]))  # noqa: PTH120  strings, by the million


def _detection_fields(dataset: Any) -> list[str]:
    labels = reader("fiftyone.core.labels")
    return [
        name
        for name, field in _schema(dataset).items()
        if getattr(field, "document_type", None) is labels.Detections
    ]


def _schema(dataset: Any, flat: bool = False) -> Mapping[str, Any]:
    read = dataset.get_frame_field_schema if is_video(dataset) else dataset.get_field_schema
    return read(flat=flat) or {}
