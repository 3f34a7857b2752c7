"""``dataengine datasets``: its words, and what it prints."""

from __future__ import annotations

import difflib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from dataengine import cards
from dataengine.cards import Card
from dataengine.errors import ConfigError
from dataengine.fetch.download import download
from dataengine.fetch.table import table
from dataengine.fetch.verify import verify
from dataengine.progress import say

WORDS = ("download", "verify", "root", "parts")
_ZOO = "quickstart-video"
_USAGE = "dataengine datasets [download=NAME | verify=NAME] [root=PATH] [parts=needed|all]"


def main(arguments: Sequence[str]) -> None:
    """Run the verb ``datasets``.

    Args:
        arguments: ``word=value``; none lists the cards.

    Raises:
        UserError: A word or a name is unknown, or something cannot be fetched or is not whole.
    """
    words = _parse(arguments)
    if "download" in words:
        _download(words["download"], words)
    elif "verify" in words:
        card = _card(words["verify"])
        _out(verify(card, _root(card, words)))
    else:
        if words:
            raise ConfigError(
                f"datasets: {', '.join(words)} need download=NAME or verify=NAME; usage: {_USAGE}"
            )
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        _out(table([cards.load(name) for name in cards.names()], width).rstrip("\n"))


def _parse(arguments: Sequence[str]) -> dict[str, str]:
    words: dict[str, str] = {}
    for argument in arguments:
        word, equals, value = argument.partition("=")
        if word not in WORDS:
            raise ConfigError(f"datasets: unknown word {argument!r}{_nearest(word, WORDS)}; usage: {_USAGE}")
        if not equals or not value:
            raise ConfigError(f"datasets: {word} wants a value; usage: {_USAGE}")
        if word in words:
            raise ConfigError(f"datasets: {word} stands there twice; usage: {_USAGE}")
        words[word] = value
    if words.get("parts", "all") not in {"needed", "all"}:
        raise ConfigError(f"datasets: parts={words['parts']} is neither needed nor all")
    if {"download", "verify"} <= words.keys():
        raise ConfigError(f"datasets: one of download and verify at a time; usage: {_USAGE}")
    return words


def _download(name: str, words: dict[str, str]) -> None:
    if name == _ZOO:
        _out(
            f"{_ZOO} comes through FiftyOne's Dataset Zoo (35 MB, CC BY 4.0) on first use:\n\n"
            f"    dataengine dataset=fiftyone dataset.fields.dataset={_ZOO}"
        )
        return
    card = _card(name)
    if not card.downloads:
        _out(_steps(card))
        return
    root = _root(card, words)
    say(f"{card.title}; licence: {card.licence} ({card.licence_kind})")
    fetched = download(card, root, everything=words.get("parts") == "all")
    left_out = [item.url for item in card.downloads if not item.needed and words.get("parts") != "all"]
    say(f"{card.name}: {'complete' if fetched else 'already complete, nothing was fetched'} in {root}")
    if left_out:
        say(f"left out, one can do without: {', '.join(left_out)} (parts=all fetches them)")
    _out(f"next: {_next(card, root)}")


def _steps(card: Card) -> str:
    """How to get a dataset that this engine may not fetch."""
    lines = [
        f"{card.name}: {card.title}",
        f"  licence  {card.licence} ({card.licence_kind})",
        f"  size     {card.size or 'depends'}",
        f"  needs    {card.needs}",
        f"  source   {card.source}",
        "",
        card.obtain,
        "",
        f"then: {_next(card, Path('FOLDER'))}",
    ]
    return "\n".join(lines)


def _next(card: Card, root: Path) -> str:
    if card.name == "simulated":
        return "dataengine"
    return f"dataengine dataset={card.name} dataset.root={shlex.quote(str(root))}"


def _card(name: str) -> Card:
    known = cards.names()
    if name not in known:
        raise ConfigError(f"datasets: no card {name!r}{_nearest(name, known)}; cards: {', '.join(known)}")
    return cards.load(name)


def _root(card: Card, words: dict[str, str]) -> Path:
    return Path(words.get("root", f"data/{card.name}")).expanduser()


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
