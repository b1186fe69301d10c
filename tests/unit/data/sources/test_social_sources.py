"""Archives and comments from strangers: what enters, what is refused and why, and what is left at the door."""

import gzip
import io
import json
import re
import tarfile
import time
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from supplying import DAYS

from twinops.data.reading import (
    activitypub,
    csv_records,
    plain_text,
    scored_text,
    strict_json,
)
from twinops.data.reading import (
    archive as _archive,
)
from twinops.data.reading.reading import Reading, Refused
from twinops.data.sources import social_comments, social_posts
from twinops.demo import social
from twinops.demo.social_export import Span
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.errors import DataError

ACTOR = "https://social.example/users/ida"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
SPAN = Span(date(2017, 1, 1), date(2017, 12, 31))


@dataclass(frozen=True)
class Asked:
    folder: Path | None
    batch: str = "all"
    max_rows: int = 5_000_000
    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


def create(number: int, content: str = "<p>The bread was stale again</p>", **changes) -> dict:
    note = {
        "id": f"{ACTOR}/statuses/{number}",
        "type": "Note",
        "attributedTo": ACTOR,
        "content": content,
        "inReplyTo": None,
        "sensitive": False,
        "summary": None,
        "tag": [],
    }
    activity = {
        "id": f"{ACTOR}/statuses/{number}/activity",
        "type": "Create",
        "actor": ACTOR,
        "published": "2017-06-01T12:00:00Z",
        "to": [PUBLIC],
        "cc": [],
    }
    note |= {k: v for k, v in changes.items() if k in note}
    return activity | {k: v for k, v in changes.items() if k not in note or k == "id"} | {"object": note}


def outbox(*items: dict | bytes) -> bytes:
    raw = b",".join(i if isinstance(i, bytes) else json.dumps(i).encode() for i in items)
    return b'{"type":"OrderedCollection","orderedItems":[' + raw + b"]}"


def members(data: bytes, **others: bytes) -> dict[str, bytes]:
    return {"actor.json": json.dumps({"id": ACTOR, "preferredUsername": "Ida"}).encode(), "outbox.json": data, **others}


