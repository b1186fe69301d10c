"""Answers that are none, made of whatever the project's people really wrote."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence

CYRILLIC = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
ZERO, NBSP, JOINER, ACUTE = "\u200b", "\u00a0", "\u2060", "\u0301"
PLACEHOLDERS = {
    "Latin": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.",
    "further Latin": "Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit.",
    "Cicero": "Nemo enim ipsam voluptatem quia voluptas sit aspernatur aut odit aut fugit, sed quia consequuntur.",
    "Cyrillic": "Лорем ипсум долор сит амет, цонсецтетуер адиписцинг елит, сед до еиусмод темпор инцидидунт.",
    "Greek": "Λορεμ ιπσυμ δολορ σιτ αμετ, κονσεκτετυερ αδιπισκινγ ελιτ, σεδ δο ειυσμοδ τεμπορ ινκιδιδυντ υτ.",
    "English": "The quick brown fox jumps over the lazy dog, and then the quick brown fox jumps over the dog.",
    "German": "Weit hinten, hinter den Wortbergen, fern der Länder Vokalien und Konsonantien leben die Blindtexte.",
    "blind English": "Far far away, behind the word mountains, far from the countries Vokalia and Consonantia, there.",
    "Occidental": "Li Europan lingues es membres del sam familie. Lor separat existentie es un myth. Por scientie.",
    "a template": "To be done. To be completed later. Insert text here. Enter your answer here. To be determined.",
    "a typed template": "[Please describe the measures here and explain in detail why they are sufficient]",
}


def empty(said: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Nothing, or what only looks like something."""
    first = next((w for w in said.split() if w.isalpha()), "fine")
    stressed = [unicodedata.normalize("NFC", first[:-1] + first[-1:] + chr(0x300 + i)) for i in range(12)]
    yield "emptied", ""
    yield "spaces", "   "
    yield "dots", "." * 60
    yield "dots between spaces", ". " * 40
    yield "dashes and stars", "--- *** --- *** ---"
    yield "a number again and again", "100 200 300 400 500 600 700"
    yield "letters", " ".join("abcdefghijklmnopqrstuvwxyz")
    yield "one word repeated", " ".join([first] * 14)
    yield (
        "one word in many cases",
        " ".join(rng.choice([first.upper(), first.lower(), first.title()]) for _ in range(14)),
    )
    yield (
        "one word with zero-width signs",
        " ".join(first[:i] + ZERO * 3 + first[i:] for i in range(len(first) + 1)) * 3,
    )
    yield "one word with combining marks", " ".join(stressed)
    yield (
        "one word, letters of other scripts",
        " ".join(first[:i].translate(CYRILLIC) + first[i:] for i in range(len(first) + 1)),
    )
    yield "one word, numbered", " ".join(f"{first}{i}" for i in range(12))
    yield "one word, lettered", " ".join(f"{first}{c}" for c in "abcdefghijkl")
    yield "no-break spaces", NBSP * 60
    yield "zero-width signs alone", (ZERO + JOINER) * 40
    yield "combining marks alone", ACUTE * 60
    yield (
        "blank letters",
        "\u3164\u3164\u3164 \u2800\u2800\u2800 \u115f\u115f\u115f \u3164\u2800 \u2800\u3164 \uffa0\u3164",
    )
    yield "pictures", "\U0001f600 \U0001f601 \U0001f602 \U0001f603 \U0001f604 \U0001f605 \U0001f606"


def placeholders() -> Iterator[tuple[str, str]]:
    """Text that printers set to see the page."""
    yield from ((f"placeholder, {name}", text) for name, text in PLACEHOLDERS.items())


def copies(text: str, of: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """The same words once more, each time hidden otherwise."""
    words = text.split()
    shuffled = rng.sample(words, len(words))
    yield f"copied from {of}", text
    yield f"copied from {of}, in capitals", text.upper()
    yield f"copied from {of}, words in another order", " ".join(shuffled)
    yield f"copied from {of}, without signs", " ".join("".join(c for c in w if c.isalnum()) for w in words)
    yield f"copied from {of}, zero-width signs in every word", " ".join(w[:1] + ZERO + w[1:] for w in words)
    yield f"copied from {of}, no-break spaces", NBSP.join(words)
    yield f"copied from {of}, letters of other scripts", text.translate(CYRILLIC)
    yield f"copied from {of}, full-width letters", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    yield f"copied from {of}, combining marks", "".join(c + (ACUTE if c in "aeiou" else "") for c in text)
    yield f"copied from {of}, one word taken away", " ".join(words[1:])
    yield f"copied from {of}, begun otherwise", f"As to this question: {text}"


def lengthened(text: str, of: str) -> tuple[str, str]:
    """A copy with a sentence behind it; who says the question again before an answer does nothing else."""
    return f"copied from {of}, a sentence added", f"{text} This holds here as well, as was said before."


def some(found: Sequence[tuple[str, str]], rng: random.Random, most: int) -> list[tuple[str, str]]:
    return rng.sample(list(found), min(most, len(found)))
