"""Returns are set against purchases across months, and a month follows from those alone that it is bound with."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from twinops.data.own_sources.receipts import netting

Row = dict[str, object]


def shop(seed: int, *, months: int = 8, people: int = 6, exchanges: bool = True) -> dict[str, list[Row]]:
    """Purchases and returns of few people and products, so that most returns reach far and into each other."""
    dice = random.Random(seed)  # noqa: S311 - a made-up shop
    found: dict[str, list[Row]] = {f"2024-{m:02}": [] for m in range(1, months + 1)}
    for n in range(people * months * 4):
        when = datetime(2024, 1, 1) + timedelta(minutes=dice.randrange(months * 28 * 1440))  # noqa: DTZ001
        sign = -1 if dice.random() < 0.25 else 1
        rows = found[f"{when:%Y-%m}"]
        row: Row = {"place": len(rows) + 2, "household_id": str(dice.randrange(people)), "time": when}
        row |= {
            "product_id": dice.randrange(4),
            "basket_id": n // 3 if exchanges else n,
            "quantity": sign * dice.randrange(1, 4),
        }
        rows.append(row | dict.fromkeys(netting.DISCOUNTS, 0) | {"sales_value": sign * dice.randrange(100, 900)})
    return found


def table(rows: list[Row]) -> pa.Table:
    whole = ("place", "product_id", "basket_id", "quantity", "sales_value", *netting.DISCOUNTS)
    kinds = dict.fromkeys(whole, pa.int64()) | {"household_id": pa.string(), "time": pa.timestamp("us")}
    return pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))


def across(months: dict[str, list[Row]]) -> dict[str, netting.MonthNet]:
    return netting.across({month: iter([table(rows)]) for month, rows in months.items()})


def left(rows: list[Row], net: netting.MonthNet) -> list[tuple[object, ...]]:
    bought = table([r for r in rows if r["quantity"] > 0])  # type: ignore[operator]
    some = netting.reduced(bought, net.settlement.touched)
    columns = ("household_id", "product_id", "basket_id", "time", "quantity", "sales_value")
    return sorted(zip(*(some[c].to_pylist() for c in columns), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_month_by_month_is_the_same_as_all_at_once(seed: int) -> None:
    months = shop(seed)
    nets = across(months)
    places = [r | {"place": i} for i, r in enumerate(r for rows in months.values() for r in rows)]
    parts = [table(places)]
    out = netting.net(parts)
    columns = ("household_id", "product_id", "basket_id", "time", "quantity", "sales_value")
    at_once = sorted(zip(*(parts[0][c].to_pylist() for c in columns), strict=True))
    assert sorted(row for month, rows in months.items() for row in left(rows, nets[month])) == at_once
    told = [why for net in nets.values() for why in net.settlement.left_out.values()]
    assert sorted(told) == sorted(out.values())
    assert len(set(told)) == 4, "each way a return can end is among them"


@pytest.mark.parametrize("seed", range(20))
def test_a_month_follows_from_those_alone_that_it_is_bound_with(seed: int) -> None:
    months = shop(seed, exchanges=False, people=20)
    nets = across(months)
    for month, net in nets.items():
        found = across({m: months[m] for m in (month, *net.beside)})[month]
        assert (found.digest, found.beside) == (net.digest, net.beside)
        assert left(months[month], found) == left(months[month], net)
        assert across(months | {month: []})[month].digest == ""


@pytest.mark.parametrize("seed", range(20))
def test_where_some_months_end_otherwise_their_digest_does_too(seed: int) -> None:
    months = shop(seed)
    for month, net in across(months).items():
        found = across({m: months[m] for m in (month, *net.beside)})[month]
        assert (found.digest == net.digest) == (
            found.settlement.left_out == net.settlement.left_out
            and left(months[month], found) == left(months[month], net)
        )


def test_what_comes_back_within_days_binds_a_month_with_its_neighbours_alone() -> None:
    months = {
        m: [r | {"product_id": int(m[5:]) * 1000 + i} for i, r in enumerate(rows)]
        for m, rows in shop(4, months=9).items()
    }
    bought = {
        m: [r | {"quantity": 1, "sales_value": 500, "basket_id": int(m[5:]) * 1000 + i} for i, r in enumerate(rows)]
        for m, rows in months.items()
    }
    for (month, rows), later in zip(bought.items(), list(months)[1:], strict=False):
        first = min((r for r in rows if r["place"] != 900), key=lambda r: str(r["time"]))
        back = {"place": 900, "time": datetime.fromisoformat(f"{later}-02"), "quantity": -1, "sales_value": -500}
        if month != "2024-04":
            bought[later].append(first | back | {"basket_id": 10_000})
    beside = [net.beside for net in across(bought).values()]
    assert beside[0] == ("2024-02",)
    assert beside[1] == ("2024-01", "2024-03")
    assert beside[3] == ("2024-03",)


def test_a_new_month_is_another_one_for_those_alone_that_its_returns_reach() -> None:
    months = shop(3, people=30, months=9)
    before = across({m: rows for m, rows in months.items() if m < "2024-09"})
    months["2024-09"] = [r for r in months["2024-09"] if r["household_id"] in ("1", "2", "3", "4", "5")]
    after = across(months)
    changed = {m for m, net in before.items() if net.digest != after[m].digest}
    assert changed == {m for m, rows in months.items() if m in before and left(rows, before[m]) != left(rows, after[m])}
    assert 0 < len(changed) < 5


def test_without_returns_no_month_is_bound_with_any() -> None:
    months = {m: [r for r in rows if r["quantity"] > 0] for m, rows in shop(1).items()}  # type: ignore[operator]
    assert {(net.beside, net.digest) for net in across(months).values()} == {((), "")}
