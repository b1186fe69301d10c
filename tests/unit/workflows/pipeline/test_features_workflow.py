from __future__ import annotations

import json
from datetime import date

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from own_world import LEGAL, RETAIL, TWIN, but, params
from shoppers import GRID, as_bytes, crowd, everyone_agrees, ledger_of, lines, permissions, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault import seal, sealed_rows
from twinops.data.vault.seal import read_sealed
from twinops.entities.consent import Purpose
from twinops.entities.findings import Findings
from twinops.errors import DataError, ParamsError
from twinops.own_params import NOTHING_OWN
from twinops.params import SignalsParams
from twinops.twin.state.features import PERMISSIONS
from twinops.twin.state.permissions import permissions as honest
from twinops.workflows.pipeline.blend import blend
from twinops.workflows.pipeline.features import features
from twinops.workflows.places import Places

ANN, BOB, CEM = "ann", "bob", "cem"
BASKETS = lines((ANN, 10, 500), (BOB, 20, 500), (CEM, 30, 500), (CEM, 190, 900))
AS_OF = date(2017, 7, 20)


@pytest.fixture(scope="module")
def agreed(tmp_path_factory):
    return made(tmp_path_factory.mktemp("agreed"))


@pytest.fixture
def unpictured(monkeypatch):
    """Drawing takes longer than all the rest; the picture has its own tests."""
    monkeypatch.setattr("twinops.workflows.pipeline.features.save", lambda figure, path, words: None)


def made(tmp_path, transactions=BASKETS, ledger=None, keys=None, **options):
    keys = keys or MemoryKeys()
    places = sealed_project(tmp_path, keys, transactions, ledger)
    population = supplied(
        features,
        places, engine=DuckDBEngine(threads=options.pop("threads", 1)), keys=keys,
        grid=options.pop("grid", GRID), as_of=options.pop("as_of", AS_OF), own=options.pop("own", NOTHING_OWN),
    )  # fmt: skip
    return places, keys, population


def panel(places, keys):
    return read_sealed(places.panel, dataset="panel", keys=keys).to_pylist()


def facts(places) -> dict:
    findings = Findings.from_json(places.measures("population").read_text(encoding="utf-8"))
    return {f.name: f.value for f in findings.facts}


def test_everyone_who_agreed_is_in_and_nobody_is_left_out(agreed):
    places, keys, population = agreed
    assert population.in_panel == 3
    assert facts(places)["excluded"] == {}
    assert facts(places)["rows_without_valid_basis"] == 0
    assert all(row[flag] for row in panel(places, keys) for flag in PERMISSIONS)


def test_some_subjects_after_the_other_give_the_same_panel_and_the_same_labels(tmp_path, unpictured, monkeypatch):
    """The labels of the first ones too: what they bought later is still known when they are told."""
    shoppers = crowd(600)
    places, keys, population = made(tmp_path, shoppers)
    files = (places.panel, places.labels)

    def opened():
        both = [[p for p in places.both(f) if p.is_file()] for f in files]
        return [as_bytes(read_sealed(b, dataset=f.stem, keys=keys)) for b, f in zip(both, files, strict=True)]

    whole, one = opened(), [pq.ParquetFile(f).num_row_groups for f in files]
    labels = read_sealed(places.labels, dataset="labels", keys=keys)
    cut = seal.in_parts
    monkeypatch.setattr(sealed_rows, "in_parts", lambda *a, **k: cut(*a, **k, most_bytes=20_000))
    monkeypatch.setattr("twinops.workflows.pipeline.features.SUBJECTS_AT_ONCE", 70)
    again = supplied(features, places, engine=DuckDBEngine(threads=1), keys=keys, grid=GRID, as_of=AS_OF)
    assert 0 < pc.sum(labels["active"].cast("int64")).as_py() < labels.num_rows
    assert again == population
    monkeypatch.undo()
    assert opened() == whole
    assert one == [1, 1]
    assert all(pq.ParquetFile(f).num_row_groups > 2 for f in files)