def zipped(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def read(tmp_path: Path, **archives: bytes) -> Reading:
    folder = tmp_path / "social_posts"
    folder.mkdir(exist_ok=True)
    for name, data in archives.items():
        (folder / name.replace("_zip", ".zip").replace("_tgz", ".tar.gz")).write_bytes(data)
    return social_posts.read(None, Asked(tmp_path))


def read_items(tmp_path: Path, *items: dict | bytes) -> Reading:
    return read(tmp_path, a_zip=zipped(members(outbox(*items))))


def test_a_post_becomes_one_dated_event_with_a_label_and_without_its_words(tmp_path):
    row = social_posts.sealed(read_items(tmp_path, create(1)).rows).to_pylist()[0]
    assert (row["account"], row["verb"], row["day"], row["reply"], row["brand"]) == (
        "ida@social.example",
        "Create",
        151,
        0,
        0,
    )
    assert row["topic_quality"] == 1
    assert row["label"] in ("positive", "neutral", "negative")
    assert "text" not in row
    assert "stale" not in str(row)


def test_days_follow_the_shops_clock(tmp_path):
    assert read_items(tmp_path, create(1, published="2017-06-01T03:59:00Z")).rows["day"].to_pylist() == [150]


def test_who_was_answered_shared_liked_or_followed_is_not_kept_only_whether_it_was_us(tmp_path):
    ours, theirs = "https://shop.example/users/grocer/statuses/1", "https://web.example/users/omar/statuses/2"
    announce = {
        "id": f"{ACTOR}/2/activity",
        "type": "Announce",
        "actor": ACTOR,
        "published": "2017-06-02T12:00:00Z",
        "to": [PUBLIC],
        "cc": [],
    }
    likes = json.dumps({"orderedItems": [ours, theirs]}).encode()
    follows = b"Account address,Show boosts\ngrocer@shop.example,true\nomar@web.example,true\n"
    items = outbox(
        create(1, inReplyTo=theirs),
        create(2, inReplyTo=ours),
        announce | {"object": theirs},
        announce | {"id": "x", "object": ours},
    )
    reading = read(tmp_path, a_zip=zipped(members(items, **{"likes.json": likes, "following_accounts.csv": follows})))
    found = [(r["verb"], r["brand"]) for r in reading.rows.to_pylist()]
    assert found == [
        ("Create", 0),
        ("Create", 1),
        ("Announce", 0),
        ("Announce", 1),
        ("Like", 1),
        ("Like", 0),
        ("Follow", 1),
    ]
    assert reading.left_out == {"third_party_account": 1}
    assert "omar" not in str(reading.rows.to_pylist())
    assert reading.in_file == 8


def test_undated_likes_are_known_from_the_day_of_the_export_never_earlier(tmp_path):
    likes = b'{"orderedItems":["https://shop.example/1"]}'
    archive = zipped(members(outbox(), **{"likes.json": likes}))
    folder = tmp_path / "social_posts"
    folder.mkdir()
    (folder / "archive-20170301120000-ab.zip").write_bytes(archive)
    assert social_posts.read(None, Asked(tmp_path)).rows["day"].to_pylist() == [59]
    (folder / "archive-20170301120000-ab.zip").rename(folder / "archive-29990301120000-ab.zip")
    assert social_posts.read(None, Asked(tmp_path)).rows["day"].to_pylist() == [365]


def test_private_letters_and_warned_of_posts_are_left_at_the_door_and_not_even_quarantined(tmp_path):
    letter = create(1, "<p>secret</p>", to=["https://inbox.example/users/nils"])
    reading = read_items(tmp_path, letter, create(2, "<p>careful</p>", sensitive=True), create(3))
    assert reading.left_out == {"content_warning": 1, "not_public": 1}
    assert reading.refused.num_rows == 0
    assert reading.rows.num_rows == 1


def test_an_archive_is_read_the_same_as_zip_tar_and_folder(tmp_path):
    content = members(outbox(create(1), create(2)))
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    folder = tmp_path / "c" / "social_posts" / "mine"
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    readings = [
        read(tmp_path / "a", a_zip=zipped(content)),
        read(tmp_path / "b", a_tgz=out.getvalue()),
        social_posts.read(None, Asked(tmp_path / "c")),
    ]
    assert readings[0].rows.num_rows == 2
    assert readings[0].rows.equals(readings[1].rows)
    assert readings[0].rows.equals(readings[2].rows)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (create(9, published="2027-01-01T00:00:00Z"), "in_the_future"),
        (create(9, published="yesterday"), "bad_time"),
        (create(9, published="2017-01-01T10:00:00"), "bad_time"),
        (create(9, published=7), "bad_time"),
        (create(9, type="Delete"), "unknown_value"),
        (create(9, actor="https://other.example/users/x"), "foreign_actor"),
        (create(9, attributedTo="https://other.example/users/x"), "foreign_actor"),
        (create(9, content=None), "missing_value"),
        (create(9, content="<script>x()</script>"), "empty_text"),
        (create(9, content="=HYPERLINK(1)"), "formula_cell"),
        (create(9, content="x" * 30_000), "oversized"),
        (create(9, content="<a " * 2_000), "oversized"),
        (json.dumps(create(9)).encode().replace(b'"sensitive": false', b'"sensitive": NaN'), "not_a_finite_number"),
        (json.dumps(create(9)).encode().replace(b'"sensitive": false', b'"x": 1e999'), "not_a_finite_number"),
        (json.dumps(create(9)).encode().replace(b'"sensitive": false', b'"x": ' + b"9" * 5_000), "out_of_range"),
        (
            json.dumps(create(9)).encode().replace(b'"type": "Create"', b'"type": "Create", "type": "Delete"'),
            "duplicate_key",
        ),
        (json.dumps(create(9)).encode().replace(b"stale", b"\\udfff"), "lone_surrogate"),
        (json.dumps(create(9)).encode().replace(b"stale", b"\\u0000"), "nul_byte"),
        (json.dumps(create(9)).encode().replace(b"stale", b"\xff"), "not_utf8"),
        (json.dumps(create(9)).encode().replace(b"stale", b"x" * 10_000_000), "oversized"),
        (json.dumps(create(9)).encode().replace(b'"tag": []', b'"tag": ' + b"[" * 100 + b"]" * 100), "nested_too_deep"),
        (
            json.dumps(create(9)).encode().replace(b'"tag": []', b'"tag": ' + b"[" * 100_000 + b"]" * 100_000),
            "nested_too_deep",
        ),
        (json.dumps(create(9)).encode()[:-30], "torn_record"),
        (json.dumps(create(9)).encode().replace(b'again</p>"', b"again</p>"), "torn_record"),
        (b"7", "not_an_object"),
        (create(1), "duplicate_id"),
    ],
)
def test_a_broken_activity_is_quarantined_with_its_reason_and_its_neighbours_arrive(tmp_path, broken, reason):
    reading = read_items(tmp_path, create(1), broken, create(2), create(3))
    assert reason in reading.quarantined
    assert reading.rows["event_id"].to_pylist() == [
        activitypub.event_id(f"{ACTOR}/statuses/{n}/activity") for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (zipped(members(outbox(create(1))) | {"../x.json": b""}), "path_traversal"),
        (zipped(members(outbox(create(1))) | {"C:\\x.json": b""}), "path_traversal"),
        (zipped(members(outbox(create(1))) | {"/etc/x": b""}), "path_traversal"),
        (zipped(members(b"\0" * 2**25)), "archive_bomb"),
        (b"PK\x03\x04 rubbish", "bad_archive"),
        (b"", "bad_archive"),
        (zipped({"outbox.json": outbox(create(1))}), "missing_value"),
        (zipped(members(outbox(create(1))) | {"actor.json": b"[]"}), "not_an_object"),
    ],
)
def test_a_hostile_archive_is_refused_whole_and_the_next_one_is_read(tmp_path, archive, reason):
    good = members(outbox(create(1)))
    reading = read(tmp_path, a_zip=archive, b_zip=zipped(good))
    assert reading.quarantined == {reason: 1}
    assert reading.rows.num_rows == 1


