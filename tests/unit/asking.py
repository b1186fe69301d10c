"""Linkage, blend, fusion and contradictions of small synthetic worlds, asked of any engine by our own functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from linkable import opened
from shoppers import ledger_of

from twinops.data import blend as blending
from twinops.data import customers
from twinops.data.consent import ledger as consent
from twinops.data.fusion import fusion
from twinops.data.fusion.plan import Plan, SegmentColumn
from twinops.data.fusion.predictive_mean_matching import Shared
from twinops.data.linkage.intake import HOME, LONE, raw_records
from twinops.data.linkage.linking import LinkageSettings, linked
from twinops.data.linkage.outcome import links
from twinops.data.linkage.splinking import Drawing
from twinops.data.texts import signals
from twinops.entities.consent import Event, LegalBasis, Purpose
from twinops.evaluation.quality import contradictions
from twinops.ports import Engine
from twinops.twin.state.linked_permissions import narrowed, said_of_records

SETTINGS = LinkageSettings(Drawing(seed=3, u_pairs=50_000, em_pairs=50_000), lone=LONE)
DAYS, TODAY = (60, 120), 190
TEXT, WHOLE = pa.string(), pa.int64()


@dataclass(frozen=True)
class Drawn:
    """Settings of `fusion.fuse`."""

    draws: int = 3
    donors: int = 3
    smallest_cell: int = 5
    seed: int = 1


@dataclass(frozen=True)
class Window:
    """Settings of `signals.per_subject`."""

    window_days: int = 70
    seed: int = 1


def ask_everything(engine: Engine) -> None:
    """Link, narrow what was allowed, blend, fuse, and look for contradictions."""
    found = links(linked(engine, raw_records(opened(120, 5)[0]), SETTINGS), home=HOME)
    choices = _choices(found["record"].to_pylist())
    _narrow(engine, found, choices)
    _blend(engine, found, choices)
    _fuse(engine)
    _shop(engine)
    _contradict(engine)


def _choices(records: list[str]) -> pa.Table:
    """What was said beside every other record; some objected, some changed their minds."""
    rng = np.random.default_rng(6)
    mostly = [0.8, *(0.2 / (len(Event) - 1) for _ in list(Event)[1:])]
    return ledger_of(
        *(
            (record, str(purpose), str(rng.choice(list(Event), p=mostly)), int(rng.integers(-30, 150)))
            for i, record in enumerate(records)
            if i % 3
            for purpose in Purpose
        )
    )


def _narrow(engine: Engine, found: pa.Table, choices: pa.Table) -> None:
    sids = sorted(set(found["sid"].to_pylist()))
    ledger = ledger_of(*((sid, str(p), "granted", -30) for sid in sids for p in Purpose))
    questions = pa.table({"sid": sids * 2, "day": pa.array([DAYS[0]] * len(sids) + [TODAY] * len(sids), WHOLE)})
    narrowed(
        engine,
        consent.allowed(engine, ledger, questions),
        found,
        said_of_records(engine, choices, found, today=TODAY),
        today=TODAY,
    )


def _blend(engine: Engine, found: pa.Table, choices: pa.Table) -> None:
    rng = np.random.default_rng(7)
    sids, linked_records = sorted(set(found["sid"].to_pylist())), blending.linked_sources(found)
    law = dict.fromkeys(
        ("crm", "social_accounts", "social_posts", "social_comments"), blending.LegalGround(LegalBasis.CONSENT)
    )
    law |= {"care_cases": blending.LegalGround(LegalBasis.LEGITIMATE_INTEREST, assessed=True)}
    records = {s: found.filter(pa.compute.equal(found["source"], s))["record"].to_pylist() for s in ("crm", LONE[1])}
    profiles, accounts = records["crm"], records[LONE[1]]
    posts, cases = 12 * len(accounts), len(profiles)
    panel = {"sid": np.repeat(sids, 2).tolist(), "cutoff": pa.array(DAYS * len(sids), WHOLE)}
    flags = {f"may_{f}": rng.random(2 * len(sids)) < 0.9 for f in ("train", "score", "offer")}
    opened_on = rng.integers(0, 150, cases)
    closed = [int(d) + 5 if i % 2 else None for i, d in enumerate(opened_on)]
    texts = {
        "sid": [accounts[i] for i in rng.integers(0, len(accounts), posts)],
        "day": pa.array(rng.integers(0, 150, posts), WHOLE),
        "label": [(None, *signals.LABELS)[i] for i in rng.integers(0, 4, posts)],
        "compound_e4": pa.array(rng.integers(-9, 9, posts), pa.int32()),
        **{f"topic_{t}": pa.array(rng.integers(0, 2, posts), pa.int8()) for t in signals.TOPICS},
    }
    told = blending.scored_texts(linked_records, {"social_posts": pa.table(texts)})
    error = signals.ScorerError(((9, 1, 1), (1, 9, 1), (1, 1, 9)))
    tables = {
        "panel": pa.table({**panel, **flags}),
        "linked": linked_records,
        "record_days": blending.record_days(
            engine, linked_records, choices, days=blending.BlendDays(DAYS, TODAY), law=law
        ),
        "signals": signals.per_subject(engine, told, cutoffs=DAYS, error=error, params=Window()),
        "registered": pa.table({"sid": sids[::2], "day": pa.array([80] * len(sids[::2]), WHOLE)}),
        "crm_profiles": pa.table(
            {"record": profiles, "day": rng.integers(0, 150, cases), "has_email": rng.random(cases) < 0.7}
        ),
        "handed_in": pa.table(
            {
                "source": ["social_accounts"] * len(accounts),
                "record": accounts,
                "day": rng.integers(0, 150, len(accounts)),
            }
        ),
        "social_events": pa.table(
            {
                "source": rng.choice(["social_posts", "social_comments"], posts).tolist(),
                "record": texts["sid"],
                "day": texts["day"],
                "verb": rng.choice(["Create", "Like", "Announce"], posts).tolist(),
                "brand": rng.integers(0, 2, posts),
                "reply": rng.integers(0, 2, posts),
            }
        ),
        "cases": pa.table({"record": profiles, "opened": opened_on, "closed": pa.array(closed, WHOLE)}),
    }
    blending.blend(engine, tables, window_days=70)


def _fuse(engine: Engine) -> None:
    donors, recipients = (_people(n, seed) for n, seed in ((60, 1), (40, 2)))
    plan = Plan(
        (Shared("age", ("young", "old")), Shared("spend")),
        ("calm", "keen"),
        (SegmentColumn("age", ("age",)), SegmentColumn("home")),
        "Test Panel (synthetic)",
    )
    fusion.fuse(engine, donors, recipients, plan=plan, params=Drawn())


def _people(n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "sid": [f"{i:032x}" for i in range(n)],
            "age": rng.choice(["young", "old"], n).tolist(),
            "home": [None if i % 9 == 0 else ("owner", "renter")[i % 2] for i in range(n)],
            "spend": rng.gamma(3, 40, n),
            "calm": rng.integers(0, 101, n),
            "keen": rng.integers(0, 101, n),
        }
    )


def _shop(engine: Engine) -> None:
    rng = np.random.default_rng(8)
    bought = {
        "household_id": pa.array([None if i % 11 == 0 else int(h) for i, h in enumerate(rng.integers(1, 9, 90))]),
        "basket_id": rng.integers(1, 30, 90),
        "sales_value": rng.integers(0, 900, 90) / 100,
        "coupon_disc": rng.integers(0, 2, 90) / 2,
    }
    engine.register("transactions_file", pa.table(bought))
    customers.shopping(engine, list(range(1, 9)))


def _contradict(engine: Engine) -> None:
    """Every pair of sources, each with rows that contradict and rows that do not."""
    days = {"sid": ["a", "b", "c"], "day": pa.array([5, 9, 70], WHOLE)}
    engine.register(
        "consent", ledger_of(("a", "x", "withdrawn", 5), ("b", "x", "granted", 1), ("b", "x", "withdrawn", 5))
    )
    tables = {
        "transactions": days,
        "redemptions": {"sid": ["a", "b", "z"], "campaign_id": [1, 1, 2], "day": pa.array([5, 8, 99], WHOLE)},
        "campaigns": {
            "sid": ["a", "y"],
            "campaign_id": [1, 2],
            "start_day": pa.array([6, 0], WHOLE),
            "end_day": pa.array([9, 9], WHOLE),
        },
        "demographics": {
            "sid": ["a", "y"],
            "household_size": ["1", "1"],
            "household_comp": ["2 Adults No Kids", "1 Adult No Kids"],
            "kids_count": ["0", "1"],
        },
        "registrations": {"sid": ["a", "b"], "registered": pa.array([7, 7], WHOLE)},
        "social_accounts": {"sid": ["a", "b"], "since": pa.array([6, 6], WHOLE)},
        "social_posts": days,
    }
    for name, columns in tables.items():
        engine.register(name, pa.table(columns))
    contradictions.found(engine, [*tables, "consent"])
