"""Ingest beside its peer: decoding the same videos with PyAV and doing nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from dataengine.config import Config, DatasetConfig, WorldConfig
from dataengine.ingest import ingest
from dataengine.simulator import render_fleet

SMALL = WorldConfig(pool_clips=24, val_clips=4, test_clips=4, balanced_clips=0)


def decode_only(root: Path) -> int:
    """Decode every frame of every video, as ingest must, on one thread; returns how many."""
    number = 0
    for path in sorted(root.rglob("*.mp4")):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            number += sum(1 for _ in container.decode(stream))
    return number


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fleet")
    render_fleet(SMALL, root, workers=0)
    return root


def test_ingest_costs_at_most_six_times_the_decoding(tmp_path: Path, fleet: Path, record_property):
    """Processor time of one process, so that a busy machine does not decide.

    Beside decoding, ingest converts, measures, hashes, compresses and stores every second frame, reads
    its labels and telemetry, and writes the lake. These clips of twenty small frames are the worst case for
    planning: reading the index and opening the file again costs as much as decoding four of their frames.
    """
    config = Config(dataset=DatasetConfig(root=str(fleet), world=SMALL))
    config.compute.workers = 1
    ingest(config, tmp_path / "warm-up")
    ratios = []
    for attempt in range(3):
        began = time.process_time()
        decoded = decode_only(fleet)
        between = time.process_time()
        _, summary = ingest(config, tmp_path / f"ws{attempt}")
        ratios.append((time.process_time() - between) / (between - began))
        record_property(f"decoded_per_s_{attempt}", round(decoded / (between - began)))
        record_property(f"ingested_per_s_{attempt}", round(summary.frames / (time.process_time() - between)))
    assert decoded == 2 * summary.frames
    assert min(ratios) <= 6, ratios


def test_a_second_ingest_is_nearly_free(tmp_path: Path, fleet: Path):
    config = Config(dataset=DatasetConfig(root=str(fleet), world=SMALL))
    config.compute.workers = 1
    began = time.process_time()
    ingest(config, tmp_path / "ws")
    first = time.process_time() - began
    began = time.process_time()
    ingest(config, tmp_path / "ws")
    assert time.process_time() - began <= first / 10


def test_records_reach_the_lake_fast_and_in_flat_memory(record_property):
    """Ten, a hundred and a thousand thousand frame records; the whole process's peak of memory."""
    found = []
    for number in (10_000, 100_000, 1_000_000):
        command = [sys.executable, "-m", "tests.benchmarks.records", str(number)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout))
        record_property(f"records_{number}", found[-1])
        print(found[-1])
    assert found[1]["rows_per_processor_s"] >= 20_000
    assert found[2]["peak_mb"] <= 1.3 * found[0]["peak_mb"]
