"""Licences of a mix: what is allowed, and the line that says which is the strictest."""

from __future__ import annotations

import re

import pytest

from dataengine import cards, licences
from dataengine.errors import ConfigError

MIX = {"research_only": 701, "permissive": 12_345, "attribution": 0}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], "public_domain"),
        (["permissive"], "permissive"),
        (["share_alike", "non_commercial", "attribution"], "non_commercial"),
        (["unknown", "research_only"], "unknown"),
        (["permissive", "a name from elsewhere"], "a name from elsewhere"),
    ],
)
def test_the_strictest(kinds, expected):
    assert licences.strictest(kinds) == expected


@pytest.mark.parametrize(
    ("mix", "expected"),
    [
        ({"research_only": 701}, "licences: 701 frames research_only; strictest: research_only"),
        (
            MIX,
            "licences: 12,345 frames permissive, 701 frames research_only; strictest: research_only",
        ),
        ({"unknown": 1}, "licences: 1 frame unknown; strictest: unknown"),
        ({}, "licences: no frames"),
        ({"permissive": 0}, "licences: no frames"),
    ],
)
def test_the_line(mix, expected):
    assert licences.line(mix) == expected


@pytest.mark.parametrize(
    ("mix", "allow"),
    [
        (MIX, []),
        (MIX, ["permissive", "research_only"]),
        (MIX, list(licences.KINDS)),
        ({"research_only": 0}, ["permissive"]),
        ({}, ["permissive"]),
        ({"unknown": 3}, []),
    ],
)
def test_what_is_allowed_passes(mix, allow):
    licences.check(mix, allow)


def test_a_forbidden_kind_is_named_with_its_frames_and_the_remedy():
    with pytest.raises(ConfigError) as raised:
        licences.check(MIX, ["permissive", "attribution"])
    assert str(raised.value) == (
        "licence.allow=[permissive,attribution] forbids 701 frames research_only; leave their dataset out, "
        "or allow them with licence.allow=[permissive,attribution,research_only]"
    )


def test_every_forbidden_kind_is_named():
    with pytest.raises(ConfigError, match="forbids 1 frame share_alike and 2 frames unknown;"):
        licences.check({"unknown": 2, "share_alike": 1, "permissive": 9}, ["permissive"])


def test_a_kind_nobody_declared_is_not_allowed_by_accident():
    with pytest.raises(ConfigError, match="forbids 5 frames something"):
        licences.check({"something": 5}, ["permissive"])


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("permisive", "'permisive' is no kind of licence; did you mean permissive?"),
        ("noncommercial", "did you mean non_commercial?"),
        ("MIT", "'MIT' is no kind of licence; kinds: public_domain, permissive,"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, hint):
    with pytest.raises(ConfigError, match=re.escape(hint)):
        licences.check({}, [name])


def test_every_card_declares_a_known_kind():
    assert {cards.load(name).licence_kind for name in cards.names()} <= set(licences.KINDS)
