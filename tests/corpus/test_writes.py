"""Nothing is written but the workspace: neither home, nor the folder for temporary files, nor here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.corpus.outcomes import listing
from tests.corpus.specimens import SPECIMENS

INGEST_EVERY_FORMAT = """
import sys
from pathlib import Path
from dataengine.ingest import ingest
from tests.corpus.specimens import SPECIMENS
data, workspaces = Path(sys.argv[1]), Path(sys.argv[2])
for name, specimen in SPECIMENS.items():
    config = specimen.config(name, data / name)
    config.compute.workers = 1
    ingest(config, workspaces / name)
"""


def test_every_format_is_ingested_without_a_trace_elsewhere(tmp_path: Path):
    folders = {name: tmp_path / name for name in ("data", "ws", "home", "tmp", "here", "plots")}
    for folder in folders.values():
        folder.mkdir()
    environment = {
        **os.environ,
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "MPLCONFIGDIR": str(folders["plots"]),  # FiftyOne imports Matplotlib, which keeps a cache of fonts
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        environment.pop(name, None)
    command = [sys.executable, "-c", INGEST_EVERY_FORMAT, str(folders["data"]), str(folders["ws"])]
    for name, specimen in SPECIMENS.items():
        (folders["data"] / name).mkdir()
        specimen.write(folders["data"] / name)
    before = listing(folders["data"])
    done = subprocess.run(
        command, cwd=folders["here"], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert listing(folders["data"]) == before
    assert {name: sorted(listing(folders[name])) for name in ("home", "tmp", "here")} == {
        "home": [],
        "tmp": [],
        "here": [],
    }
    assert sorted(path.name for path in folders["ws"].iterdir()) == sorted(SPECIMENS)
