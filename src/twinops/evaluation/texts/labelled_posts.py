"""Posts labelled by hand: ordinary ones and hard ones, English and not; every sentence is our own."""

import csv
from dataclasses import dataclass

from twinops.plugins import text_beside

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
    lines = text_beside(__package__, "labelled_posts.csv").splitlines()
    return tuple(_post(row) for row in csv.DictReader(lines))


def _post(row: dict[str, str]) -> Post:
    topics = frozenset(filter(None, row["topics"].split(";")))
    special, fresh = row["special"] == "1", row["fresh"] == "1"
    return Post(row["language"], row["sentiment"], topics, special, fresh, row["kind"], row["text"])