def test_a_bomb_in_a_tar_stops_at_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "MAX_ARCHIVE", 2**20)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo("media/film.bin")
        info.size = 2**23
        archive.addfile(info, io.BytesIO(bytes(2**23)))
    assert read(tmp_path, a_tgz=out.getvalue()).quarantined == {"archive_bomb": 1}


def test_a_link_in_an_archive_leads_nowhere(tmp_path):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        info = tarfile.TarInfo("actor.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert read(tmp_path, a_tgz=out.getvalue()).quarantined == {"path_traversal": 1}


def test_hostile_html_comes_out_as_the_authors_own_visible_words():
    html = (
        '<p>Good <b>bread</b>, <span class="h-card"><a class="u-url mention">@<span>nils</span></a></span>!'
        '<script>steal()</script><span style="display: none">hidden praise</span><blockquote>her words</blockquote>'
        ' &amp; more <a class="mention hashtag">#<span>offer</span></a></p>'
        "<p>RT @bea@letters.example: all of this is hers</p>"
    )
    assert plain_text.from_html(html) == "Good bread, ! & more #offer"


def test_addresses_numbers_links_and_tricks_are_cut_out_of_texts():
    text = "write ida@mail.example or @nils@inbox.example, +999 201 555 0100, https://x.example/a?b\u202e now\u200b"
    assert plain_text.from_text(text) == "write or , , now"


def test_texts_stay_only_where_a_purpose_allows_it(tmp_path):
    assert social_posts.KEEP_TEXT == ()
    rows = read_items(tmp_path, create(1)).rows
    assert "text" not in social_posts.sealed(rows).column_names
    assert "text" in scored_text.scored(rows, (Purpose.TRAINING,)).column_names


def test_a_folder_or_file_that_is_not_there_is_a_data_error(tmp_path):
    for source in (social_posts, social_comments):
        with pytest.raises(DataError):
            source.read(None, Asked(None))
        with pytest.raises(DataError):
            source.read(None, Asked(tmp_path))


def test_more_rows_than_allowed_are_an_error_not_a_memory_problem(tmp_path):
    folder = tmp_path / "social_posts"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped(members(outbox(*(create(n) for n in range(5))))))
    with pytest.raises(DataError):
        social_posts.read(None, Asked(tmp_path, max_rows=4))


HEADER = b"comment_id,account,created_at,in_reply_to,text,author_name\r\n"


def comments(tmp_path: Path, *lines: bytes) -> Reading:
    (tmp_path / "social_comments.csv").write_bytes(HEADER + b"".join(line + b"\r\n" for line in lines))
    return social_comments.read(None, Asked(tmp_path))


