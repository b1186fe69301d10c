"""After `make run` and `make serve` there is something to see, and accounts are made by one command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import candidate
import live as living
import play
import preloaded
import pytest
from live import Live

from twinops.adapters.dvc.lock_file import DvcStore

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A project that was run, tracked and registered by one person, then served."""
    root = tmp_path_factory.mktemp("project")
    places = candidate.make_candidate(root)
    given = replace(play.evidence(), key=DvcStore(root).candidate_key())
    candidate.write(places.evidence, given.to_json())
    for name, text in play.documents(given).items():
        candidate.write(root / "model_cards" / "twin" / name, text)
    named = play.OFFICES
    (root / "compliance" / "offices.yaml").write_text(named.replace("scientist@example.org", "t@example.org"))
    (root / "compliance" / "policy.yaml").write_text(play.POLICY)
    candidate.git(root, "add", "-A")
    candidate.commit(root)
    server = Live(root, living.free_port(), None)
    for words in (("track",), ("register",)):
        done = preloaded.run(["--project", str(root), *words], at=root, told=server.environment())
        assert done.returncode == 0, done.stderr
    try:
        server.start("--adopt")
        yield server
    finally:
        server.stop()


def twinops(live: Live, *words: str, who: str) -> str:
    login = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": live.passwords[who]}
    told = live.environment(TWINOPS_SERVER=live.address, **login)
    done = preloaded.run(["--project", str(live.root), *words], at=live.root, told=told)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return str(done.stdout)


def test_without_a_policy_the_pages_show_what_was_brought_along_and_what_to_type(live: Live) -> None:
    assert "twin version 1 with its evidence" in live.said
    assert "No policy is active, so the pages show what was brought along" in live.said
    queue = live.call("GET", "/twinops/", who="scientist").body.decode()
    page = live.call("GET", "/twinops/review?name=twin&version=1", who="scientist").body.decode()
    for told in (queue, page):
        assert "No policy is active" in told
        assert "twinops policy activate compliance/policy.yaml" in told
    assert "they bind nobody" in page
    assert 'class="state passed"' in page, "verdicts of the policy in the folder are there"
    assert "Approve</button>" not in page


def test_who_is_named_without_an_account_is_told_and_gets_one_by_one_command(live: Live) -> None:
    told = "There is no account owner with the role data-owner here: `twinops officers account owner --role data-owner`"
    assert told in live.said
    said = twinops(live, "officers", "account", "owner", "--role", "data-owner", who="admin")
    live.passwords["owner"] = said.split("owner ")[2].split()[0]
    assert live.call("GET", "/twinops/api/whoami", who="owner").json["roles"] == ["data-owner"]
    assert "as before" in twinops(live, "officers", "account", "owner", "--role", "data-owner", who="admin")
    login = {"MLFLOW_TRACKING_USERNAME": "scientist", "MLFLOW_TRACKING_PASSWORD": live.passwords["scientist"]}
    environment = live.environment(TWINOPS_SERVER=live.address, **login)
    words = ["--project", str(live.root), "officers", "account", "mole", "--role", "risk-officer"]
    done = preloaded.run(words, at=live.root, told=environment)
    assert (done.returncode, "Only the administrator" in done.stderr) == (2, True)


def test_the_scientists_version_is_another_one_than_what_was_adopted_and_its_number_is_told(live: Live) -> None:
    twinops(live, "policy", "activate", "compliance/policy.yaml", "--yes", who="risk-officer")
    twinops(live, "track", who="scientist")
    said = twinops(live, "register", who="scientist")
    assert "twin version 2, made" in said
    assert "the verdict here, in this folder: " in said
    assert "next, whatever the verdict here: a gate runner makes everything anew" in said
    assert "twinops model evidence twin 2" in said
    assert "version 2, known already" in twinops(live, "register", who="scientist")
    shown = twinops(live, "model", "show", "twin", "2", who="scientist")
    assert "gate-runner: make everything anew" in shown
    body = play.handed((live.root / "models" / "twin.json").read_bytes(), authors=["mole@example.net"])
    sent = live.call("POST", "/twinops/api/evidence", {**body, "name": "twin", "version": 2}, who="ci")
    assert sent.status == 200, sent.body
    for who, sees in (("risk-officer", True), ("scientist", False)):
        shown = twinops(live, "model", "show", "twin", "2", who=who)
        assert re.search("^ +passed +consent", shown, re.MULTILINE), shown
        assert "belongs to no account" in shown
        assert ("mole@example.net" in shown) is sees
        page = live.call("GET", "/twinops/review?name=twin&version=2", who=who).body.decode()
        assert ("mole@example.net" in page) is sees
        assert "What is needed, and by whom" in page
        told = json.loads(twinops(live, "model", "show", "twin", "2", "--json", who=who))
        assert told["needed"][0]["who"] == "risk officer"
    digest = twinops(live, "model", "show", "twin", "2", "--digest", who="scientist").strip()
    assert len(digest) == 64


def test_a_short_reason_is_told_before_anything_else(live: Live) -> None:
    body = {"name": "twin", "version": 2, "act": "approve", "digest": "0" * 64, "reason": "why"}
    answer = live.call("POST", "/twinops/api/review", body, who="risk-officer")
    assert (answer.status, answer.json["message"]) == (403, "twinops: A reason of at least 10 characters is needed.")


def test_gate_runners_and_officers_alone_are_told_who_is_who(live: Live) -> None:
    assert live.call("GET", "/twinops/api/known", who="scientist").status == 403
    told = live.call("GET", "/twinops/api/known", who="ci").json
    assert "risk@example.net" in told["offices"]
    assert {one["account"] for one in told["activated"]} >= {"risk-officer"}


def test_looking_at_rules_changes_nothing(live: Live) -> None:
    before = live.call("GET", "/twinops/api/log", who="dpo").json["size"]
    body = {"kind": "policy", "text": play.POLICY.replace('"play"', '"other"'), "look": True}
    told = live.call("POST", "/twinops/api/rules", body, who="scientist").json
    assert told["changes"] == [{"sentence": "version: play becomes other.", "loosens": False}]
    assert live.call("GET", "/twinops/api/log", who="dpo").json["size"] == before
