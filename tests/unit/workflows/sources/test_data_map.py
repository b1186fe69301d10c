"""The map says of every column that lies sealed why it is held; nothing is held that it does not name."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from candidate import ROOT
from own_world import RETAIL, params
from shoppers import GRID
from small_world import write_world
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.column_lineage import SqlLineage
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.data.vault.sealed_file import label_of
from twinops.entities.held import Held
from twinops.errors import IntegrityError
from twinops.governance.law.data_map import as_csv
from twinops.governance.reading import law
from twinops.params import SourcesParams
from twinops.twin import table_lineage
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.pipeline.features import features
from twinops.workflows.places import Places
from twinops.workflows.sources.data_map import data_map

MONTHS = [f"2017-{m:02}" for m in range(1, 8)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with every file source collected, and features made."""
    root = tmp_path_factory.mktemp("mapped")
    write_world(root / "files", households=30)
    places, keys, engine = Places(root), MemoryKeys(), DuckDBEngine(threads=1)
    batches = [("transactions", m) for m in MONTHS] + [
        (s, "all") for s in ("demographics", "campaigns", "redemptions", "consent")
    ]
    for source, batch in batches:
        supplied(collect, source, batch, places=places, engine=engine, keys=keys, sources=SourcesParams(folder="files"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twinops.workflows.pipeline.features.save", lambda figure, path, words: None)
        supplied(features, places, engine=engine, keys=keys, grid=GRID, as_of=date(2017, 8, 1))
    places.compliance.mkdir()
    use = (ROOT / "compliance" / "intended_use.yaml").read_text(encoding="utf-8")
    (places.compliance / "intended_use.yaml").write_text(use, encoding="utf-8")
    return places, keys


@cache
def lineage() -> SqlLineage:
    """The chain is the same for all; following it takes most of the time."""
    sources = table_lineage.sealed_columns()
    return SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources)


def mapped(project):
    places, keys = project
    return data_map(places, keys=keys, lineage=lineage())


@pytest.fixture(scope="module")
def found(project):
    return mapped(project)


def test_every_column_a_sealed_file_holds_is_in_the_map_and_has_a_purpose(project, found):
    places, _ = project
    named = {(r.table.removeprefix("raw/"), r.column) for r in found.rows}
    for path in sorted((places.root / "data").rglob("*.parquet")):
        label = label_of(path)
        assert {(label.dataset, c.name) for c in label.columns} <= named, path.name
    assert found.undeclared == ()


def test_a_feature_names_its_source_columns_and_inherits_only_what_all_of_them_are_for(found):
    row = next(r for r in found.rows if (r.table, r.column) == ("panel", "cents_h1"))
    assert row.made_from == ("transactions.day", "transactions.sales_cents")
    assert dict(row.purposes) == {"twin_scoring": "consent", "twin_training": "consent"}
    assert row.retention_days == 730
    source = next(r for r in found.rows if (r.table, r.column) == ("raw/transactions", "sales_cents"))
    assert "panel.cents_h1" in source.derived


def test_what_a_household_allows_is_told_through_the_query_that_narrows_it(found):
    row = next(r for r in found.rows if (r.table, r.column) == ("panel", "may_train"))
    assert {"consent.event", "choices.event"} <= set(row.made_from)


def test_truth_is_held_for_evaluation_alone_and_no_longer_than_what_it_is_true_of(project):
    places, keys = project
    planted = {"identities": ("identities", 1_095), "panelists": ("truth_panelists", 730)}  # CRM's and the panel's days
    for name, (dataset, _) in planted.items():
        rows = pa.table({"who": [str(n) for n in range(12)], "person": list(range(12))})
        write_sealed(rows, places.truth(name), dataset=dataset, keys=keys, subject="who")
    try:
        found = mapped(project)
        assert found.undeclared == ()
        for dataset, days in planted.values():
            row = next(r for r in found.rows if (r.table, r.column) == (f"truth/{dataset}", "person"))
            assert (dict(row.purposes), row.retention_days) == ({"demo_evaluation": "not_personal_data"}, days)
            assert row.synthetic
            assert row.controller
        process = next(p for p in json.loads(found.text("jsonld"))["@graph"] if "truth:identities" in p["@id"])
        assert process["dpv:hasPurpose"]["@id"] in law("dpv_terms")["terms"]["purposes"].values()
        assert process["dpv:hasLegalBasis"] == []
    finally:
        for name in planted:
            places.truth(name).unlink()


def test_the_panel_of_other_people_and_the_panel_of_features_are_two_tables(project):
    places, keys = project
    rows = pa.table({"panelist": [f"p-{n}" for n in range(12)], "age": ["65+"] * 12})
    path = places.raw("panelists", "all")
    write_sealed(rows, path, dataset="panelists", keys=keys, subject="panelist")
    try:
        found = {r.table for r in mapped(project).rows if r.table.endswith(("panel", "panelists"))}
        assert found == {"panel", "raw/panelists"}
        with pytest.raises(IntegrityError):
            read_sealed(path, dataset="panel", keys=keys)
    finally:
        path.unlink()


def test_the_declared_facts_of_your_own_source_stand_in_the_map(project):
    places, keys = project
    found = data_map(places, keys=keys, lineage=lineage(), own=params(shop=RETAIL).own)
    row = next(r for r in found.rows if (r.table, r.column) == ("raw/transactions", "sales_cents"))
    assert (row.controller, row.notice) == ("Test Shop (synthetic controller)", "Test notice (synthetic)")
    assert dict(row.purposes) == {"twin_scoring": "consent", "twin_training": "consent"}
    made = next(r for r in found.rows if (r.table, r.column) == ("panel", "cents_h1"))
    assert "Test Shop (synthetic controller)" in made.controller


def test_demographics_are_held_for_bias_assessment_alone_and_consent_is_called_synthetic(found):
    demographics = [r for r in found.rows if r.table == "raw/demographics"]
    assert {p for r in demographics for p, _ in r.purposes} == {"bias_assessment"}
    assert all(r.synthetic for r in found.rows if r.table == "raw/consent")


def test_subjects_are_counted_and_a_small_cell_is_not(found):
    counts = {r.table: r.subjects for r in found.rows}
    assert counts["raw/transactions"] == 30
    assert counts["raw/demographics"] == 15
    assert counts["raw/redemptions"] is None  # five households
    assert "fewer than 10" in found.text("csv")


def test_an_erased_subject_is_no_longer_counted(project, found):
    places, keys = project
    held = keys.subject_keys

    class Fewer:
        def subject_keys(self, sids):
            return dict(list(held(sids).items())[1:])

    counts = {r.table: r.subjects for r in mapped((places, Fewer())).rows}
    assert counts["raw/transactions"] == 29


def test_jsonld_speaks_only_terms_of_the_law_file_and_is_the_same_twice(project, found):
    text = found.text("jsonld")
    assert text == mapped(project).text("jsonld")
    terms = {iri for group in law("dpv_terms")["terms"].values() for iri in group.values()}
    graph = json.loads(text)["@graph"]
    assert {p["@type"] for p in graph} == {"dpv:Process"}
    keys = {k.replace("dpv:", "https://w3id.org/dpv#") for p in graph for k in p if k.startswith("dpv:")}
    assert keys <= terms
    for process in graph:
        assert process["dpv:hasPurpose"]["@id"] in terms
        assert all(b["@id"] in terms for b in process["dpv:hasLegalBasis"])
    assert "urn:twinops:process:panel:twin_training" in {p["@id"] for p in graph}


def test_no_cell_of_the_csv_is_a_formula():
    facts = {
        "kind": "source", "purposes": (), "personal_data": "+x", "retention_days": 1, "controller": "@c",
        "notice": "=n", "collected_from": "-", "provenance": "\t", "synthetic": True, "subjects": 10,
    }  # fmt: skip
    row = next(iter(list(csv.reader(io.StringIO(as_csv([Held("=HYPERLINK(1)", "=a", **facts)]))))[1:]))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row)
    assert row[:2] == ["'=HYPERLINK(1)", "'=a"]


def test_a_column_nobody_declared_is_named(tmp_path, project):
    places, keys = project
    stray = Path(places.root / "data" / "stray" / "stray.parquet")
    write_sealed(
        pa.table({"sid": keys.subject_ids(["1"]), "shoe_size": [42]}),
        stray,
        dataset="stray",
        keys=keys,
        subject="sid",
    )
    try:
        assert "stray.shoe_size" in mapped(project).undeclared
    finally:
        stray.unlink()


def test_rejected_goods_tell_of_nobody_and_are_not_in_the_map(project):
    places, keys = project
    goods = Path(places.root / "data" / "quarantine" / "products" / "all.parquet")
    write_sealed(
        pa.table({"batch": keys.subject_ids(["all"]), "reason": ["no name"]}),
        goods,
        dataset="quarantine/products",
        keys=keys,
        subject="batch",
    )
    try:
        assert [row for row in mapped(project).rows if "products" in row.table] == []
    finally:
        goods.unlink()
