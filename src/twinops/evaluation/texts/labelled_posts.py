"""Posts labelled by hand: ordinary ones and hard ones, English and not; every sentence is our own."""

import csv
from dataclasses import dataclass
from importlib.resources import files

BY_HAND = "posts labelled by hand; own sentences, nobody's posts"


@dataclass(frozen=True)
class Post:
    """One labelled post. `fresh`: written after the deny-list was last changed; `kind`: ordinary, hard or decoy."""

    language: str
    sentiment: str
    topics: frozenset[str]
    special: bool
    fresh: bool
    kind: str
    text: str


def labelled() -> tuple[Post, ...]:
    """The labelled posts of this package; every sentence is our own."""
    lines = files(__package__).joinpath("labelled_posts.csv").read_text(encoding="utf-8").splitlines()
    return tuple(
        Post(
            r["language"],
            r["sentiment"],
            frozenset(filter(None, r["topics"].split(";"))),
            r["special"] == "1",
            r["fresh"] == "1",
            r["kind"],
            r["text"],
        )
        for r in csv.DictReader(lines)
    )
