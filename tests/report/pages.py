"""Read a page back: its elements, its text, and whether its tags are balanced."""

from __future__ import annotations

from html.parser import HTMLParser

from dataengine.report.html import VOID


class Page(HTMLParser):
    """Collects what the tests ask about.

    Attributes:
        elements: Tag and attributes of every element, in order.
        words: Text outside of styles and scripts.
        open_tags: Elements not closed; empty for a sound page.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open_tags: list[str] = []
        self._words: list[str] = []
        self.feed(html)
        self.close()
        self.words = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags, f"</{tag}> closes nothing"
        assert self.open_tags.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if not self.open_tags or self.open_tags[-1] not in {"style", "script"}:
            self._words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> set[str]:
        """Every ``id``."""
        return {value for _, attributes in self.elements if (value := attributes.get("id"))}
