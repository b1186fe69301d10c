"""How the tables of the twin follow from each other, for whoever asks where a column comes from.

A table made by a query is told by its file; one made in Python says here what each column is made from. Sealed source
columns are named as in `sealed()` of the source, and `SEALED_FROM` says from which column of the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from twinops import plugins
from twinops.data.texts.signals import FIELDS, LABELS, TOPICS
from twinops.twin.state.features import PERMISSIONS, RFM, SPEEDS, STATE, WINDOWED
from twinops.twin.tastes.events import SPEEDS as TASTE_SPEEDS

SOURCES = "twinops.data.sources"
COLUMNS = tuple(dict.fromkeys((*PERMISSIONS, *STATE, *RFM, *WINDOWED)))
"""The panel's columns but for whose and as of which day."""
QUERIES = {
    "baskets": ("twinops.twin.state", "baskets.sql"),
    "values": ("twinops.twin.state", "values.sql"),
    "panel": ("twinops.twin.state", "panel.sql"),
    "labels": ("twinops.twin.state", "labels.sql"),
    "examples": ("twinops.twin.state", "examples.sql"),
    "permissions": ("twinops.twin.state", "permissions.sql"),
    "consent_own": ("twinops.data.consent", "consent.sql"),
    "consent_merged": ("twinops.data.linkage", "strictest.sql"),
    "consent_answered": ("twinops.twin.state", "merged.sql"),
    "taste_events": ("twinops.twin.tastes", "taste_events.sql"),
    "categories": ("twinops.twin.tastes", "tastes.sql"),
    "category_labels": ("twinops.twin.tastes", "taste_labels.sql"),
    "coupons": ("twinops.twin.tastes", "coupons.sql"),
    "consent_read": ("twinops.data.consent", "of_age.sql"),
    "signal_counts": ("twinops.data.texts", "signals.sql"),
    "blend": ("twinops.data", "blend.sql"),
}
"""Table -> package and file of the query that makes it."""

SEALED = frozenset(
    {"registrations", "crm", "social_accounts", "social_posts", "social_comments", "care_cases", "choices"}
)
"""Sources that tables made in Python read, and that may not be there."""

TEXTS = ("social_posts", "social_comments", "care_cases")
"""Sources whose texts were scored."""

SEALED_FROM: Mapping[str, Mapping[str, str]] = {
    "transactions": {
        "day": "transaction_timestamp",
        "sales_cents": "sales_value",
        "retail_discount_cents": "retail_disc",
        "coupon_discount_cents": "coupon_disc",
        "coupon_match_discount_cents": "coupon_match_disc",
    },
    "campaigns": {"start_day": "start_date", "end_day": "end_date"},
    "redemptions": {"day": "redemption_date"},
    **{source: {f.name: "text" for f in FIELDS} for source in TEXTS},
}
"""Source -> sealed column -> column of the source's schema, where the names differ."""


def queries() -> dict[str, str]:
    """Table -> the text of its query."""
    return {t: plugins.text_beside(package, name) for t, (package, name) in QUERIES.items()}


def sealed_columns() -> dict[str, tuple[str, ...]]:
    """Source -> its columns as they are sealed: what an empty table of its schema becomes, its subject called `sid`."""
    out = {}
    for name in plugins.names(SOURCES):
        shelf = plugins.load(SOURCES, name)
        subject = subject_of(shelf)
        renamed = {raw: made for made, raw in SEALED_FROM.get(name, {}).items()}
        signals = tuple(f.name for f in FIELDS) if name in TEXTS else ()
        columns = [renamed.get(c, c) for c in shelf.SCHEMA.names if c != subject and not (signals and c == "text")]
        out[name] = ("sid", *columns, *signals)
    return out


def subject_of(shelf: ModuleType) -> str:
    """The column of the natural id in a source's schema."""
    return str(getattr(shelf, "SUBJECT", "household_id"))