def comment(number: int, text: str = "fresh bread") -> bytes:
    return f'k{number},ida@social.example,2017-06-01T12:00:00Z,,"{text}",Ida I.'.encode()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'k9,ida@social.example,2017-06-01T12:00:00Z,,"never closed', "torn_record"),
        (b'k9,ida@social.example,2017-06-01T12:00:00Z,,"a "stray" quote",Ida', "torn_record"),
        (b"k9,ida@social.example", "wrong_field_count"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,,caf\xe9,Ida", "not_utf8"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,,a\0b,Ida", "nul_byte"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,," + b"x" * 10_000_000 + b",Ida", "oversized"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,,=1+1,Ida", "formula_cell"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,,@SUM(A1),Ida", "formula_cell"),
        (b"k9,nobody,2017-06-01T12:00:00Z,,bread,Ida", "bad_id"),
        (b"../../x,ida@social.example,2017-06-01T12:00:00Z,,bread,Ida", "bad_id"),
        (b"k9,ida@social.example,2030-06-01T12:00:00Z,,bread,Ida", "in_the_future"),
        (b"k9,ida@social.example,06/01/2017,,bread,Ida", "bad_time"),
        (b"k9,ida@social.example,2017-06-01T12:00:00Z,,@nils,Ida", "empty_text"),
        (comment(1), "duplicate_id"),
    ],
)
def test_a_broken_comment_is_quarantined_and_takes_no_neighbour_with_it(tmp_path, broken, reason):
    reading = comments(tmp_path, comment(1), broken, comment(2, "two\r\nlines, and a ''quote''"), broken, comment(3))
    assert reason in reading.quarantined
    assert reading.rows.num_rows == 3
    assert reading.dropped == ("author_name",)


def test_a_comment_that_only_looks_like_a_formula_enters(tmp_path):
    assert comments(tmp_path, comment(1, "- 20% off bread, + a free bag")).rows.num_rows == 1


def test_a_header_without_a_needed_column_is_a_data_error(tmp_path):
    (tmp_path / "social_comments.csv").write_bytes(b"comment_id,text\r\n")
    with pytest.raises(DataError):
        social_comments.read(None, Asked(tmp_path))


def test_a_file_beyond_the_cap_or_in_utf16_is_a_data_error(tmp_path, monkeypatch):
    (tmp_path / "social_comments.csv").write_bytes(HEADER.decode().encode("utf-16"))
    with pytest.raises(DataError):
        social_comments.read(None, Asked(tmp_path))
    monkeypatch.setattr(csv_records, "MAX_FILE", 10)
    with pytest.raises(DataError):
        social_comments.read(None, Asked(tmp_path))


def test_the_raw_bytes_of_a_refused_row_can_be_had_back(tmp_path):
    broken = b"k9,ida@social.example,2017-06-01T12:00:00Z,,caf\xe9,Ida"
    refused = comments(tmp_path, broken).refused.to_pylist()[0]
    assert refused["raw"].encode(refused["encoding"]) == broken


def _break_activity(number: int, rng: np.random.Generator) -> bytes:
    """A broken activity whose first bytes are its id."""
    raw = json.dumps(create(number)).encode()
    ways = (
        lambda: raw[: int(rng.integers(60, len(raw) - 40))],
        lambda: raw.replace(b'"type": "Create"', b'"type": "' + bytes(rng.integers(65, 90, 6, dtype=np.uint8)) + b'"'),
        lambda: raw.replace(b"stale", bytes(rng.integers(128, 192, 3, dtype=np.uint8))),
        lambda: raw.replace(b"2017-06", b"%04d-06" % rng.integers(2019, 9999)),
        lambda: raw.replace(b"false", (b"NaN", b"Infinity", b"-Infinity", b"1e999")[rng.integers(4)]),
        lambda: raw.replace(b"2017-06-01", b"%02d/%02d/17" % tuple(rng.integers(1, 99, 2))),
        lambda: raw.replace(b'"actor": "https://s', b'"actor": "https://x'),
        lambda: raw.replace(b"stale", b"\\ud8%02x" % rng.integers(0, 256)),
        lambda: raw.replace(b"stale", b"\\u0000"),
        lambda: raw.replace(b'"cc": []', b'"cc": ' + b"[" * (d := int(rng.integers(40, 400))) + b"]" * d),
        lambda: raw.replace(b'"cc": []', b'"type": 1'),
        lambda: raw.replace(b'"content": "<p>', b'"content": "='),
        lambda: raw.replace(b'again</p>"', b"again</p>"),
        lambda: raw.replace(b"stale", b"\0"),
        lambda: raw.replace(b'"published"', b'"published%d"' % rng.integers(9)),
        lambda: raw.replace(b'"object": {', b'"object": [', 1),
        lambda: raw.replace(b"The bread", b"y" * 21_000),
    )
    return ways[rng.integers(len(ways))]()


