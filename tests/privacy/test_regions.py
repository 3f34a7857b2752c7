"""The figures of what was blurred."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa

from dataengine.privacy import summary_line
from dataengine.schema import BLURRED


def table(*rows: tuple[str, str, int, float]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(BLURRED.names, row, strict=True)) for row in rows], BLURRED)


def test_the_line_counts_frames_regions_and_their_mean_area():
    rows = [("a/0", "by rule", 3, 0.3), ("a/1", "by rule", 0, 0.0), ("a/2", "by rule", 1, 0.06)]
    assert summary_line(table(*rows)) == (
        "anonymised: 4 regions in 2 of 3 frames, 12.0% of their area on average (by rule); what the detector "
        "missed is not blurred"
    )


def test_nothing_anonymised_is_no_line():
    assert summary_line(table()) == ""


def test_the_face_of_the_package_needs_no_torch():
    code = "import sys, dataengine.privacy; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
