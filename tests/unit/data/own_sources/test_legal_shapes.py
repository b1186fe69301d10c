"""On which basis rows serve, and what an open one means: a trial for training and scoring, counted as without basis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from own_world import CONSENT, LEGAL, RETAIL, TWIN, Shop, but, line, params, write_csv
from supplying import supplied

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent.ledger import allowed
from twinops.data.consent.purposes import bases_of
from twinops.data.own_sources.declared_law import legal_of
from twinops.entities.consent import LegalBasis, Purpose
from twinops.errors import DataError
from twinops.evaluation.quality.population import rows_without_valid_basis
from twinops.params import ConsentParams
from twinops.workflows.evidence import open_facts
from twinops.workflows.pipeline.collect_consent import collect_consent


def resting_on(bases: Any, **facts: Any) -> dict[str, Any]:
    return but(RETAIL, legal=RETAIL["legal"] | {"bases": bases} | facts)


def bases(said: dict[str, Any]) -> dict[Purpose, LegalBasis]:
    return bases_of(legal_of(params(shop=said).own)["transactions"])


def collected(shop: Shop) -> Any:
    made_up = ConsentParams(seed=1, excluded_share=0.1)
    write_csv(shop.file("retail.csv"), [line()])
    shop.lock()
    return supplied(collect_consent, **shop.around, engine=DuckDBEngine(threads=1), made_up=made_up)


def answered(shop: Shop, who: str, basis: LegalBasis, *, assessed: bool = False) -> bool:
    """What the ledger says of one customer for training, long after."""
    (sid,) = shop.keys.subject_ids([who])
    asked = pa.table({"sid": [sid], "day": pa.array([4_000], pa.int64())})
    signed = frozenset({Purpose.TRAINING}) if assessed else frozenset()
    told = allowed(
        DuckDBEngine(threads=1), shop.open("consent", "all"), asked, bases={Purpose.TRAINING: basis}, assessed=signed
    )
    return bool(told["allowed"][0].as_py())


def test_an_open_basis_serves_a_trial_of_the_twin_and_nothing_else() -> None:
    everything = {**RETAIL["legal"]["purposes"], "household_id": tuple(Purpose)}
    assert bases(resting_on("open", purposes=everything)) == {
        Purpose.TRAINING: LegalBasis.OPEN, Purpose.SCORING: LegalBasis.OPEN,
    }  # fmt: skip
    by_purpose = {"twin_training": "contract", "twin_scoring": "open", "offers": "open", "bias_assessment": "consent"}
    assert bases(resting_on(by_purpose, purposes=everything)) == {
        Purpose.TRAINING: LegalBasis.CONTRACT,
        Purpose.SCORING: LegalBasis.OPEN,
        Purpose.BIAS_ASSESSMENT: LegalBasis.CONSENT,
    }


def test_what_is_open_stands_in_the_evidence_by_source() -> None:
    said = resting_on("open", notice="open", retention_days="open", controller="open")
    (fact,) = open_facts(params(shop=said).own)
    assert (fact.name, fact.value) == (
        "legal_basis_open",
        {"shop": ["bases", "controller", "notice", "retention_days"]},
    )
    assert open_facts(params(shop=RETAIL).own) == ()
    assert legal_of(params(shop=said).own)["transactions"].retention_days is None


@pytest.mark.parametrize("basis", ["contract", "legitimate_interest", "open"])
def test_without_any_list_the_ledger_is_empty_where_nothing_rests_on_consent(tmp_path: Path, basis: str) -> None:
    shop = Shop(tmp_path, shop=resting_on("open" if basis == "open" else dict.fromkeys(TWIN, basis)))
    assert collected(shop).taken == 0
    of = LegalBasis(basis)
    assert answered(shop, "7", of) is (of is not LegalBasis.LEGITIMATE_INTEREST)
    assert answered(shop, "7", of, assessed=True)


def test_whoever_stands_in_a_list_of_objections_is_out_on_every_basis(tmp_path: Path) -> None:
    gone = but(
        CONSENT,
        kind="optouts",
        path="files/out.csv",
        columns={"household_id": "id"},
        constants=None,
        codes=None,
        time=None,
        legal=LEGAL | {"purposes": {"household_id": TWIN}},
    )
    ledger = but(CONSENT, legal=LEGAL | {"purposes": dict.fromkeys(CONSENT["columns"], TWIN)})
    shop = Shop(tmp_path, shop=resting_on("open"), ledger=ledger, gone=gone)
    shop.file("consent.csv").write_text("id,what,at\n1,yes,2024-01-05\n2,yes,2024-01-05\n")
    shop.file("out.csv").write_text("id\n2\n3\n")
    found = collected(shop)
    assert found.left_out == {"yes_beside_an_objection": 1}
    assert found.taken == 1 + 2 * len(Purpose)
    for basis in LegalBasis:
        assert [answered(shop, who, basis, assessed=True) for who in "123"] == [True, False, False], basis


def test_an_objection_that_tells_no_hour_is_not_older_than_a_yes_of_its_day(tmp_path: Path) -> None:
    timed = LEGAL | {"purposes": dict.fromkeys(["household_id", "time"], TWIN)}
    gone = but(CONSENT, kind="optouts", path="files/out.csv", columns={"household_id": "id", "time": "at"},
               constants=None, codes=None, legal=timed)  # fmt: skip
    ledger = but(CONSENT, legal=LEGAL | {"purposes": dict.fromkeys(CONSENT["columns"], TWIN)})
    shop = Shop(tmp_path, shop=resting_on("open"), ledger=ledger, gone=gone)
    noon = "2024-01-05T12:00:00"
    yes = [f"{n},yes,{day}" for n, day in enumerate(("2024-01-05", noon, noon, "2024-01-06"))]
    shop.file("consent.csv").write_text("\n".join(["id,what,at", "9,yes,2024-01-01", *yes, ""]))
    shop.file("out.csv").write_text("id,at\n0,2024-01-05\n1,2024-01-05\n2,2024-01-05T09:00:00\n3,2024-01-05\n")
    assert collected(shop).left_out == {"yes_beside_an_objection": 2}
    assert [answered(shop, who, LegalBasis.CONSENT, assessed=True) for who in "01239"] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_rows_of_a_trial_count_as_rows_without_a_basis() -> None:
    engine = DuckDBEngine(threads=1)
    nobody = pa.table(
        {c: pa.array([], pa.string()) for c in ("sid", "purpose", "event")}
        | {c: pa.array([], pa.int64()) for c in ("day", "seq")}
    )
    engine.register("consent_ledger", nobody)
    engine.register("clock", pa.table({"today": pa.array([9], pa.int64())}))
    flags = {"may_train": [True] * 3, "may_score": [True] * 3, "may_offer": [False] * 3, "may_assess_bias": [False] * 3}
    panel = pa.table({"sid": ["a", "b", "c"], "cutoff": pa.array([1] * 3, pa.int64()), **flags})
    counts = {b: rows_without_valid_basis(engine, panel, bases=dict.fromkeys(Purpose, b)) for b in LegalBasis}
    assert counts == {
        LegalBasis.CONSENT: 3, LegalBasis.CONTRACT: 0, LegalBasis.LEGITIMATE_INTEREST: 3, LegalBasis.OPEN: 3,
    }  # fmt: skip


def test_open_is_no_answer_that_a_ledger_may_hold(tmp_path: Path) -> None:
    ledger = but(CONSENT, constants=CONSENT["constants"] | {"basis": "open"})
    shop = Shop(tmp_path, ledger=ledger)
    shop.file("consent.csv").write_text("id,what,at\n1,yes,2024-01-05\n")
    with pytest.raises(DataError, match=r"nothing was taken of 1 records .basis_unknown 1"):
        shop.collect("consent", "all")


def test_a_file_of_which_nothing_can_be_taken_is_refused_and_says_why(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, time={"format": "%m-%d-%Y", "zone": "UTC"}))
    write_csv(shop.file("retail.csv"), [line(), line()])
    with pytest.raises(DataError, match=r"nothing was taken of 2 records .time_unreadable 2") as told:
        shop.collect(batch="all")
    assert "sources check shop" in told.value.hint
    assert not shop.places.raw("transactions", "all").exists()


def test_a_return_is_set_against_its_purchase_of_another_month(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=RETAIL)
    back = line(InvoiceNo="C7", Quantity="-2", InvoiceDate="02/04/2024 10:00")
    write_csv(shop.file("retail.csv"), [line(), back])
    shop.lock()
    march, april = (shop.collect(batch=m, lock=False) for m in ("2024-03", "2024-04"))
    assert (march.taken, march.left_out, april.taken, april.left_out) == (1, {}, 0, {"return_netted": 1})
    assert shop.open()["quantity"].to_pylist() == [4]
    assert shop.open()["sales_cents"].to_pylist() == [1020]
    whole = shop.collect(batch="all", lock=False)
    assert (whole.taken, whole.left_out) == (1, {"return_netted": 1})
