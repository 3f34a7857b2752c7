"""Whether a dataset shows people or plates that nobody made unreadable yet."""

from __future__ import annotations

from dataengine.cards import Card
from dataengine.privacy import rules

OWN = "your own recordings"
"""``Card.needs`` of formats that carry a user's own recordings."""


def needed(card: Card) -> str:
    """Why a dataset may have to be anonymised, in a line; empty where nothing speaks for it.

    It is for those who ask, as ``dataengine datasets`` does. Ingest does not repeat it: a published dataset
    comes with terms of its own, and a warning at every run is soon read by nobody.

    Returns:
        Empty where the card says what its publisher made unreadable, and where its classes are neither
        people nor vehicles.
    """
    if card.anonymised:
        return ""
    remedy = "curate.anonymise=boxes or egoblur makes faces and plates unreadable before frames are stored"
    if card.needs == OWN:
        return f"{card.name}: recordings of your own show people and plates as they are; {remedy}"
    shown = [
        word
        for word, found in (("people", rules.heads), ("vehicles", rules.plates))
        if found(card.taxonomy.classes)
    ]
    if not shown:
        return ""
    return f"{card.name} shows {' and '.join(shown)}, and states no anonymisation; {remedy}"
