"""Documents: assembled from evidence, cited sentence by sentence, bound by a manifest, and the same whenever built."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import governed
import own_world
import pytest
import yaml
from governed import candidate, declared, fact, measure, without

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance import citations
from twinops.governance.log.manifest import NAME, facts_of_documents, manifest
from twinops.governance.policy.decide import decide
from twinops.params import DocumentsParams
from twinops.workflows.candidate.judge import document_facts
from twinops.workflows.compliance_files import declarations
from twinops.workflows.evidence import CandidateFolder, source_facts
from twinops.workflows.pipeline.documents import SHELF, build, documents
from twinops.workflows.places import Places

DOCUMENTS = {name: plugins.load(SHELF, name) for name in plugins.names(SHELF)}
each_document = pytest.mark.parametrize("name", DOCUMENTS)
POLICY = governed.shipped_policy()
HOSTILE = "<script>x</script>|[evil](http://evil.example) **`Under` 15K\n# h [ev-000000000000]"


_BUILT: dict[str, dict[str, str]] = {}


def built(evidence: Evidence) -> dict[str, str]:
    """Built once for the same evidence."""
    if evidence.digest not in _BUILT:
        _BUILT[evidence.digest] = build(evidence, decide(POLICY, evidence))
    return dict(_BUILT[evidence.digest])


@cache
def in_the_pipeline() -> Evidence:
    """What a run knows before it is registered: no lineage, no documents, no human answer."""
    evidence = candidate(*declared())
    for name in ("git_revision", "git_dirty", "lock_matches", "documents.present", "documents.problems"):
        evidence = without(evidence, name)
    return evidence


@cache
def hostile() -> Evidence:
    """The same, every text in it replaced or lengthened by markup."""

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [spoil(item) for item in value]
        return (
            f"{value} {HOSTILE}"
            if isinstance(value, str) and value not in ("true", "false", "unknown", "approve")
            else value
        )

    evidence = in_the_pipeline()
    facts = tuple(replace(f, value=spoil(f.value), source=HOSTILE) for f in evidence.facts)
    measures = tuple(replace(m, source=HOSTILE, method=HOSTILE, unit_of_n=HOSTILE) for m in evidence.measures)
    return replace(evidence, facts=facts, measures=measures)


# ---- what every document owes


@each_document
def test_a_document_keeps_the_promises_of_its_shelf(name):
    assert plugins.missing_promises(DOCUMENTS[name], ("FILES", "build")) == ()


@each_document
@pytest.mark.parametrize(
    "evidence",
    [governed.empty(), in_the_pipeline(), candidate(), hostile()],
    ids=["empty", "run", "complete", "hostile"],
)
def test_a_document_is_built_from_any_evidence_and_cites_well(name, evidence):
    made = DOCUMENTS[name].build(evidence, decide(POLICY, evidence))
    assert set(made) <= set(DOCUMENTS[name].FILES)
    assert made or name == "annex_iv"  # written when the system is high-risk
    known = citations.ids(evidence)
    assert [fault for file, text in made.items() for fault in citations.faults(file, text, known)] == []


@each_document
def test_a_document_is_the_same_from_the_evidence_file(name):
    evidence = in_the_pipeline()
    again = Evidence.from_json(evidence.to_json())
    assert DOCUMENTS[name].build(evidence, decide(POLICY, evidence)) == DOCUMENTS[name].build(
        again, decide(POLICY, again)
    )


@each_document
def test_a_document_follows_the_evidence_it_cites(name):
    evidence = in_the_pipeline()
    source = {
        "controller": "Another",
        "bases": {"offers": "legitimate_interest"},
        "columns": ["day"],
        "retention_days": 9,
    }
    facts = [fact("source.transactions", source), fact("ai_act_classification", {"class": "high_risk"})]
    gain = measure("active_auc.gain_over_rfm", 0.0123, 0.01, 0.02)
    other = candidate(*(f for f in evidence.facts if f.name not in {x.name for x in facts}), *facts, measures=(gain,))
    assert DOCUMENTS[name].build(evidence, decide(POLICY, evidence)) != DOCUMENTS[name].build(
        other, decide(POLICY, other)
    )


@each_document
def test_a_document_promises_nothing(name):
    for evidence in (in_the_pipeline(), candidate()):
        for text in DOCUMENTS[name].build(evidence, decide(POLICY, evidence)).values():
            assert not re.search(
                r"\bcompliant\b|\banonymous|unbias|debias|\bcertified\b|fair model", text, re.IGNORECASE
            )


@each_document
def test_hostile_names_stay_text(name):
    from markdown_it import MarkdownIt

    evidence = hostile()
    for file, text in DOCUMENTS[name].build(evidence, decide(POLICY, evidence)).items():
        if file.endswith(".md"):
            html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text.split("\n---\n", 1)[-1])
            assert "<script" not in html
            assert 'href="http' not in html


@each_document
def test_a_document_holds_neither_clock_nor_machine(name):
    evidence = in_the_pipeline()
    text = "".join(DOCUMENTS[name].build(evidence, decide(POLICY, evidence)).values())
    assert str(Path.home()) + "/" not in text
    assert not re.search(r"\d\d:\d\d:\d\d", text)


# ---- citations


def known(*items: Fact) -> frozenset[str]:
    return frozenset(i.id for i in items)


def test_a_citation_of_evidence_that_does_not_exist_is_a_fault():
    told = citations.faults("a.md", "All is well [ev-0123456789ab].", known())
    assert told == ["a.md cites ev-0123456789ab, which is not in the evidence"]


def test_a_figure_without_a_citation_is_a_fault():
    some = fact("x", 1)
    text = f"Coverage is 0.85.\n\nCoverage is 0.85 [{some.id}].\n"
    assert len(citations.faults("a.md", text, known(some))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "# Section 3",
        "`2018-01-01`",
        "see [here](#part-2)",
        "as art. 35(7)(a) says",
        "arts. 6, 7(1) and 9",
        "active_ndcg_at_10",
        "-",
    ],
)
def test_headings_code_links_articles_and_names_are_no_findings(line):
    assert citations.faults("a.md", line, known()) == []


def test_a_json_field_with_a_value_and_no_evidence_is_a_fault():
    good = {"id": "a", "kind": "measured", "value": None, "evidence": []}
    bad = {"id": "b", "kind": "declared", "value": "x", "evidence": []}
    assert citations.faults("d.json", json.dumps({"fields": [good, bad]}), known()) == [
        "d.json: field b has a value and no evidence"
    ]


def test_nothing_can_be_said_without_something_to_cite():
    with pytest.raises(IntegrityError):
        citations.said("The model is good.")


def test_a_document_that_cites_badly_stops_the_build(monkeypatch):
    bad = {"README.md": "The twin is right 99 times in 100.\n"}
    monkeypatch.setattr(DOCUMENTS["model_card"], "build", lambda *_: bad)
    with pytest.raises(IntegrityError, match="without evidence"):
        build(in_the_pipeline(), decide(POLICY, in_the_pipeline()))


# ---- the model card


def card(evidence: Evidence | None = None) -> str:
    """The appendix: the card in full."""
    return built(evidence or in_the_pipeline())["appendix.md"]


def short_card(evidence: Evidence | None = None) -> str:
    return built(evidence or in_the_pipeline())["README.md"]


def test_what_is_open_is_listed_in_the_card_with_its_evidence() -> None:
    owed = [{"file": "intended_use.yaml", "field": f"purposes.{n}", "who": "the data owner"} for n in range(3)]
    lacking = replace(in_the_pipeline(), facts=(*in_the_pipeline().facts, fact("declarations.open", owed)))
    text = built(lacking)["README.md"]
    assert "3 things that only people can say" in text
    (line,) = [line for line in text.splitlines() if "(the data owner; 3)" in line]
    assert "purposes.0, purposes.1, purposes.2 [ev-" in line


def test_the_card_is_short_says_what_is_in_the_way_after_its_figures_and_leads_to_the_appendix() -> None:
    text = citations.FRONT.sub("", short_card())
    assert len(citations.CITATION.sub("", text).split()) < 1_700
    top = text[: text.index("\n## ")]
    verdicts = decide(POLICY, in_the_pipeline())
    assert "Refused by policy" in top
    before_the_rest = text[: text.index("\n## Verdicts")].partition("\n## What stands in the way")[2]
    assert all(f"**{gate.replace('_', ' ')}**" in before_the_rest for gate in verdicts.blocking[:1])
    page = built(in_the_pipeline())["model_card.html"]
    assert 'href="appendix.html#ev-' in page
    anchors = set(re.findall(r'id="(ev-[0-9a-f]{12})"', built(in_the_pipeline())["appendix.html"]))
    assert set(re.findall(r'href="appendix.html#(ev-[0-9a-f]{12})"', page)) <= anchors


def test_the_page_of_the_card_holds_its_pictures() -> None:
    made = build(in_the_pipeline(), decide(POLICY, in_the_pipeline()), {"accuracy": b"PNG"})["model_card.html"]
    assert "data:image/png;base64,UE5H" in made or "accuracy" not in in_the_pipeline().captions
    assert "../../reports" not in made


def test_a_model_is_under_the_licence_that_the_data_owner_declares_and_else_under_none() -> None:
    assert "license: apache-2.0" in short_card()
    other = without(in_the_pipeline(), "intended_use.model_license")
    assert "license:" not in short_card(other).partition("model-index")[0]
    mine = replace(other, facts=(*other.facts, fact("intended_use.model_license", "mit")))
    assert "license: mit" in short_card(mine)


def test_the_card_loads_as_a_hugging_face_card(tmp_path):
    from huggingface_hub import ModelCard

    path = tmp_path / "README.md"
    path.write_text(short_card(), encoding="utf-8")
    data = ModelCard.load(path).data
    assert data.license == "apache-2.0"
    assert {r.metric_type for r in data.eval_results} >= {"active_auc", "spend_mae"}
    assert data.to_dict()["twinops"]["decision"] == "refused"


def test_the_metadata_survives_hostile_text(tmp_path):
    from huggingface_hub import ModelCard

    path = tmp_path / "README.md"
    path.write_text(short_card(hostile()), encoding="utf-8")
    assert ModelCard.load(path).data.model_name == "twin"


@pytest.mark.parametrize(
    "section",
    [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
        "Verdicts",
        "How to contest",
        "Evidence",
    ],
)
def test_the_card_has_the_sections_of_the_paper_and_ours(section):
    assert f"\n## {section}\n" in card()


def test_the_card_shows_every_verdict_with_what_to_do_next():
    text = card()
    for verdict in decide(POLICY, in_the_pipeline()).verdicts:
        assert f"| `{verdict.gate}` | **{verdict.outcome.value}** |" in text
    assert "**missing** | Not in this evidence: git_revision" in text


def test_the_appendix_explains_every_citation():
    text = card()
    appendix = text[text.index("\n## Evidence\n") :]
    assert set(citations.CITATION.findall(text)) <= set(re.findall(r"^\| \[(ev-\w+)\]", appendix, re.MULTILINE))


def test_the_card_says_which_data_are_synthetic_and_quotes_both_publishers():
    text = card(candidate(*declared(), *source_facts()))
    assert "**consent** (synthetic)" in text
    assert "CC0" in text
    assert "simulated" in text
    assert "educational" in text
    assert "tell nothing about EU consumers" in text


WITH_OTHERS = (
    measure("linkage_recall", 0.868, 0.858, 0.877, n=4580, unit_of_n="pairs of records"),
    measure("fusion_segment_coverage_95", 0.97, 0.91, 0.99, n=96, unit_of_n="segment, scale and figure"),
    measure("sentiment_macro_f1", 0.76, 0.66, 0.84, n=82, unit_of_n="posts"),
    measure("quality.crm.completeness", 0.1, 0.09, 0.11, n=2925, unit_of_n="rows"),
    measure("quality.crm.validity", 0.99, 0.98, 1.0, n=2925, unit_of_n="rows"),
    measure("quality.crm.validity.trend", 0.0, -0.1, 0.1, n=2925, unit_of_n="rows"),
)
SEGMENT = {"variable": "visits", "segment": "often", "scale": "brand_loyalty", "figure": "mean", "assumption": "Alike."}


def of_other_sources() -> Evidence:
    """What the stages of the other sources find, in the shapes they find it."""
    rows = [
        {**SEGMENT, "value": 51.2, "low": 48.0, "high": 54.4, "suppressed": False},
        {**SEGMENT, "segment": "seldom", "value": None, "low": None, "high": None, "suppressed": True},
        {**SEGMENT, "figure": "share_high", "value": 0.2, "low": 0.1, "high": 0.3, "suppressed": False},
    ]
    checks = [
        {"id": "a", "source": "crm", "says": "it is so", "checked": 900, "contradicting": None, "suppressed": True},
        {"id": "b", "source": "crm", "says": "it is not", "checked": 900, "contradicting": 0, "suppressed": False},
    ]
    facts = (
        fact("fusion_segments", {"method": "matching", "donor_panel": "Test Panel (synthetic)", "rows": rows}),
        fact("fusion_not_matched_on", {"variables": ["age"], "why": "not declared"}),
        fact("sentiment_languages", {"scored": ["en"], "refused": ["de", "fr"]}),
        fact("contradictions", checks),
        fact("quarantined", {"crm": 7, "transactions": 0}),
        fact("blend_sources_off", ["campaigns"]),
    )
    evidence = in_the_pipeline()
    kept = {f.name: f for f in (*evidence.facts, *facts)}
    return replace(evidence, measures=(*evidence.measures, *WITH_OTHERS), facts=tuple(kept.values()))


def section(text: str, title: str) -> str:
    return text.split(f"### {title}\n")[1].split("\n##", maxsplit=1)[0]


def test_every_sentence_about_the_other_sources_cites_what_it_rests_on():
    evidence = of_other_sources()
    text = card(evidence)
    ids = {i.name: i.id for i in citations.items(evidence)}
    wanted = {
        "Records of other sources": {"linkage_precision", "linkage_recall"},
        "Inferred, not observed": {"fusion_segments", "fusion_not_matched_on", "fusion_segment_coverage_95"},
        "Sentiment of texts": {"sentiment_languages", "sentiment_macro_f1"},
        "Quality and quarantine": {"quality.crm.validity", "quarantined", "contradictions", "blend_sources_off"},
    }
    for title, names in wanted.items():
        part = section(text, title)
        assert {ids[n] for n in names} <= set(citations.CITATION.findall(part)), title
        for line in part.splitlines():
            if line.startswith("- "):
                assert citations.CITATION.search(line), line


def test_what_is_inferred_says_so_with_method_donors_and_interval_and_small_cells_stay_empty():
    part = section(card(of_other_sources()), "Inferred, not observed")
    for words in ("no fact about anybody", "Method: matching", "Test Panel (synthetic)", "Assumed: Alike"):
        assert words in part
    assert "| visits: often | 51.2 [48, 54.4] |" in part
    assert "| visits: seldom | too few to show |" in part


def test_few_rows_in_quarantine_and_few_contradictions_are_not_counted():
    part = section(card(of_other_sources()), "Quality and quarantine")
    row = next(line for line in part.splitlines() if line.startswith("| crm |"))
    assert "| fewer than 10 |" in row
    assert "it is so, in fewer than 10 of 900 rows" in part
    assert "2 checks of sources against each other, 1 without a finding" in part
    assert "Switched off: campaigns" in part


def test_languages_that_are_refused_are_named():
    assert "refused: de, fr" in section(card(of_other_sources()), "Sentiment of texts")


def test_without_other_sources_the_card_says_that_nothing_was_linked_inferred_or_scored():
    text = card(governed.empty())
    for words in ("linkage was measured", "Nothing was inferred", "No text was scored", "quality of the sources was"):
        assert words in text


def test_your_own_source_brings_its_declared_facts_into_card_and_assessment_and_no_stranger_s():
    own = own_world.params(shop=own_world.RETAIL, ledger=own_world.CONSENT).own
    told = source_facts(own)
    assert {f.name: f.source for f in told} == {
        "source.transactions": "params.yaml: own.shop",
        "source.consent": "params.yaml: own.ledger",
    }
    others = tuple(f for f in in_the_pipeline().facts if not f.name.startswith("source."))
    documents_ = built(replace(in_the_pipeline(), facts=(*others, *told)))
    training = documents_["appendix.md"].split("## Training data")[1].split("###")[0]
    legal = own_world.LEGAL
    kept = f"{legal['retention_days']} days"
    for words in ("transactions (own.shop)", legal["controller"], "twin training: consent", kept):
        assert words in training
    for words in (legal["controller"], legal["notice"], legal["collected_from"]):
        assert words in documents_["dpia.md"]
    assert all("Grocery households of one retailer" not in documents_[n] for n in ("README.md", "appendix.md"))
    assert "transactions (own.shop)" in documents_["README.md"]
    assert "completejourney" not in documents_["README.md"].split("\n---\n")[0]
    assert {f.name for f in source_facts(own, files_of_others=True)} == {f.name for f in source_facts()}


def test_what_was_not_measured_is_said():
    text = card(governed.empty())
    for sentence in (
        "**No quantity was measured.**",
        "**No group was measured.**",
        "**not measured**",
        "**not declared**",
    ):
        assert sentence in text


def test_small_cells_are_not_shown():
    assert "too few to show" in card()


def test_pictures_are_linked_by_relative_path():
    assert "](../../reports/figures/accuracy.png)" in short_card()


# ---- the manifest and what the gate reads


def as_bytes(documents: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in documents.items()}


def judged(documents: dict[str, bytes], evidence: Evidence) -> dict[str, Any]:
    listing = json.loads(documents[NAME])
    return {f.name: f.value for f in facts_of_documents(listing, documents, evidence)}


def test_untouched_documents_have_no_problems_and_pass_the_gate():
    evidence = in_the_pipeline()
    facts = facts_of_documents(json.loads(built(evidence)[NAME]), as_bytes(built(evidence)), evidence)
    verdicts = {v.gate: v.outcome.value for v in decide(POLICY, evidence.joined(facts=facts)).verdicts}
    assert verdicts["documents"] == "passed"


def test_the_manifest_holds_the_digest_of_every_document():
    documents = built(in_the_pipeline())
    listed = json.loads(documents[NAME])["documents"]
    assert set(listed) == set(documents) - {NAME} == set(governed.DOCUMENTS)
    assert all(said["sha256"] == hashlib.sha256(documents[name].encode()).hexdigest() for name, said in listed.items())


def test_a_changed_byte_is_found():
    documents = as_bytes(built(in_the_pipeline()))
    documents["dpia.md"] += b" "
    assert judged(documents, in_the_pipeline())["documents.problems"] == ["dpia.md was changed after it was built"]


def test_a_changed_document_with_a_changed_digest_still_has_to_cite():
    evidence = in_the_pipeline()
    documents = as_bytes(built(evidence))
    documents["README.md"] += b"\nThe twin is right 99 times in 100.\n"
    listing = json.loads(documents[NAME])
    listing["documents"]["README.md"]["sha256"] = hashlib.sha256(documents["README.md"]).hexdigest()
    documents[NAME] = json.dumps(listing).encode()
    assert "without evidence" in judged(documents, evidence)["documents.problems"][0]


def test_a_missing_document_is_not_present():
    documents = as_bytes(built(in_the_pipeline()))
    del documents["dpia.json"]
    found = judged(documents, in_the_pipeline())
    assert "dpia.json" not in found["documents.present"]
    assert found["documents.problems"] == ["dpia.json is listed and not there"]


def test_documents_of_another_candidate_do_not_fit():
    documents = as_bytes(built(in_the_pipeline()))
    other = replace(in_the_pipeline(), key="b" * 64)
    assert "the manifest was made for another key" in judged(documents, other)["documents.problems"]


@pytest.mark.parametrize(
    "listing", [{}, {"documents": 3}, {"documents": {"README.md": None}}, {"documents": {"x.json": {"sha256": 1}}}]
)
def test_a_manifest_of_another_shape_is_a_problem_and_no_exception(listing):
    found = {f.name: f.value for f in facts_of_documents(listing, {"x.json": b"\xff"}, in_the_pipeline())}
    assert found["documents.problems"]


def test_bytes_that_are_no_text_are_a_problem():
    content = b"\xff\xfe"
    listing = {"documents": {"x.json": {"sha256": hashlib.sha256(content).hexdigest()}}}
    found = {f.name: f.value for f in facts_of_documents(listing, {"x.json": content}, in_the_pipeline())}
    assert "x.json cannot be read" in found["documents.problems"]


# ---- the stage


class Lock:
    """A lineage that knows one key."""

    def candidate_key(self) -> str:
        return "c" * 64

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the stage asked for {name}, which belongs to registration")


@pytest.fixture
def project(tmp_path) -> Places:
    places = Places(tmp_path)
    places.compliance.mkdir()
    for name in ("policy.yaml", "intended_use.yaml", "dpia.yaml", "retention.yaml"):
        (places.compliance / name).write_text(governed.text(name), encoding="utf-8")
    places.measures("accuracy").parent.mkdir(parents=True)
    given = {f.name for f in (*declared(), *source_facts())}
    facts = tuple(
        f for f in in_the_pipeline().facts if f.name not in given and not f.name.startswith(("source.", "wording"))
    )
    places.measures("accuracy").write_text(Findings(in_the_pipeline().measures, facts).to_json(), encoding="utf-8")
    return places


def folder(places: Places) -> CandidateFolder:
    return CandidateFolder(places, DocumentsParams(model="twin"), date(2018, 1, 1))


def run(places: Places) -> Any:
    return documents(folder(places), Lock())


def contents(places: Places) -> dict[str, bytes]:
    folder = places.card("twin", NAME).parent
    return {p.name: p.read_bytes() for p in folder.iterdir()} | {"evidence": places.evidence.read_bytes()}


def test_the_stage_leaves_evidence_and_documents_that_fit_together(project):
    done = run(project)
    found = contents(project)
    assert set(found) == {*governed.DOCUMENTS, NAME, "evidence"}
    evidence = Evidence.from_json(found.pop("evidence").decode())
    assert evidence == done.evidence
    assert evidence.key == "c" * 64
    assert judged(found, evidence)["documents.problems"] == []


def test_the_same_inputs_give_the_same_bytes(project):
    run(project)
    first = contents(project)
    run(project)
    assert contents(project) == first


def problems_now(places: Places, evidence: Evidence) -> list[str]:
    facts = document_facts(places, evidence, POLICY)
    return next(f.value for f in facts if f.name == "documents.problems")


@pytest.mark.parametrize("name", ["README.md", "model_card.html", "dpia.json", "notices.md"])
def test_a_document_whose_manifest_was_made_to_fit_is_found_by_making_it_anew(project, name):
    done = run(project)
    assert problems_now(project, done.evidence) == []
    path, listing = project.card("twin", name), project.card("twin", NAME)
    was = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"not ", b"", 1))
    listing.write_text(listing.read_text().replace(was, hashlib.sha256(path.read_bytes()).hexdigest()))
    told = problems_now(project, done.evidence)
    assert f"{name} does not say what the evidence says" in told
    assert f"{NAME} does not say what the evidence says" in told


def test_a_file_that_no_evidence_made_is_found_beside_the_documents(project):
    done = run(project)
    project.card("twin", "SUMMARY.md").write_text("All gates passed.\n")
    assert problems_now(project, done.evidence) == ["SUMMARY.md lies beside the documents, and no evidence made it"]


def test_lineage_and_documents_are_judged_later_and_the_card_says_so(project):
    verdicts = {v.gate: v for v in run(project).decision.verdicts}
    for gate in ("lineage", "documents"):
        assert verdicts[gate].outcome.value == "missing"
        assert "twinops status" in verdicts[gate].next
    card = contents(project)["README.md"].decode()
    said = next(line for line in card.splitlines() if line.startswith("**Refused"))
    in_the_way, later = said.split("Judged only after this was written, so neither passed nor failed yet:")
    for gate in ("lineage", "documents"):
        assert f"`{gate}`" in later
        assert f"`{gate}`" not in in_the_way
    assert "`dpia`" in in_the_way
    front = yaml.safe_load(card.split("---")[1])["twinops"]
    assert front["judged_after_this_card"] == ["lineage", "documents"]
    assert not set(front["blocking"]) & {"lineage", "documents"}
    assert front["decision"] == "refused"


def test_verdicts_have_the_shape_of_status(project):
    run(project)
    told = json.loads(project.card("twin", "verdicts.json").read_text())
    assert told["decision"] == "refused"
    assert [v["id"] for v in told["verdicts"]] == [*(g.id for g in POLICY.gates), "policy"]


def test_removing_any_measured_thing_that_a_gate_needs_makes_it_missing(project):
    found = Findings.from_json(project.measures("accuracy").read_text())
    for gate in ("accuracy_activity", "accuracy_spend", "fairness", "drift", "consent"):
        listed = next(g for g in POLICY.gates if g.id == gate)
        for name in plugins.load("twinops.governance.gates", listed.gate).needs(listed.checked_limits()):
            fewer = Findings(
                tuple(m for m in found.measures if m.name != name), tuple(f for f in found.facts if f.name != name)
            )
            project.measures("accuracy").write_text(fewer.to_json())
            evidence = folder(project).gather(declarations(project), key="c" * 64)
            assert {v.gate: v.outcome.value for v in decide(POLICY, evidence).verdicts}[gate] == "missing"


def test_without_findings_there_is_one_clear_error(project):
    project.measures("accuracy").unlink()
    with pytest.raises(DataError, match="Nothing was measured yet"):
        run(project)


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", '{"measures": 3, "facts": {}}', '{"measures": {"x": {"name": "x"}}, "facts": {}}']
)
def test_findings_that_cannot_be_read_are_named(project, broken):
    project.measures("drift").write_text(broken)
    with pytest.raises(DataError, match="drift"):
        run(project)


def test_a_measure_with_two_homes_is_refused(project):
    project.measures("drift").write_text(Findings((measure("active_auc", 0.5),)).to_json())
    with pytest.raises(DataError, match="active_auc"):
        run(project)


def test_findings_cannot_speak_for_a_declaration(project):
    usurped = Fact("dpia.human.decision", {"answer": "approve"}, Kind.HUMAN, "a stage")
    project.measures("drift").write_text(Findings(facts=(usurped,)).to_json())
    with pytest.raises(DataError):
        run(project)


@pytest.mark.parametrize("name", ["policy.yaml", "intended_use.yaml", "dpia.yaml", "retention.yaml"])
def test_a_missing_or_unreadable_compliance_file_is_named(project, name):
    (project.compliance / name).write_bytes(b"\xff\xfe")
    with pytest.raises(ParamsError, match=name):
        run(project)
    (project.compliance / name).unlink()
    with pytest.raises(ParamsError, match=name):
        run(project)
    assert not project.evidence.exists()


def test_a_planted_household_does_not_get_into_any_document(project):
    """Documents read findings and compliance files, and never a sealed table."""
    canary = "4d0c9a7be1f24c3f8e55c0ffee5afe00"
    for sealed in (project.panel, project.predictions, project.raw("transactions", "2017-01")):
        sealed.parent.mkdir(parents=True, exist_ok=True)
        sealed.write_text(canary)
    run(project)
    assert all(canary.encode() not in content for content in contents(project).values())


def test_every_source_brings_its_legal_facts():
    found = {f.name: f.value for f in source_facts()}
    assert set(found) == {f"source.{name}" for name in plugins.names("twinops.data.sources")}
    assert found["source.consent"]["synthetic"] is True
    assert all(value["provenance"] and value["retention_days"] > 0 for value in found.values())


def test_the_declared_bases_are_those_of_the_sources_but_for_interests_that_need_a_signature():
    use = yaml.safe_load(governed.text("intended_use.yaml"))
    for found in source_facts():
        for purpose, basis in found.value["bases"].items():
            assert basis in (use["purposes"][purpose]["legal_basis"], "legitimate_interest"), found.name


def test_the_manifest_of_nothing_lists_nothing():
    evidence = governed.empty()
    assert manifest({}, evidence, decide(POLICY, evidence))["documents"] == {}
