"""Random streams: named, independent of each other and of the order of use."""

from __future__ import annotations

from dataengine.streams import Streams


def test_a_stream_depends_on_seed_name_and_indices_alone() -> None:
    first = Streams(3)
    first.generator("augmentation").random(100)
    assert first.generator("order", 4).random() == Streams(3).generator("order", 4).random()


def test_streams_differ_by_seed_name_and_index() -> None:
    values = {
        Streams(seed).integer(name, *indices)
        for seed in (0, 1)
        for name in ("init", "order")
        for indices in ((), (0,), (1,))
    }
    assert len(values) == 12


def test_an_integer_fits_what_torch_takes() -> None:
    assert all(0 <= Streams(seed).integer("init") < 2**63 for seed in range(50))
