"""A pass counts as the answer to one call, or offline until its approval ends; nothing else of it is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinops.entities.canonical import digest, from_json
from twinops.entities.event import stamp
from twinops.governance.log import signed_pass
from twinops.governance.log.checkpoint import raw
from twinops.governance.log.signed_pass import Asked, LogState, against_end, against_files, against_replay, issued

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = raw(KEY.public_key())
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FILES = {"MLmodel": "a" * 64}
ASKED = Asked("twin", "production", "ab" * 16, seen=LogState(7, "r7"))


def given(**changes: Any) -> dict[str, Any]:
    body = {
        "name": "twin",
        "alias": "production",
        "version": 3,
        "files": FILES,
        "digest": digest(FILES),
        "approval": {"expires": stamp(NOW + timedelta(days=30))},
        "issued": stamp(NOW),
        "nonce": ASKED.nonce,
        "log": {"size": 7, "root": "r7"},
    }
    return issued({**body, **changes}, KEY)


def test_the_answer_to_this_call_counts() -> None:
    assert signed_pass.against_signature(given(), key=PUBLIC) == ()
    assert against_replay(given(), ASKED, now=NOW) == ()
    assert against_files(given(), FILES) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "other"}, "for the name 'other', not for 'twin'"),
        ({"alias": "champion"}, "for the alias 'champion'"),
        ({"nonce": "cd" * 16}, "does not answer this call"),
        ({"nonce": None}, "does not answer this call"),
        ({"issued": stamp(NOW - timedelta(minutes=8))}, "which is not now"),
        ({"issued": stamp(NOW + timedelta(minutes=3))}, "which is not now"),
        ({"log": {"size": 6, "root": "r6"}}, "went back in time"),
        ({"log": {"size": 7, "root": "other"}}, "another one than before"),
    ],
)
def test_a_pass_for_anything_else_is_refused(changes: dict[str, Any], told: str) -> None:
    assert told in " ".join(against_replay(given(**changes), ASKED, now=NOW))


def test_clocks_may_be_a_little_apart_and_the_log_may_grow() -> None:
    for apart in (timedelta(minutes=-6), timedelta(minutes=1)):
        assert against_replay(given(issued=stamp(NOW + apart)), ASKED, now=NOW) == ()
    assert against_replay(given(log={"size": 9, "root": "r9"}), ASKED, now=NOW) == ()
    assert against_replay(given(), replace(ASKED, seen=None), now=NOW) == ()


def test_a_version_that_was_asked_for_by_number_is_the_only_one() -> None:
    assert against_replay(given(), replace(ASKED, version=3), now=NOW) == ()
    assert "points to version 3, not to 2" in against_replay(given(), replace(ASKED, version=2), now=NOW)[0]


def test_a_bundle_ends_with_its_approval() -> None:
    ends = NOW + timedelta(days=30)
    assert against_end(given(), now=ends - timedelta(seconds=1)) == ()
    assert "expired on 2026-12-28" in against_end(given(), now=ends)[0]
    assert "in the future" in against_end(given(), now=NOW - timedelta(days=1))[0]


@pytest.mark.parametrize("part", ["name", "version", "nonce", "log", "issued", "files", "approval", "schema"])
def test_no_part_can_be_changed_or_left_out(part: str) -> None:
    signed = given()
    for other in ({**signed, part: "other"}, {k: v for k, v in signed.items() if k != part}):
        assert signed_pass.against_signature(other, key=PUBLIC) == (signed_pass.UNSIGNED,)


def test_what_nobody_approved_or_an_older_schema_is_refused() -> None:
    assert "Nobody approved" in signed_pass.against_signature(given(approval=None), key=PUBLIC)[0]
    assert "no end" in signed_pass.against_signature(given(approval={"expires": None}), key=PUBLIC)[0]
    assert "schema" in signed_pass.against_signature(given(schema="twinops.pass/1"), key=PUBLIC)[0]


def test_other_files_are_named() -> None:
    assert "more.txt" in against_files(given(), {**FILES, "more.txt": "b" * 64})[0]
    assert "MLmodel" in against_files(given(), {})[0]


def test_deep_nests_are_no_signature() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert signed_pass.against_signature({**given(), "x": deep}, key=PUBLIC) == (signed_pass.UNSIGNED,)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}', "[NaN]", "[" * 100_000, b"\xff\xfe"])
def test_json_that_means_two_things_is_not_read(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each in its own words
        from_json(text)
