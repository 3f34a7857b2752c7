"""HTML and SVG elements from Python: everything that is not ``Markup`` is escaped on its way in."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

VOID = frozenset({"br", "col", "hr", "img", "link", "meta"})
"""Elements without an end tag (WHATWG HTML, section 13.1.2)."""


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def text(value: Any) -> Markup:
    """``value`` as HTML; plain text is escaped, ``None`` is nothing, an iterable is joined."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return Markup("")
    if isinstance(value, str):
        return Markup(escape(value))
    if isinstance(value, Iterable):
        return Markup("".join(text(part) for part in value))
    return Markup(escape(str(value)))


def el(tag: str, *children: Any, **attributes: Any) -> Markup:
    """One element.

    Args:
        tag: Its name.
        *children: Text, numbers, ``Markup`` or iterables of them.
        **attributes: Values are escaped; ``None`` and ``False`` leave the attribute out, ``True`` writes
            it bare. A trailing underscore is dropped (``class_``), inner ones become hyphens.
    """
    parts = [f"<{tag}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name = key.rstrip("_").replace("_", "-")
        parts.append(f" {name}" if value is True else f' {name}="{escape(str(value))}"')
    parts.append(">")
    if tag not in VOID:
        parts.append(f"{text(children)}</{tag}>")
    return Markup("".join(parts))


def joined(items: Iterable[Any], separator: str = ", ", last: str = " and ") -> Markup:
    """``a, b and c``."""
    parts = [text(item) for item in items]
    if len(parts) < 2:
        return text(parts)
    return Markup(text(separator).join(parts[:-1]) + text(last) + parts[-1])


def section(anchor: str, title: str, *children: Any) -> Markup:
    """A numbered part of the page with its heading."""
    return el("section", el("h2", title), children, id=anchor)


def more(summary: Any, *children: Any, is_open: bool = False) -> Markup:
    """Children behind a line that opens them; printed open."""
    return el("details", el("summary", summary), el("div", children, class_="more"), open=is_open)


def note(*children: Any) -> Markup:
    """A quiet paragraph below a figure or table."""
    return el("p", children, class_="note")
