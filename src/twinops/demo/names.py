"""Own, hand-written building blocks for synthetic people of many European alphabets; nobody's real data is in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from twinops.plugins import text_beside

_BLOCKS: dict[str, Any] = yaml.safe_load(text_beside(__package__, "names.yaml"))
DOMAINS: tuple[str, ...] = tuple(_BLOCKS["domains"])
"""Reserved by RFC 2606: no mail can reach a person."""
REGION_SHARE: dict[str, float] = _BLOCKS["region_share"]
ALIASES, EMOJI, HOSTILE = (tuple(_BLOCKS[k]) for k in ("aliases", "emoji", "hostile"))
LATIN: dict[str, dict[str, str]] = _BLOCKS["latin"]
"""Two ways to spell the other alphabets in Latin letters, as two clerks would."""


@dataclass(frozen=True)
class GivenName:
    """One given name: its region, its sex, and the short form people use ("" where there is none)."""

    name: str
    short: str
    region: str
    sex: str


@dataclass(frozen=True)
class Surname:
    """One surname in its masculine and feminine form."""

    masculine: str
    feminine: str
    region: str


@cache
def given_names() -> tuple[GivenName, ...]:
    """Every given name, commonest first within region and sex."""
    split = [
        (region, sex, entry.partition(","))
        for region, sexes in _BLOCKS["given"].items()
        for sex, entries in sexes.items()
        for entry in entries
    ]
    return tuple(GivenName(name, short, region, sex) for region, sex, (name, _, short) in split)


@cache
def surnames() -> tuple[Surname, ...]:
    """Every stem, then every two stems, with every ending of their region, in an order that mixes them; each once."""
    out: dict[str, Surname] = {}
    for region, stems in _BLOCKS["surname_stems"].items():
        ends = [e.partition("/") for e in _BLOCKS["surname_endings"][region]]
        for middle in ["", *(s.lower() for s in stems)]:
            for k in range(len(ends)):
                for i, stem in enumerate(stems):
                    masculine, _, feminine = ends[(i + k) % len(ends)]
                    surname = Surname(stem + middle + masculine, stem + middle + (feminine or masculine), region)
                    out.setdefault(surname.masculine, surname)
    return tuple(out.values())


def towns() -> list[str]:
    """Invented towns, largest first."""
    stems, ends = _BLOCKS["town_stems"], _BLOCKS["town_endings"]
    return [s + ends[(i + k) % len(ends)] for k in range(len(ends)) for i, s in enumerate(stems)]


def streets() -> list[tuple[str, str]]:
    """Invented streets: in full and abbreviated."""
    return [(s + full, s + short) for s in _BLOCKS["street_stems"] for full, short in _BLOCKS["street_kinds"]]
