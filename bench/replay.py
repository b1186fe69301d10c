"""The demonstration's year month by month by `twinops update`: freshness, a drift that is planted, ranges, fairness.

usage: python bench/replay.py           (the target `make replay`; REPLAY=small for few households and months)

The Complete Journey is cut into a file a month; a project of its own is made from the first months by `twinops init`,
and every further month is put into its folder and taken in by that one command. Consent is synthetic, too.
In a copy of the last month three in ten customers do not come: that must be found there, and nothing elsewhere.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from pyarrow.csv import write_csv

from twinops.data import journey
from twinops.demo.consent import ledger
from twinops.entities.consent import Purpose
from twinops.evaluation.canvas import BLUE, GREEN, GREY, ORANGE, canvas, panel_title, tell

OUT = Path(__file__).parent / "out" / "replay"
SMALL = os.environ.get("REPLAY") == "small"
HOUSEHOLDS, FIRST, LAST = (300, 8, 10) if SMALL else (1_200, 7, 12)
KEPT_SHARE = 0.7
"""Of the customers, so many stay in the planted month; the others do not come at all."""
YES = {True: "yes", False: "no"}
DAY0 = date(2017, 1, 1)


@dataclass(frozen=True)
class Took:
    """One command: what it found, and how many seconds of processor it and its children took."""

    month: str
    cpu: float
    found: dict[str, Any]


def month(number: int) -> str:
    return f"2017-{number:02}"


LINES = """
SELECT household_id AS customer, basket_id AS receipt, product_id AS article, store_id AS store, quantity,
  printf('%.2f', sales_value) AS amount, strftime(local, '%Y-%m-%d %H:%M:%S') AS time
