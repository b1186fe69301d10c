"""The influence guard: purpose, pressure, vulnerability and keys, as the policy declares them."""

from __future__ import annotations

import pytest
from governed import shipped_policy, text

from twinops.errors import ParamsError
from twinops.governance.law.contact_limits import PROTECTED, TOO_OFTEN, Contact, kept_back, refusals
from twinops.governance.policy import limits as policy

LIMITS = shipped_policy().influence


def test_a_policy_without_limits_lets_nothing_act():
    assert "declares no limits" in refusals(None, Contact("silence", "twin_scoring"))[0]


def test_a_campaign_to_a_consumer_who_allows_offers_and_was_left_alone_is_fine():
    assert refusals(LIMITS, Contact("campaign", "offers", contacts=0)) == ()


def test_a_campaign_for_another_purpose_is_refused():
    assert refusals(LIMITS, Contact("campaign", "twin_scoring", contacts=0))[0].startswith(
        "A campaign is declared for offers"
    )


def test_contact_pressure_is_capped_where_the_policy_says():
    most = LIMITS.most_contacts
    assert refusals(LIMITS, Contact("campaign", "offers", contacts=most - 1)) == ()
    assert f"the policy allows {most}" in refusals(LIMITS, Contact("campaign", "offers", contacts=most))[0]


def test_pressure_does_not_stop_questions_that_contact_nobody():
    assert refusals(LIMITS, Contact("silence", "twin_scoring", contacts=99)) == ()


@pytest.mark.parametrize("sign", ["under_age", "open_complaint"])
def test_nobody_who_is_vulnerable_is_contacted(sign):
    assert "protects" in refusals(LIMITS, Contact("campaign", "offers", contacts=0, signs=frozenset({sign})))[0]


def test_of_a_selection_each_is_kept_back_for_one_reason_and_protection_comes_first():
    most, complaint = LIMITS.most_contacts, frozenset({"open_complaint"})
    assert kept_back(LIMITS, Contact("campaign", "offers", contacts=most - 1)) is None
    assert kept_back(LIMITS, Contact("campaign", "offers", contacts=most)) == TOO_OFTEN
    assert kept_back(LIMITS, Contact("campaign", "offers", contacts=most, signs=complaint)) == PROTECTED


@pytest.mark.parametrize("key", ["income", "health", "religion", "sentiment", "hardship"])
def test_nothing_is_keyed_on_vulnerability_or_a_special_category(key):
    assert key in refusals(LIMITS, Contact("silence", "twin_scoring", keyed_on=("activity", key)))[0]


def test_every_reason_is_told_at_once():
    asked = Contact("campaign", "twin_scoring", contacts=9, signs=frozenset({"under_age"}), keyed_on=("income",))
    assert len(refusals(LIMITS, asked)) == 4


@pytest.mark.parametrize(
    "change", ["most_contacts: -1", "most_contacts: many", "vulnerable: [tired]", "window_days: 0"]
)
def test_a_mistake_in_the_limits_is_a_mistake_in_the_policy(change):
    key = change.split(":")[0]
    lines = [f"  {change}" if line.strip().startswith(f"{key}:") else line for line in text("policy.yaml").splitlines()]
    with pytest.raises(ParamsError, match="influence"):
        policy.read("\n".join(lines))
