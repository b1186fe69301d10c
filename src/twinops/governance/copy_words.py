"""What tables and columns of a copy are called for the person they are about, and what each derived value means.

A column that stands nowhere here is shown under its own name; nothing is lost, only less well told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from twinops.entities.wording import MONEY

HORIZON, HORIZON_2, HORIZON_3 = "⟨horizon⟩", "⟨2 horizons⟩", "⟨3 horizons⟩"
"""Marks for the days of one, two and three forecast horizons."""


@dataclass(frozen=True)
class ColumnWords:
    """What a column is called, how its values are written, and what they mean.

    `kind` is one of plain, basis, money (hundredths), amount (whole money), share, product, category, receipt, purpose,
    notice, verb, mood (ten-thousandths), flag, words (of ours, with _ between them) and technical: for machines,
    and not on the page.
    """

    label: str
    kind: str = "plain"
    meaning: str = ""
    of_text: bool = False
    """It says what was read of a text: without a value, nothing was."""


@dataclass(frozen=True)
class TableWords:
    """What a table is called, and what it is for."""

    title: str
    says: str = ""


_TEXTS = (
    "Of what you wrote, only what it is about and its mood are kept, not the words. Where they are not known, nothing "
    "was read from it."
)
TABLES = {
    "transactions": TableWords(
        "What you bought",
        "One line for each article on a receipt. Articles are called as the shop's list of goods calls them today.",
    ),
    "campaigns": TableWords("Campaigns you were part of", "Mailings or leaflets that were sent to you."),
    "redemptions": TableWords("Coupons you used"),
    "consent": TableWords("What you allowed or refused", "As it was taken down, in order."),
    "choices": TableWords("What you allowed or refused elsewhere", "As your other records tell it."),
    "demographics": TableWords("What you told of yourself"),
    "registrations": TableWords("Your registration"),
    "crm": TableWords("Your customer file"),
    "social_accounts": TableWords("Your account on a network", "An account that was taken for yours."),
    "social_posts": TableWords("Your posts", _TEXTS),
    "social_comments": TableWords("Your comments", _TEXTS),
    "care_cases": TableWords("Your cases at customer service", _TEXTS),
    "panelists": TableWords("Your answers in our panel"),
    "births": TableWords("Your birthday", "Taken from your records, to know who is of full age."),
    "links": TableWords(
        "Which records were taken for yours",
        "Records of other sources that a computer joined with yours, and how sure it is that they are of one person.",
    ),
    "persons": TableWords("Under which person your records are filed", "Mostly marks for machines."),
    "panel": TableWords("Your shopping in figures", "Worked out anew for several days; forecasts rest on it."),
    "labels": TableWords(
        f"What you bought in the {HORIZON} days after each of these days",
        "With it the forecast learns, and is measured.",
    ),
    "blend": TableWords("What all sources together tell", "Worked out anew for several days."),
    "categories": TableWords("What kinds of goods you buy", "One line for each kind of goods and day."),
    "predictions": TableWords(
        "Forecasts made to measure how good they are",
        "What was expected of you, beside what came. Nobody decided by it.",
    ),
    "states": TableWords("Your running figures", "Sums that are kept up to date with each purchase, for machines."),
    "scores": TableWords("Lists your forecast was put on", "Made for one use, and whether you were picked."),
    "expected": TableWords("Forecasts that are kept for a later look", "What was expected of you before it was known."),
}

_TECHNICAL = ColumnWords("", "technical")
_TOPICS = ("price", "quality", "availability", "service", "checkout", "delivery", "loyalty", "store")
_LEVELS = ("given", "surname", "email", "phone", "card", "born", "year", "place", "handle")
_MEMORY = ("quick", "steady", "slow", "lasting")
_SUMS = [f"{what}_{m}" for what in ("baskets", "cents", "exposure", "bought") for m in _MEMORY]

COLUMNS: dict[str, ColumnWords] = {
    **dict.fromkeys(
        (
            "event_id",
            "seq",
            "person",
            "fingerprint",
            "match_weight",
            "log_value_sum",
            "log_value_squares",
            "record",
            "tie",
            "last_day",
            *_SUMS,
            *(f"{name}_level" for name in _LEVELS),
        ),
        _TECHNICAL,
    ),
    "day": ColumnWords("Day"),
    "basket_id": ColumnWords("Receipt", "receipt"),
    "store_id": ColumnWords("Shop"),
    "product_id": ColumnWords("Article", "product"),
    "quantity": ColumnWords("Pieces", meaning="Of what is weighed or measured, rounded up to whole units."),
    "sales_cents": ColumnWords("You paid", "money"),
    "retail_discount_cents": ColumnWords("Reduced by", "money"),
    "coupon_discount_cents": ColumnWords("Your coupon", "money"),
    "coupon_match_discount_cents": ColumnWords("Added to your coupon", "money"),
    "coupon_upc": ColumnWords("Coupon"),
    "campaign_id": ColumnWords("Campaign"),
    "home_ownership": ColumnWords("Your home"),
    "household_comp": ColumnWords("Who lives with you"),
    "household_size": ColumnWords("How many live with you, you included"),
    "kids_count": ColumnWords("Children"),
    "campaign_type": ColumnWords("Kind"),
    "start_day": ColumnWords("From"),
    "end_day": ColumnWords("Until"),
    "purpose": ColumnWords("For what", "purpose"),
    "event": ColumnWords("Said", "words"),
    "basis": ColumnWords("What the forecast rests on", "basis"),
    "notice_version": ColumnWords("Notice you were shown", "notice"),
    "compound_e4": ColumnWords("Mood, from −1 (angry) to 1 (glad)", "mood", of_text=True),
    "label": ColumnWords("Mood in a word", of_text=True),
    "verb": ColumnWords("What you did", "verb"),
    "brand": ColumnWords("About us", "flag"),
    "reply": ColumnWords("An answer to somebody", "flag"),
    **{f"topic_{t}": ColumnWords(f"Speaks of {t}", "flag", of_text=True) for t in _TOPICS},
    "birth_day": ColumnWords("Birthday"),
    "born": ColumnWords("Born"),
    "card": ColumnWords("Customer card"),
    "probability": ColumnWords("How sure it is", "share"),
    "source": ColumnWords("From which source", "words"),
    "cutoff": ColumnWords("Counted up to", meaning="Nothing of this day or later was looked at."),
    "may_train": ColumnWords(
        "The forecast may learn from you", meaning="As the law and your choices stood on that day."
    ),
    "may_score": ColumnWords("You may be forecast", meaning="As the law and your choices stood on that day."),
    "may_offer": ColumnWords("You may get offers", meaning="As the law and your choices stood on that day."),
    "may_assess_bias": ColumnWords(
        "Your details may be used to check fairness", meaning="As the law and your choices stood on that day."
    ),
    "tenure_days": ColumnWords("Days since your first purchase", meaning="How long you are known."),
    "recency_days": ColumnWords("Days since your last purchase", meaning="A long silence lowers what is expected."),
    "shopping_days": ColumnWords("Days on which you shopped", meaning="In all, up to that day."),
    "quiet_days": ColumnWords("Days of unusually long pauses", meaning="Pauses longer than the forecast looks ahead."),
    "baskets_total": ColumnWords("Purchases in all", meaning="Receipts up to that day."),
    "cents_total": ColumnWords("Spent in all", "money", "The sum of these receipts."),
    "active": ColumnWords("You shopped"),
    "baskets": ColumnWords("Purchases"),
    "spend_cents": ColumnWords("You spent", "money"),
    "active_probability": ColumnWords("Expected: chance that you shop", "share"),
    "expected_baskets": ColumnWords("Expected: purchases"),
    "expected_spend": ColumnWords("Expected: spending", "amount"),
    "expected_spend_median": ColumnWords("Expected: spending, of like cases half spend less", "amount"),
    "baskets_low": ColumnWords("Expected: purchases, at least", meaning="It is so in 80 of 100 like cases."),
    "baskets_high": ColumnWords("Expected: purchases, at most", meaning="It is so in 80 of 100 like cases."),
    "spend_low": ColumnWords("Expected: spending, at least", "amount", "It is so in 80 of 100 like cases."),
    "spend_high": ColumnWords("Expected: spending, at most", "amount", "It is so in 80 of 100 like cases."),
    "as_of": ColumnWords("As of"),
    "spend": ColumnWords("Expected: spending", "amount"),
    "spend_median": ColumnWords("Expected: spending, of like cases half spend less", "amount"),
    "like_cases": ColumnWords("Like cases", meaning="So many the ranges above were measured on."),
    **{f"reason_{n}": ColumnWords(f"Reason {n}") for n in (1, 2, 3)},
    **{f"reason_{n}_factor": ColumnWords(f"Reason {n} multiplies by") for n in (1, 2, 3)},
    **{f"category_{n}": ColumnWords(f"Kind of goods expected, {n}") for n in (1, 2, 3)},
    **{f"category_{n}_chance": ColumnWords(f"Chance that you buy of it, {n}", "share") for n in (1, 2, 3)},
    "selected": ColumnWords("You were picked", meaning="Empty where nobody was picked on that list."),
    "kept_back": ColumnWords("Picked, and not contacted because", "words"),
    "place": ColumnWords("Kind of goods", "category"),
    "has_registration": ColumnWords("A registration was joined with you", meaning="Whether such a record was found."),
    "has_crm": ColumnWords("A further customer record was linked to you", meaning="Whether such a record was found."),
    "has_account": ColumnWords("An account on a network was joined with you", meaning="One that was taken for yours."),
    "has_case": ColumnWords("You wrote to customer service", meaning="Whether such a record was found."),
    "crm_days_since_update": ColumnWords("Days since your file was changed", meaning="How fresh your details are."),
    "crm_has_email": ColumnWords("Your file has an e-mail address"),
    "crm_records": ColumnWords("Customer files taken for yours"),
    "social_records": ColumnWords("Accounts on a network taken for yours"),
    "social_events": ColumnWords("What you did on a network", meaning="Posts, comments, shares and likes, counted."),
    "social_posts": ColumnWords("Posts", meaning="Of those counted above."),
    "social_comments": ColumnWords("Comments", meaning="Of those counted above."),
    "social_shares": ColumnWords("Shares", meaning="Of those counted above."),
    "social_likes": ColumnWords("Likes", meaning="Of those counted above."),
    "care_cases": ColumnWords("Cases at customer service", meaning="In all, up to that day."),
    "care_open_cases": ColumnWords("Cases that were open", meaning="Of those counted above."),
    "social_about_us": ColumnWords("Posts and comments about us", meaning="Of those counted above."),
    "social_days_since_event": ColumnWords("Days since your last post or comment"),
    "texts_scored": ColumnWords("Texts whose mood was judged", meaning="By a list of words, not by a person."),
    "net_sentiment": ColumnWords("Mood of your texts", meaning="From −1 (all negative) to 1 (all positive)."),
    "net_low": ColumnWords("Mood, at least", meaning="Few texts say little: it lies between these two."),
    "net_high": ColumnWords("Mood, at most", meaning="Few texts say little: it lies between these two."),
    "link_probability": ColumnWords("How sure it is that these records are yours", "share", "1 in 1 is certain."),
}
_WINDOWS = {"h1": HORIZON, "h2": HORIZON_2, "h3": HORIZON_3}
_IN_WINDOWS = {
    "baskets": ("Purchases", "plain", "Receipts in that time."),
    "shopping_days": ("Days on which you shopped", "plain", "Several purchases on one day count once."),
    "stores": ("Different shops", "plain", "Shops you bought in."),
    "cents": ("Spent", "money", "The sum of these receipts."),
    "lines": ("Lines on your receipts", "plain", "How full your baskets were."),
    "cents_per_basket": ("Spent for each purchase", "money", f"{MONEY} a receipt, on average."),
    "saved_share": ("Saved by reductions", "share", "Of what it would have cost without."),
    "weekend_share": ("Purchases at the weekend", "share", "Saturdays and Sundays."),
}
BASES = {
    "consent": "with your consent",
    "contract": "for the contract with you",
    "legitimate_interest": "in the legitimate interest of the shop",
    "open": "on a legal ground that nobody has said yet",
}
"""What a use rests on, for the person whose data are used (GDPR art. 6(1))."""
SEGMENTS = {
    "activity": "by how many purchases are expected",
    "recency": "by when you last bought",
    "value": "by how much you spend at a time",
    "discounts": "by how much you save through reductions",
    "weekend": "by when in the week you shop",
}
"""What groups are cut by."""
REASONS = {
    "consent_unknown": "no answer of yours is known",
    "consent_refused": "you refused",
    "consent_withdrawn": "you took your consent back",
    "objected": "you objected",
    "restricted": "you asked for a restriction",
    "open_request": "you asked for something about it, and nobody has decided it yet",
    "legitimate_interest_not_assessed": "nobody has assessed yet whether the shop's interest allows it",
    "under_age": "you are under age",
    "age_unknown": "it is not known whether you are of age",
}
"""Why a use is not allowed."""
VERBS = {"Create": "you wrote it", "Announce": "you shared it", "Like": "you liked it", "Follow": "you followed it"}
"""What ActivityPub calls an act."""
RECORDS = "Which of your records"
YES_NO = {0: "no", 1: "yes"}
FORESEEN = {"baskets": "expected_baskets"}
"""Columns of a list of forecasts that elsewhere hold what came: by what they are told there."""
FORECAST = "like_cases"
"""A table with this column is a list of forecasts."""
RESTS_ON = {
    "established": "your own history",
    "newcomer": "your first weeks, and what other newcomers did",
    "nothing known": "what newcomers do; nothing is known of you",
}
PURPOSES = {
    "twin_training": "to teach the forecast",
    "twin_scoring": "to forecast your shopping",
    "offers": "to choose offers for you",
    "bias_assessment": "to check that people are treated alike",
}


@cache
def of_column(name: str) -> ColumnWords:
    """The words of one column."""
    if name in COLUMNS:
        return COLUMNS[name]
    what, _, window = name.rpartition("_")
    if window in _WINDOWS and what in _IN_WINDOWS:
        label, kind, meaning = _IN_WINDOWS[what]
        return ColumnWords(f"{label}, in the last {_WINDOWS[window]} days", kind, meaning)
    if name.endswith("_cents"):
        return ColumnWords(name.removesuffix("_cents").replace("_", " ").capitalize(), "money")
    return ColumnWords(name.replace("_", " ").capitalize())


def of_table(name: str) -> TableWords:
    """The words of one table."""
    own = TABLES.get(name.removesuffix("_apart"))
    return own or TableWords(name.replace("_", " ").capitalize())
