"""What a request may be, decided without a server: bodies, logins, names, files."""

from __future__ import annotations

import gzip
import json
import os
import stat
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.entities.approval import Act
from twinops.governance.people import approval, lookalikes
from twinops.server.app import bodies, bounds, logins
from twinops.server.app.limits import Limits
from twinops.server.app.logins import Guesses
from twinops.server.refusals import RequestError
from twinops.server.registry.home import Home

PLAIN = b"x" * 200_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\\\"[{é", max_size=3), inner, max_size=3),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:])),
        ("deflate", zlib.compress(PLAIN)),
    ],
)
def test_a_body_is_opened_up_to_its_bound_and_no_further(encoding: str, packed: bytes) -> None:
    assert bodies.opened(packed, encoding, at_most=len(PLAIN)) == PLAIN
    with pytest.raises(RequestError, match="larger than") as large:
        bodies.opened(packed, encoding, at_most=len(PLAIN) - 1)
    assert large.value.status == 413
    for damaged in (packed[:-9], b"x" + packed):
        with pytest.raises(RequestError, match="not what its encoding"):
            bodies.opened(damaged, encoding, at_most=10**6)


@given(JSON)
def test_all_json_that_is_none_of_the_refused_kinds_passes(held: object) -> None:
    bodies.against_json(json.dumps(held).encode())
    bodies.against_json(json.dumps(held, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 65 + b"]" * 65, 400),
        (b"[" * 10_000_000, 413),
        (b'{"a": NaN}', 400),
        (b'{"a": 9223372036854775808}', 400),
        (b"9" * 10_000, 400),
        (b'"\\ud800"', 400),
        (b'{"\\udfff": 1}', 400),
        (b'"\\u0000"', 400),
        (b'"\xff"', 400),
        (b'{"a": "\\u00e9", "b": 1e999}', 400),
        (b'{"a": 1e999}', 400),
        (b"{", 400),
        (b"", 400),
    ],
)
def test_json_that_some_parser_stumbles_over_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(RequestError) as problem:
        bodies.against_json(body)
    assert problem.value.status == status


def test_brackets_in_a_text_are_no_depth() -> None:
    bodies.against_json(json.dumps({"a": '[[[{"' * 1_000, "b": "\\" * 99}).encode())


def test_a_wait_doubles_is_bounded_and_forgotten() -> None:
    made = Guesses()
    waits = []
    now = 0.0
    for _ in range(14):
        made.begin("officer", "a", now=now)
        waits.append(made.wait("officer", "a", now=now))
        now += waits[-1]
    assert waits[:5] == [0] * 5
    assert waits[5:] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    now += logins.FORGET_SECONDS + 1
    made.begin("officer", "a", now=now)
    assert made.wait("officer", "a", now=now) == 0


def test_many_addresses_slow_an_account_down_but_not_for_its_owner() -> None:
    made = Guesses()
    made.begin("officer", "home", now=0)
    made.right("officer", "home")
    for number in range(40):
        made.begin("officer", f"bot {number}", now=0)
    assert made.wait("officer", "bot 99", now=0) == logins.LONGEST["account"]
    assert made.wait("officer", "home", now=0) == 0
    assert made.wait("other", "bot 99", now=0) == 0


def test_the_tables_of_waits_do_not_grow_with_the_guesses() -> None:
    made = Guesses()
    for number in range(logins.AT_MOST + 500):
        made.begin(f"nobody {number}", f"bot {number}", now=number)
    assert len(made._wrong) == logins.AT_MOST


@given(st.lists(st.binary(max_size=60), max_size=2))
def test_any_authorization_header_is_a_login_or_refused(given_headers: list[bytes]) -> None:
    try:
        account, _ = logins.basic(given_headers)
    except RequestError as problem:
        assert problem.status == 401
    else:
        assert account


@pytest.mark.parametrize(
    ("headers", "path", "query", "status"),
    [
        ([(b"a", b"b")] * 101, b"/", b"", 431),
        ([(b"a", b"b" * 70_000)], b"/", b"", 431),
        ([(b"authorization", b"x"), (b"authorization", b"y")], b"/", b"", 400),
        ([], b"/%ff", b"", 400),
        ([], b"/", b"a=%ed%a0%80", 400),
        ([], b"/a%00b", b"", 400),
        ([], b"/", b"x" * 70_000, 431),
    ],
)
def test_heads_that_are_too_long_or_ambiguous_are_refused(
    headers: list[tuple[bytes, bytes]], path: bytes, query: bytes, status: int
) -> None:
    with pytest.raises(RequestError) as problem:
        bounds.against_head({"headers": headers, "raw_path": path, "query_string": query}, Limits())
    assert problem.value.status == status


@pytest.mark.parametrize(
    "alias", ["productiοn", "рrоduсtіоn", "𝓹roduction", "PRODUCTION", "produc\u2060tion", "ρroduction"]
)
def test_unicodes_confusables_are_seen(alias: str) -> None:
    assert lookalikes.resembles(alias, ("production",)) == "production"


@pytest.mark.parametrize("name", ["Twin", "TWIN", "twіn", "tvvin", "tw1n", "twin\u200b", "twın"])
def test_a_model_is_not_named_like_another(name: str) -> None:
    assert lookalikes.twin_of(name, ["other", "twin"]) == "twin"


@pytest.mark.parametrize("name", ["twin2", "twins", "win", "双子", "модель", "café"])
def test_other_names_of_any_script_are_free(name: str) -> None:
    assert lookalikes.twin_of(name, ["twin"]) is None
    assert lookalikes.against_name(name) == ()


@pytest.mark.parametrize(
    "name", [" twin", "twin ", "a  b", "cafe\u0301", "ﬁt", "a\u202eb", "a\nb", "x" * 257, "a\u3164", "\ue000"]
)
def test_a_name_has_one_form_that_can_be_seen(name: str) -> None:
    assert lookalikes.against_name(name)


@pytest.mark.parametrize(
    "reason", ["\u200b" * 40, "\u3164" * 40, " " * 40, "x" * 4_001, "fine, says she\u202eoh no", "\ud800" * 20]
)
def test_a_reason_can_be_read(reason: str) -> None:
    assert approval.against_reason(Act.APPROVE, reason)


def test_a_reason_is_in_any_script_and_has_paragraphs() -> None:
    assert approval.against_reason(Act.APPROVE, "می‌خواهم این را ببینم.\n\nSeen: the card 👩‍💻 and its verdicts.") == ()


def test_what_lies_open_is_closed_and_what_follows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINOPS_CHECKPOINTS", raising=False)
    home = Home(tmp_path)
    kept = home.folder / "approved" / "x"
    kept.parent.mkdir(parents=True, mode=0o755)
    kept.touch(mode=0o444)
    (tmp_path / "mlflow.db-shm").touch(mode=0o664)
    (tmp_path / "params.yaml").touch(mode=0o644)
    (home.folder / "link").symlink_to(tmp_path / "params.yaml")
    before = os.umask(0o022)
    try:
        home.keep_private()
        (home.folder / "new").touch()
    finally:
        os.umask(before)
    mine = [home.folder, *home.folder.rglob("*"), tmp_path / "mlflow.db-shm"]
    assert [p for p in mine if not p.is_symlink() and stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    assert stat.S_IMODE(kept.stat().st_mode) == 0o400
    assert stat.S_IMODE((tmp_path / "params.yaml").stat().st_mode) == 0o644, "the project is not the registry's"
