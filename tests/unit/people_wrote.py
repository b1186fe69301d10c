"""SYNTHETIC files of what people wrote, as strangers send them, and the declarations that map them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from own_world import LEGAL, TWIN

TIME = {"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}


def declared(kind: str, columns: dict[str, str], *, path: str, **more: Any) -> dict[str, Any]:
    """A declaration of a CSV with these columns, all for the twin."""
    legal = LEGAL | {"bases": dict.fromkeys(TWIN, "contract"), "purposes": dict.fromkeys(columns, TWIN)}
    return {
        "kind": kind,
        "reads": "csv",
        "path": f"files/{path}",
        "columns": columns,
        "time": TIME,
        "legal": legal,
    } | more


COMMENTS = declared(
    "comments", {"account": "who", "time": "at", "text": "said", "likes": "likes"}, path="comments.csv", separator=";"
)
SERVICE = declared(
    "service",
    {"household_id": "customer", "time": "opened", "closed": "closed", "category": "topic", "text": "said"},
    path="service.csv",
    separator=";",
)
EVENTS = ("account", "event_id", "verb", "time", "brand", "reply", "text")
ACCOUNT = ("account", "handle", "display_name", "email", "city", "time")
POSTS = declared("social", {c: c for c in EVENTS}, path="exports", reads="archives", time={"zone": "UTC"}, brand="shop")
ACCOUNTS = declared("accounts", {c: c for c in ACCOUNT}, path="exports", reads="archives", time={"zone": "UTC"})
GOOD = "The delivery was late again and the service was very bad."


def comment(who: str = "anna_57", at: str = "05.03.2024 08:26", said: str = GOOD, likes: str = "2") -> str:
    return f"{who};{at};{said};{likes}"


def table(head: str, *rows: str) -> str:
    return "\n".join([head, *rows, ""])


def comments(*rows: str) -> str:
    return table("who;at;said;likes", *rows)


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def mastodon() -> dict[str, str | bytes]:
    actor = "https://social.example/users/anna"
    note = {"type": "Note", "attributedTo": actor, "content": "<p>Thanks @ida@other.example, great service!</p>"}
    post = {
        "id": f"{actor}/statuses/1/activity", "type": "Create", "actor": actor, "published": "2024-03-05T08:00:00Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": note,
    }  # fmt: skip
    profile = {
        "id": actor, "type": "Person", "preferredUsername": "anna", "name": "Anna Muster",
        "published": "2020-01-01T00:00:00Z", "attachment": [{"name": "E-Mail", "value": "anna@mail.example"}],
    }  # fmt: skip
    return {"actor.json": json.dumps(profile), "outbox.json": json.dumps({"orderedItems": [post]})}


def x() -> dict[str, str | bytes]:
    about = {"username": "Bert", "email": "bert@mail.example", "createdAt": "2015-05-01T10:00:00.000Z"}
    told = {"created_at": "Tue Mar 05 08:26:00 +0000 2024", "entities": {"user_mentions": [{"screen_name": "Shop"}]}}
    posts = [
        {"tweet": {**told, "id_str": "11", "full_text": "@Shop the delivery was on a Monday, as @carla said"}},
        {"tweet": {**told, "id_str": "12", "full_text": "RT @carla: secret words of Carla"}},
        {"tweet": {**told, "id_str": "13", "full_text": "=cmd|' /C calc'!A0"}},
    ]
    return {
        "data/account.js": f"window.YTD.account.part0 = {json.dumps([{'account': about}])}",
        "data/tweets.js": f"window.YTD.tweets.part0 = {json.dumps(posts)}",
        "data/direct-messages.js": 'window.YTD.x = [{"dm": "a letter to Carla"}]',
    }


def facebook() -> dict[str, str | bytes]:
    profile = {
        "profile_v2": {"username": "dora", "name": {"full_name": "DÃ³ra"}, "registration_timestamp": 1_500_000_000}
    }
    posts = [{"timestamp": 1_709_627_160, "data": [{"post": "The cafÃ© shop has great service"}], "title": "Dora"}]
    said = {"timestamp": 1_709_627_170, "comment": "The price is too high", "author": "Dora"}
    under = {
        "comments_v2": [{"timestamp": 1_709_627_170, "data": [{"comment": said}], "title": "Dora on Shop's post."}]
    }
    return {
        "personal_information/profile_information/profile_information.json": json.dumps(profile),
        "your_facebook_activity/posts/your_posts_1.json": json.dumps(posts),
        "your_facebook_activity/comments_and_reactions/comments.json": json.dumps(under),
        "your_facebook_activity/messages/inbox/x/message_1.json": '{"messages": ["a letter to Carla"]}',
    }


def instagram() -> dict[str, str | bytes]:
    about = {"profile_user": [{"string_map_data": {"Username": {"value": "emil"}, "Email": {"value": "e@m.example"}}}]}
    said = {
        "Comment": {"value": "The quality is very good"},
        "Media Owner": {"value": "shop"},
        "Time": {"timestamp": 1_709_627_160},
    }
    return {
        "personal_information/personal_information/personal_information.json": json.dumps(about),
        "your_instagram_activity/comments/post_comments_1.json": json.dumps([{"string_map_data": said}]),
    }


def nested() -> dict[str, str | bytes]:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("actor.json", "{}")
    return {"archive.zip": inner.getvalue()}
