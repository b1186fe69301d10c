"""What is told of money has the digits of its coins, and a mean at the end of its range is told to lie there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from own_world import RETAIL, params

from twinops.entities.wording import Wording
from twinops.twin.answers.forecast import ESTABLISHED, Forecast
from twinops.twin.answers.theme_facts import _times
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.twin.predict import Predicted

YEN, CROWNS = Wording(currency="JPY", minor_units=0), Wording(currency="CZK")
LEANING = Forecast(84, 0.05, 0.1, (0, 1), 39.85, 0.0, (0.0, 39.85), ESTABLISHED, 400)


def told(expected: Forecast, words: Wording) -> str:
    return Predicted(expected, None, "2026-11-01", words).text()


def test_yen_have_no_hundredths_and_crowns_have():
    assert "Spend: 40 JPY on average [0, 40], half or more spend nothing." in told(LEANING, YEN)
    assert "Spend: 39.85 CZK on average [0.00, 39.85]," in told(LEANING, CROWNS)


def test_a_mean_that_lies_at_the_end_of_its_range_is_told_to_and_one_within_is_not():
    assert "The average lies at the upper end: a few who spend much carry it." in told(LEANING, YEN)
    assert "upper end" not in told(replace(LEANING, spend_range=(0.0, 120.0)), YEN)


@pytest.mark.parametrize("a_day", [0.0, 0.001])
def test_a_pace_that_has_faded_is_no_claim_about_how_often_somebody_came(a_day: float):
    assert _times(a_day, usual=0.1) == "hardly at all of late"
    assert _times(0.1, usual=0.1) == "3.0 times a month"


def test_where_the_usual_pace_is_below_one_a_month_it_is_told_by_the_year():
    assert (_times(0.004, usual=0.003), _times(0.1, usual=0.003)) == ("1.5 times a year", "36.5 times a year")


def test_a_currency_without_smaller_coins_has_none_whatever_a_declaration_leaves_out():
    retail = {**RETAIL, "money": {**RETAIL["money"], "currency": "JPY"}}
    assert DeclaredWords(params(retail=retail).own).wording.minor_units == 0
    assert DeclaredWords(params(retail=RETAIL).own).wording.minor_units == 2
