"""The bulk writer against FiftyOne's own ``add_samples`` and ``set_values``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from dataengine.cockpit import documents, writer
from dataengine.frameboxes import FrameBoxes

pytestmark = pytest.mark.mongo
VOLATILE = ("_id", "_rand", "_dataset_id", "created_at", "last_modified_at")


def declared(fo: Any) -> Any:
    dataset = fo.Dataset(persistent=True)
    dataset.add_sample_field("frame_id", fo.StringField)
    dataset.add_sample_field("speed_mps", fo.FloatField)
    dataset.add_sample_field("pick", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    dataset.add_sample_field("pick.rank", fo.IntField)
    dataset.add_sample_field("truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset.add_sample_field("truth.detections.mistake", fo.StringField)
    return dataset


def whole_documents(frames: int = 3) -> list[dict[str, Any]]:
    ids = [f"clip/{number:06d}" for number in range(frames)]
    boxes = FrameBoxes.build(ids, [2] * frames, [[10, 5, 30, 25], [0, 0, 9, 9]] * frames, [0, 1] * frames)
    encoded = documents.detections(
        boxes,
        np.full((frames, 2), 100.0),
        ("car", "truck"),
        attributes={"mistake": ["missed", None] * frames},
    )
    return [
        {
            "filepath": f"/tmp/{frame_id}.jpg",
            "tags": ["pool"],
            "frame_id": frame_id,
            "speed_mps": 3.5,
            "metadata": {"_cls": "ImageMetadata", "width": 100, "height": 100},
            "pick": {"_cls": "DynamicEmbeddedDocument", "rank": number},
            "truth": encoded[number],
        }
        for number, frame_id in enumerate(ids)
    ]


def raw(dataset: Any) -> list[dict[str, Any]]:
    return list(dataset._sample_collection.find().sort("frame_id"))


def test_documents_are_those_of_add_samples_key_by_key(fo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, plain = declared(fo), declared(fo)
    writer.insert(quick, whole_documents())
    # The public way writes the second dataset: without the collection, `insert` falls back to it.
    monkeypatch.setattr(writer, "_collection", lambda _dataset: None)
    writer.insert(plain, whole_documents())
    for ours, theirs in zip(raw(quick), raw(plain), strict=True):
        assert set(ours) == set(theirs)
        for box, twin in zip(ours["truth"]["detections"], theirs["truth"]["detections"], strict=True):
            assert {**box, "_id": 0} == {**twin, "_id": 0}
        for document in (ours, theirs):
            assert 0.999 <= document["_rand"] < 1
            assert document["created_at"] == document["last_modified_at"]
            assert document["created_at"].tzinfo is None
            document.pop("truth")
        assert {k: v for k, v in ours.items() if k not in VOLATILE} == {
            k: v for k, v in theirs.items() if k not in VOLATILE
        }
        assert type(ours["_id"]) is type(theirs["_id"])
    assert raw(quick)[0]["_dataset_id"] == quick._doc.id
    assert len({document["_rand"] for document in raw(quick)}) == 3
    assert quick.media_type == plain.media_type == "image"


def test_samples_load_filter_and_save_like_any_other(fo: Any) -> None:
    dataset = declared(fo)
    writer.insert(dataset, whole_documents())
    dataset.reload()
    sample = dataset.match(fo.ViewField("pick.rank") == 1).first()
    assert sample.truth.detections[0].mistake == "missed"
    sample.truth.detections[0].label = "bus"
    sample.save()
    assert dataset.count_values("truth.detections.label") == {"bus": 1, "car": 2, "truck": 3}
    assert len(dataset.take(2)) == 2


def test_update_keeps_the_tags_of_people_even_those_added_meanwhile(fo: Any) -> None:
    dataset = declared(fo)
    writer.insert(dataset, whole_documents(1))
    sample = dataset.first()
    sample.tags = ["pool", "mined-c1", "look at this"]
    sample.save()
    change = writer.Update(
        sample_id=sample._id, own_tags=["pool", "labelled"], tag_pattern=r"^(pool|mined-c\d+)$"
    )
    assert writer.update(dataset, [change]) == 1
    assert raw(dataset)[0]["tags"] == ["pool", "labelled", "look at this"]


def test_update_leaves_a_sample_that_changed_since_it_was_read(fo: Any) -> None:
    dataset = declared(fo)
    writer.insert(dataset, whole_documents(1))
    seen = raw(dataset)[0]
    late = seen["last_modified_at"] - timedelta(seconds=1)
    assert (
        writer.update(
            dataset,
            [writer.Update(sample_id=seen["_id"], set={"speed_mps": 9.0}, unless_modified_since=late)],
        )
        == 0
    )
    assert raw(dataset)[0]["speed_mps"] == 3.5


@pytest.mark.parametrize("private", [True, False], ids=["collection", "public calls"])
def test_update_sets_and_removes_fields_either_way(
    fo: Any, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    dataset = declared(fo)
    writer.insert(dataset, whole_documents(2))
    first, second = raw(dataset)
    if not private:
        monkeypatch.setattr(writer, "_collection", lambda _dataset: None)
    value = {"_cls": "DynamicEmbeddedDocument", "rank": 5}
    writer.update(
        dataset,
        [
            writer.Update(sample_id=first["_id"], set={"pick": value}, unset=["speed_mps"]),
            writer.Update(sample_id=second["_id"], set={"truth": {"_cls": "Detections", "detections": []}}),
            writer.Update(sample_id=second["_id"], own_tags=["val"], tag_pattern="^pool$"),
        ],
    )
    dataset.reload()
    assert dataset.values("pick.rank") == [5, 1]
    assert dataset.values("speed_mps") == [None, 3.5]
    assert dataset.values("tags") == [["pool"], ["val"]]
    assert dataset.count("truth.detections") == 2
    assert raw(dataset)[0]["last_modified_at"] >= first["last_modified_at"]
