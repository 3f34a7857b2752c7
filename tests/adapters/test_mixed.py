"""Several datasets as one: paths, ids, classes, licences, and what a user can get wrong."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataengine import cards, cli, ingest
from dataengine.adapters import base
from dataengine.adapters.base import Adapter, BrokenFileError, Encoded, LabelReader, Recording, files_under
from dataengine.adapters.mixed.adapter import Mixed, common_root, mixed_card, part_cards
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import Config, DatasetConfig, PartConfig
from dataengine.errors import ConfigError, InputError, UserError
from dataengine.quarantine import Outcome
from tests.adapters.exchange_files import boxes, coco, read, write_coco, write_voc
from tests.adapters.recordings import write_fleet, write_segnet


def mix(*parts: PartConfig, **settings: Any) -> DatasetConfig:
    return DatasetConfig(name="mixed", parts=list(parts), min_box_area=9, **settings)


def opened(config: DatasetConfig) -> tuple[Mixed, dict[str, Recording], dict[str, Outcome]]:
    adapter = Mixed(common_root(config), config)
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    strays = {item.path: item for item in found if isinstance(item, Outcome)}
    assert len(clips) + len(strays) == len(found)
    return adapter, clips, strays


def three(root: Path) -> DatasetConfig:
    """CamVid (a file for each mask), COCO (labels read while listing) and the fleet (videos)."""
    write_segnet(root / "a/camvid", {"train": ["A_00030", "A_00060"]})
    (root / "a/camvid/README").touch()
    (root / "a/camvid/train/A_00060.png").unlink()
    value = coco(
        {1: "x_1.png"},
        [
            {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
            {"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9]},
        ],
        {1: "Car", 2: "truck"},
    )
    write_coco(root / "coco", value)
    write_fleet(root / "a/fleet", {"c1": "pool"})
    return mix(
        PartConfig(name="camvid", root=str(root / "a/camvid")),
        PartConfig(name="coco", root=str(root / "coco")),
        PartConfig(name="simulated", root=str(root / "a/fleet")),
    )


def test_paths_and_ids_carry_their_part(tmp_path: Path):
    config = three(tmp_path)
    assert common_root(config) == tmp_path
    adapter, clips, strays = opened(config)
    assert {clip: (found.drive_id, found.source) for clip, found in clips.items()} == {
        "camvid.A_000030": ("camvid.A", "a/camvid/train"),
        "coco.data": ("coco.data", "coco/data"),
        "simulated.c1": ("simulated.drive-c1", "a/fleet/drive-c1/c1.mp4"),
    }
    assert (strays["a/camvid/README"].status, strays["a/camvid/train/A_00060.png"].status) == (
        "unused",
        "missing",
    )
    own = [name for clip in clips.values() for name in (*clip.files, *clip.shared)]
    there = [path for path, outcome in strays.items() if outcome.status != "missing"]
    assert sorted([*own, *there]) == sorted(files_under(tmp_path))
    still = clips["camvid.A_000030"].stills[0]
    assert (still.image, still.mask) == ("a/camvid/train/A_00030.png", "a/camvid/trainannot/A_00030.png")
    assert all((tmp_path / name).is_file() for name in own)
    assert {clip: getattr(adapter.card_of(found), "name", "") for clip, found in clips.items()} == {
        "camvid.A_000030": "camvid",
        "coco.data": "coco",
        "simulated.c1": "simulated",
    }


def test_labels_leave_in_the_classes_of_their_part(tmp_path: Path):
    adapter, clips, _ = opened(three(tmp_path))
    names = {
        clip: read(adapter, found, found.stills[0].number if found.stills else 1)
        for clip, found in clips.items()
    }
    assert {clip: labels.names for clip, labels in names.items() if labels is not None} == {
        # CamVid's Car is the card's car; COCO's Car has no card to map it and stays
        "camvid.A_000030": ("car", "pedestrian"),
        "coco.data": ("Car", "truck"),
        "simulated.c1": ("car", "cone"),
    }
    telemetry = adapter.telemetry(clips["simulated.c1"])
    assert telemetry is not None
    assert telemetry.signals["speed_mps"].values[0] == 10
    assert adapter.telemetry(clips["coco.data"]) is None
    assert adapter.frame_times(clips["simulated.c1"]) is None


def test_classes_are_those_of_the_parts_merged_by_the_class_map(tmp_path: Path):
    config = three(tmp_path)
    own = cards.load("simulated").taxonomy
    card = mixed_card(config)
    assert card.taxonomy.classes == ("car", "pedestrian", "bicyclist", "Car", "truck", "cyclist", "cone")
    assert card.taxonomy.tail_classes == ("bicyclist", "truck", "cyclist", "cone")
    assert card.taxonomy.tail_conditions == {"time_of_day": ("dusk", "night"), "weather": ("fog",)}
    assert own.tail_conditions["weather"] == ("fog",)
    config.class_map = {"bicyclist": "cyclist", "Car": "car", "cone": "ignore"}
    taxonomy = mixed_card(config).taxonomy
    assert taxonomy.classes == ("car", "pedestrian", "cyclist", "truck")
    assert taxonomy.tail_classes == ("cyclist", "truck")
    assert {name: taxonomy.class_map[name] for name in ("bicyclist", "Car", "cone", "ignore", "truck")} == {
        "bicyclist": "cyclist",
        "Car": "car",
        "cone": "ignore",
        "ignore": "ignore",
        "truck": "truck",
    }
    config.class_map = {"Car": "vehicle"}
    config.classes = ["car"]
    with pytest.raises(
        ConfigError, match=r"dataset\.class_map leads to vehicle, which is no class; classes are car"
    ):
        mixed_card(config)


def test_licences_are_those_of_the_parts_and_the_strictest_names_the_mix(tmp_path: Path):
    config = three(tmp_path)
    assert [card.licence_kind for card in part_cards(config)] == ["research_only", "unknown", "permissive"]
    card = mixed_card(config)
    assert card.licence_kind == "unknown"
    assert card.licence.startswith("camvid: Research only")
    assert "simulated: Apache-2.0" in card.licence
    assert card.name == "mixed"


def test_a_mix_is_ingested_with_each_frame_s_own_dataset_and_licence(tmp_path: Path):
    dataset = three(tmp_path / "in")
    dataset.class_map = {"bicyclist": "cyclist", "Car": "car", "truck": "ignore"}
    config = Config(dataset=dataset)
    config.compute.workers = 1
    workspace, summary = ingest.ingest(config, tmp_path / "work")
    rows = workspace.lake.read("frames").to_pylist()
    assert Counter((row["dataset"], row["licence"]) for row in rows) == {
        ("camvid", "research_only"): 1,
        ("coco", "unknown"): 1,
        ("simulated", "permissive"): 4,
    }
    assert (summary.missing, summary.broken) == (1, 0)
    oracle = {row["frame_id"]: row for row in workspace.lake.read("oracle").to_pylist()}
    found = oracle["coco.data/000001"]
    classes = workspace.card.taxonomy.classes
    assert [classes[index] for index in found["class_id"]] == ["car", classes[0]]
    assert found["ignore"] == [False, True]
    # the same again adds nothing, with workers too
    config.compute.workers = 2
    _, summary = ingest.ingest(config, tmp_path / "work")
    assert (summary.frames, summary.added) == (0, 0)


def test_parts_that_moved_together_are_followed(tmp_path: Path):
    config = Config(dataset=three(tmp_path / "in"))
    config.compute.workers = 1
    ingest.ingest(config, tmp_path / "work")
    (tmp_path / "in").rename(tmp_path / "moved")
    for part in config.dataset.parts:
        part.root = part.root.replace("/in/", "/moved/")
    workspace, summary = ingest.ingest(config, tmp_path / "work")
    assert (summary.frames, workspace.source_root) == (0, (tmp_path / "moved").resolve())
    config.dataset.parts[1].root = str((tmp_path / "moved/coco").rename(tmp_path / "coco"))
    with pytest.raises(UserError, match=r"lacks a/camvid/train, which .* was ingested from"):
        ingest.ingest(config, tmp_path / "work")


def test_workers_need_not_read_the_parts_again(tmp_path: Path):
    config = three(tmp_path)
    adapter, clips, _ = opened(config)
    (tmp_path / "coco/labels.json").unlink()
    there: Mixed = pickle.loads(pickle.dumps(adapter))
    assert boxes(read(there, clips["coco.data"], 1)) == [("Car", 1, 2, 4, 6), ("truck", 0, 0, 9, 9)]


def test_one_name_twice_is_numbered_and_fields_are_each_part_s_own(tmp_path: Path):
    for name in ("one", "two"):
        write_voc(tmp_path / name, {"d1_1": [("car", 1, 2, 3, 4)], "d2_2": []})
    config = mix(
        PartConfig(name="voc", root=str(tmp_path / "one")),
        PartConfig(name="voc", root=str(tmp_path / "two"), fields={"drive": r"(d\d)_"}),
    )
    adapter, clips, _ = opened(config)
    assert list(clips) == ["voc.JPEGImages", "voc2.d1", "voc2.d2"]
    assert adapter.settings()["parts"]["voc2"]["fields"]["drive"] == r"(d\d)_"


def test_one_part_alone_is_read_from_its_own_folder(tmp_path: Path):
    write_segnet(tmp_path, {"train": ["A_00030"]})
    adapter, clips, _ = opened(mix(PartConfig(name="camvid", root=str(tmp_path))))
    assert clips["camvid.A_000030"].source == "train"
    assert boxes(read(adapter, clips["camvid.A_000030"], 30))[0][0] == "car"


def test_broken_files_are_told_by_their_path_in_the_mix(tmp_path: Path):
    config = three(tmp_path)
    (tmp_path / "a/camvid/trainannot/A_00030.png").write_bytes(b"")
    adapter, clips, _ = opened(config)
    with pytest.raises(BrokenFileError) as caught:
        read(adapter, clips["camvid.A_000030"], 30)
    assert caught.value.path == "a/camvid/trainannot/A_00030.png"
    (tmp_path / "a/fleet/drive-c1/c1.truth.parquet").write_bytes(b"")
    with pytest.raises(BrokenFileError) as caught:
        adapter.labels(clips["simulated.c1"])
    assert caught.value.path == "a/fleet/drive-c1/c1.truth.parquet"


class Packed(Adapter):
    """Images in a container, times of their own, and a fault."""

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root

    def settings(self) -> dict[str, Any]:
        return {}

    def recordings(self) -> Iterator[Recording | Outcome]:
        yield Recording(
            clip_id="c", drive_id="d", fps=1, source=".", files=("box",), shared=("table",), embedded=True
        )

    def frame_times(self, recording: Recording) -> np.ndarray:
        assert (recording.clip_id, recording.source, recording.shared) == ("c", ".", ("table",))
        return np.array([0.5])

    def telemetry(self, recording: Recording) -> Telemetry | None:
        raise BrokenFileError("table", "cut short")

    def labels(self, recording: Recording) -> LabelReader | None:
        return None

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        yield Encoded(number=0, time_s=0.0, data=b"x")
        raise BrokenFileError("box#1", "cut short")


def test_what_else_an_adapter_gives_comes_through(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(base._REGISTRY, "packed", "tests.adapters.test_mixed:Packed")
    for name in ("one/packed", "two"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "box").touch()
    card = tmp_path / "card.toml"
    card.write_text('title = "t"\nlicence = "l"\nsource = "s"\nobtain = "o"\n[taxonomy]\n')
    monkeypatch.setattr(
        "dataengine.adapters.mixed.parts.cards.load",
        lambda name, path=None, load=cards.load: load("mixed", path),
    )
    parts = [
        PartConfig(name="packed", root=str(tmp_path / name), card=str(card)) for name in ("one/packed", "two")
    ]
    adapter, clips, _ = opened(mix(*parts))
    clip = clips["packed2.c"]
    assert (clip.source, clip.files, clip.shared) == ("two", ("two/box",), ("two/table",))
    assert clips["packed.c"].source == "one/packed"
    times = adapter.frame_times(clip)
    assert times is not None
    assert times.tolist() == [0.5]
    assert adapter.labels(clip) is None
    with pytest.raises(BrokenFileError, match="two/table: cut short"):
        adapter.telemetry(clip)
    images = adapter.encoded(clip)
    assert next(images).data == b"x"
    with pytest.raises(BrokenFileError, match="two/box#1: cut short"):
        next(images)


def test_mistakes_in_parts_are_one_line(tmp_path: Path):
    write_segnet(tmp_path / "a", {"train": ["A_00030"]})
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    camvid = PartConfig(name="camvid", root=str(tmp_path / "a"))
    for parts, message in (
        ((), r"dataset=mixed needs dataset\.parts, for instance"),
        (
            (camvid, PartConfig(name="mixed", root="x")),
            r"dataset\.parts\[1\]: a mixed dataset cannot hold another",
        ),
        (
            (PartConfig(name="kity", root="x"),),
            r"dataset\.parts\[0\]: name=kity has no adapter; choose one of bdd100k",
        ),
        ((camvid, PartConfig(name="kitti")), r"dataset\.parts\[1\]: kitti needs root=PATH"),
        ((camvid, camvid), r"camvid and camvid2 both read"),
        ((camvid, PartConfig(name="voc", root=str(tmp_path / "link"))), r"camvid and voc both read"),
        ((camvid, PartConfig(name="voc", root=str(tmp_path / "a/train"))), r"one lies in the other"),
        ((PartConfig(name="voc", root=str(tmp_path)), camvid), r"one lies in the other"),
        ((camvid, PartConfig(name="kitti", root=str(tmp_path / "absent"))), r"absent does not exist"),
        ((camvid, PartConfig(name="kitti", root=str(tmp_path / "empty"))), r"empty holds no files"),
    ):
        config = Config(dataset=mix(*parts))
        config.compute.workers = 1
        with pytest.raises(UserError, match=message) as caught:
            ingest.ingest(config, tmp_path / "work")
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"dataset\.root=.*empty must hold .*/a; leave it empty"):
        list(Mixed(tmp_path / "empty", mix(camvid)).recordings())


def test_a_class_that_a_part_s_card_does_not_map_is_told(tmp_path: Path):
    write_voc(tmp_path / "voc", {"x_1": [("car", 1, 2, 3, 4), ("tram", 1, 2, 3, 4)]})
    card = tmp_path / "card.toml"
    text = 'title = "t"\nlicence = "MIT"\nlicence_kind = "permissive"\nsource = "s"\nobtain = "o"\n'
    card.write_text(text + '[taxonomy]\nclasses = ["car"]\n')
    config = mix(PartConfig(name="voc", root=str(tmp_path / "voc"), card=str(card)))
    with pytest.raises(ConfigError, match='class "tram" is in no class map; add'):
        ingest.ingest(Config(dataset=config), tmp_path / "work")
    card.write_text(text + '[taxonomy]\nclasses = ["car"]\n[taxonomy.class_map]\ntram = "ignore"\n')
    adapter, clips, _ = opened(config)
    labels = read(adapter, clips["voc.JPEGImages"], 1)
    assert labels is not None
    assert (labels.names, labels.ignore.tolist()) == (("car", "ignore"), [False, True])
    assert mixed_card(config).licence_kind == "permissive"


def test_parts_and_class_map_come_from_the_command_line(tmp_path: Path, monkeypatch):
    write_segnet(tmp_path / "a", {"train": ["A_00030"]})
    write_voc(tmp_path / "b", {"d1_1": [("Car", 1, 2, 30, 24)]})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(
            [
                "ingest",
                "dataset=mixed",
                r"dataset.parts=[{name: camvid, root: a}, {name: voc, root: b, fields: {drive: '(d\d)_'}}]",
                "dataset.class_map={bicyclist: cyclist, Car: car}",
                "compute.workers=1",
                "workspace=work",
            ]
        )
    assert not caught.value.code
    card = json.loads((tmp_path / "work/workspace.json").read_text())["card"]
    assert card["taxonomy"]["classes"] == ["car", "pedestrian", "cyclist"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("[{name: camvid, rot: x}]", "Key 'rot' not in 'PartConfig'"),
        ("[{root: x}]", "has missing mandatory value: name"),
        ("[camvid,kitti]", "str is not a subclass of PartConfig"),
        ("3", "int is not a ListConfig"),
    ],
)
def test_parts_of_another_form_are_one_line(parts: str, said: str, capsys, tmp_path: Path):
    with pytest.raises(SystemExit) as caught:
        cli.main(["ingest", "dataset=mixed", f"dataset.parts={parts}", f"workspace={tmp_path}/work"])
    assert caught.value.code == 2
    written = capsys.readouterr().err
    assert said in written
    assert written.count("\n") == 1


def test_camvid_and_kitti_are_read_as_one(data_root: Path, tmp_path: Path):
    roots = {name: data_root / name for name in ("camvid", "kitti")}
    for name, root in roots.items():
        if not root.is_dir():
            pytest.skip(f"no {name} at {root}")
    dataset = mix(*(PartConfig(name=name, root=str(root)) for name, root in roots.items()))
    dataset.class_map = {"bicyclist": "cyclist"}
    adapter, clips, strays = opened(dataset)
    assert Counter(clip.partition(".")[0] for clip in clips)["camvid"] >= 4
    stills = Counter(clip.partition(".")[0] for clip, found in clips.items() for _ in found.stills)
    assert stills == {"camvid": 701, "kitti": 75}
    own = [name for clip in clips.values() for name in (*clip.files, *clip.shared)]
    there = [path for path, outcome in strays.items() if outcome.status != "missing"]
    on_disk = [f"{name}/{file}" for name, root in roots.items() for file in files_under(root)]
    assert sorted({*own, *there}) == sorted(on_disk)
    card = mixed_card(dataset)
    assert card.licence_kind == "research_only"
    assert "bicyclist" not in card.taxonomy.classes
    assert len(set(card.taxonomy.classes)) == len(card.taxonomy.classes)
    counts: Counter[str] = Counter()
    for clip in clips.values():
        if clip.clip_id.startswith("kitti."):
            reader = adapter.labels(clip)
            assert reader is not None
            for still in clip.stills:
                found = reader(still.number, (375, 1242))
                counts.update(found.names if found is not None else ())
    assert counts["car"] > 200
    assert set(counts) <= {*card.taxonomy.classes, "ignore"}


def test_a_folder_of_another_format_names_the_part_s_folder(tmp_path: Path):
    write_segnet(tmp_path / "a", {"train": ["A_00030"]})
    with pytest.raises(InputError, match=r"dataset\.root=.*/a holds no Pascal VOC"):
        opened(mix(PartConfig(name="voc", root=str(tmp_path / "a"))))