def test_a_large_panel_is_blended_some_subjects_after_the_other_into_the_same_rows(tmp_path, unpictured, monkeypatch):
    places, keys, _ = made(tmp_path, crowd(600))
    monkeypatch.setattr("twinops.workflows.pipeline.blend.save", lambda figure, path, words: None)
    for counts in places.all_counts:
        counts.unlink()

    def blended():
        given = {"engine": DuckDBEngine(threads=1), "keys": keys, "texts": SignalsParams(), "as_of": AS_OF}
        told = supplied(blend, places, **given)
        both = [p for p in places.both(places.blend) if p.is_file()]
        return told, as_bytes(read_sealed(both, dataset="blend", keys=keys))

    whole, groups = blended(), pq.ParquetFile(places.blend).num_row_groups
    monkeypatch.setattr("twinops.workflows.pipeline.blend.ROWS_AT_ONCE", 500)
    assert whole[0].rows > 1_000
    assert blended() == whole
    assert (groups, pq.ParquetFile(places.blend).num_row_groups > 2) == (1, True)


def of_own(**legal):
    """The shop's receipt lines, declared with these legal facts."""
    facts = {**LEGAL, "purposes": dict.fromkeys(RETAIL["columns"], TWIN)}
    return params(shop=but(RETAIL, legal={**facts, **legal})).own


@pytest.mark.usefixtures("unpictured")
def test_a_purpose_your_own_source_does_not_declare_is_served_by_nobody(tmp_path):
    places, keys, _ = made(tmp_path, own=of_own(bases=dict.fromkeys(TWIN, "consent")))
    rows = panel(places, keys)
    assert rows
    assert all(r["may_train"] and r["may_score"] and not (r["may_offer"] or r["may_assess_bias"]) for r in rows)
    assert facts(places)["rows_without_valid_basis"] == 0


@pytest.mark.usefixtures("unpictured")
def test_a_column_that_is_not_for_the_twin_enters_no_feature_and_none_that_it_needs_may_be_missing(tmp_path):
    columns = {**RETAIL["columns"], "store_id": "Country", "retail_disc": "Description"}
    purposes = {**dict.fromkeys(columns, TWIN), "store_id": ("twin_training",), "retail_disc": ("bias_assessment",)}
    money = {**RETAIL["money"], "discount": "taken_off"}
    own = params(shop=but(RETAIL, columns=columns, money=money, legal={**LEGAL, "purposes": purposes})).own
    dear = BASKETS.set_column(BASKETS.column_names.index("retail_discount_cents"), "retail_discount_cents", [[99] * 4])
    plain = {r["sid"]: r for r in panel(*made(tmp_path / "all", dear)[:2]) if r["cutoff"] == 57}
    own_rows = {r["sid"]: r for r in panel(*made(tmp_path / "own", dear, own=own)[:2]) if r["cutoff"] == 57}
    assert {r["stores_h3"] for r in plain.values()} == {1}
    assert {r["stores_h3"] for r in own_rows.values()} == {0}
    assert any(r["saved_share_h3"] for r in plain.values())
    assert not any(r["saved_share_h3"] for r in own_rows.values())
    purposes["time"] = ("twin_scoring",)
    own = params(shop=but(RETAIL, columns=columns, money=money, legal={**LEGAL, "purposes": purposes})).own
    with pytest.raises(ParamsError, match="do not serve training: time"):
        made(tmp_path / "no", own=own)