def test_ten_thousand_broken_activities_none_enters_and_the_good_ones_beside_them_all_arrive(tmp_path):
    rng = np.random.default_rng(1)
    broken = {n: _break_activity(n, rng) for n in range(10_000)}
    items = [i for n, b in broken.items() for i in ((b, create(10**6 + n)) if n % 3 == 0 else (b,))]
    reading = read_items(tmp_path, *items)
    good = {activitypub.event_id(f"{ACTOR}/statuses/{10**6 + n}/activity") for n in broken if n % 3 == 0}
    assert set(reading.rows["event_id"].to_pylist()) == good
    quarantined = set(
        re.findall(r'"id": "[^"]*/statuses/(\d+)/activity', "\n".join(reading.refused["raw"].to_pylist()))
    )
    assert {str(n) for n in broken} <= quarantined
    assert all(reading.refused["reason"].to_pylist())


def _break_comment(number: int, rng: np.random.Generator) -> bytes:
    good = f"k{number},ida@social.example,2017-06-01T12:00:00Z,,fresh bread,Ida".encode()
    ways = (
        lambda: good.replace(b"fresh", bytes(rng.integers(128, 192, 4, dtype=np.uint8))),
        lambda: good.replace(b"fresh", b"\0"),
        lambda: good.replace(b"fresh", b'"fresh'),
        lambda: good.replace(b",fresh", b',"fresh'),
        lambda: good.replace(b"fresh bread", b"=" + bytes(rng.integers(65, 90, 5, dtype=np.uint8))),
        lambda: good + b"," * int(rng.integers(1, 9)),
        lambda: good[: int(rng.integers(12, 40))],
        lambda: good.replace(b"2017", b"%d" % rng.integers(2019, 9999)),
        lambda: good.replace(b"T12", b"T%d" % rng.integers(25, 99)),
        lambda: good.replace(b"@social.example", b""),
        lambda: good.replace(b"fresh bread", b" "),
        lambda: good.replace(b"fresh", b"x" * 140_000) if rng.random() < 0.02 else good.replace(b",Ida", b""),
        lambda: good.replace(b"fresh bread", b'"a"b'),
    )
    return ways[rng.integers(len(ways))]()


def test_ten_thousand_broken_comments_none_enters_and_the_good_ones_beside_them_all_arrive(tmp_path):
    rng = np.random.default_rng(2)
    broken = {n: _break_comment(n + 100_000, rng) for n in range(10_000)}
    lines = [i for n, b in broken.items() for i in ((b, comment(10**7 + n)) if n % 3 == 0 else (b,))]
    reading = comments(tmp_path, *lines)
    assert set(reading.rows["event_id"].to_pylist()) == {
        activitypub.event_id("comment", f"k{10**7 + n}") for n in broken if n % 3 == 0
    }
    assert reading.refused.num_rows == 10_000
    assert all(reading.refused["reason"].to_pylist())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_answered_and_nothing_of_them_enters(tmp_path, data):
    folder = tmp_path / "social_posts"
    folder.mkdir(exist_ok=True)
    (folder / "a.zip").write_bytes(data)
    assert social_posts.read(None, Asked(tmp_path)).rows.num_rows == 0
    (folder / "a.zip").write_bytes(zipped(members(data)))
    assert social_posts.read(None, Asked(tmp_path)).rows.num_rows == 0
    (tmp_path / "social_comments.csv").write_bytes(HEADER + data)
    assert social_comments.read(None, Asked(tmp_path)).rows.num_rows == 0


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_splitting_items_never_fails_and_never_loses_the_last_good_one(noise, at):
    torn = json.dumps(create(1)).encode()
    torn = torn[: at % len(torn)] + noise
    found = list(strict_json.items(outbox(torn, create(2)), strict_json.ACTIVITY))
    whole = []
    for _, raw, _ in found:
        try:
            whole.append(strict_json.parse(raw).get("id"))
        except Refused:
            continue
    assert f"{ACTOR}/statuses/2/activity" in whole or b"]" in noise


