"""Windows follow from the days on which receipts lie: in order, closed, in the rhythm of the shop, and said why."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops import params
from twinops.data.windows import FEWEST_CUSTOMERS, ReceiptDays, counted, moved, proposed
from twinops.workflows.params_file import with_sections

ROOT = Path(__file__).parents[3]
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
SPARSE = ReceiptDays(date(1997, 1, 1), (124,) * 546, 23_570)
"""A music shop: a purchase a customer in half a year."""
GROCER = ReceiptDays(date(2017, 1, 1), (349,) * 365, 2_469)


def test_a_year_of_a_weekly_grocer_gives_the_windows_that_were_found_by_hand() -> None:
    wanted, there = proposed(GROCER).params, yaml.safe_load(PARAMS)
    for name, value in wanted.items():
        said = {part: there[name][part] for part in value} if isinstance(value, dict) else there[name]
        assert value == said, name


def test_a_shop_that_sells_twice_a_year_gets_a_longer_horizon_and_memories_in_proportion() -> None:
    found = proposed(SPARSE).params
    assert found["features"]["first_day"] == "1997-01-01"
    assert (found["features"]["horizon_days"], found["features"]["decay_days"]) == (56, [20, 60, 180])
    assert len(found["evaluate"]["cutoffs"]) == 2


def test_five_years_of_such_a_shop_allow_the_horizon_its_rhythm_asks_for() -> None:
    longest = proposed(ReceiptDays(date(2015, 3, 9), (40,) * 1_826, 6_000))
    assert longest.params["features"]["horizon_days"] == 168
    assert params.parse(yaml.safe_load(with_sections(PARAMS, longest.params))).drift.early_days == 42


shops = st.builds(
    ReceiptDays,
    st.dates(date(1900, 1, 1), date(2085, 1, 1)),
    st.lists(st.integers(0, 60), min_size=1, max_size=1_200).map(tuple),
    st.integers(1, 50_000),
)


@given(shops)
def test_any_shop_gets_windows_that_params_take_or_a_sentence_and_never_an_exception(shop: ReceiptDays) -> None:
    found = proposed(shop)
    assert found.why
    if not found.params:
        assert found.not_before is None or found.not_before >= shop.end
        return
    said = params.parse(yaml.safe_load(with_sections(PARAMS, found.params)))
    grid, days = said.features, said.evaluate.cutoffs
    known = (said.as_of - grid.first_day).days
    assert 0 < grid.first_cutoff < said.choose.cutoffs[0] < days[0] <= days[-1] == grid.last_cutoff
    assert days[-1] + grid.horizon_days <= known, "every outcome that is measured on has come"
    assert max(said.choose.cutoffs) + grid.horizon_days <= days[0], "what is chosen on ends where measuring begins"
    assert grid.first_cutoff + grid.horizon_days <= said.choose.cutoffs[0], "there is something to learn from"
    assert said.minimisation.learn_until + grid.horizon_days <= days[0]
    assert said.months[0] == f"{grid.first_day:%Y-%m}"


def test_a_shop_that_is_too_young_is_told_from_when_on() -> None:
    young = ReceiptDays(date(2026, 1, 1), (20,) * 40, 300)
    found = proposed(young)
    assert (found.params, found.not_before) == ({}, date(2026, 3, 12))
    assert "2026-03-12" in found.why[-1]
    ready = ReceiptDays(young.first, (20,) * (found.not_before - young.first).days, 300)
    assert proposed(ready).params, "and from then on it is so"


def test_too_few_customers_are_a_sentence_and_not_an_error() -> None:
    found = proposed(ReceiptDays(date(2026, 1, 1), (5,) * 700, FEWEST_CUSTOMERS - 1))
    assert not found.params
    assert str(FEWEST_CUSTOMERS) in found.why[-1]


def test_a_mistaken_date_far_from_all_others_moves_no_window() -> None:
    wrong = ReceiptDays(date(1970, 1, 1), (1, *(0,) * 17_166, *GROCER.visits), GROCER.customers)
    assert wrong.first + timedelta(days=17_167) == GROCER.first
    found = proposed(wrong)
    assert found.params == proposed(GROCER).params
    assert any("mistaken dates" in said for said in found.why)


def test_visits_are_days_on_which_a_customer_came_however_many_lines_and_files() -> None:
    day = date(2026, 5, 1)
    one = pa.table({"household_id": ["a", "a", "b", None], "day": pa.array([day, day, day, day], pa.date32())})
    other = pa.table({"household_id": ["a", "c"], "day": pa.array([day, day + timedelta(days=2)], pa.date32())})
    assert counted([one, other]) == ReceiptDays(day, (2, 0, 1), 3)
    assert counted([one.slice(0, 0)]) is None


def test_what_is_written_keeps_every_comment_and_the_rest_of_the_file() -> None:
    text = with_sections(PARAMS, proposed(SPARSE).params)
    comments = [line.partition("#")[2] for line in PARAMS.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in text.splitlines() if "#" in line] == comments
    before, after = yaml.safe_load(PARAMS), yaml.safe_load(text)
    assert after["as_of"] == "1998-07-01"
    for kept in ("train", "link", "sources", "own"):
        assert after[kept] == before[kept]
    assert with_sections(text, proposed(SPARSE).params) == text, "the same inputs give the same bytes"


def test_windows_that_params_refuse_are_not_written() -> None:
    with pytest.raises(params.ParamsError, match="horizon"):
        with_sections(PARAMS, {"features": {"horizon_days": 56}})


def at(day: int) -> tuple[params.Params, dict]:
    """This repository's windows, moved to where the data reach the day before, and what was written for it."""
    wanted = moved(params.parse(yaml.safe_load(PARAMS)), known_until=day)
    return params.parse(yaml.safe_load(with_sections(PARAMS, wanted))), wanted


