"""The officer's page of requests, over real HTTP: she alone sees it, acts on what she saw, and each step is logged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import candidate
import live as living
import play
import pytest
from live import Live

from twinops.adapters.keystore import DemoKeys
from twinops.adapters.rights_ledger import RightsLedger
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked, cases_of
from twinops.workflows.subject.casework import act_of
from twinops.workflows.subject.desk import ActingOfficer

pytestmark = pytest.mark.pipeline
SID = DemoKeys().subject_ids(["7"])[0]
WORDS = "<script>alert(1)</script> my words"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("project")
    candidate.make_candidate(root)
    (root / "compliance" / "offices.yaml").write_text(play.OFFICES)
    server = Live(root, living.free_port(), None)
    received(ledger(server), "c-000001", days_ago=2)
    received(ledger(server), "c-000002", days_ago=60)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def ledger(live: Live) -> RightsLedger:
    return RightsLedger(live.root / "keystore", DemoKeys(), live.root)


def received(rights: RightsLedger, number: str, *, days_ago: int) -> None:
    day = (datetime.now(UTC) - timedelta(days=days_ago)).date()
    case = RequestCase(number, RequestKind.ERASURE, day, "", SID)
    rights.append(act_of(case, StepAsked(Step.RECEIVED, WORDS), ActingOfficer("data owner", "ann")))


def shown(live: Live, case: str, who: str = "dpo") -> tuple[int, str]:
    got = live.call("GET", f"/twinops/requests?case={case}", who=who)
    return got.status, got.body.decode()


def form(page: str) -> dict[str, str]:
    return {n: unescape(v) for n, v in re.findall(r'name="(case|digest|token)" value="([^"]*)"', page)}


def send(live: Live, who: str = "dpo", **fields: str) -> tuple[int, str]:
    got = live.call(
        "POST",
        "/twinops/requests",
        urlencode(fields).encode(),
        who=who,
        Content_Type="application/x-www-form-urlencoded",
    )
    return got.status, got.body.decode()


def test_only_the_offices_that_take_requests_see_the_page(live: Live) -> None:
    assert shown(live, "c-000001")[0] == 200
    for who in ("scientist", "risk-officer", "ci"):
        status, page = shown(live, "c-000001", who)
        assert (status, "my words" in page, SID in page) == (403, False, False)


def test_what_is_overdue_leads_and_what_was_typed_is_text(live: Live) -> None:
    _, page = shown(live, "c-000001")
    assert page.index('case=c-000002"') < page.index('case=c-000001"')
    assert "1 overdue" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert SID not in page


def test_a_step_is_written_and_logged_under_a_pseudonym_and_a_form_counts_once(live: Live) -> None:
    _, page = shown(live, "c-000001")
    asked = {**form(page), "act": "identified", "reason": "passport"}
    assert send(live, **asked)[0] == 200
    status, again = send(live, **asked)
    assert (status, "Somebody did something with this case meanwhile" in again) == (403, True)
    assert cases_of(ledger(live).entries())["c-000001"].identified
    log = live.call("GET", "/twinops/api/log", who="dpo").body.decode()
    assert '"step":"identified"' in json.loads(json.dumps(log)).replace("\\", "")
    assert SID not in log
    assert "my words" not in log


def test_a_refusal_needs_its_ground_and_reason_and_what_was_typed_stays(live: Live) -> None:
    _, page = shown(live, "c-000002")
    status, told = send(live, **form(page), act="refused", ground="21(1)", reason="because I say so")
    assert (status, "names its ground" in told, "because I say so" in told) == (403, True, True)
    assert send(live, **form(page), act="refused", ground="17(3)(b)", reason="tax law")[0] == 200
    assert "refused" in shown(live, "c-000002")[1]


def test_another_accounts_form_and_an_extension_too_late_are_refused(live: Live) -> None:
    _, page = shown(live, "c-000001")
    assert send(live, who="risk-officer", **form(page), act="answered")[0] == 403
    received(ledger(live), "c-000003", days_ago=45)
    _, late = shown(live, "c-000003")
    assert "Extend by two months" not in late
    assert send(live, **form(late), act="extended", reason="late")[0] == 403
