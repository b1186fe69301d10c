"""A shop of one source: what it has nothing of is said so, and nothing of the shipped sources is said of it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pyarrow as pa
import pytest
from candidate import ROOT
from own_world import PROFILES, RETAIL, Shop, line, write_csv
from supplying import supplied

from twinops.adapters.sql.column_lineage import SqlLineage
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.own_sources.declared_law import legal_of
from twinops.data.vault.seal import write_sealed
from twinops.entities.findings import Findings
from twinops.errors import DataError
from twinops.own_params import NOTHING_OWN
from twinops.twin import table_lineage
from twinops.workflows.evidence import READ_OWN, against_other_sources, undeclared_fact
from twinops.workflows.pipeline.quality import quality
from twinops.workflows.sources.data_map import data_map

NOT_THERE = ("demographics", "campaigns", "redemptions")


@pytest.fixture
def shop(tmp_path):
    """Receipts of one month and nothing else; the other sources were asked for and are not declared."""
    made = Shop(tmp_path, shop=RETAIL)
    write_csv(made.file("retail.csv"), [line(**{"Customer ID": str(n)}) for n in range(17_000, 17_030)])
    made.collect()
    for source in NOT_THERE:
        made.collect(source, "all", lock=False)
    return made


def facts(shop: Shop) -> dict:
    supplied(quality, shop.places, engine=DuckDBEngine(threads=1), keys=shop.keys, as_of=date(2025, 1, 1),
             own=shop.params.own)  # fmt: skip
    return {f.name: f.value for f in Findings.from_json(shop.places.measures("quality").read_text("utf-8")).facts}


def test_what_is_not_declared_leaves_counts_and_a_fact_that_say_so(shop):
    counted = json.loads(shop.places.counts("campaigns", "all").read_text("utf-8"))
    assert (counted["off"], counted["undeclared"], counted["read"]) == (False, True, 0)
    found = facts(shop)
    assert {n for n in found if n.startswith("source_absent.")} == {f"source_absent.{s}" for s in NOT_THERE}
    assert "declared" in found["source_absent.campaigns"]["why"]
    assert found[READ_OWN] == {"transactions": "shop"}


def test_a_declared_source_of_which_anything_was_read_is_not_absent(tmp_path):
    made = Shop(tmp_path, shop=RETAIL, people=PROFILES)
    write_csv(made.file("retail.csv"), [line()])
    made.file("people.csv").write_text("id,band\n17850,18-24\n,18-24\n", encoding="utf-8")
    made.collect()
    made.collect("demographics", "all", lock=False)
    assert "source_absent.demographics" not in facts(made)


def test_the_map_of_what_is_held_names_no_source_that_is_not_the_shop_s(shop):
    sources = table_lineage.sealed_columns()
    lineage = SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources)
    (shop.places.root / "compliance").mkdir()
    use = (ROOT / "compliance" / "intended_use.yaml").read_text(encoding="utf-8")
    (shop.places.root / "compliance" / "intended_use.yaml").write_text(use, encoding="utf-8")
    tables = {row.table for row in data_map(shop.places, keys=shop.keys, lineage=lineage, own=shop.params.own).rows}
    assert "raw/transactions" in tables
    assert not tables & {f"{kind}/{source}" for kind in ("raw", "quarantine") for source in NOT_THERE}


def test_birthdays_that_customers_told_the_shop_are_mapped_to_that_file_and_to_its_declaration(tmp_path):
    made = Shop(tmp_path, shop=RETAIL, people=PROFILES)
    write_csv(made.file("retail.csv"), [line(**{"Customer ID": str(n)}) for n in range(17_000, 17_030)])
    made.file("people.csv").write_text("id,band\n17000,18-24\n", encoding="utf-8")
    made.collect()
    who = pa.array([str(n) for n in range(17_000, 17_012)])
    keys, places = made.keys, made.places
    told = pa.table({"household_id": who, "born": ["1985-06-29"] * 12})
    write_sealed(told, places.raw("demographics", "all"), dataset="demographics", keys=keys, subject="household_id")
    days = pa.table({"household_id": who, "birth_day": pa.array([5] * 12, pa.int64())})
    write_sealed(days, places.births, dataset="births", keys=keys, subject="household_id")
    sources = table_lineage.sealed_columns()
    lineage = SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources)
    (made.places.root / "compliance").mkdir()
    use = (ROOT / "compliance" / "intended_use.yaml").read_text(encoding="utf-8")
    (made.places.root / "compliance" / "intended_use.yaml").write_text(use, encoding="utf-8")
    found = data_map(made.places, keys=keys, lineage=lineage, own=made.params.own)
    births = {r.column: r for r in found.rows if r.table == "births"}
    assert births["birth_day"].made_from == ("demographics.born",)
    assert births["sid"].made_from == ("demographics.sid",)
    assert births["birth_day"].retention_days == legal_of(made.params.own)["demographics"].retention_days
    assert births["birth_day"].synthetic == legal_of(made.params.own)["demographics"].synthetic
    not_there = {"crm", "registrations", "social_accounts", "social_posts", "care_cases"}
    assert not [r for r in found.rows for o in r.made_from if o.partition(".")[0] in not_there]
    assert "from made by" not in found.text("table")
    assert found.undeclared == ()


def test_figures_of_other_sources_are_not_shown_as_these(shop):
    own = shop.params.own
    against_other_sources({"transactions": "shop"}, own)
    against_other_sources({}, NOTHING_OWN)
    with pytest.raises(DataError, match=r"Nothing was measured of own.shop yet: .* are about the shipped sources"):
        against_other_sources({}, own)
    with pytest.raises(DataError, match=r"shipped sources yet: .* are about own.shop"):
        against_other_sources({"transactions": "shop"}, NOTHING_OWN)


def test_a_purpose_that_no_column_is_declared_for_is_named(shop):
    assert undeclared_fact(NOTHING_OWN).value == {}
    told = undeclared_fact(shop.params.own).value
    assert set(told) == {"offers", "bias_assessment"}
    assert "no household_id of own.shop is declared for bias_assessment" in told["bias_assessment"]


def test_the_list_of_sources_holds_the_shop_s_own_only(shop):
    raw = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("own: {}", "")
    declared = json.dumps({"shop": shop.params.own.root["shop"].model_dump(mode="json", exclude_none=True)})
    (shop.places.root / "params.yaml").write_text(f"{raw}\nown: {declared}\n", encoding="utf-8")
    asked = [sys.executable, "-m", "twinops", "--project", str(shop.places.root), "sources", "list"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "own.shop" in told
    assert "loyalty card, kept" not in told
    assert told.count("kept ") == 1