def test_windows_move_by_whole_horizons_so_that_the_ledger_of_looks_knows_their_days() -> None:
    there, (said, _) = params.parse(yaml.safe_load(PARAMS)), at(365 + 31)
    assert said.evaluate.cutoffs == (281, 309, 337, 365)
    assert set(said.evaluate.cutoffs) & set(there.evaluate.cutoffs), "what was looked at is the same day still"
    assert said.choose.cutoffs == (169, 197, 225, 253)
    assert said.minimisation.learn_until + said.features.horizon_days <= said.evaluate.cutoffs[0]
    assert said.as_of == date(2018, 2, 1)


@pytest.mark.parametrize("stride", [28, 31, 700])
def test_however_many_years_come_the_first_days_that_are_told_of_have_days_before_them_to_learn_from(
    stride: int,
) -> None:
    said = params.parse(yaml.safe_load(PARAMS))
    for day in range(396, 396 + 1_500, stride):
        wanted = moved(said, known_until=day)
        text = with_sections(PARAMS, wanted)
        body = yaml.safe_load(text)
        for section, values in said.model_dump(mode="json").items():
            if section in ("features", "choose", "evaluate", "drift", "scorecard", "minimisation") and section in body:
                body[section] |= {k: v for k, v in values.items() if k in body[section]} | wanted.get(section, {})
        said = params.parse(body)
        grid, first = said.features, said.features.first_cutoff
        closed = [c for c in grid.cutoffs if c + grid.horizon_days <= said.drift.early_from]
        assert len(closed) >= 2, (day, first)
        assert len([c for c in grid.cutoffs if c + grid.horizon_days <= said.scorecard.first_origin]) >= 3
    assert first > there().features.last_cutoff, "the grid has left its beginning behind"


def there() -> params.Params:
    return params.parse(yaml.safe_load(PARAMS))


def test_drift_is_asked_on_the_newest_day_whose_first_days_are_known() -> None:
    said, _ = at(365 + 31)
    now = said.drift.current_cutoff
    assert now == said.features.last_cutoff
    assert now + said.drift.early_days <= 396 < now + said.features.step_days + said.drift.early_days
    assert now - said.drift.reference_cutoff == 28


def test_too_little_for_another_horizon_moves_the_clock_alone() -> None:
    said, wanted = at(365 + 7)
    assert "evaluate" not in wanted
    assert said.as_of == date(2018, 1, 8)


def test_nothing_moves_twice_and_the_clock_never_goes_back() -> None:
    said, _ = at(396)
    assert moved(said, known_until=396) == {}
    assert "as_of" not in moved(said, known_until=380)


@settings(deadline=None, max_examples=30)
@given(st.integers(365, 5_000))
def test_wherever_the_data_reach_windows_are_taken_and_so_many_days_are_kept_at_most(day: int) -> None:
    said, _ = at(day)
    assert max(said.evaluate.cutoffs) + said.features.horizon_days <= day
    assert len(said.features.cutoffs) <= 53
