"""A document that came with evidence as inert HTML: nothing runs or loads, and links lead to what came with it."""

from __future__ import annotations

import hashlib
import itertools
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_KEPT = 64
_documents: dict[str, Markup] = {}
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Links:
    """Where the links of one shown document lead; `picture` and `file` know what came with the evidence."""

    prefix: str
    """Before the ids of its headings, which would otherwise be those of the page."""
    version: str
    """Which evidence it belongs to: what is cached differs by it."""
    picture: Callable[[str], str | None]
    file: Callable[[str], str | None]


def as_html(text: str, links: Links) -> Markup:
    """A document in Markdown as HTML in which nothing runs or loads, below the headings of the page.

    Links inside it and to files of the evidence work; a link to what is not there is shown as its words.
    """
    key = hashlib.sha256(f"{links.prefix}\0{links.version}\0{text}".encode()).hexdigest()
    if key not in _documents:
        if len(_documents) >= _KEPT:
            _documents.clear()
        tokens = _markdown.parse(_without_front_matter(text))
        _tame(tokens, links)
        _documents[key] = Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704  # html=False
    return _documents[key]


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    _, end, rest = text[4:].partition("\n---\n")
    return rest if end else text


def _tame(tokens: Sequence[Token], links: Links) -> None:
    ids = _named_headings(tokens, links.prefix)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for inner in token.children or ():
            if inner.type == "image":
                _tame_picture(inner, links)
        _tame_links(token.children or [], links, ids)
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # wide tables scroll sideways, by keyboard too
    for opened, inner, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not inner.content.strip():
            opened.tag = closed.tag = "td"  # an empty heading tells a screen reader nothing


def _named_headings(tokens: Sequence[Token], prefix: str) -> frozenset[str]:
    """Give every heading an id, as hosts of git repositories make them; the ids are returned."""
    given: list[str] = []
    for opened, inner in itertools.pairwise(tokens):
        if opened.type == "heading_open":
            words = re.sub(r"[^\w\- ]", "", inner.content.strip().lower()).replace(" ", "-")
            again = sum(1 for known in given if known == words)
            given.append(words)
            opened.attrSet("id", f"{prefix}-{words}{f'-{again}' if again else ''}")
    return frozenset(str(token.attrGet("id")) for token in tokens if token.type == "heading_open")


def _tame_links(children: list[Token], links: Links, ids: frozenset[str]) -> None:
    dropped = False
    for token in children:
        if token.type == "link_open":
            where = _where(str(token.attrGet("href") or ""), links, ids)
            dropped = where is None
            if where is not None:
                token.attrSet("href", where)
                token.attrSet("rel", "noreferrer noopener")
        if dropped and token.type in ("link_open", "link_close"):
            dropped = token.type == "link_open"
            token.type, token.tag, token.content = "text", "", ""


def _where(href: str, links: Links, ids: frozenset[str]) -> str | None:
    """An address of the web stays, an inner one is found on this page or among the files of the evidence."""
    if re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
        return href
    if href.startswith("#"):
        inner = f"{links.prefix}-{unquote(href[1:]).lower()}"
        return f"#{inner}" if inner in ids else None
    return links.file(unquote(href.partition("#")[0])) if href and not href.startswith("/") else None


def _tame_picture(token: Token, links: Links) -> None:
    where = str(token.attrGet("src") or "")
    while where.startswith("../"):
        where = where[3:]
    found = links.picture(posixpath.normpath(where))
    if found is None:
        token.type, token.tag = "text", ""
        token.content = f"(picture: {token.content})"
    else:
        token.attrSet("src", found)
        token.attrSet("loading", "lazy")
