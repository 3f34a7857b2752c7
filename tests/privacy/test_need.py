"""Whether a card says that faces and plates are still to be seen."""

from __future__ import annotations

from typing import Any

from dataengine.cards import Card
from dataengine.privacy import needed
from dataengine.schema import Taxonomy


def card(*classes: str, **fields: Any) -> Card:
    texts = {"title": "t", "licence": "l", "source": "s", "obtain": "o"}
    return Card(name="streets", **(texts | fields), taxonomy=Taxonomy(classes=classes))


def test_people_and_vehicles_without_a_word_on_anonymisation_are_told():
    assert needed(card("car", "pedestrian")) == (
        "streets shows people and vehicles, and states no anonymisation; curate.anonymise=boxes or egoblur "
        "makes faces and plates unreadable before frames are stored"
    )
    assert needed(card("car", "tree")).startswith("streets shows vehicles, and")


def test_what_the_publisher_did_or_what_nobody_recognises_needs_nothing():
    assert needed(card("car", "pedestrian", anonymised="faces and plates blurred")) == ""
    assert needed(card("cone", "traffic_light")) == ""


def test_recordings_of_your_own_are_told_whatever_their_classes():
    assert needed(card(needs="your own recordings")).startswith("streets: recordings of your own show")
