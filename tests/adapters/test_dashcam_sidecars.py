"""Telemetry beside videos: columns and units, clocks, GPX, and every way to be broken."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.adapters.dashcam.columns import column_name, speeds, to_telemetry
from dataengine.adapters.dashcam.sidecars import read_sidecar
from dataengine.errors import InputError

START = datetime(2024, 1, 31, 10, 15, tzinfo=UTC)
EPOCH = START.timestamp()


def values(path: Path, signal: str, start: datetime | None = START) -> list[float]:
    return read_sidecar(path, start).signals[signal].values.tolist()


UNITS = [
    # header, cell, signal, value
    ("speed_mps", "10", "speed_mps", 10.0),
    ("Speed (m/s)", "10", "speed_mps", 10.0),
    ("speed_kmh", "36", "speed_mps", 10.0),
    ("Speed [km/h]", "36,0", "speed_mps", 10.0),
    ("SPEED MPH", "10", "speed_mps", 4.4704),
    ("speed_knots", "10", "speed_mps", 5.14444444),
    ("lat", "52.5", "latitude_deg", 52.5),
    ("Longitude", "-13.25", "longitude_deg", -13.25),
    ("altitude_ft", "100", "altitude_m", 30.48),
    ("course", "-90", "heading_deg", 270.0),
    ("yaw_rate_dps", "180", "yaw_rate_radps", np.pi),
    ("acceleration_g", "-0.5", "acceleration_mps2", -4.903325),
    ("steering_angle", "12", "steering_angle_deg", 12.0),
    ("brake", "1", "brake", 1.0),
]


@pytest.mark.parametrize(("header", "cell", "signal", "value"), UNITS)
def test_a_column_is_read_in_its_unit(tmp_path: Path, header, cell, signal, value):
    (tmp_path / "a.csv").write_text(f"time_s;{header}\n0;{cell}\n1;{cell}\n")
    assert values(tmp_path / "a.csv", signal) == pytest.approx([value, value])


CLOCKS = [
    # column, cells, seconds since the video's start at 10:15:00
    ("time_s", ["0", "0.5"], [0, 0.5]),
    ("time_ms", ["250", "750"], [0.25, 0.75]),
    ("timestamp", ["0", "0.5"], [0, 0.5]),  # a small number is no date
    ("timestamp", [f"{EPOCH + 2}", f"{EPOCH + 3}"], [2, 3]),
    ("timestamp", [f"{EPOCH * 1e3 + 2000:.0f}", f"{EPOCH * 1e3 + 3000:.0f}"], [2, 3]),
    ("utc", ["2024-01-31T10:15:01Z", "2024-01-31T10:15:02.5Z"], [1, 2.5]),
    ("datetime", ["2024/01/31 09:15:01", "2024/01/31 09:15:02"], [1, 2]),  # the camera is an hour ahead
    ("time", ["2024-01-31T15:45:58+05:30", "2024-01-31T15:45:59+05:30"], [58, 59]),
    ("time", ["2024-01-31T10:14:58Z", "2024-01-31T10:15:00Z"], [-2, 0]),
    ("time", ["2024-01-31T10:20:00Z", "2024-01-31T10:20:01Z"], [0, 1]),  # another clock: starts together
]


@pytest.mark.parametrize(("column", "cells", "expected"), CLOCKS)
def test_times_are_laid_on_the_videos_clock(tmp_path: Path, column, cells, expected):
    rows = "".join(f"{cell},1\n" for cell in cells)
    (tmp_path / "a.csv").write_text(f"{column},speed_mps\n{rows}")
    telemetry = read_sidecar(tmp_path / "a.csv", START)
    assert telemetry.signals["speed_mps"].time_s.tolist() == pytest.approx(expected, abs=1e-3)
    if column != "time_s":
        without = read_sidecar(tmp_path / "a.csv", None).signals["speed_mps"].time_s
        assert np.diff(without) == pytest.approx(np.diff(expected), abs=1e-3)


FORMS = [
    [{"time_s": 0, "speed_kmh": 36}, {"time_s": 1, "speed_kmh": 72}],
    {"records": [{"time_s": 0, "speed_kmh": 36}, "noise", {"time_s": 1, "speed_kmh": 72}]},
    {
        "camera": "x",
        "telemetry": [{"Time (s)": 1, "Speed (km/h)": "72"}, {"Time (s)": 0, "Speed (km/h)": "36"}],
    },
    {"time_s": [0, 1], "speed_kmh": [36, 72]},
]


@pytest.mark.parametrize("value", FORMS)
def test_json_in_its_forms(tmp_path: Path, value):
    (tmp_path / "a.json").write_text(json.dumps(value))
    assert values(tmp_path / "a.json", "speed_mps") == pytest.approx([10, 20])


def track(*points: str, version: str = "1.1", prefix: str = "") -> str:
    inner = "".join(points)
    namespace = f'xmlns{":" + prefix if prefix else ""}="http://www.topografix.com/GPX/1/1"'
    tag = f"{prefix}:" if prefix else ""
    return (
        f'<?xml version="1.0"?><{tag}gpx version="{version}" {namespace}><{tag}trk><{tag}trkseg>'
        f"{inner}</{tag}trkseg></{tag}trk></{tag}gpx>"
    )


def test_a_track_gives_places_heights_and_the_speed_between_them(tmp_path: Path):
    # a ten-thousandth of a degree of latitude is 11.1195 m on a sphere of the earth's mean radius
    points = [
        f'<trkpt lat="{52 + n / 10_000}" lon="13"><ele>{30 + n}</ele>'
        f"<time>2024-01-31T09:15:0{n}Z</time></trkpt>"
        for n in range(4)
    ]
    (tmp_path / "a.gpx").write_text(track(*points))
    assert values(tmp_path / "a.gpx", "speed_mps") == pytest.approx([11.1195] * 4, abs=1e-3)
    assert values(tmp_path / "a.gpx", "altitude_m") == [30, 31, 32, 33]
    assert read_sidecar(tmp_path / "a.gpx", START).signals["latitude_deg"].time_s.tolist() == [0, 1, 2, 3]


def test_a_tracks_own_speed_and_prefixes_are_taken(tmp_path: Path):
    point = (
        '<x:trkpt lat="52" lon="13"><x:time>2024-01-31T10:15:00Z</x:time><x:extensions>'
        "<gpxtpx:speed>7.5</gpxtpx:speed><gpxtpx:course>90</gpxtpx:course></x:extensions></x:trkpt>"
    )
    (tmp_path / "a.gpx").write_text(track(point, prefix="x"))
    assert values(tmp_path / "a.gpx", "speed_mps") == [7.5]
    assert values(tmp_path / "a.gpx", "heading_deg") == [90]


def test_speed_needs_two_places_at_two_times():
    times, still = np.array([0.0, 0.0, 1.0]), np.array([52.0, 52.0, np.nan])
    assert np.isnan(speeds(times, still, still)).all()
    assert np.isnan(speeds(times[:1], still[:1], still[:1])).all()


def test_rows_without_a_time_and_values_that_are_none_are_left_out(tmp_path: Path):
    (tmp_path / "a.csv").write_text("time_s,speed_mps,lat\n,1,1\nx,2,2\n2,nan,91\n1,-inf,1e999\n0,3,45\n3\n")
    signals = read_sidecar(tmp_path / "a.csv", None).signals
    np.testing.assert_array_equal(signals["speed_mps"].time_s, [0, 1, 2, 3])
    np.testing.assert_array_equal(signals["speed_mps"].values, [3, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(signals["latitude_deg"].values, [45, np.nan, np.nan, np.nan])


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
BROKEN = [
    ("a.csv", b"", "empty file"),
    ("a.csv", b" \n", "empty file"),
    ("a.csv", b"\xff\xfe\x00\x01", "not UTF-8 text"),
    ("a.csv", b"just words\nand more\n", "no record has a time"),
    ("a.csv", b"time_s\n1\n2\n", "no column is known"),
    ("a.csv", b"time_s,speed\n1,2\n", "no column is known"),  # a speed without a unit
    ("a.csv", b"time_s,speed_mps\n1,\x00\n", "no column is known"),
    ("a.csv", b'time_s,speed_mps\n1,"' + b"9" * 200_000 + b'"\n', "not CSV"),
    ("a.json", b"{", "not JSON"),
    ("a.json", b"[" * 20_000, "nested too deeply"),
    ("a.json", b"3", "holds no list of records"),
    ("a.json", b"[1, 2]", "holds no list of records"),
    ("a.json", b"{}", "holds neither records nor equally long columns"),
    ("a.json", b'{"time_s": [1, 2], "speed_mps": [1]}', "holds neither records nor equally long columns"),
    ("a.json", b'[{"time_s": ' + b"9" * 5_000 + b', "speed_mps": 1}]', "not JSON"),
    ("a.json", b'[{"time_s": {"a": 1}, "speed_mps": []}]', "no record has a time"),
    ("a.gpx", b"<gpx><trk>", "not GPX"),
    ("a.gpx", b"\x00\x01", "not GPX"),
    ("a.gpx", b"<gpx></gpx>", "holds no point"),
    ("a.gpx", track('<trkpt lat="1" lon="2"></trkpt>').encode(), "no record has a time"),
    ("a.gpx", f"<!DOCTYPE g [{BOMB}]><gpx>&l9;</gpx>".encode(), "declares a document type"),
    ("a.gpx", b'<!DOCTYPE g SYSTEM "file:///etc/passwd"><gpx/>', "declares a document type"),
    ("a.gpx", b'<?xml version="1.0" encoding="ebcdic-x"?><gpx/>', "not GPX"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN)
def test_what_is_broken_is_one_line(tmp_path: Path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_sidecar(tmp_path / name, START)
    assert "\n" not in str(caught.value)


def test_deep_xml_is_read_without_recursion(tmp_path: Path):
    deep = "<a>" * 50_000 + "</a>" * 50_000
    (tmp_path / "a.gpx").write_text(f"<gpx>{deep}</gpx>")
    with pytest.raises(InputError, match="holds no point"):
        read_sidecar(tmp_path / "a.gpx", START)


def test_a_file_that_is_no_sidecar_by_its_size(tmp_path: Path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(InputError, match="larger than 64 MB"):
        read_sidecar(tmp_path / "a.json", START)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".gpx"])
@given(data=st.binary(max_size=300))
def test_no_bytes_escape_as_anything_else(tmp_path_factory, suffix, data):
    path = tmp_path_factory.getbasetemp() / f"noise{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert read_sidecar(path, START).signals


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["time_s", "timestamp", "speed_mps", "lat", "lon", "heading", "brake"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        ),
        max_size=8,
    )
)
def test_any_records_are_signals_or_one_line(records):
    try:
        telemetry = to_telemetry(records, START)
    except InputError:
        return
    for signal in telemetry.signals.values():
        assert len(signal.time_s) == len(signal.values)


def test_names_of_columns_lose_case_and_punctuation():
    assert [column_name(text) for text in ("Speed (km/h)", " LAT ", "yaw-rate [deg/s]", "")] == [
        "speed_km_h",
        "lat",
        "yaw_rate_deg_s",
        "",
    ]