@pytest.mark.usefixtures("unpictured")
def test_an_interest_serves_only_once_it_is_signed_and_an_objection_still_refuses(tmp_path):
    own = of_own(bases={**dict.fromkeys(TWIN, "legitimate_interest"), "offers": "consent"})
    silent = [(s, p, "granted", -30) for s in (ANN, BOB, CEM) for p in (Purpose.OFFERS,)]
    ledger = ledger_of(*silent, (BOB, Purpose.TRAINING, "objected", 5))
    with pytest.raises(DataError):
        made(tmp_path / "unsigned", ledger=ledger, own=own)
    places = Places(tmp_path / "signed")
    places.compliance.mkdir(parents=True)
    entry = {
        **dict.fromkeys(("interest", "necessity", "balance"), "Made up in a test."),
        "source": "shop",
        "signed_by": "Nobody (synthetic)",
        "signed_on": "2017-01-01",
        "valid_until": "2018-01-01",
    }
    lines_ = [f"  - {json.dumps({**entry, 'purpose': p})}" for p in TWIN]
    text = 'version: "1"\nassessments:\n' + "\n".join(lines_).replace('"2017-01-01"', "2017-01-01")
    text = text.replace('"2018-01-01"', "2018-01-01")
    (places.compliance / "interests.yaml").write_text(text, encoding="utf-8")
    places, keys, population = made(tmp_path / "signed", ledger=ledger, own=own)
    assert population.in_panel == 2
    assert {r["sid"] for r in panel(places, keys)} == set(keys.subject_ids([ANN, CEM]))
    assert facts(places)["excluded"] == {"objected": 0}
    assert facts(places)["rows_without_valid_basis"] == 0


@pytest.mark.usefixtures("unpictured")
def test_who_withdrew_from_training_is_in_no_row_not_even_of_the_past(tmp_path):
    agreed = everyone_agrees([ANN, BOB, CEM]).to_pylist()
    entries = [(r["sid"], r["purpose"], r["event"], r["day"]) for r in agreed]
    places, keys, population = made(tmp_path, ledger=ledger_of(*entries, (BOB, Purpose.TRAINING, "withdrawn", 199)))
    assert population.in_panel == 2
    assert {r["sid"] for r in panel(places, keys)} == set(keys.subject_ids([ANN, CEM]))


@pytest.mark.usefixtures("unpictured")
def test_consent_is_read_on_the_day_of_the_row_and_today(tmp_path):
    entries = [(who, p, "granted", -30) for who in (ANN, BOB, CEM) for p in Purpose if p != Purpose.OFFERS]
    offers = [(ANN, "granted", 90), (BOB, "granted", -30), (BOB, "withdrawn", 199), (CEM, "granted", -30)]
    ledger = ledger_of(*entries, *((who, Purpose.OFFERS, event, day) for who, event, day in offers))
    places, keys, _ = made(tmp_path, ledger=ledger)
    ann, bob, cem = keys.subject_ids([ANN, BOB, CEM])
    may = {(r["sid"], r["cutoff"]): r["may_offer"] for r in panel(places, keys)}
    assert (may[ann, 57], may[ann, 113]) == (False, True), "granted later"
    assert (may[bob, 57], may[bob, 113]) == (False, False), "granted then, withdrawn today"
    assert (may[cem, 57], may[cem, 113]) == (True, True)


@pytest.mark.usefixtures("unpictured")
def test_who_is_not_in_the_ledger_is_left_out_as_unknown(tmp_path):
    transactions = crowd(60)
    sids = sorted(set(transactions["sid"].to_pylist()))
    places, _, population = made(tmp_path, transactions, everyone_agrees(sids[:40]))
    assert facts(places)["excluded"] == {"consent_unknown": 20}
    assert population.in_panel <= 40
    coverage = {m.name: m for m in population.findings.measures}
    assert coverage["consent_coverage"].value == pytest.approx(40 / 60, abs=1e-4)
    assert coverage["consent_coverage"].n == 60
    assert coverage["consent_coverage.offers"].low < 40 / 60 < coverage["consent_coverage.offers"].high


@pytest.mark.usefixtures("unpictured")
def test_fewer_than_ten_left_out_are_not_counted_in_the_open(tmp_path):
    places, _, _ = made(tmp_path, ledger=everyone_agrees([ANN, BOB]))
    assert facts(places)["excluded"] == {"consent_unknown": 0}
    assert facts(places)["excluded_suppressed"] == ["consent_unknown"]


