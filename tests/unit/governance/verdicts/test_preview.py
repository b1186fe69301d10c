"""What a scientist, a pull request and a terminal are shown: the same sentences everywhere."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from dataclasses import replace

import governed
import offices
import pytest
from candidate import commit, make_candidate, write
from governed import attribute, candidate, fact, measure
from offices import Office

import twinops
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.mlflow.production import MlflowProduction
from twinops.adapters.ssh_keygen import SshKeygen
from twinops.cli._verdicts import show
from twinops.entities.evidence import Evidence
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance.assessment.reopening import Reopened
from twinops.governance.policy.decide import decide
from twinops.governance.verdicts.compare import MARKER, Side, comparison_markdown
from twinops.governance.verdicts.preview import preview_html
from twinops.workflows.candidate.compare import compare
from twinops.workflows.candidate.preview import preview
from twinops.workflows.candidate.resolve import resolve

POLICY = governed.shipped_policy()
UNEVEN = fact("fairness_tests", {**governed.EVEN, "income": attribute(0.35, low=0.14, high=0.7)})


def side(name: str, evidence: Evidence) -> Side:
    return Side(name, evidence, decide(POLICY, evidence))


class Unmade:
    """A project whose pipeline never ran."""

    def candidate_key(self) -> str:
        raise DataError("There is no dvc.lock.")


def test_a_scientist_sees_the_verdicts_before_anything_is_committed(tmp_path):
    office = Office(tmp_path / "project", {})  # nobody has a key
    found = preview(office.folder, Unmade(), offices.TODAY)
    outcomes = {v.gate: v.outcome.value for v in found.decision.verdicts}
    assert outcomes["accuracy_spend"] == outcomes["policy"] == "passed"
    assert outcomes["dpia"] == outcomes["lineage"] == outcomes["documents"] == "missing"
    assert "what to do next" in found._repr_html_()
    assert "REFUSED" in str(found).upper()
    assert not office.places.evidence.exists()
    assert found.html.startswith("<!DOCTYPE html>")


def test_the_preview_is_exported_and_loads_only_when_asked():
    assert "preview" in dir(twinops)
    assert callable(twinops.preview)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_a_terminal_shows_every_gate_with_reason_rule_and_next_step(columns, monkeypatch):
    decision = decide(POLICY, candidate(UNEVEN, *governed.declared()))
    out = io.StringIO()
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stdout(out):
        show(decision, columns=columns)
    text = out.getvalue()
    flat = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= columns
    for verdict in decision.verdicts:
        assert verdict.outcome.value in flat
        assert verdict.rule.split(";")[0].split(",")[0] in flat
    assert "fairness" in text.split("accuracy")[0]
    assert "0.35" in flat
    assert "Refused by policy" in flat


def test_the_notebook_shows_what_the_terminal_says():
    decision = decide(POLICY, candidate(UNEVEN))
    html = preview_html(decision, title="t", about="a")
    for verdict in decision.verdicts:
        assert f"<code>{verdict.gate}</code>" in html
        assert (verdict.evidence or "") in html
    assert html.index("fairness") < html.index("accuracy_spend")


def test_explaining_answers_in_every_form_and_exits_10_when_refused(tmp_path, monkeypatch, capsys):
    from twinops.cli._door import enter

    places = make_candidate(tmp_path / "project")
    page = tmp_path / "verdicts.html"
    for words in ([], ["--plain"], ["--json"], ["--html", str(page)]):
        monkeypatch.setattr(sys, "argv", ["twinops", "--project", str(places.root), "gates", "explain", *words])
        with pytest.raises(SystemExit) as ended:
            enter()
        assert ended.value.code == 10
        out = capsys.readouterr().out
        assert "accuracy_activity" in out
        if "--json" in words:
            told = json.loads(out)
            assert {v["id"] for v in told["verdicts"]} == {*(g.id for g in POLICY.gates), "policy"}
            assert all({"sentence", "rule", "next", "evidence", "limit"} <= v.keys() for v in told["verdicts"])
    assert "What the gates say" in page.read_text()


# ---- beside production


def test_the_comment_tells_what_changed_first():
    text = comparison_markdown(side("now", candidate(UNEVEN)), side("production", candidate()))
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert text.startswith(MARKER)
    assert rows[0].startswith("| `fairness` | ✔ passed | ✘ failed **changed**")
    assert "0.35 [0.14, 0.7] (n=801)" in rows[0]


def test_measures_that_moved_stand_beside_what_they_were():
    better = candidate(measures=(measure("spend_mae", 60.0, 58.0, 61.0, unit="USD"),))
    text = comparison_markdown(side("now", better), side("production", candidate()))
    assert "| `spend_mae` | 66.25 [63.1, 69.4] USD (n=1,940 households) | 60 [58, 61] USD (n=1,940 households)" in text
    assert "intervals do not overlap" in text
    same = comparison_markdown(side("now", candidate()), side("production", candidate()))
    assert "No headline measure moved." in same
    assert "The two are the same candidate." in same


def test_what_is_declared_otherwise_and_what_reopens_is_told():
    changed = candidate(replace(candidate().fact("dpia.declared.transfers"), value="Mars"))
    reopened = (Reopened("new_recipient_or_country", "transfers: none became Mars"),)
    text = comparison_markdown(side("now", changed), side("production", candidate()), reopened)
    assert "Declared otherwise: `dpia.declared.transfers`." in text
    assert "- `new_recipient_or_country`: transfers: none became Mars" in text


def test_a_gate_that_is_no_longer_judged_is_told():
    now, before = side("now", candidate()), side("production", candidate())
    fewer = replace(now, decision=replace(now.decision, verdicts=now.decision.verdicts[1:]))
    assert "**no longer judged**" in comparison_markdown(fewer, before)


def test_hostile_text_stays_text_in_the_comment():
    from markdown_it import MarkdownIt

    bad = attribute(0.35, low=0.14, high=0.7, worst_group="<script>|[x](http://evil.example) ![i](http://e)")
    evidence = candidate(fact("fairness_tests", {**governed.EVEN, "income": bad}))
    text = comparison_markdown(side("now", evidence), side("<img src=x>", candidate()))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text.removeprefix(MARKER))
    assert not [mark for mark in ("<script", "<img", "<a ") if mark in html]


def test_a_candidate_is_compared_with_a_file_and_a_revision_and_says_when_nothing_is_live(tmp_path):
    places = make_candidate(tmp_path / "project")
    lineage, live = DvcStore(places.root), MlflowProduction(places.root)
    assert "nothing to compare it with" in compare(places, lineage, live).markdown
    other = tmp_path / "other.json"
    other.write_text(candidate().to_json())
    found = compare(places, lineage, live, against=str(other))
    assert found.before is not None
    assert found.reopened
    assert "against other.json" in found.markdown.replace("\\", "")
    same = compare(places, lineage, live, against="git:HEAD")
    assert same.reopened == ()
    assert "changed" not in same.markdown  # lineage and documents are looked up here, and not known of the other
    for wrong in ("git:nowhere", "git:--output=x"):
        with pytest.raises(DataError, match="holds no evidence"):
            compare(places, lineage, live, against=wrong)
    other.write_text("{}")
    with pytest.raises(IntegrityError):
        compare(places, lineage, live, against=str(other))


# ---- a ruling at the command line


def test_a_risk_officer_resolves_a_doubt_and_nobody_else_does(tmp_path):
    keys = offices.keys_of(tmp_path)
    places = make_candidate(tmp_path / "project")
    write(places.compliance / "offices.yaml", offices.offices_text(keys))
    evidence = Evidence.from_json(places.evidence.read_text())
    doubt = measure("active_auc.gain_over_rfm", 0.002, -0.001, 0.005)
    kept = tuple(m for m in evidence.measures if m.name != doubt.name)
    write(places.evidence, replace(evidence, measures=(*kept, doubt)).to_json())
    commit(places.root)
    asked = {"reason": "Seen with the analysts; three of four days are better.", "days": 30, "today": offices.TODAY}

    def ruled(role: str, gate: str = "accuracy_activity", **other: object):
        who = {"email": offices.PEOPLE[role][1], "key": keys[role]}
        return resolve(places, DvcStore(places.root), SshKeygen(), gate=gate, **who, **{**asked, **other})

    for role, gate, told in (
        ("data owner", "accuracy_activity", "does not let the data owner"),
        ("data protection officer", "accuracy_activity", "does not let the data protection officer"),
        ("risk officer", "fairness", "what is missing must be made"),
        ("risk officer", "weather", "no gate"),
    ):
        with pytest.raises(ParamsError, match=told):
            ruled(role, gate)
    assert not (places.compliance / "rulings").exists()
    done = ruled("risk officer")
    assert (done.by, done.until.isoformat()) == ("Rita Risk", "2026-12-25")
    assert done.path.with_name(done.path.name + ".sig").is_file()
    written = {p: p.read_bytes() for p in done.path.parent.iterdir()}
    with pytest.raises(ParamsError, match="at most 90 days"):
        ruled("risk officer", days=200)
    assert {p: p.read_bytes() for p in done.path.parent.iterdir()} == written
