"""What importing costs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "torchvision", "fiftyone", "hydra", "cv2", "matplotlib")


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import dataengine") & {*HEAVY, "numpy", "pyarrow"}


def test_mining_and_evaluation_load_neither_torch_nor_fiftyone() -> None:
    statement = "import dataengine.mine, dataengine.evaluate, dataengine.label, dataengine.boxes"
    assert not modules_after(statement) & {"torch", "torchvision", "fiftyone"}