@pytest.mark.usefixtures("unpictured")
def test_a_household_whose_key_is_gone_is_gone_and_counted_as_erased(tmp_path):
    keys = MemoryKeys()
    transactions = crowd(60)
    places = sealed_project(tmp_path, keys, transactions)
    for natural in sorted(set(transactions["sid"].to_pylist()))[:12]:
        keys.forget(keys.subject_ids([natural])[0])
    population = supplied(features, places, engine=DuckDBEngine(threads=1), keys=keys, grid=GRID, as_of=AS_OF)
    assert population.in_sources == 48
    assert facts(places)["excluded"] == {"erased": 12}
    assert facts(places)["population.panel"]["households_in_sources"] == 60


@pytest.mark.usefixtures("unpictured")
def test_rows_without_a_basis_are_counted_from_the_ledger_not_from_the_flags(tmp_path, monkeypatch):
    agreed = everyone_agrees([ANN, BOB, CEM]).to_pylist()
    entries = [(r["sid"], r["purpose"], r["event"], r["day"]) for r in agreed]
    ledger = ledger_of(*entries, (BOB, Purpose.TRAINING, "objected", 199))

    def everybody(engine, read, *, today):
        honest(engine, read, today=today)
        return permissions(sorted(set(read["sid"].to_pylist())))

    monkeypatch.setattr("twinops.workflows.pipeline.features.permissions", everybody)
    places, _, _ = made(tmp_path, ledger=ledger)
    assert facts(places)["rows_without_valid_basis"] == 4, "Bob's four as-of days"


def test_quarantine_dropped_columns_and_ages_come_from_the_counts(agreed):
    places, _, _ = agreed
    assert facts(places)["quarantined"] == {"consent": 1, "transactions": 7}
    assert facts(places)["dropped_columns"]["transactions"] == ["week"]
    assert facts(places)["retention"]["transactions"] == {
        "oldest_age_days": 190, "retention_days": 730, "within": True,
    }  # fmt: skip


@pytest.mark.usefixtures("unpictured")
def test_what_happened_after_the_as_of_date_is_not_known(tmp_path):
    places, keys, _ = made(tmp_path, as_of=date(2017, 4, 30))
    assert max(r["cutoff"] for r in panel(places, keys)) == 113
    labels = read_sealed(places.labels, dataset="labels", keys=keys).to_pylist()
    assert max(r["cutoff"] for r in labels) == 85


@pytest.mark.usefixtures("unpictured")
def test_a_missing_month_is_refused_because_it_would_look_like_silence(tmp_path):
    keys = MemoryKeys()
    places = sealed_project(tmp_path, keys, BASKETS)
    places.raw("transactions", "2017-03").unlink()
    with pytest.raises(DataError, match="2017-03"):
        supplied(features, places, engine=DuckDBEngine(threads=1), keys=keys, grid=GRID, as_of=AS_OF)


@pytest.mark.usefixtures("unpictured")
def test_nothing_collected_is_a_clear_data_error(tmp_path):
    with pytest.raises(DataError, match="No month"):
        supplied(features, Places(tmp_path), engine=DuckDBEngine(threads=1), keys=MemoryKeys(), grid=GRID, as_of=AS_OF)


def test_the_panel_file_is_the_same_bytes_for_one_and_two_threads(tmp_path):
    transactions = crowd(40)
    one, _, _ = made(tmp_path / "one", transactions, threads=1)
    two, _, _ = made(tmp_path / "two", transactions, threads=2)
    for place in ("panel", "labels"):
        assert getattr(one, place).read_bytes() == getattr(two, place).read_bytes()
    for name in ("measures", "figure"):
        assert getattr(one, name)("population").read_bytes() == getattr(two, name)("population").read_bytes()


def test_no_household_stands_in_the_open_files(agreed):
    places, keys, population = agreed
    told = places.measures("population").read_text(encoding="utf-8") + repr(population)
    for who in (ANN, BOB, CEM):
        assert f'"{who}"' not in told
        assert keys.subject_ids([who])[0] not in told
    assert json.loads(places.measures("population").read_text(encoding="utf-8"))