def given(sources: Mapping[str, Sequence[str]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Tables made in Python: column -> what it is made from; nothing: from parameters."""
    state = tuple(f"panel.{name}" for name in STATE)
    made: dict[str, Mapping[str, tuple[str, ...]]] = {
        **_settings(),
        **_looked_up(),
        **_texts(),
        **_linked(sources),
        "consent_ledger": {c: (f"consent.{c}",) for c in ("sid", "purpose", "event", "day", "seq")},
        **_merged(),
        "consent_asked": {"sid": ("transactions.sid",), "day": ()},
        "adults": {"sid": ("births.sid",), "adult_day": ("births.birth_day",)},
        "births": {"sid": ("registrations.sid",), "birth_day": ("crm.born",)},
        "log_value": dict.fromkeys(("cents", "log_millionths"), ("baskets.cents",)),
        "predictions": {
            **{c: (f"panel.{c}",) for c in ("sid", "cutoff", "may_offer", "may_assess_bias")},
            "active_probability": (*state, "labels.active"),
            "expected_baskets": (*state, "labels.baskets"),
            "expected_spend": (*state, "labels.spend_cents", "labels.baskets"),
            "expected_spend_median": (*state, "labels.spend_cents", "labels.baskets"),
            **{c: (f"labels.{c}",) for c in ("active", "spend_cents")},
        },
        "trained": {"sid": ("panel.sid",), "rows": ("panel.*",)},
        "taste_places": {"product_id": (), "place": ("transactions.product_id",)},
        "coupon_panel": {c: (f"panel.{c}",) for c in ("sid", "cutoff", *COLUMNS)},
        "coupon_consent": {c: (f"permissions.{c}",) for c in ("sid", "cutoff", "may_train")},
    }
    return {
        t: {c: tuple(o for o in origins if _known(o, sources)) for c, origins in cs.items()} for t, cs in made.items()
    }


def _merged() -> dict[str, dict[str, tuple[str, ...]]]:
    """What was chosen beside linked records, and how severe each refusal is: its rank tells it."""
    refused = ("consent_own.reason", "choices.event", "choices.day")
    return {
        "merged": {"sid": ("links.sid",), "record": ("links.record", "links.sid")},
        "answers": {"sid": ("choices.sid", "consent_own.sid"), "day": (), "purpose": (), "reason": refused},
        "severity": {"reason": refused, "rank": refused},
        "unknown": {"reason": ()},
    }


def _known(origin: str, sources: Mapping[str, Sequence[str]]) -> bool:
    """Of a source that is not there nothing is made."""
    table, _, column = origin.partition(".")
    return table not in SEALED or column in sources.get(table, ())


def _texts() -> dict[str, dict[str, tuple[str, ...]]]:
    """Scored texts under the household's sid, and the signals drawn from their counts."""
    labels = tuple(f"signal_counts.{label}" for label in LABELS)
    counted = ("sid", "cutoff", "scored", *LABELS, *(f"topic_{t}" for t in TOPICS))
    return {
        "scored_posts": {
            "sid": ("linked.sid",),
            "day": ("social_posts.day", "social_comments.day", "care_cases.opened"),
            **{f.name: tuple(f"{s}.{f.name}" for s in TEXTS) for f in FIELDS},
        },
        "signals": {
            **{c: (f"signal_counts.{c}",) for c in counted},
            **dict.fromkeys(("net_sentiment", "net_low", "net_high"), labels),
        },
    }


def _linked(sources: Mapping[str, Sequence[str]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Links between records, and what the blend takes of each source."""
    compared = identifiers(sources)
    records = ("crm.sid", "social_accounts.sid")
    tie = dict.fromkeys(("tie", "match_weight", "probability", "cluster", "doubt"), compared)
    side = {"source": (), "other_source": (), "other": records}
    social = {c: (f"social_posts.{c}", f"social_comments.{c}") for c in ("day", "verb", "brand", "reply")}
    return {
        "links": {"sid": ("registrations.sid",), "source": (), "record": records, **tie},
        "review": {"sid": ("registrations.sid", *records), **side, **tie},
        "blendable": {
            "sid": ("registrations.sid", *records),
            **dict.fromkeys(("allowed", "reason"), ("choices.event", "choices.day")),
            "source": (),
        },
        "linked": {"sid": ("registrations.sid",), "source": (), "record": records, "probability": compared},
        "record_days": {"source": (), "record": ("choices.sid",), "cutoff": ("choices.event", "choices.day")},
        "registered": {"sid": ("registrations.sid",), "day": ("registrations.registered",)},
        "crm_profiles": {"record": ("crm.sid",), "day": ("crm.updated",), "has_email": ("crm.email",)},
        "handed_in": {"source": (), "record": ("social_accounts.sid",), "day": ("social_accounts.since",)},
        "social_events": {"source": (), "record": ("social_posts.sid", "social_comments.sid"), **social},
        "cases": {"record": ("care_cases.sid",), **{c: (f"care_cases.{c}",) for c in ("opened", "closed")}},
    }


def identifiers(sources: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What records are compared by: names, addresses, numbers and birthdays."""
    apart = ("sid", "updated", "since", "registered", "account")
    own = ("registrations.sid",) if "registrations" in sources else ()  # the card's number
    return own + tuple(
        f"{s}.{c}" for s in ("crm", "social_accounts", "registrations") for c in sources.get(s, ()) if c not in apart
    )


def _settings() -> dict[str, dict[str, tuple[str, ...]]]:
    """Small tables that hold nothing about anybody."""
    columns = {
        "cutoffs": ("cutoff", "closes", "closed"),
        "memory": ("horizon", "lapse"),
        "clock": ("today",),
        "signal_cutoffs": ("cutoff",),
        "signal_settings": ("window_days", "minimum_posts"),
        "blend_settings": ("window_days",),
        "age_rule": ("unknown_reason",),
        "taste_cutoffs": ("cutoff", "closes", "closed"),
        "coupon_cutoffs": ("cutoff", "closes", "closed"),
    }
    return {table: dict.fromkeys(names, ()) for table, names in columns.items()}


def _looked_up() -> dict[str, dict[str, tuple[str, ...]]]:
    """Small tables whose rows are chosen by a subject's value: what is looked up tells that value."""
    weights = (f"{what}_{speed}" for what in ("weight", "exposure") for speed in SPEEDS)
    return {
        "calendar": {"day": (), "weekend": ("baskets.day",)},
        "decay": {"age": (), **dict.fromkeys(weights, ("baskets.day",))},
        "taste_decay": {"age": (), **{f"weight_{speed}": ("transactions.day",) for speed in TASTE_SPEEDS}},
        "consent_answers": {"purpose": (), "event": (), "reason": ("consent.event", "consent.day")},
    }
