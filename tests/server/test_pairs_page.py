"""The officer's page of pairs in doubt, over real HTTP: codes and bits, a decision with its reason, and undo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import candidate
import live as living
import play
import pyarrow as pa
import pytest
from live import Live

from twinops.adapters.keystore import DemoKeys
from twinops.adapters.rights_ledger import RightsLedger
from twinops.data.linkage.intake import HOME
from twinops.data.linkage.outcome import nothing_linked
from twinops.data.vault.seal import write_sealed
from twinops.entities.persons import decisions
from twinops.entities.rights import Right
from twinops.workflows.links.pairs import RecordPair

pytestmark = pytest.mark.pipeline
KEYS = DemoKeys()
HOUSEHOLD, PROFILE = KEYS.subject_ids(["7", "C7"])
CODE = RecordPair(f"{HOME}:{HOUSEHOLD}", f"crm:{PROFILE}", {}).code
WHY = "<b>father</b> and son"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("project")
    candidate.make_candidate(root)
    (root / "compliance" / "offices.yaml").write_text(play.OFFICES)
    server = Live(root, living.free_port(), None)
    schema = nothing_linked()[1].schema
    levels = dict.fromkeys((f.name for f in schema if f.name.endswith("_level")), 0)
    row = {"sid": HOUSEHOLD, "source": HOME, "other": PROFILE, "other_source": "crm", "doubt": "given_names_differ",
           "tie": f"crm/{HOME}", "match_weight": 4.0, "probability": 0.71, **levels}  # fmt: skip
    path = root / "data" / "twin" / "review.parquet"
    write_sealed(pa.Table.from_pylist([row], schema=schema), path, dataset="review", keys=KEYS, subject="sid")
    try:
        server.start()
        yield server
    finally:
        server.stop()


def shown(live: Live, query: str = "", who: str = "dpo") -> tuple[int, str]:
    got = live.call("GET", f"/twinops/pairs{query}", who=who)
    return got.status, got.body.decode()


def send(live: Live, query: str = "", who: str = "dpo", **fields: str) -> tuple[int, str]:
    kind = "application/x-www-form-urlencoded"
    got = live.call("POST", f"/twinops/pairs{query}", urlencode(fields).encode(), who=who, Content_Type=kind)
    return got.status, got.body.decode()


def form(page: str) -> dict[str, str]:
    return {n: unescape(v) for n, v in re.findall(r'name="(pair|token)" value="([^"]*)"', page)}


def ledger(live: Live) -> RightsLedger:
    return RightsLedger(live.root / "keystore", KEYS, live.root)


def test_a_pair_is_decided_with_a_reason_and_taken_back_by_the_two_offices_alone(live: Live) -> None:
    for who in ("scientist", "risk-officer", "ci"):
        status, page = shown(live, who=who)
        assert (status, CODE in page) == (403, False)
    _, page = shown(live)
    assert f"pair={CODE}" in page
    assert "given names differ" in page
    assert not any(sid in page for sid in (HOUSEHOLD, PROFILE))

    _, page = shown(live, f"?pair={CODE}")
    asked = {**form(page), "act": "part"}
    status, told = send(live, **asked, reason=" ")
    assert (status, "has a reason" in told) == (400, True)
    assert send(live, who="risk-officer", **asked, reason=WHY)[0] == 403
    status, told = send(live, **asked, reason=WHY)
    assert (status, "are two persons" in told) == (200, True)
    (decided,) = decisions(ledger(live).entries())
    assert (decided.same, {decided.one, decided.other}) == (False, {f"{HOME}:{HOUSEHOLD}", f"crm:{PROFILE}"})
    status, again = send(live, **asked, reason=WHY)
    assert (status, "Somebody decided something meanwhile" in again) == (403, True)
    assert "&lt;b&gt;father" in again
    assert "No pair is in this list" in shown(live)[1]

    _, page = shown(live, f"?list=decided&pair={CODE}")
    assert "Take the decision back" in page
    assert send(live, "?list=decided", **form(page), act="reopen", reason="new passport")[0] == 200
    assert decisions(ledger(live).entries()) == ()
    assert CODE in shown(live)[1]

    log = live.call("GET", "/twinops/api/log", who="dpo").body.decode()
    rights = {e.right for e in ledger(live).entries()}
    assert {Right.NOT_SAME, Right.REOPENED} <= rights
    assert not any(word in log for word in (HOUSEHOLD, PROFILE, "father", "passport"))
