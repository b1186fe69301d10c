"""A tiny grocery world for tests: Parquet files shaped like The Complete Journey's, every row made up here."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ONE_BASKET_HOUSEHOLD = 1
"""This household shops exactly once, on day 40."""

_NEW_YORK_NOON = datetime.fromisoformat("2017-01-01T17:00")
"""Naive UTC, as in the source."""
_AGES = ["19-24", "25-34", "35-44", "45-54", "55-64", "65+"]
_INCOMES = ["Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K"]


def write_world(folder: Path, *, households: int = 40, seed: int = 1, days: int = 365) -> Path:
    """Write all source files for households 1..n and return the folder. Dense enough to fit small models on."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "transactions": transactions(households, seed=seed, days=days),
        "demographics": demographics(households, seed=seed),
        "campaigns": campaigns(households),
        "campaign_descriptions": campaign_descriptions(),
        "coupon_redemptions": redemptions(households),
        "consent": consent(households),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def write_people(folder: Path, *, households: int = 40, seed: int = 1) -> Path:
    """Write the files of the other sources around households 1..n, as the demo makes them; return the folder."""
    from datetime import date

    from twinops.demo import accounts, care, choices, crm, panel, social
    from twinops.demo.identities import people_of
    from twinops.demo.social_export import Span
    from twinops.workflows.pipeline.collect_identities import write_made_up

    folder.mkdir(parents=True, exist_ok=True)
    ids = [str(h) for h in range(1, households + 1)]
    write_made_up(folder, ids, seed=seed)
    people, year = people_of(ids, seed), Span(date(2017, 1, 1), date(2017, 12, 31))
    profiles, actors = crm.profiles(people, seed), accounts.accounts(people, seed)
    numbers, owners = profiles.columns["crm_id"].tolist(), accounts.owners(actors, people)
    records = [*numbers, *(account for account, _ in owners)]
    (folder / "choices.csv").write_bytes(choices.to_csv(choices.choices(records, seed)))
    (folder / "panel.csv").write_bytes(panel.answers(50, seed=seed, wave=year.first))
    pairs = list(zip(numbers, people.household[profiles.person].tolist(), strict=True))
    joined = accounts.joined(actors)
    social.posts(owners, seed=seed, span=year, joined=joined).write(folder)
    social.comments(owners, seed=seed, span=year, joined=joined).write(folder)
    care.cases(pairs, seed=seed, span=year).write(folder)
    return folder


def transactions(households: int, *, seed: int = 1, days: int = 365) -> pa.Table:
    """Receipt lines, two per basket; household h shops about every 2 + h % 9 days, household 1 only once."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for household in range(1, households + 1):
        every = 2 + household % 9
        trips = (
            [40] if household == ONE_BASKET_HOUSEHOLD else sorted(set(rng.integers(0, days, days // every).tolist()))
        )
        for day in trips:
            rows += _basket(household, int(day), rng)
    return pa.Table.from_pylist(rows, schema=TRANSACTIONS)


def _basket(household: int, day: int, rng: np.random.Generator) -> list[dict[str, object]]:
    at = _NEW_YORK_NOON + timedelta(days=day, minutes=int(rng.integers(0, 300)))
    return [
        receipt_line(
            household,
            at,
            basket=household * 100_000 + day,
            product=1000 + int(rng.integers(0, 50)) * 2 + line,
            dollars=round(float(rng.integers(100, 2000)) / 100, 2),
        )
        for line in (0, 1)
    ]


def receipt_line(
    household: int, at: datetime, *, basket: int = 1, product: int = 1000, dollars: float = 2.5
) -> dict[str, object]:
    """One row of `transactions`; `at` is naive UTC."""
    return {
        "household_id": household,
        "store_id": 300 + household % 3,
        "basket_id": basket,
        "product_id": product,
        "quantity": 1,
        "sales_value": dollars,
        "retail_disc": 0.25,
        "coupon_disc": 0.0,
        "coupon_match_disc": 0.0,
        "week": 1,
        "transaction_timestamp": at,
    }


TRANSACTIONS = pa.schema(
    [
        ("household_id", pa.int64()),
        ("store_id", pa.int64()),
        ("basket_id", pa.int64()),
        ("product_id", pa.int64()),
        ("quantity", pa.int64()),
        ("sales_value", pa.float64()),
        ("retail_disc", pa.float64()),
        ("coupon_disc", pa.float64()),
        ("coupon_match_disc", pa.float64()),
        ("week", pa.int64()),
        ("transaction_timestamp", pa.timestamp("ns")),
    ]
)


def demographics(households: int, *, seed: int = 1) -> pa.Table:
    """Every second household's answers."""
    rng = np.random.default_rng(seed + 1)
    rows = [
        {
            "household_id": h,
            "age": _AGES[int(rng.integers(6))],
            "income": _INCOMES[int(rng.integers(7))],
            "home_ownership": "Homeowner" if h % 4 else None,
            "marital_status": "Married" if h % 3 else "Unmarried",
            "household_size": "2",
            "household_comp": "2 Adults No Kids",
            "kids_count": "0",
        }
        for h in range(2, households + 1, 2)
    ]
    text = ["age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count"]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([("household_id", pa.int64()), *((c, pa.string()) for c in text)])
    )


def campaigns(households: int) -> pa.Table:
    """Every third household was in campaign 1, every fifth in campaign 2."""
    rows = [(c, h) for c, every in ((1, 3), (2, 5)) for h in range(every, households + 1, every)]
    return pa.table({"campaign_id": [c for c, _ in rows], "household_id": [h for _, h in rows]})


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def campaign_descriptions() -> pa.Table:
    """Two campaigns."""
    stamp = pa.timestamp("ns")
    return pa.table(
        {
            "campaign_id": [1, 2],
            "campaign_type": ["Type A", "Type B"],
            "start_date": pa.array([_day("2017-03-01"), _day("2017-08-01")], stamp),
            "end_date": pa.array([_day("2017-04-01"), _day("2017-09-01")], stamp),
        }
    )


def redemptions(households: int) -> pa.Table:
    """Every sixth household redeemed one coupon of campaign 1."""
    who = list(range(6, households + 1, 6))
    return pa.table(
        {
            "household_id": pa.array(who, pa.int64()),
            "coupon_upc": pa.array([10_000_000_000 + h for h in who], pa.int64()),
            "campaign_id": pa.array([1] * len(who), pa.int64()),
            "redemption_date": pa.array([_day("2017-03-15")] * len(who), pa.timestamp("ns")),
        }
    )


def consent(households: int) -> pa.Table:
    """Everyone allows everything before day 0, but every seventh has no record, every eighth withdraws on day 100."""
    purposes = ("twin_training", "twin_scoring", "offers", "bias_assessment")
    rows = []
    for h in range(1, households + 1):
        events = [] if h % 7 == 0 else [("granted", -30)] + ([("withdrawn", 100)] if h % 8 == 0 else [])
        for seq, (purpose, (event, day)) in enumerate((p, e) for e in events for p in purposes):
            rows.append(
                {
                    "household_id": h,
                    "purpose": purpose,
                    "event": event,
                    "basis": "consent",
                    "notice_version": "2016-12",
                    "day": day,
                    "seq": seq,
                }
            )
    schema = pa.schema(
        [
            ("household_id", pa.int64()),
            *((c, pa.string()) for c in ("purpose", "event", "basis", "notice_version")),
            ("day", pa.int64()),
            ("seq", pa.int64()),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)