FROM (
  SELECT *, transaction_timestamp AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS local
  FROM lines
  WHERE household_id IN (SELECT household_id FROM who) AND sales_value IS NOT NULL AND quantity IS NOT NULL
)
WHERE strftime(local, '%Y-%m') = ?
ORDER BY local, receipt, article, amount, quantity
"""
PEOPLE = "SELECT household_id AS customer, age, income FROM people SEMI JOIN who USING (household_id) ORDER BY 1"
WHO = "SELECT DISTINCT household_id FROM lines ORDER BY hash(household_id * 7919) LIMIT ?"


def cut(folder: Path, households: int = HOUSEHOLDS) -> list[int]:
    """Write a file a month, customers, and who they are."""
    folder.mkdir(parents=True)
    db = duckdb.connect()
    for name, table in (("lines", "transactions"), ("people", "demographics")):
        db.read_parquet(str(journey.shipped() / f"{table}.parquet")).create_view(name)
    db.register("who", db.sql(WHO, params=[households]).to_arrow_table())
    for number in range(1, LAST + 1):
        write_csv(db.sql(LINES, params=[month(number)]).to_arrow_table(), folder / f"sales-{month(number)}.csv")
    write_csv(db.sql(PEOPLE).to_arrow_table(), folder.parent / "customers.csv")
    return sorted(row[0] for row in db.execute("SELECT household_id FROM who").fetchall())


def consents(path: Path, who: list[int], *, until: int) -> None:
    """Who allows what as of a day, by a synthetic ledger; somebody new is asked, somebody withdraws, month by month."""
    events = ledger(who, seed=20170101, excluded_share=0.15).to_pylist()
    stands: dict[tuple[int, str], bool] = {}
    for event in events:
        if event["day"] < until:
            stands[event["household_id"], event["purpose"]] = event["event"] == "granted"
    columns = {"profiling": Purpose.TRAINING, "offers": Purpose.OFFERS, "fairness": Purpose.BIAS_ASSESSMENT}
    lines = ["customer,profiling,offers,fairness,date"]
    lines += [
        ",".join([str(h), *(YES[stands.get((h, str(p)), False)] for p in columns.values()), "2016-12-01"]) for h in who
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def thinned(path: Path) -> None:
    """The plant: some customers do not come at all in this month."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    who = sorted({line.partition(",")[0] for line in lines})
    kept = set(np.random.default_rng(5).permutation(who)[: round(KEPT_SHARE * len(who))].tolist())
    rows = [line for line in lines if line.partition(",")[0] in kept]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def run(project: Path, *command: str) -> tuple[str, float]:
    """Run a command of this environment; its answer, and seconds of processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    env.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=project, env=env, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def update(project: Path, name: str) -> Took:
    told, cpu = run(project, "twinops", "update", "--json")
    run(project, "git", "add", "-A")
    run(project, "git", "-c", "user.name=replay", "-c", "user.email=replay@example.org", "commit", "-qm", name)
    print(f"{name}: {cpu:.0f} CPU s", flush=True)
    return Took(name, cpu, json.loads(told))


def replay() -> tuple[list[Took], Took]:
    """All months in order, and the last one once more with the plant."""
    shutil.rmtree(OUT, ignore_errors=True)
    who = cut(OUT / "all")
    arriving = OUT / "in"
    arriving.mkdir()
    for number in range(1, FIRST + 1):
        shutil.copy(OUT / "all" / f"sales-{month(number)}.csv", arriving)
    consents(OUT / "optins.csv", who, until=(date(2017, FIRST + 1, 1) - DAY0).days)
    project = OUT / "project"
    run(OUT, "twinops", "init", str(project), "--from", str(arriving), "--customers", str(OUT / "customers.csv"),
        "--opt-ins", str(OUT / "optins.csv"), "--currency", "USD", "--zone", "America/New_York", "--controller",
        "Demo Grocer (synthetic controller)", "--basis", "consent", "--synthetic", "--yes")  # fmt: skip
    took = [update(project, month(FIRST))]
    for number in range(FIRST + 1, LAST + 1):
        ends = (date(2017, number, 28) + timedelta(days=4)).replace(day=1)
        consents(OUT / "optins.csv", who, until=(ends - DAY0).days)
        name = f"sales-{month(number)}.csv"
        if number == LAST:
            shutil.copytree(project, OUT / "planted", symlinks=True)
        shutil.copy(OUT / "all" / name, arriving / name)
        took.append(update(project, month(number)))
    thinned(arriving / f"sales-{month(LAST)}.csv")
    return took, update(OUT / "planted", f"{month(LAST)} with the plant")


def broken(took: Took) -> list[str]:
    return [j["name"] for j in took.found["judged"] if j["answer"] == "failed"]


def measure(took: Took, name: str) -> dict[str, Any] | None:
    scored = took.found["scored"]
    return next((m for m in scored[-1]["measures"] if m["name"] == name), None) if scored else None


def picture(took: list[Took], planted: Took) -> Path:
    """Six panels on one page."""
    rounds = [*took[1:], planted]
    names = [t.month.replace(" with the plant", "\nplanted") for t in rounds]
    figure, axes = canvas(rows=3, columns=2, size=(12, 11))
    shown = (
        ("What fresh states add to states a month old (area under the curve)", 0.0,
         {"foretold_active_auc.gain_of_fresh_states": ("area", BLUE)}),
        ("Error of spend that fresh states save", 0.0, {"foretold_spend_mae.gain_of_fresh_states": ("USD", BLUE)}),
        ("What came over what was foretold", 1.0,
         {"foretold_active_ratio": ("came", BLUE), "foretold_baskets_ratio": ("baskets", GREEN),
          "foretold_spend_ratio": ("spend", ORANGE)}),
        ("Outcomes inside their 80 % range", 0.8,
         {"foretold_coverage_80.baskets": ("baskets", GREEN), "foretold_coverage_80.spend": ("spend", ORANGE)}),
        ("Reach of the worst judged group, lower over higher rate", 0.8, {"foretold_fairness_ratio": ("ratio", BLUE)}),
    )  # fmt: skip
    for ax, (title, line, of) in zip(axes.flat, shown, strict=False):
        panel_title(ax, title)
        ax.axhline(line, color=GREY, linestyle="--", linewidth=0.9)
        for shift, (name, (label, colour)) in enumerate(of.items()):
            for at, one in enumerate(rounds):
                if (m := measure(one, name)) is not None:
                    place = at + 0.14 * (shift - (len(of) - 1) / 2)
                    ax.plot([place, place], [m["low"], m["high"]], color=colour, linewidth=2)
                    ax.plot([place], [m["value"]], "o", color=colour, markersize=5, label=None if at else label)
        ax.set_xticks(range(len(rounds)), names, fontsize=8)
        ax.set_xlim(-0.5, len(rounds) - 0.5)
        if len(of) > 1:
            ax.legend(fontsize=8, frameon=False)
    ax = axes.flat[5]
    panel_title(ax, f"Processor seconds of an update; the first build of {FIRST} months: {took[0].cpu:.0f}")
    ax.bar(range(len(rounds)), [t.cpu for t in rounds], color=BLUE)
    ax.set_xticks(range(len(rounds)), names, fontsize=8)
    n = took[-1].found["foretold"]
    tell(figure, finding="The year month by month", rests_on=f"The Complete Journey, {HOUSEHOLDS:,} households; "
         f"{n:,} may be scored by a synthetic consent; 95 % intervals of drawn households.")  # fmt: skip
    path = OUT / "replay.png"
    figure.savefig(path, metadata={"Software": None})
    return path


def page(took: list[Took], planted: Took) -> Path:
    """One page with the picture and a table."""
    rows = [
        f"<tr><td>{escape(t.month)}</td><td>{escape(', '.join(broken(t)) or 'nothing')}</td><td>{t.cpu:.0f}</td>"
        f"<td>{t.found['states']['subjects']:,}, {t.found['states']['proved']} proved</td></tr>"
        for t in [*took, planted]
    ]
    data = base64.b64encode(picture(took, planted).read_bytes()).decode()
    path = OUT / "index.html"
    path.write_text(
        "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>The year month by month</title>"
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:1.5rem auto;padding:0 1rem}"
        "img{max-width:100%}table{border-collapse:collapse}"
        "td,th{border:1px solid #d0d5dd;padding:.3rem .6rem;text-align:left}"
        "</style><h1>The year month by month, by <code>twinops update</code></h1>"
        f"<p>Begun with {FIRST} months; each further month came as a file. In a copy of the last month "
        f"{1 - KEPT_SHARE:.0%} of the customers do not come: that is the plant.</p>"
        "<table><thead><tr><th>month</th><th>limits that broke</th><th>CPU s</th><th>states</th></tr></thead><tbody>"
        f"{''.join(rows)}</tbody></table><p><img alt='Six panels, month by month' "
        f"src='data:image/png;base64,{data}'></p></html>\n",
        encoding="utf-8",
    )
    return path


def main() -> None:
    took, planted = replay()
    path = page(took, planted)
    elsewhere = {t.month: broken(t) for t in took if broken(t)}
    share = took[0].cpu / FIRST
    told = {
        "found_in_the_planted_month": broken(planted),
        "found_elsewhere": elsewhere,
        "cpu_of_the_first_build": round(took[0].cpu, 1),
        "cpu_of_each_update": {t.month: round(t.cpu, 1) for t in [*took[1:], planted]},
        "update_over_a_months_share": round(took[-1].cpu / share, 2),
        "gain_of_fresh_states": {t.month: measure(t, "foretold_active_auc.gain_of_fresh_states") for t in took[1:]},
        "page": str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name,
    }
    (OUT / "replay.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in told.items() if k != "gain_of_fresh_states"}, indent=1))
    sys.exit(0 if broken(planted) and not elsewhere else 1)


if __name__ == "__main__":
    main()
