"""Three shops that twinops has never seen, as their owners would hand them over.

`cdnow`: a real, sparse music shop (69,659 purchases of 23,570 customers, 1997-98; Fader and Hardie), from the source
package of `lifetimes` on the package index. `web`: a made-up web shop in EUR, two years, with returns and own
campaigns, redemptions, product groups, panel, CRM, opt-ins and social comments. `five`: five columns and nothing else.
Both are synthetic.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tarfile
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

LIFETIMES = "lifetimes==0.11.3"
LEVELS = ("18-24", "25-34", "35-49", "50-64", "65+")


def cdnow(folder: Path, *, every: int = 1) -> Path:
    """`sales.txt` as it is published, columns set apart by blanks; of every so many customers one."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--no-binary",
                ":all:",
                "-d",
                scratch,
                LIFETIMES,
            ],
            check=True,
        )
        with tarfile.open(next(Path(scratch).glob("*.tar.gz"))) as archive:
            member = next(m for m in archive.getmembers() if m.name.endswith("CDNOW_master.txt"))
            found = archive.extractfile(member)
            assert found is not None
            head, *lines = found.read().splitlines(keepends=True)
            (folder / "sales.txt").write_bytes(head + b"".join(n for n in lines if int(n.split()[0]) % every == 0))
    return folder


def web(folder: Path, *, customers: int = 2_500, seed: int = 5, days: int = 731, year: int = 2023) -> Path:
    """A web shop's exports: `;`, decimal comma, Windows-1252, German dates, returns, lines without a customer.

    It begins in March of `year`. Customers come until 231 days before the last; campaigns, comments and service cases
    end after two years.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    first = datetime(year, 3, 1)  # noqa: DTZ001  (the shop's own clock)
    goods = [(f"{p:05d}", f"{w} Größe {s}") for p, (w, s) in enumerate(_products())]
    prices = np.round(np.exp(dice.normal(2.6, 0.7, len(goods))), 2)
    rows: list[list[str]] = []
    invoice = 536_000
    joined = dice.integers(0, days - 231, customers)
    for c in range(customers):
        rate, life = dice.gamma(0.9, 0.03), dice.exponential(400)
        at = float(joined[c])
        end = min(days, joined[c] + life)
        liked = dice.choice(len(goods), 12, p=_taste(dice, len(goods)))
        while at < end:
            when = first + timedelta(days=int(at), minutes=int(dice.integers(7 * 60, 22 * 60)))
            if when >= first + timedelta(days=days):
                break
            invoice += 1
            basket = [(int(dice.choice(liked)), int(dice.integers(1, 5))) for _ in range(1 + dice.poisson(2.0))]
            for p, n in basket:
                rows.append([str(invoice), *goods[p], str(n), _minute(when), _comma(prices[p]), _customer(dice, c)])
            if dice.random() < 0.06:
                p, n = basket[0]
                back = when + timedelta(days=int(dice.integers(1, 20)))
                rows.append([f"C{invoice}", *goods[p], str(-n), _minute(back), _comma(prices[p]), f"{12_000 + c}"])
            at += dice.exponential(1 / max(rate, 1e-3))
    rows.sort(key=lambda r: datetime.strptime(r[4], "%d.%m.%Y %H:%M"))  # noqa: DTZ007
    head = ["Rechnung", "Artikelnr", "Bezeichnung", "Menge", "Rechnungsdatum", "Einzelpreis EUR", "Kundennr"]
    _write(folder / "sales.csv", head, rows)
    _web_customers(folder, dice, joined, first)
    _web_campaigns(folder, dice, customers, first)
    _web_texts(folder, dice, customers, first)
    _write(
        folder / "products.csv",
        ["Artikelnr", "Warengruppe", "Bezeichnung"],
        [[f"{p:05d}", _GROUPS[w], f"{w} Größe {s}"] for p, (w, s) in enumerate(_products())],
    )
    return folder


def five(folder: Path, *, members: int = 900, seed: int = 9) -> Path:
    """Five columns, fourteen months, whole units of money, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(seed)
    first = datetime(2024, 1, 1)  # noqa: DTZ001
    rows = []
    for m in range(members):
        rate = dice.gamma(1.2, 0.05)
        at = float(dice.integers(0, 120))
        while at < 425:
            day = first + timedelta(days=int(at))
            for _ in range(1 + dice.poisson(1)):
                item, pieces = int(dice.integers(1, 60)), int(dice.integers(1, 4))
                rows.append(
                    [f"M{m:04d}", day.strftime("%Y-%m-%d"), f"A{item}", str(pieces), str(pieces * (item * 3 + 20))]
                )
            at += dice.exponential(1 / max(rate, 2e-3))
    rows.sort(key=lambda r: r[1])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["member_no", "day", "item", "qty", "amount"], *rows])
    (folder / "sales.csv").write_text(text.getvalue(), encoding="utf-8")
    return folder


_GROUPS = {
    **dict.fromkeys(("Tasse", "Schale", "Dose"), "Geschirr"),
    "Schürze": "Textilien",
    "Kerze": "Weihnachtsdeko",
    "Öllampe": "Licht",
    "Tüte": "Papier",
    "Spiel": "Babyspielzeug",
}


