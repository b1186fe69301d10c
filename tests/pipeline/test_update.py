"""A shop that gets a file a month: taken in, corrected, withdrawn from, killed; every way ends in the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from workshop import Workshop

from shops import shops
from twinops.wiring import open_project

KILLS = int(os.environ.get("TWINOPS_UPDATE_KILLS", "2"))
pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3000 * max(1, KILLS // 5))]
FIRST, NEXT = 12, 13
"""So many months are there when the project begins."""


def by_month(sales: Path) -> dict[str, bytes]:
    head, *rows = sales.read_bytes().splitlines(keepends=True)
    found: dict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        day = row.split(b";")[4].decode()
        found[f"{day[6:10]}-{day[3:5]}"].append(row)
    return {month: head + b"".join(found[month]) for month in sorted(found)}


class Arriving(Workshop):
    """A project, and the folder into which its files come."""

    @property
    def files(self) -> Path:
        return self.root / "in"

    @property
    def all(self) -> dict[str, bytes]:
        return by_month(self.root.parent / "sales.csv")

    def comes(self, number: int, content: bytes | None = None) -> str:
        month = list(self.all)[number - 1]
        (self.files / f"sales-{month}.csv").write_bytes(self.all[month] if content is None else content)
        return month

    def update(self, *options: str, expect: int = 0) -> str:
        return self.do("twinops", "update", *options, expect=expect)

    def entry(self) -> dict:
        return json.loads((self.root / "reports" / "updates.json").read_text())["updates"][-1]

    def left(self) -> dict[str, str]:
        """Digest of everything that an update leaves."""
        paths = [p for name in ("live", "reports/monitoring") for p in (self.root / name).rglob("*") if p.is_file()]
        paths += [self.root / "reports" / n for n in ("updates.json", "monitoring.json", "monitoring.html")]
        paths += [self.root / n for n in ("params.yaml", "dvc.yaml", "sources.lock.json", "dvc.lock")]
        told = {p.relative_to(self.root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
        return {n: d for n, d in told.items() if not (n.startswith("live/") and n.endswith(".lock"))} | self.outs()

    def copy(self, to: Path) -> Arriving:
        shutil.copytree(self.root, to / "shop", symlinks=True)
        shutil.copy(self.root.parent / "sales.csv", to / "sales.csv")
        shutil.copy(self.root.parent / "optins.csv", to / "optins.csv")
        return Arriving(to / "shop")

    def with_keys_of(self, other: Arriving) -> None:
        """The same newcomers get the same ids: they are random, so a project's bytes are those of its key store."""
        shutil.copytree(other.root / "keystore", self.root / "keystore", dirs_exist_ok=True)


def small(params: Path) -> None:
    """Fewer draws: what is tried is what arrives, not how sure figures are."""
    raw = yaml.safe_load(params.read_text(encoding="utf-8"))
    for section in raw.values():
        if isinstance(section, dict) and "draws" in section:
            section["draws"] = 200 if "cutoff" in section and "shuffles" not in section else 50
    raw["privacy"] |= {"models": 4, "tries": 100}
    params.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Arriving:
    """A year of a small shop, built by its first update; tests work in copies."""
    base = tmp_path_factory.mktemp("arriving")
    shops.web(base, customers=500, seed=11)
    project = Arriving(base / "shop")
    source = base / "first"
    source.mkdir()
    months = by_month(base / "sales.csv")
    for month in list(months)[:FIRST]:
        (source / f"sales-{month}.csv").write_bytes(months[month])
    Workshop(base).do(
        *("twinops", "init", "shop", "--from", str(source), "--opt-ins", str(base / "optins.csv")),
        "--yes",
        "--synthetic",
    )
    shutil.copytree(source, project.files)
    shutil.copy(base / "optins.csv", project.root / "in-optins.csv")
    params = project.root / "params.yaml"
    text = (
        params.read_text(encoding="utf-8").replace(str(source), "in").replace(str(base / "optins.csv"), "in-optins.csv")
    )
    params.write_text(text, encoding="utf-8")
    small(params)
    project.commit("small")
    project.update()
    project.commit("what the first update made")
    return project


