"""Plain text from hostile HTML, with other people's handles, words and addresses dropped at the door.

What an author wrote about somebody else is that person's data too (GDPR art. 4(1)); it is not ours to keep.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

from twinops.data.reading.reading import Fault, Refused

MAX_TAGS = 400
"""More angle brackets than that are no post; Python's parser would read some of them over and over."""

_SILENT = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "title", "textarea"}
_QUOTING = {"blockquote", "q", "cite"}
_BREAKING = {"p", "br", "div", "li", "tr", "h1", "h2", "h3"}
_VOID = {"br", "img", "hr", "input", "meta", "link", "wbr", "source", "track", "area", "base", "col", "embed", "param"}
_HIDDEN_CLASSES = {"mention", "u-url", "h-card", "invisible", "quote-inline", "ellipsis"}

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_HANDLE = re.compile(r"(?<![\w/])@[\w][\w.-]{0,63}(?:@[\w-]{1,63}(?:\.[\w-]{1,63})*)?")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?<!\w)\+?\d(?:[ ./()-]{0,2}\d){7,14}(?!\w)")
_QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_RESHARED = re.compile(r"\b(?:RT|RE|via)\s*:?\s*@\S+.*$", re.DOTALL)
_TRICKS = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_CONTROLS = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6-\u2122]")


class _Text(HTMLParser):
    """Collects what a reader of the page would see and the author wrote."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is silent, quoted or hidden until its end tag."""
        if tag in _BREAKING:
            self.words.append("\n")
        if tag not in _VOID and (self.hidden or _is_hidden(tag, dict(attrs))):
            self.hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost hidden element of that name."""
        if tag in self.hidden:
            while self.hidden.pop() != tag:
                pass
        elif tag in _BREAKING:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep visible text."""
        if not self.hidden:
            self.words.append(data)


def _is_hidden(tag: str, attributes: dict[str, str | None]) -> bool:
    style = (attributes.get("style") or "").replace(" ", "").lower()
    classes = set((attributes.get("class") or "").split())
    return (
        tag in _SILENT
        or tag in _QUOTING
        or "hidden" in attributes
        or "display:none" in style
        or "visibility:hidden" in style
        or (bool(classes & _HIDDEN_CLASSES) and "hashtag" not in classes)
    )


def from_html(content: str) -> str:
    """What the author wrote, as plain text.

    >>> from_html('<p>Thanks <a class="u-url mention">@<span>ida</span></a>, great bread!<script>x()</script></p>')
    'Thanks , great bread!'

    Raises:
        Refused: it is more markup than text.
    """
    # counted before parsing: a page of open tags costs quadratic time
    if content.count("<") > MAX_TAGS:
        raise Refused(Fault.OVERSIZED)
    page = _Text()
    page.feed(content)
    page.close()
    return from_text("".join(page.words))


def from_text(text: str) -> str:
    """Plain text without handles, addresses, numbers, links and quoted lines; NFC; one space at a time.

    >>> from_text("RT-free: ask @ida@social.example or ida@mail.example, https://x.example")
    'RT-free: ask or ,'
    """
    text = unicodedata.normalize("NFC", mended(text))
    text = _TRICKS.sub("", _CONTROLS.sub(" ", text))
    # reshared words go first, with the handle they begin with
    for pattern in (_RESHARED, _QUOTED_LINE, _LINK, _HANDLE, _ADDRESS, _PHONE):
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def mended(text: str) -> str:
    """UTF-8 that was once read as Windows-1252, put right; anything else as it is.

    >>> mended("cafÃ© crÃ¨me"), mended("Ähre")
    ('café crème', 'Ähre')
    """
    if not _MOJIBAKE.search(text):
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text
