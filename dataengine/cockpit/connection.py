"""Import FiftyOne quietly, reach its database, and turn what fails into one line with a remedy."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dataengine.cockpit import service
from dataengine.errors import ServiceError

SELECTION_TIMEOUT_MS = 5000
"""How long a call waits for MongoDB before it gives up; MongoDB's own default is 30 s."""

_QUIET = {
    "FIFTYONE_DO_NOT_TRACK": "true",
    "FIFTYONE_LOGGING_LEVEL": "ERROR",
    "FIFTYONE_SHOW_PROGRESS_BARS": "false",
}
"""No analytics and no cookie bar; no log lines or bars between ours. Set values are left alone."""

_OUT_OF_DISK = 14031


def connect() -> Any:
    """The ``fiftyone`` module, with its database answering.

    FiftyOne's own settings are honoured: ``FIFTYONE_DATABASE_URI``, ``FIFTYONE_DATABASE_DIR`` and the rest.

    Raises:
        ServiceError: MongoDB cannot be started or reached; the message names the remedy.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Imports of FiftyOne's own dependencies (strawberry, mongoengine) warn about each other.
        warnings.simplefilter("ignore")
        import fiftyone
        from fiftyone.core.odm import database

    uri = fiftyone.config.database_uri
    own_server = uri is None and not os.environ.get("FIFTYONE_PRIVATE_DATABASE_PORT")
    if own_server and getattr(database, "_client", None) is None:
        service.mongod_version()
    _shorten_timeout(database, uri)
    with service_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fiftyone.list_datasets()
    return fiftyone


@contextmanager
def service_errors() -> Iterator[None]:
    """Turn a database that is gone, refused, full or unstartable into ``ServiceError``.

    Mistakes of ours (a wrong pipeline, a duplicate key) pass through: they are bugs.
    """
    from pymongo.errors import ConnectionFailure, OperationFailure, ServerSelectionTimeoutError

    try:
        yield
    except (ConnectionFailure, ServerSelectionTimeoutError, ConnectionError) as error:
        raise ServiceError(f"MongoDB at {_address()} does not answer; {service.REMEDY}") from error
    except OperationFailure as error:
        if error.code == _OUT_OF_DISK or "No space left" in str(error):
            raise ServiceError(
                f"MongoDB at {_address()}: the disk is full; free some space and run again"
            ) from error
        raise
    except Exception as error:
        if not _about_the_service(error):
            raise
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ServiceError(f"MongoDB at {_address()}: {first}; {service.REMEDY}") from error


def _about_the_service(error: Exception) -> bool:
    """Whether FiftyOne says that its MongoDB cannot be found, started, or is of a refused version."""
    kinds = {"FiftyOneConfigError", "ServiceException", "ServiceListenTimeout", "ServiceExecutableNotFound"}
    named = any(kind.__name__ in kinds for kind in type(error).__mro__)
    folder = isinstance(error, PermissionError) and "atabase" in str(error)
    version = isinstance(error, RuntimeError) and "mongod" in str(error)
    # FiftyOne rewraps bulk errors; the cause still tells a lost connection from a bug.
    lost = any(kind.__name__ == "ConnectionFailure" for kind in type(error.__cause__).__mro__)
    return named or folder or version or lost


def _shorten_timeout(database: Any, uri: str | None) -> None:
    """Fail after seconds instead of half a minute, unless the user's URI says otherwise."""
    options = getattr(database, "_connection_kwargs", None)
    if isinstance(options, dict) and "serverselectiontimeoutms" not in (uri or "").lower():
        options.setdefault("serverSelectionTimeoutMS", SELECTION_TIMEOUT_MS)


def _address() -> str:
    """Where the database is, without a password."""
    import fiftyone

    uri = fiftyone.config.database_uri
    return service.host(uri) if uri else str(fiftyone.config.database_dir)
