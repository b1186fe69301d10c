"""Where each column comes from, read off the queries, against answers worked out by hand."""

from __future__ import annotations

import pytest

from twinops.adapters.sql.column_lineage import SqlLineage
from twinops.errors import DataError
from twinops.twin import table_lineage
from twinops.twin.state.features import RFM, STATE, WINDOWED


@pytest.fixture(scope="module")
def lineage():
    sources = table_lineage.sealed_columns()
    return SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources)


@pytest.mark.parametrize(
    ("column", "made_from"),
    [
        (
            "panel.cents_h1",
            {"transactions.sales_cents", "transactions.day"},
        ),  # the day says whether it is in the window
        ("panel.log_value_sum", {"transactions.sales_cents"}),  # through a table made in Python
        (
            "panel.stores_h3",
            {"transactions.store_id", "transactions.day", "transactions.sid"},
        ),  # a store counts at the household's last basket there
        ("labels.spend_cents", {"transactions.sales_cents"}),
        ("examples.cents_h1", {"transactions.sales_cents", "transactions.day"}),  # through a star
    ],
)
def test_a_column_is_followed_to_its_sources(lineage, column, made_from):
    assert lineage.of(column) == made_from


def test_a_count_of_rows_comes_from_the_rows_of_every_table_counted(lineage):
    assert "transactions.*" in lineage.of("panel.baskets_total")
    assert {"social_posts", "social_comments", "care_cases"} <= {
        o.partition(".")[0] for o in lineage.of("signals.scored")
    }


def test_a_flag_comes_from_the_ledger_and_the_birthday():
    sources = table_lineage.sealed_columns()
    found = SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources).of("panel.may_offer")
    assert {"consent.event", "consent.day", "crm.born", "choices.event", "choices.day"} <= found
    assert {o for o in found if o.startswith("social")} == {"social_accounts.*"}  # that one is linked
    assert not any(o.startswith(("care_cases", "demographics")) for o in found)


def test_whether_somebody_has_a_case_or_an_account_comes_from_these_sources(lineage):
    assert "care_cases.*" in lineage.of("blend.has_case")
    assert "social_accounts.*" in lineage.of("blend.has_account")
    assert "blend.has_account" in lineage.columns_from("social_accounts")


def test_no_feature_of_the_twin_comes_from_social_media_demographics_or_what_was_bought(lineage):
    features = {f"panel.{name}" for name in (*STATE, *RFM, *WINDOWED)}
    for source in ("social_posts", "social_comments", "care_cases", "demographics"):
        assert not features & lineage.columns_from(source)
    assert not any("transactions.product_id" in lineage.of(f) for f in features)
    assert {"signals.positive", "blend.net_sentiment"} <= lineage.columns_from("social_posts")


def test_who_is_in_the_panel_is_decided_by_purchases_consent_and_age(lineage):
    linked = {"choices", "social_accounts"}  # what was chosen beside a linked record narrows what a household allows
    assert lineage.rows_from("panel") == {"transactions", "consent", "crm", "registrations"} | linked


def test_every_column_of_every_table_can_be_followed(lineage):
    for table in lineage.tables:
        for column in lineage.columns(table):
            lineage.of(f"{table}.{column}")


def test_an_unknown_column_table_or_circle_is_said():
    small = SqlLineage({"a": "SELECT b.x FROM b"}, {}, {"b": ("x",)})
    assert small.of("a.x") == {"b.x"}
    with pytest.raises(DataError, match="no column"):
        small.of("a.y")
    with pytest.raises(DataError, match="No table"):
        small.of("c.y")
    with pytest.raises(DataError, match="does not know"):
        SqlLineage({"a": "SELECT c.x FROM c"}, {}, {}).of("a.x")
    with pytest.raises(DataError, match="each other"):
        SqlLineage({"a": "SELECT b.x FROM b", "b": "SELECT a.x FROM a"}, {}, {}).of("a.x")
