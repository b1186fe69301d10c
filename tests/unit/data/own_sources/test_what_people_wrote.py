"""Comments, cases, posts and accounts of one's own: whose they are is told or found, and the words go no further."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from own_world import LEGAL, TWIN, Shop, but, params
from people_wrote import (
    ACCOUNTS,
    COMMENTS,
    POSTS,
    SERVICE,
    TIME,
    comment,
    comments,
    declared,
    facebook,
    instagram,
    mastodon,
    nested,
    table,
    x,
    zipped,
)

from twinops.data.vault.seal import read_quarantine
from twinops.errors import DataError, ParamsError


def written(tmp_path: Path, text: str, **said: object) -> Shop:
    shop = Shop(tmp_path, comments=but(COMMENTS, **said))
    shop.file("comments.csv").write_text(text, encoding="utf-8")
    return shop


def sealed(shop: Shop, source: str = "social_comments") -> list[dict]:
    return shop.open(source, "all").to_pylist()


# Comments and cases.


def test_words_are_scored_and_go_no_further(tmp_path: Path) -> None:
    shop = written(tmp_path, comments(comment(), comment(who="bert", said="<p>@ida great service!</p>")))
    assert shop.collect("social_comments", "all").taken == 2
    rows = {r["sid"]: r for r in sealed(shop)}
    anna, bert = (rows[s] for s in shop.keys.subject_ids(["@anna_57", "@bert"]))
    assert (anna["label"], bert["label"]) == ("negative", "positive")
    assert "text" not in anna
    assert (anna["likes"], anna["brand"], anna["verb"]) == (2, 1, "Create")


def test_an_account_that_is_called_like_a_customer_s_number_is_not_that_customer(tmp_path: Path) -> None:
    shop = written(tmp_path, comments(comment(who="17850")))
    shop.collect("social_comments", "all")
    assert [r["sid"] for r in sealed(shop)] != shop.keys.subject_ids(["17850"])


def test_of_another_declared_language_no_mood_is_told(tmp_path: Path) -> None:
    german = comments(comment(said="I love the service, it is great"), comment(who="b", said="Die Lieferung kam spät"))
    shop = written(tmp_path, german, language="de")
    found = shop.collect("social_comments", "all")
    assert found.unscored == {"declared_language": 2}
    assert [r["label"] for r in sealed(shop)] == [None, None]


@pytest.mark.parametrize(
    ("text", "taken", "quarantined"),
    [
        (comments(), 0, {}),
        (comments(comment()), 1, {}),
        (comments(comment(), comment(at="05.03.2224 08:26")), 1, {"time_out_of_range": 1}),
        (comments(comment(), comment(at="soon")), 1, {"time_unreadable": 1}),
        (comments(comment(), comment(said="=cmd|' /C calc'!A0")), 1, {"text_unreadable": 1}),
        (comments(comment(), comment(said="<b>" * 500)), 1, {"text_unreadable": 1}),
        (comments(comment(), comment(said="long " * 1_000)), 1, {"oversized": 1}),
        (comments(comment(), comment(who="")), 1, {"household_id_missing": 1}),
        (comments(comment(), comment()), 1, {"duplicate_row": 1}),
        (comments(comment(), comment(who="b", said="@ida")), 2, {}),
        (comments(comment(), comment(who="b", likes="many")), 2, {}),
    ],
)
def test_each_awkward_row_has_one_outcome(tmp_path: Path, text: str, taken: int, quarantined: dict) -> None:
    found = written(tmp_path, text).collect("social_comments", "all")
    assert (found.taken, found.quarantined) == (taken, quarantined)
    assert not found.undeclared
    assert found.read == taken + sum(quarantined.values())


def test_a_file_of_which_nothing_can_be_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was taken of 2 records"):
        written(tmp_path, comments(comment(at="x"), comment(at="y"))).collect("social_comments", "all")


def test_bytes_in_another_encoding_are_told_and_not_guessed(tmp_path: Path) -> None:
    shop = written(tmp_path, "")
    shop.file("comments.csv").write_bytes(comments(comment(said="schön, sehr gut")).encode("cp1252"))
    with pytest.raises(DataError, match="not_utf8"):
        shop.collect("social_comments", "all")


def test_a_case_keeps_what_it_says_of_itself_and_an_end_beyond_all_calendars_is_none(tmp_path: Path) -> None:
    shop = Shop(tmp_path, service=SERVICE)
    rows = (
        "17850;05.03.2024 08:00;06.03.2024 09:00;Reklamation;The price is bad",
        "17851;05.03.2024 08:00;31.12.9999 00:00;;",
    )
    shop.file("service.csv").write_text(table("customer;opened;closed;topic;said", *rows), encoding="utf-8")
    assert shop.collect("care_cases", "all").taken == 2
    first, second = (
        next(r for r in sealed(shop, "care_cases") if r["sid"] == s) for s in shop.keys.subject_ids(["17850", "17851"])
    )
    assert (first["category"], first["closed"] - first["opened"], first["label"]) == ("Reklamation", 1, "negative")
    assert (second["closed"], second["category"], second["label"]) == (None, None, None)


def test_a_row_names_a_customer_or_an_account(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="household_id or account is needed"):
        params(
            comments=but(
                COMMENTS,
                columns={"time": "at", "text": "said"},
                legal=COMMENTS["legal"] | {"purposes": {"time": TWIN, "text": TWIN}},
            )
        )


def test_two_files_of_comments_are_one_table_on_one_basis(tmp_path: Path) -> None:
    shop = Shop(tmp_path, one=COMMENTS, two=but(COMMENTS, path="files/more.csv"))
    shop.file("comments.csv").write_text(comments(comment()), encoding="utf-8")
    shop.file("more.csv").write_text(comments(comment(who="b"), comment(who="c", at="never")), encoding="utf-8")
    found = shop.collect("social_comments", "all")
    assert (found.taken, found.in_file, found.quarantined) == (2, 3, {"time_unreadable": 1})
    other = COMMENTS["legal"] | {"bases": dict.fromkeys(TWIN, "consent")}
    with pytest.raises(ParamsError, match=r"same legal\.bases"):
        params(one=COMMENTS, two=but(COMMENTS, path="files/more.csv", legal=other))


def test_of_an_account_the_earliest_row_counts_and_no_row_is_lost(tmp_path: Path) -> None:
    said = declared("accounts", {"account": "who", "email": "who", "time": "at"}, path="comments.csv", separator=";")
    shop = Shop(tmp_path, accounts=said)
    rows = (comment(who="A@Mail.example", at=f"0{d}.03.2024 08:00") for d in (5, 2, 7))
    shop.file("comments.csv").write_text(comments(*rows), encoding="utf-8")
    found = shop.collect("social_accounts", "all")
    assert (found.in_file, found.taken, found.left_out) == (3, 1, {"named_before": 2})
    assert found.oldest_day == found.newest_day
    only = sealed(shop, "social_accounts")[0]
    assert only["sid"] == shop.keys.subject_ids(["a@mail.example"])[0]
    assert (only["email"], only["handle"]) == ("A@Mail.example", "a")


# Exports of platforms.


def exported(tmp_path: Path, **archives: dict) -> Shop:
    shop = Shop(tmp_path, posts=POSTS, accounts=ACCOUNTS)
    shop.file("exports").mkdir()
    for name, members in archives.items():
        zipped(shop.file("exports") / f"{name}.zip", members)
    return shop


def everything(shop: Shop) -> str:
    """All that is kept of the posts, good and quarantined, as text."""
    kept = [
        shop.open("social_posts", "all"),
        read_quarantine(shop.places.quarantine("social_posts", "all"), dataset="social_posts", keys=shop.keys),
    ]
    return json.dumps([t.to_pylist() for t in kept], default=str)


def test_every_platform_s_export_is_told_by_its_shape(tmp_path: Path) -> None:
    shop = exported(tmp_path, a=mastodon(), b=x(), c=facebook(), d=instagram())
    found = shop.collect("social_posts", "all")
    assert found.quarantined == {"formula_cell": 1}
    rows = sealed(shop, "social_posts")
    ids = {
        n: shop.keys.subject_ids([n])[0]
        for n in ("anna@social.example", "bert@x.com", "dora@facebook.com", "emil@instagram.com")
    }
    told = {
        name: sorted((r["verb"], r["brand"], r["label"] or "") for r in rows if r["sid"] == sid)
        for name, sid in ids.items()
    }
    assert told == {
        "anna@social.example": [("Create", 0, "positive")],
        "bert@x.com": [("Announce", 1, ""), ("Create", 1, "neutral")],
        "dora@facebook.com": [("Create", 0, "positive"), ("Create", 1, "neutral")],
        "emil@instagram.com": [("Create", 1, "positive")],
    }
    assert shop.collect("social_accounts", "all").taken == 4
    people = {r["handle"]: r for r in sealed(shop, "social_accounts")}
    assert (people["anna"]["email"], people["dora"]["display_name"]) == ("anna@mail.example", "Dóra")


def test_other_people_s_handles_words_and_letters_stay_at_the_door(tmp_path: Path) -> None:
    shop = exported(tmp_path, a=mastodon(), b=x(), c=facebook())
    shop.collect("social_posts", "all")
    assert not [word for word in ("carla", "Carla", "ida", "letter", "secret") if word in everything(shop)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"../../etc/passwd": "x", **mastodon()}, "path_traversal"),
        ({"C:\\evil": "x", **mastodon()}, "path_traversal"),
        ({**mastodon(), "media/zeros": b"\0" * 100 * 2**20}, "archive_bomb"),
        (nested(), "no_known_export"),
        ({"holiday.jpg": "x"}, "no_known_export"),
        ({"actor.json": "{"}, "not_json"),
        ({"data/account.js": "window.YTD.account.part0 = [" + "[" * 500}, "nested_too_deep"),
        (
            {"data/account.js": 'window.YTD.account.part0 = [{"account": {"username": "a\xe4"}}]'.encode("latin-1")},
            "not_utf8",
        ),
    ],
)
def test_a_hostile_export_is_quarantined_whole_with_its_reason_and_harms_no_other(
    tmp_path: Path, bad: dict, reason: str
) -> None:
    shop = exported(tmp_path, a_bad=bad, b=x())
    found = shop.collect("social_posts", "all")
    assert found.quarantined == {"formula_cell": 1, reason: 1}
    assert found.taken == 2


def test_torn_archives_links_and_empty_folders_have_their_outcome(tmp_path: Path) -> None:
    shop = exported(tmp_path, a=x())
    (shop.file("exports") / "torn.zip").write_bytes(b"PK\x03\x04 and no more")
    (shop.file("exports") / "link.zip").symlink_to("/etc/passwd")
    assert shop.collect("social_posts", "all").quarantined == {"bad_archive": 1, "formula_cell": 1, "path_traversal": 1}
    empty = exported(tmp_path / "empty")
    found = empty.collect("social_posts", "all")
    assert (found.taken, found.in_file, found.undeclared) == (0, 0, False)
    with pytest.raises(DataError, match="there is no exports"):
        Shop(tmp_path / "none", posts=POSTS).collect("social_posts", "all")


def test_an_unpacked_export_is_read_like_a_packed_one(tmp_path: Path) -> None:
    packed, unpacked = exported(tmp_path / "p", a=x()), exported(tmp_path / "u")
    for name, data in x().items():
        place = unpacked.file("exports") / "a" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(data), encoding="utf-8")
    for shop in (packed, unpacked):
        shop.collect("social_posts", "all")
    one, other = (s.open("social_posts", "all").drop_columns(["sid"]) for s in (packed, unpacked))
    assert one.sort_by("event_id").equals(other.sort_by("event_id"))


def test_what_no_export_dates_is_left_out_and_counted(tmp_path: Path) -> None:
    likes = {"data/like.js": 'window.YTD.like.part0 = [{"like": {"tweetId": "1", "fullText": "of Carla"}}]'}
    shop = exported(tmp_path, a={**x(), **likes})
    assert shop.collect("social_posts", "all").left_out == {"undated": 1}
    dated = {
        "data/manifest.js": 'window.__THAR_CONFIG = {"archiveInfo": {"generationDate": "2024-05-01T00:00:00.000Z"}}'
    }
    shop = exported(tmp_path / "dated", a={**x(), **likes, **dated})
    found = shop.collect("social_posts", "all")
    assert (found.left_out, found.taken) == ({}, 3)


def test_what_comes_out_of_archives_is_seen_when_it_changes(tmp_path: Path) -> None:
    shop = exported(tmp_path, a=x())
    shop.collect("social_posts", "all")
    shop.lock()
    zipped(shop.file("exports") / "b.zip", mastodon())
    with pytest.raises(Exception, match="it changed"):
        shop.collect("social_posts", "all", lock=False)


def test_archives_go_with_posts_and_accounts_alone() -> None:
    with pytest.raises(ParamsError, match="archives does not go with comments"):
        params(comments=but(COMMENTS, reads="archives"))


def test_what_is_written_has_no_part_in_offers_or_the_assessment_of_groups() -> None:
    purposes = {**COMMENTS["legal"]["purposes"], "text": ("offers",)}
    with pytest.raises(ParamsError, match="twin_scoring, twin_training only"):
        params(comments=but(COMMENTS, legal=LEGAL | {"purposes": purposes}))


def test_the_same_file_gives_the_same_bytes_whatever_its_order(tmp_path: Path) -> None:
    rows = [comment(who=f"p{n}", at=f"0{n}.03.2024 08:00") for n in range(1, 6)]
    found = []
    for folder, order in (("one", rows), ("two", rows[::-1])):
        shop = written(tmp_path / folder, comments(*order))
        shop.collect("social_comments", "all")
        found.append(shop.open("social_comments", "all").drop_columns(["sid"]).sort_by("event_id"))
    assert isinstance(found[0], pa.Table)
    assert found[0].equals(found[1])
    assert TIME["zone"] == "Europe/Berlin"