def _products() -> list[tuple[str, int]]:
    return [
        (w, s) for w in ("Tasse", "Schürze", "Kerze", "Öllampe", "Dose", "Tüte", "Schale", "Spiel") for s in range(20)
    ]


def _taste(dice: np.random.Generator, n: int) -> np.ndarray:
    weights = dice.gamma(0.3, 1.0, n) + 1e-9
    return weights / weights.sum()


def _customer(dice: np.random.Generator, c: int) -> str:
    return "" if dice.random() < 0.04 else f"{12_000 + c}"


def _minute(when: datetime) -> str:
    return when.strftime("%d.%m.%Y %H:%M")


def _comma(amount: float) -> str:
    return f"{amount:.2f}".replace(".", ",")


def _write(path: Path, head: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([head, *rows])
    path.write_bytes(text.getvalue().encode("cp1252"))


def _web_customers(folder: Path, dice: np.random.Generator, joined: np.ndarray, first: datetime) -> None:
    names, towns = ("Jürgen", "Zoë", "André", "Maria", "Ömer", "Anna"), ("Köln", "Wien", "Liège", "Graz")
    crm, consents = [], []
    for c, start in enumerate(joined):
        since = first + timedelta(days=int(start))
        who = f"{12_000 + c}"
        mail = f"kunde{c}@example.org" if dice.random() < 0.8 else ""
        born = "" if dice.random() < 0.1 else str(int(dice.integers(1940, 2005)))
        gender = str(dice.choice(["w", "m", "d", ""], p=[0.5, 0.4, 0.02, 0.08]))
        crm.append(
            [
                who,
                str(dice.choice(names)),
                f"Muster{c}",
                mail,
                born,
                gender,
                str(dice.choice(towns)),
                since.strftime("%d.%m.%Y"),
            ]
        )
        yes = ["ja" if dice.random() < p else "nein" for p in (0.85, 0.6, 0.5)]
        consents.append([who, *yes, since.strftime("%d.%m.%Y")])
    _write(
        folder / "crm.csv",
        ["Kundennr", "Vorname", "Nachname", "E-Mail", "Geburtsjahr", "Geschlecht", "Ort", "Kunde seit"],
        crm,
    )
    _write(folder / "optins.csv", ["Kundennr", "Profilbildung", "Angebote", "Fairnesspruefung", "Datum"], consents)


def _web_campaigns(folder: Path, dice: np.random.Generator, customers: int, first: datetime) -> None:
    campaigns, sent, redeemed = [], [], []
    for k in range(16):
        start = first + timedelta(days=60 + 40 * k)
        kind = ("Newsletter", "Katalog", "Gutschein")[k % 3]
        campaigns.append(
            [f"K{k:02d}", kind, start.strftime("%d.%m.%Y"), (start + timedelta(days=28)).strftime("%d.%m.%Y")]
        )
        for c in dice.choice(customers, customers // 3, replace=False):
            sent.append([f"{12_000 + c}", f"K{k:02d}"])
            if dice.random() < 0.06:
                day = start + timedelta(days=int(dice.integers(0, 28)))
                redeemed.append([f"{12_000 + c}", f"K{k:02d}", day.strftime("%d.%m.%Y")])
    _write(folder / "campaigns.csv", ["Kampagne", "Art", "Beginn", "Ende"], campaigns)
    _write(folder / "campaign_customers.csv", ["Kundennr", "Kampagne"], sent)
    _write(folder / "redemptions.csv", ["Kundennr", "Kampagne", "Eingelöst am"], redeemed)


def _web_texts(folder: Path, dice: np.random.Generator, customers: int, first: datetime) -> None:
    said = (
        "I love the new cups, thank you!",
        "Delivery was late again, very annoying.",
        "Where is my parcel?",
        "Great service.",
    )
    comments, panel, cases = [], [], []
    for c in dice.choice(customers, customers // 5, replace=False):
        when = first + timedelta(days=int(dice.integers(0, 731)), minutes=int(dice.integers(0, 1440)))
        comments.append(
            [
                f"kunde{c}@example.org",
                when.strftime("%d.%m.%Y %H:%M"),
                str(dice.choice(said)),
                str(int(dice.poisson(1))),
            ]
        )
    for c in dice.choice(customers, customers // 10, replace=False):
        when = first + timedelta(days=int(dice.integers(0, 731)))
        cases.append([f"{12_000 + c}", when.strftime("%d.%m.%Y"), "Reklamation", str(dice.choice(said)), "erledigt"])
    for p in range(800):
        panel.append(
            [
                f"P{p}",
                str(dice.choice(LEVELS)),
                str(dice.choice(["w", "m"])),
                str(int(dice.integers(1, 8))),
                f"{dice.normal(0, 1):.2f}".replace(".", ","),
            ]
        )
    _write(folder / "comments.csv", ["Absender", "Zeit", "Text", "Likes"], comments)
    _write(folder / "service.csv", ["Kundennr", "Datum", "Thema", "Text", "Status"], cases)
    _write(folder / "panel.csv", ["Panelist", "Alter", "Geschlecht", "Käufe je 4 Wochen", "Preisbewusstsein"], panel)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for make in (cdnow, web, five):
        make(where / make.__name__)
