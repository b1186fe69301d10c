"""Every document holds to its format by the format's own validator, offline, and nothing hostile comes alive in it."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import socket
import unicodedata
from functools import cache
from html.parser import HTMLParser
from typing import Any

import governed
import pytest
from governed import candidate, declared, without
from hostile_evidence import HOSTILE, hostile, rich
from markdown_it import MarkdownIt

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.governance import citations
from twinops.governance.documents import annex_iv, bom
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.reading import law
from twinops.governance.verdicts import preview
from twinops.workflows.evidence import source_facts
from twinops.workflows.pipeline.documents import SHELF, build

POLICY = governed.shipped_policy()


@cache
def decision(evidence: Evidence) -> Decision:
    return decide(POLICY, evidence)


@cache
def made(which: str) -> dict[str, str]:
    evidence = {"rich": rich, "hostile": hostile, "empty": governed.empty}[which]()
    return build(evidence, decide(POLICY, evidence))


@pytest.fixture
def offline(monkeypatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a validator went to the network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "create_connection", refused)


each = pytest.mark.parametrize("which", ["rich", "hostile", "empty"])
each_rich = pytest.mark.parametrize("which", ["rich", "hostile"])


def test_every_document_of_the_shelf_is_made() -> None:
    files = {f for name in plugins.names(SHELF) for f in plugins.load(SHELF, name).FILES}
    assert set(made("rich")) == {*files, "verdicts.json", "manifest.json"}


@each
def test_each_document_rendered_twice_has_equal_bytes(which: str) -> None:
    evidence = {"rich": rich, "hostile": hostile, "empty": governed.empty}[which]()
    again = Evidence.from_json(evidence.to_json())
    assert build(again, decide(POLICY, again)) == made(which)


# ---- CycloneDX


@pytest.mark.filterwarnings("default")
@each
def test_the_bill_of_materials_is_strict_cyclonedx(which: str, offline: None) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(made(which)["bom.cdx.json"]) is None


@each
def test_every_reference_of_the_bill_leads_somewhere(which: str) -> None:
    assert bom.dangling(json.loads(made(which)["bom.cdx.json"])) == []


def test_a_reference_that_leads_nowhere_is_found() -> None:
    told = json.loads(made("rich")["bom.cdx.json"])
    told["declarations"]["claims"][0]["evidence"] = ["ev-999999999999"]
    told["dependencies"].append({"ref": "ghost"})
    assert bom.dangling(told) == ["ev-999999999999", "ghost"]


def test_requirements_lead_to_claims_and_claims_to_evidence() -> None:
    told = json.loads(made("rich")["bom.cdx.json"])
    claims = {c["bom-ref"]: c for c in told["declarations"]["claims"]}
    known = {e["bom-ref"] for e in told["declarations"]["evidence"]}
    mapped = told["declarations"]["attestations"][0]["map"]
    asked = {r["bom-ref"] for r in told["definitions"]["standards"][0]["requirements"]}
    assert {m["requirement"] for m in mapped} == asked
    for row in mapped:
        (claim,) = (claims[c] for c in row["claims"])
        assert set(claim["evidence"]) <= known
    card = next(c for c in told["components"] if c["bom-ref"] == "model")["modelCard"]
    assert {d["ref"] for d in card["modelParameters"]["datasets"]} == {
        c["bom-ref"] for c in told["components"] if c["type"] == "data"
    }
    assert all(isinstance(m["value"], str) for m in card["quantitativeAnalysis"]["performanceMetrics"])


# ---- Croissant


@pytest.mark.filterwarnings("default")
@each
def test_the_data_card_is_croissant_with_terms_of_responsible_ai(which: str, offline: None, tmp_path, caplog) -> None:
    import mlcroissant

    path = tmp_path / "croissant.json"
    path.write_text(made(which)["croissant.json"], encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        found = mlcroissant.Dataset(str(path)).metadata
    assert [r.getMessage() for r in caplog.records] == []
    assert found.data_limitations
    assert found.personal_sensitive_information or which == "empty"


# ---- the record of processing


def rows(which: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made(which)["ropa.csv"])))


def test_the_record_of_processing_has_what_article_30_asks() -> None:
    assert len(rows("rich")) == sum(len(f.value["bases"]) for f in source_facts())
    for row in rows("rich"):
        for asked in ("controller", "contact", "purpose", "data subjects", "categories of data", "recipients",
                      "transfers", "erased after", "security measures", "legal basis"):  # fmt: skip
            assert row[asked], asked
        assert set(row["evidence"].split()) <= citations.ids(rich())


def test_no_cell_of_a_table_is_a_formula() -> None:
    cells = [cell for row in rows("hostile") for cell in row.values()]
    assert any("1+1" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_record_speaks_dpv() -> None:
    terms = {iri for group in law("dpv_terms")["terms"].values() for iri in group.values()}
    graph = json.loads(made("rich")["ropa.jsonld"])["@graph"]
    for process in graph:
        assert process["@type"] == "dpv:Process"
        assert process["dpv:hasPurpose"]["@id"] in terms
        assert process["dpv:hasLegalBasis"]["@id"] in terms
        assert process["twinops:evidence"]


def test_a_row_without_evidence_is_a_fault() -> None:
    assert citations.faults("x.csv", "a,evidence\r\nb,\r\n", frozenset()) == ["x.csv: row 1 has no evidence"]


# ---- notices, legitimate interest, Annex IV


def test_every_source_has_a_notice_by_the_article_that_fits() -> None:
    text = made("rich")["notices.md"]
    for found in source_facts():
        title = found.name.removeprefix("source.").replace("_", " ")
        row = next(line for line in text.splitlines() if line.startswith("| ") and f"({title})" in line)
        assert f"[{found.id}]" in row
        elsewhere = next(line for line in text.splitlines() if "did not come from you" in line)
        assert (title in elsewhere) == ("not the data subject" in found.value["collected_from"])
    assert "our interest; you may object" in text


def test_the_notice_is_one_page_of_plain_words_without_names_of_columns() -> None:
    """Flesch reading ease of its sentences, from 60 on plain English (Flesch 1948, doi:10.1037/h0057532)."""
    text = re.sub(r"\[ev-[0-9a-f]{12}\]|[*`#]", "", made("rich")["notices.md"])
    assert sum(word.strip("|-") != "" for word in text.split()) < 700
    columns = {c for f in source_facts() for c in f.value["columns"] if "_" in c}
    assert not [c for c in columns if c in text]
    said = [line for line in text.splitlines() if line and not line.startswith("|")]
    words = re.findall(r"[A-Za-z']+", " ".join(said))
    sentences = sum(max(1, len(re.findall(r"[.!?;:](?:\s|$)", line))) for line in said)
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", w.lower())))) for w in words)
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)
    assert ease >= 60, ease


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("controller_and_contact", "Who we are"),
        ("dpo_contact", "data\nprotection officer"),
        ("purposes_and_legal_basis", "| what for | why we may |"),
        ("legitimate_interest_named", "rest on our own interest"),
        ("recipients", "Who receives it"),
        ("transfers", "Sent outside the EU"),
        ("retention", "days kept"),
        ("rights_15_to_22", "Your rights"),
        ("right_to_withdraw_consent", "take back a yes"),
        ("complaint_right", "complain to the authority"),
        ("statutory_or_contractual_need (13 only)", "Do you have to?"),
        ("source_of_data (14 only)", "| from whom |"),
        ("data_categories (14 only)", "| what we hold |"),
        ("automated_decision_logic_significance_consequences", "A choice by computer"),
        ("further_purpose", "Used for anything else"),
    ],
)
def test_a_notice_says_what_articles_13_and_14_ask(item: str, words: str) -> None:
    assert item in law("gdpr_ropa")["art_13_14_notice"]
    assert words in made("rich")["notices.md"]


def test_judgements_of_interest_are_left_to_people() -> None:
    text = made("rich")["legitimate_interest.md"]
    asked = [line for line in text.splitlines() if line.startswith("| ") and line.endswith("? | |")]
    assert len(asked) == 2 * len(law("gdpr_ropa")["lia_steps"])
    assert text.count("nobody has signed") == 2


def test_the_technical_file_is_built_when_the_system_is_high_risk_and_not_otherwise() -> None:
    assert "annex_iv.md" in made("rich")
    lighter = candidate(*declared())
    assert "annex_iv.md" not in build(lighter, decide(POLICY, lighter))
    text = annex_iv.written(lighter, decide(POLICY, lighter))
    assert [n for n in law("ai_act_annex_iv")["items"] if f"## {n}. " not in text] == []
    assert citations.faults("annex_iv.md", text, citations.ids(lighter)) == []


# ---- hostile text


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


ALLOWED = {"html", "head", "meta", "title", "body", "main", "style", "div", "h1", "h2", "h3", "p", "a", "strong", "em",
           "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "img", "br"}  # fmt: skip


def alive(page: str) -> list[str]:
    """Anything in a page that loads, runs or leads away."""
    seen = Tags()
    seen.feed(page)
    found = sorted(seen.tags - ALLOWED)
    for name, value in seen.attributes:
        local = value.startswith(("#", "appendix.html#ev-", "../../reports/figures/")) or name not in ("href", "src")
        if name.startswith("on") or not local:
            found.append(f"{name}={value}")
    return found


@each_rich
@pytest.mark.parametrize("name", ["model_card.html", "dpia.html"])
def test_the_pages_run_and_load_nothing(which: str, name: str) -> None:
    page = made(which)[name]
    assert alive(page) == []
    assert "default-src 'none'" in page


@each_rich
def test_markdown_documents_show_hostile_text_as_text(which: str) -> None:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for name, text in made(which).items():
        if name.endswith(".md"):
            assert alive(reader.render(citations.FRONT.sub("", text))) == [], name


def test_no_document_holds_what_cannot_be_seen_or_turns_the_direction_of_text() -> None:
    for name, text in made("hostile").items():
        strange = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\r"}
        assert strange == set(), (name, strange)


@each_rich
def test_nothing_hostile_passes_for_a_citation(which: str) -> None:
    evidence = {"rich": rich, "hostile": hostile}[which]()
    for name, text in made(which).items():
        assert "ev-000000000000" not in citations.cited(name, text), name
        assert citations.faults(name, text, citations.ids(evidence)) == []


def test_the_preview_and_its_page_show_hostile_text_as_text() -> None:
    judged = decide(POLICY, without(hostile(), "drift_share"))
    piece = preview.preview_html(judged, title=HOSTILE, about=HOSTILE)
    assert alive(preview.page(piece, title=HOSTILE)) == []


def test_every_citation_of_the_page_leads_to_its_evidence() -> None:
    page = made("rich")["appendix.html"]
    anchors = {value for name, value in parsed(page) if name == "id"}
    assert {value[1:] for name, value in parsed(page) if name == "href" and value.startswith("#")} <= anchors
    for reader in ("model_card.html", "dpia.html"):
        led = {v for name, v in parsed(made("rich")[reader]) if name == "href" and v.startswith("appendix.html#")}
        assert led, reader
        assert {value.partition("#")[2] for value in led} <= anchors, reader


def parsed(page: str) -> list[tuple[str, str]]:
    seen = Tags()
    seen.feed(page)
    return seen.attributes


def test_the_card_still_loads_as_a_hugging_face_card_with_hostile_text(tmp_path) -> None:
    from huggingface_hub import ModelCard

    path = tmp_path / "README.md"
    path.write_text(made("hostile")["README.md"], encoding="utf-8")
    loaded = ModelCard.load(path)
    again = tmp_path / "again.md"
    loaded.save(again)
    assert ModelCard.load(again).data.to_dict() == loaded.data.to_dict()
    assert loaded.data.to_dict()["twinops"]["evidence_digest"] == hostile().digest
