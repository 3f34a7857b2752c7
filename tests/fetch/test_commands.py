"""``dataengine datasets``: words, the table, the steps."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dataengine import cards
from dataengine.errors import ConfigError, UserError
from dataengine.fetch import commands, main
from dataengine.fetch.table import table
from tests.fetch.archives import zip_of
from tests.fetch.server import Page, Site
from tests.fetch.test_download import IMAGES, card, content


def test_the_table_is_aligned_and_names_every_card(capsys):
    main([])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *cards.names()]
    columns = [lines[0].index(heading) for heading in ("what", "size", "licence", "needs", "tested on")]
    for line in lines[1:]:
        for column in columns:
            assert line[column - 1 : column] in {" ", ""}
            assert line[column : column + 1] != " "
    assert "research_only" in next(line for line in lines if line.startswith("camvid"))


@pytest.mark.parametrize("width", [60, 100, 140])
def test_the_table_fits_a_terminal(width):
    lines = table([cards.load(name) for name in cards.names()], width).splitlines()
    assert max(map(len, lines)) <= width
    assert "research_only" in "\n".join(lines)
    assert "tested" in "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dowload=kitti"], "unknown word 'dowload=kitti'; did you mean download?"),
        (["--help-me"], "unknown word '--help-me'"),
        (["download"], "download wants a value"),
        (["download="], "download wants a value"),
        (["download=camvit"], "no card 'camvit'; did you mean camvid or"),
        (["verify=nothing-like-it"], "no card 'nothing-like-it'; cards: "),
        (["download=../camvid"], "no card '../camvid'"),
        (["download=camvid", "verify=camvid"], "one of download and verify"),
        (["download=camvid", "download=camvid"], "download stands there twice"),
        (["download=camvid", "parts=most"], "parts=most is neither needed nor all"),
        (["root=here"], "root need download=NAME or verify=NAME"),
    ],
)
def test_a_wrong_word_is_one_line(arguments, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        main(arguments)
    assert isinstance(raised.value, UserError)
    assert "\n" not in str(raised.value)


def test_a_dataset_that_is_not_fetched_prints_its_steps(capsys):
    main(["download=simulated"])
    said = capsys.readouterr().out
    assert "Nothing to download: it is rendered on first use." in said
    assert "Apache-2.0" in said


def test_the_zoos_dataset_prints_its_command(capsys):
    main(["download=quickstart-video"])
    assert "dataengine dataset=fiftyone dataset.fields.dataset=quickstart-video" in capsys.readouterr().out


def test_a_download_says_the_licence_and_ends_with_the_next_command(
    tmp_path: Path, site: Site, monkeypatch, capsys
):
    item = cards.Download(url=site.add("/i.zip", Page(zip_of(IMAGES))))
    known = replace(card(item, replace(item, url="http://x/extra.zip", needed=False)), licence="CC BY-NC-SA")
    monkeypatch.setattr(commands, "_card", lambda name: known)
    monkeypatch.chdir(tmp_path)
    main(["download=kitti"])
    said = capsys.readouterr()
    assert said.out == "next: dataengine dataset=kitti dataset.root=data/kitti\n"
    assert "licence: CC BY-NC-SA (unknown)" in said.err
    assert "kitti: complete in data/kitti" in said.err
    assert "one can do without: http://x/extra.zip (parts=all fetches them)" in said.err
    assert content(tmp_path / "data/kitti") == IMAGES
    main(["download=kitti", "root=data/kitti"])
    assert "already complete, nothing was fetched" in capsys.readouterr().err
    main(["verify=kitti"])
    assert "nothing missing, nothing altered" in capsys.readouterr().out


def test_every_cards_downloads_are_web_addresses_with_sane_sizes():
    for name in cards.names():
        for item in cards.load(name).downloads:
            assert urlsplit(item.url).scheme in {"http", "https"}
            assert re.fullmatch(r"([0-9a-f]{64})?", item.sha256)
            assert item.num_bytes >= 0
