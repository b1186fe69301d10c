"""One synthetic person's export in the form Mastodon gives it: actor, outbox, likes, accounts followed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Any

import numpy as np

from twinops.demo.social_archives import SYNTHETIC
from twinops.demo.utterances import Utterance, Writer

HOST = "social.example"
BRAND = "https://shop.example/users/grocer"
CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{CONTEXT}#Public"


@dataclass(frozen=True)
class Span:
    """First and last day on which something is written."""

    first: date
    last: date

    def since(self, day: date) -> Span | None:
        """The part of it from that day on; None where nothing is left to write in."""
        return Span(max(self.first, day), self.last) if day < self.last else None


@dataclass(frozen=True)
class AccountHolder:
    """Whose export is being written."""

    account: str
    household: str
    writer: Writer
    span: Span

    @property
    def actor(self) -> str:
        """The account's link."""
        return f"https://{HOST}/users/{self.account.split('@')[0]}"

    def moment(self) -> str:
        """A moment of the span, in UTC."""
        days = (self.span.last - self.span.first).days
        minutes = int(self.writer.rng.integers(6 * 60, max(days, 1) * 1440))
        moment = datetime(self.span.first.year, self.span.first.month, self.span.first.day, tzinfo=UTC) + timedelta(
            minutes=minutes
        )
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def create(person: AccountHolder, name: str, said: Utterance) -> dict[str, Any]:
    """A post in the form Mastodon exports it."""
    note = name.removesuffix("/activity")
    content = _html(said, person.writer.rng)
    tags = [
        {"type": "Mention", "href": f"https://{f.split('@')[1]}/users/{f.split('@')[0]}", "name": f"@{f}"}
        for f in said.friends
    ]
    tags += [{"type": "Mention", "href": BRAND, "name": "@grocer@shop.example"}] if said.to_brand else []
    return {
        "id": name,
        "type": "Create",
        "actor": person.actor,
        "published": person.moment(),
        "to": [PUBLIC],
        "cc": [f"{person.actor}/followers"],
        "object": {
            "id": note,
            "type": "Note",
            "summary": None,
            "inReplyTo": f"{BRAND}/statuses/7" if said.to_brand and said.topic else None,
            "attributedTo": person.actor,
            "sensitive": False,
            "content": content,
            "contentMap": {said.language: content},
            "attachment": [],
            "tag": tags,
            "replies": {"id": f"{note}/replies", "type": "Collection"},
        },
    }


def _html(said: Utterance, rng: np.random.Generator) -> str:
    """The words in Mastodon's markup, now and then with something hostile or somebody else's words beside them."""
    mention = '<span class="h-card"><a href="https://{1}/@{0}" class="u-url mention">@<span>{0}</span></a></span> '
    text = "".join(mention.format(*f.split("@")) for f in said.friends) + escape(said.text, quote=False)
    for tag in said.tags:
        text += (
            f' <a href="https://{HOST}/tags/{tag[1:]}" class="mention hashtag" rel="tag">#<span>{tag[1:]}</span></a>'
        )
    if said.quoted:
        text = f"<blockquote>{escape(said.quoted)}</blockquote>{text}"
    attack = said.attack if rng.random() < 0.5 else escape(said.attack)
    return f"<p>{text}</p>{attack}"


def announce(person: AccountHolder, name: str) -> dict[str, Any]:
    """Somebody else's post, passed on."""
    rng = person.writer.rng
    shared = (
        f"{BRAND}/statuses/{rng.integers(1, 90)}"
        if rng.random() < 0.3
        else f"https://web.example/users/omar_k/statuses/{rng.integers(1, 10**6)}"
    )
    told = {"id": name, "type": "Announce", "actor": person.actor, "published": person.moment()}
    return {**told, "to": [PUBLIC], "cc": [], "object": shared}


def letter(item: dict[str, Any], person: AccountHolder) -> dict[str, Any]:
    """A private message, which exports hold among the posts."""
    friend = "https://inbox.example/users/nils"
    to = {"to": [friend], "cc": []}
    return item | to | {"object": item["object"] | to | {"attributedTo": person.actor}}


def actor(person: AccountHolder) -> bytes:
    """The profile; of it, only who it is may be taken."""
    name = person.account.split("@")[0]
    return as_json(
        {
            "@context": CONTEXT,
            "id": person.actor,
            "type": "Person",
            "preferredUsername": name,
            "name": name,
            "summary": f"<p>{SYNTHETIC}</p>",
            "outbox": "outbox.json",
            "likes": "likes.json",
            "publicKey": {"id": f"{person.actor}#main-key", "publicKeyPem": "(synthetic)"},
        }
    )


def likes(person: AccountHolder) -> bytes:
    """Liked posts, ours and others', without dates as Mastodon exports them."""
    rng = person.writer.rng
    links = [f"{BRAND}/statuses/{n}" for n in np.unique(rng.integers(1, 90, rng.poisson(4)))]
    links += [f"https://web.example/users/bea/statuses/{n}" for n in np.unique(rng.integers(1, 10**6, rng.poisson(8)))]
    return collection("likes.json", [as_json(link) for link in links])


def following(person: AccountHolder) -> bytes:
    """Accounts followed, as CSV."""
    ours = ["grocer@shop.example,true,false,"] if person.writer.rng.random() < 0.4 else []
    return "\n".join(
        ["Account address,Show boosts,Notify on new posts,Languages", "nils@inbox.example,true,false,", *ours, ""]
    ).encode()


def collection(name: str, items: list[bytes]) -> bytes:
    """An ordered collection."""
    head = as_json({"@context": CONTEXT, "id": name, "type": "OrderedCollection", "totalItems": len(items)})
    return head[:-1] + b',"orderedItems":[' + b",".join(items) + b"]}"


def as_json(value: Any) -> bytes:
    """JSON, as it is written to files."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