@pytest.fixture
def shop(begun: Arriving, tmp_path: Path) -> Arriving:
    return begun.copy(tmp_path)


def test_twice_is_once(shop: Arriving) -> None:
    before = shop.left()
    said = shop.update()
    assert "0 ran" in said
    assert "nothing new" in said
    assert shop.left() == before


def test_a_new_month_is_taken_in_and_windows_move_and_comments_stay(shop: Arriving) -> None:
    before = (shop.root / "params.yaml").read_text(encoding="utf-8")
    month = shop.comes(NEXT)
    model = (shop.root / "models" / "twin.json").read_bytes()
    assert f"{month}  new" in shop.update("--dry-run")
    assert shop.do("git", "status", "--porcelain") == "", "a dry run writes nothing"
    shop.update()
    after = yaml.safe_load((shop.root / "params.yaml").read_text(encoding="utf-8"))
    assert after["months"] == [*yaml.safe_load(before)["months"], month]
    assert after["as_of"] > yaml.safe_load(before)["as_of"]
    entry = shop.entry()
    assert entry["states"]["proved"] == 25
    assert [a["what"] for a in entry["arrivals"]] == ["new"]
    assert (shop.root / "models" / "twin.json").read_bytes() == model, "a new candidate is `make run`'s"
    said = shop.do("twinops", "repro", "drift", "collect_profile")
    left = {line.split("]")[0][1:] for line in said.splitlines() if "] > " in line}
    assert left == {"choose", "train"}, "there is no second pipeline: only a new candidate is left to make"
    page = (shop.root / "reports" / "monitoring.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "Kundennr" not in page


def test_a_candidate_that_is_gone_is_made_anew_whatever_broke_off(shop: Arriving) -> None:
    (shop.root / "models" / "twin.json").unlink()
    shop.comes(NEXT)
    assert "[documents]" in shop.update()
    assert (shop.root / "models" / "twin.json").is_file()


def test_forecasts_are_sealed_before_and_scored_when_their_window_has_closed(shop: Arriving) -> None:
    for number in (NEXT, NEXT + 1, NEXT + 2):
        shop.comes(number)
        shop.update()
    scored = shop.entry()["scored"]
    assert scored
    names = {m["name"] for m in scored[-1]["measures"]}
    assert {"foretold_active_auc", "foretold_baskets_ratio", "foretold_coverage_80.spend"} <= names
    assert all(m["low"] <= m["value"] <= m["high"] and m["n"] >= 50 for m in scored[-1]["measures"])
    assert any(m["name"] == "foretold_active_auc.gain_of_fresh_states" for m in scored[-1]["measures"])


def test_late_and_corrected_rows_change_what_is_held_and_no_window(shop: Arriving) -> None:
    month = list(shop.all)[4]
    head, *rows = shop.all[month].splitlines(keepends=True)
    shop.comes(5, b"".join([head, *rows[20:]]))
    said = shop.update()
    assert f"{month}  corrected" in said
    assert not shop.entry()["states"].get("rebuilt")
    shop.comes(5)
    assert f"{month}  late" in shop.update()
    assert "windows stay" in said


def test_what_is_doubled_or_gone_is_refused_and_nothing_is_written(shop: Arriving) -> None:
    before = shop.left()
    month = list(shop.all)[NEXT - 1]
    shop.comes(NEXT, shop.all[month] + b"".join(shop.all[month].splitlines(keepends=True)[1:]))
    assert "doubled" in shop.update("--dry-run", expect=3)
    assert "doubled" in shop.update(expect=3)
    (shop.files / f"sales-{month}.csv").unlink()
    gone = shop.files / f"sales-{list(shop.all)[2]}.csv"
    kept = gone.read_bytes()
    gone.unlink()
    assert "gone" in shop.update(expect=3)
    gone.write_bytes(kept)
    assert shop.left() == before


def test_a_missing_month_is_waited_for_and_any_order_ends_the_same(shop: Arriving, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "other")
    other.comes(NEXT)
    other.comes(NEXT + 1)
    other.update()
    shop.with_keys_of(other)
    shop.comes(NEXT + 1)
    said = shop.update()
    assert "missing" in said
    assert "waits" in said
    shop.comes(NEXT)
    shop.update()
    assert {n: d for n, d in shop.left().items() if n.startswith(("data/", "live/states"))} == {
        n: d for n, d in other.left().items() if n.startswith(("data/", "live/states"))
    }


def test_who_withdraws_is_in_no_state_no_forecast_and_no_panel_by_the_next_update(shop: Arriving) -> None:
    path = shop.root / "in-optins.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    states = held(shop, "live/states.parquet")
    who, sid = next(
        (line.split(b";")[0].decode(), s)
        for line in lines[1:]
        if (s := sid_of(shop, line.split(b";")[0].decode())) in states
    )
    path.write_bytes(
        b"".join(x.replace(b";ja;", b";nein;", 1) if x.startswith(f"{who};".encode()) else x for x in lines)
    )
    assert "changed" in shop.update()
    assert sid not in held(shop, "live/states.parquet")
    for forecast in (shop.root / "live" / "expected").glob("*.parquet"):
        assert sid not in held(shop, forecast.relative_to(shop.root).as_posix())
    assert sid not in held(shop, "data/features/panel.parquet") | held(shop, "data/holdout/panel.parquet")


def held(shop: Arriving, path: str) -> set[str]:
    """Whose frames a sealed file holds."""
    import pyarrow.parquet as pq

    return {sid.hex() for sid in pq.read_table(shop.root / path, columns=["sid"])["sid"].to_pylist()}


def sid_of(shop: Arriving, who: str) -> str | None:
    return open_project(shop.root).keys.known_sid(who)


def test_an_update_that_is_killed_at_random_moments_ends_in_the_same_bytes(shop: Arriving, tmp_path: Path) -> None:
    whole = shop.copy(tmp_path / "whole")
    started = time.monotonic()
    month = list(shop.all)[4]
    head, *rows = shop.all[month].splitlines(keepends=True)

    def arrive(to: Arriving) -> None:
        to.comes(NEXT)
        to.comes(5, b"".join([head, *rows[20:]]))

    arrive(whole)
    whole.update()
    took, moments = time.monotonic() - started, random.Random(20261128)  # noqa: S311 - moments to strike
    for number in range(KILLS):
        struck = shop.copy(tmp_path / f"struck{number}")
        struck.with_keys_of(whole)
        arrive(struck)
        for _ in range(2):
            kill(struck, moments.uniform(0.5, took))
            struck.do("twinops", "doctor", "--quiet")
        struck.update()
        assert different(struck, whole) == [], f"kill {number}"
        shutil.rmtree(struck.root.parent)


def different(one: Arriving, other: Arriving) -> list[str]:
    mine, theirs = one.left(), other.left()
    return sorted(n for n in {*mine, *theirs} if mine.get(n) != theirs.get(n))


def kill(shop: Arriving, after: float) -> None:
    process = shop.start("twinops", "update")
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_watching_takes_in_what_comes_and_stops_when_asked(shop: Arriving) -> None:
    before = (shop.root / "reports" / "updates.json").read_bytes()
    process = shop.start("twinops", "update", "--watch", "--every", "1")
    try:
        lock = shop.root / "live" / "update.lock"  # a file from an earlier update lies there
        until(lambda: lock.read_text().startswith(f"{process.pid} "))
        assert f"Another update (process {process.pid}) works in this folder." in shop.update(expect=5)
        month = shop.comes(NEXT)
        until(lambda: (shop.root / "reports" / "updates.json").read_bytes() != before, seconds=600)
        until(lambda: not (shop.root / "live" / "pending.json").is_file())
    finally:
        os.kill(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert said.rstrip().endswith("stopped")
    assert shop.entry()["arrivals"][0]["period"] == month


def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.3)
