"""Synthetic social accounts around households: ActivityPub archives and a comments CSV, with what was truly meant.

Written in the real export formats and as dirty as those: hostile HTML, other alphabets, torn JSON, letters among posts,
other people's handles, tomorrow's dates. `truth` is for evaluation alone. Every archive says that it is synthetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinops.demo import social_export as export
from twinops.demo.social_archives import SYNTHETIC, hostile_archives, tarred, zipped
from twinops.demo.social_export import HOST, AccountHolder, Span
from twinops.demo.social_spoilers import COMMENT_SPOILERS, SPOILERS, csv_line
from twinops.demo.utterances import Utterance, Writer, temper

NO_DAY: Mapping[str, date] = MappingProxyType({})
SHARE_WITH_ACCOUNT = 0.55
POSTS_A_YEAR = 14
COMMENTS_A_YEAR = 3
SPOILT = 0.015
"""Share of activities and comments that are broken in some way and must not enter."""
TORN_OUTBOXES = 0.01
TRUTH = pa.schema(
    [
        ("source", pa.string()),
        *((c, pa.string()) for c in ("account", "household", "item", "fate", "language", "sentiment", "topic")),
        ("special", pa.bool_()),
    ]
)


class Truth(NamedTuple):
    """What is true of one written thing, in the columns of `TRUTH`; its `fate` is enters, quarantine or left_out."""

    source: str
    account: str
    household: str
    item: str
    fate: str
    language: str
    sentiment: str
    topic: str | None
    special: bool


@dataclass(frozen=True)
class World:
    """Files by their path below a folder, and one row of truth per written thing."""

    files: Mapping[str, bytes]
    truth: pa.Table

    def write(self, folder: Path) -> None:
        """Write every file."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def accounts_of(households: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """An account for about 55 % of the households, as pairs of account and household; handles tell nothing."""
    rng = np.random.default_rng([seed, 40])
    chosen = [h for h, has in zip(households, rng.random(len(households)) < SHARE_WITH_ACCOUNT, strict=True) if has]
    return [
        (f"demo_{n:06d}@{HOST}", h)
        for n, h in zip((100_000 + rng.permutation(900_000)[: len(chosen)]).tolist(), chosen, strict=True)
    ]


def posts(accounts: Sequence[tuple[str, str]], *, seed: int, span: Span, joined: Mapping[str, date] = NO_DAY) -> World:
    """One archive per account below `social_posts/`, three hostile ones; nobody writes before an account `joined`."""
    files, truth = dict(hostile_archives()), []
    for number, (account, household) in enumerate(accounts):
        days = span.since(joined.get(account, span.first))
        if days is None:
            continue
        rng = np.random.default_rng([seed, 41, number])
        person = AccountHolder(account, household, Writer(rng, language=temper(household, seed).language), days)
        items, rows = _outbox(person, temper(household, seed).mood)
        truth += rows
        members = {
            "actor.json": export.actor(person),
            "outbox.json": export.collection("outbox.json", items),
            "likes.json": export.likes(person),
            "following_accounts.csv": export.following(person),
            "README.txt": SYNTHETIC.encode(),
        }
        mark = hashlib.sha256(f"{seed} {account}".encode()).hexdigest()[:32]
        stamp = f"archive-{span.last:%Y%m%d}235959-{mark}"
        name, packed = (f"{stamp}.tar.gz", tarred(members)) if number % 7 == 0 else (f"{stamp}.zip", zipped(members))
        files[f"social_posts/{name}"] = packed
    return World(files, as_truth(truth))


def comments(
    accounts: Sequence[tuple[str, str]], *, seed: int, span: Span, joined: Mapping[str, date] = NO_DAY
) -> World:
    """One CSV of comments under our own posts, by the same people, from the days their accounts are there."""
    lines, truth = [], []
    number = 1_000_000
    for place, (account, household) in enumerate(accounts):
        days = span.since(joined.get(account, span.first))
        if days is None:
            continue
        rng = np.random.default_rng([seed, 42, place])
        mind = temper(household, seed)
        person = AccountHolder(account, household, Writer(rng, language=mind.language), days)
        for _ in range(rng.poisson(COMMENTS_A_YEAR * rng.gamma(1.2))):
            number += 1
            said = person.writer.about_us(mind.mood)
            spoil = COMMENT_SPOILERS[rng.integers(len(COMMENT_SPOILERS))] if rng.random() < SPOILT else None
            lines.append(_comment(person, f"k{number}", said, spoil))
            fate = "quarantine" if spoil else "enters"
            truth.append(Truth("social_comments", account, household, f"k{number}", fate, *said.truth))
    header = b"comment_id,account,author_name,created_at,post_id,in_reply_to,reply_to_account,text,likes,synthetic\r\n"
    order = np.random.default_rng([seed, 43]).permutation(len(lines))
    return World({"social_comments.csv": header + b"".join(lines[i] for i in order)}, as_truth(truth))


def as_truth(rows: Sequence[Truth]) -> pa.Table:
    """Rows of truth as a table."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(TRUTH)
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, TRUTH, strict=True)], schema=TRUTH)


def _outbox(person: AccountHolder, mood: float) -> tuple[list[bytes], list[Truth]]:
    """The account's activities as JSON, and the truth about each."""
    rng, items, truth = person.writer.rng, [], []
    for number in range(rng.poisson(POSTS_A_YEAR * rng.gamma(1.5) / 1.5)):
        name = f"{person.actor}/statuses/{10**9 + number}/activity"
        kind = rng.random()
        said = person.writer.post(mood)
        if kind < 0.18:
            items.append(export.as_json(export.announce(person, name)))
            continue
        fate, item = "enters", export.create(person, name, said)
        if kind < 0.22:
            fate, item = "left_out", export.letter(item, person)
        elif kind < 0.24:
            fate, item = "left_out", item | {"object": item["object"] | {"sensitive": True, "summary": "careful"}}
        raw = export.as_json(item)
        if fate == "enters" and rng.random() < SPOILT:
            fate, raw = "quarantine", SPOILERS[rng.integers(len(SPOILERS))](raw)
        items.append(raw)
        truth.append(Truth("social_posts", person.account, person.household, name, fate, *said.truth))
    if items and rng.random() < TORN_OUTBOXES:
        items[-1] = items[-1][: len(items[-1]) // 2]
        truth = [t._replace(fate="quarantine") if t.item.encode() in items[-1] else t for t in truth]
    return items, truth


def _comment(person: AccountHolder, name: str, said: Utterance, spoil: Callable[[list[str]], bytes] | None) -> bytes:
    rng = person.writer.rng
    words = " ".join((*(f"@{f}" for f in said.friends), said.text, *said.tags)) + (
        f" {said.attack}" if said.attack else ""
    )
    answer = ["", ""] if rng.random() < 0.7 else [f"k{rng.integers(10**6, 10**6 + 500)}", "kasia@social.example"]
    begun = [name, person.account, person.account.split("@")[0], person.moment(), f"post-{rng.integers(1, 90)}"]
    cells = [*begun, *answer, words, str(rng.poisson(2)), "yes"]
    return spoil(cells) if spoil else csv_line(cells)