def test_splitting_a_hostile_file_costs_no_more_than_a_few_readings_of_it():
    layers = b'{"id":1,"type":"Create","a":[0,' * 30_000
    data = b'{"orderedItems":[' + layers + b"," * 200_000
    started = time.process_time()
    assert not any(whole for _, _, whole in strict_json.items(data, strict_json.ACTIVITY))
    assert time.process_time() - started < 5


def test_the_synthetic_world_is_read_exactly_as_its_truth_says(tmp_path):
    accounts = social.accounts_of([str(n) for n in range(120)], seed=5)
    world, page = social.posts(accounts, seed=5, span=SPAN), social.comments(accounts, seed=5, span=SPAN)
    world.write(tmp_path)
    page.write(tmp_path)
    readings = social_posts.read(None, Asked(tmp_path)), social_comments.read(None, Asked(tmp_path))
    expected = [
        {activitypub.event_id(r["item"]) for r in world.truth.to_pylist() if r["fate"] == "enters"},
        {activitypub.event_id("comment", r["item"]) for r in page.truth.to_pylist() if r["fate"] == "enters"},
    ]
    posts = [r["event_id"] for r in readings[0].rows.to_pylist() if r["verb"] == "Create"]
    assert set(posts) == expected[0]
    assert set(readings[1].rows["event_id"].to_pylist()) == expected[1]
    assert {"archive_bomb", "path_traversal", "bad_archive"} <= set(readings[0].quarantined)


def test_the_same_seed_writes_the_same_bytes_and_everything_says_synthetic():
    accounts = social.accounts_of([str(n) for n in range(40)], seed=5)
    one, other = social.posts(accounts, seed=5, span=SPAN), social.posts(accounts, seed=5, span=SPAN)
    assert one.files == other.files
    assert one.files != social.posts(accounts, seed=6, span=SPAN).files
    for name, data in one.files.items():
        if name.endswith(".zip"):
            assert b"ynthetic" in zipfile.ZipFile(io.BytesIO(data)).read("README.txt")


def test_nobody_elses_handle_or_words_enter(tmp_path):
    accounts = social.accounts_of([str(n) for n in range(120)], seed=5)
    social.posts(accounts, seed=5, span=SPAN).write(tmp_path)
    rows = str(social_posts.read(None, Asked(tmp_path)).rows.to_pylist())
    assert not [
        friend for friend in ("nils", "kasia", "omar_k", "letters.example", "what my friend wrote") if friend in rows
    ]


def test_nobody_writes_before_the_account_is_there_and_who_joins_too_late_writes_nothing():
    year = Span(date(2017, 1, 1), date(2017, 12, 31))
    accounts = [(f"demo_{n}@social.example", str(n)) for n in range(30)]
    joined = {account: date(2017, 10, 1) for account, _ in accounts[:15]} | {accounts[15][0]: date(2018, 5, 1)}
    for make in (social.posts, social.comments):
        free = make(accounts, seed=3, span=year).truth.to_pylist()
        bound = make(accounts, seed=3, span=year, joined=joined).truth.to_pylist()
        assert {r["account"] for r in free} - {r["account"] for r in bound} <= {accounts[15][0]}
        late = {a for a, _ in accounts[16:]}  # no day is known of them: the same as before
        kept = ("account", "fate", "sentiment")
        assert [[r[c] for c in kept] for r in free if r["account"] in late] == [
            [r[c] for c in kept] for r in bound if r["account"] in late
        ]
    world = social.comments(accounts, seed=3, span=year, joined=joined)
    rows = [line.split(b",") for line in world.files["social_comments.csv"].split(b"\r\n")[1:] if line]
    days = [(r[1].decode(), r[3].decode()[:10]) for r in rows if len(r) > 3 and r[3][:4] == b"2017"]
    assert any(a in joined for a, _ in days)
    assert all(day >= "2017-10-01" for account, day in days if account in joined)
