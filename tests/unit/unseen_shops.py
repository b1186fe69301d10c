"""Three shops that speak other languages: what they export is made up here, small, in their own notation."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles

FIRST = datetime.fromisoformat("2023-01-02T09:00")


@dataclass(frozen=True)
class Line:
    """One line of a receipt; `amount` in whole minor units of all pieces."""

    receipt: int
    at: datetime
    customer: int
    product: int
    pieces: int
    amount: int
    store: int


def receipts(days: int, customers: int, *, seed: int) -> Iterator[Line]:
    """Purchases of customers who come in rhythms of their own."""
    dice = random.Random(seed)  # noqa: S311
    pace = [dice.choice((6, 12, 25, 60)) for _ in range(customers)]
    receipt = 5_000
    for day in range(days):
        for who in range(customers):
            if dice.random() * pace[who] < 1:
                receipt += 1
                at = FIRST + timedelta(days=day, minutes=dice.randrange(600))
                for product in dice.sample(range(60), dice.randint(1, 4)):
                    pieces = dice.choice((1, 1, 1, 2))
                    yield Line(receipt, at, who, product, pieces, pieces * (product * 37 % 900 + 90), who % 3)


def write(path: Path, head: str, rows: list[str], *, encoding: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\r\n".join([head, *rows, ""]).encode(encoding))
    return path


def comma(minor: int, thousands: str = "") -> str:
    return f"{minor / 100:,.2f}".replace(",", "#").replace(".", ",").replace("#", thousands)


def ean(n: int) -> str:
    body = f"64{n:010d}"
    return body + str(-sum(int(d) * (1 if i % 2 == 0 else 3) for i, d in enumerate(body)) % 10)


def pharmacy(folder: Path, *, days: int = 200, customers: int = 120) -> ShopFiles:
    """A Finnish chain of pharmacies: `;`, decimal comma, `5.3.2023 klo 14.05`, a wide table of KYLLÄ and EI, UTF-8."""
    sold = [
        f"{x.receipt};{x.at.day}.{x.at.month}.{x.at.year} klo {x.at:%H.%M};FI{x.customer:06d};{ean(x.product)};"
        f"{x.pieces};{comma(x.amount, chr(160))} €;Apteekki {x.store}"
        for x in receipts(days, customers, seed=3)
    ]
    head = "Kuittinumero;Myyntiaika;Asiakasnumero;Viivakoodi;Määrä;Loppusumma;Toimipiste"
    dice = random.Random(4)  # noqa: S311
    people = [
        f"FI{n:06d};{dice.choice(('nainen', 'mies'))};{dice.randint(1940, 2003)};0{n % 9}100" for n in range(customers)
    ]
    asked = [
        f"FI{n:06d};{dice.choice(('KYLLÄ', 'EI'))};{dice.choice(('Kyllä', 'Ei', ''))};1.1.2023"
        for n in range(customers)
    ]
    goods = [f"{ean(n)};{('Särkylääke', 'Ihonhoito', 'Vitamiinit')[n % 3]};Tuote {n}" for n in range(60)]
    return ShopFiles(
        write(folder / "myynti.csv", head, sold, encoding="utf-8"),
        write(folder / "asiakkaat.csv", "Asiakasnumero;Sukupuoli;Syntymävuosi;Postinumero", people, encoding="utf-8"),
        write(folder / "luvat.csv", "Asiakasnumero;Profilointi;Markkinointilupa;Päivämäärä", asked, encoding="utf-8"),
        more=(str(write(folder / "tuotteet.csv", "Viivakoodi;Tuoteryhmä;Nimike", goods, encoding="utf-8")),),
    )


def supermarket(folder: Path, *, days: int = 200, customers: int = 120) -> ShopFiles:
    """A Brazilian supermarket: `;`, `R$ 1.234,56`, ids like a CPF, SIM and NÃO, Windows-1252."""
    dice = random.Random(5)  # noqa: S311
    cpf = [
        f"{dice.randrange(1000):03d}.{dice.randrange(1000):03d}.{n:03d}-{dice.randrange(100):02d}"
        for n in range(customers)
    ]
    sold = [
        f"{x.at:%d/%m/%Y %H:%M:%S};{x.receipt:09d};{cpf[x.customer]};{x.product + 100};Produto {x.product};{x.pieces};"
        f"R$ {comma(x.amount * 400, '.')}"
        for x in receipts(days, customers, seed=6)
    ]
    head = "Data da compra;Cupom fiscal;CPF do cliente;Código do produto;Descrição do produto;Quantidade;Valor total"
    people = [f"{c};{dice.choice('FM')};{dice.randint(1, 28):02d}/03/{dice.randint(1940, 2003)};São Paulo" for c in cpf]
    asked = [f"{c};{dice.choice(('SIM', 'NÃO'))};{dice.choice(('sim', 'não'))}" for c in cpf]
    return ShopFiles(
        write(folder / "vendas.csv", head, sold, encoding="cp1252"),
        write(folder / "clientes.csv", "CPF;Sexo;Data de nascimento;Cidade", people, encoding="cp1252"),
        write(folder / "consentimentos.csv", "CPF;Aceita personalização;Aceita promoções", asked, encoding="cp1252"),
    )


def bookshop(folder: Path, *, days: int = 200, customers: int = 120) -> ShopFiles:
    """A Japanese bookshop: a folder with a file a month, Shift-JIS, `2023年3月5日`, `1,234円`, はい and いいえ."""
    months: dict[str, list[str]] = {}
    for x in receipts(days, customers, seed=8):
        day = f"{x.at.year}年{x.at.month}月{x.at.day}日"
        row = f'{x.receipt},{day},M{x.customer:05d},B{x.product:04d},{x.pieces},"{x.amount:,}円"'
        months.setdefault(f"{x.at:%Y-%m}", []).append(row)
    for month, rows in months.items():
        write(
            folder / "売上" / f"売上_{month}.csv",
            "伝票番号,購入日,会員番号,商品コード,冊数,金額",
            rows,
            encoding="shift_jis",
        )
    dice = random.Random(9)  # noqa: S311
    people = [f"M{n:05d},{dice.choice(('男性', '女性'))},{dice.randint(1940, 2003)}年" for n in range(customers)]
    asked = [
        f"M{n:05d},{dice.choice(('はい', 'いいえ'))},{dice.choice(('はい', 'いいえ'))},2023年1月1日"
        for n in range(customers)
    ]
    goods = [f"B{n:04d},{('文学', '漫画', '宗教')[n % 3]},本{n}" for n in range(60)]
    return ShopFiles(
        folder / "売上",
        write(folder / "会員.csv", "会員番号,性別,生年", people, encoding="shift_jis"),
        write(folder / "同意.csv", "会員番号,プロファイリング,メルマガ,回答日", asked, encoding="shift_jis"),
        more=(str(write(folder / "商品.csv", "商品コード,ジャンル,書名", goods, encoding="shift_jis")),),
    )


@dataclass(frozen=True)
class Unseen:
    """A shop, the columns of its sales that must be found without a word, and how they are written."""

    make: Callable[..., ShopFiles]
    sales: dict[str, str]
    time: str
    money: dict[str, object]
    encoding: str
    sources: tuple[str, ...]
    said: Said = field(default_factory=lambda: Said(synthetic=True))


SHOPS = {
    "a Finnish chain of pharmacies": Unseen(
        pharmacy,
        {
            "basket_id": "Kuittinumero", "time": "Myyntiaika", "household_id": "Asiakasnumero",
            "product_id": "Viivakoodi", "quantity": "Määrä", "sales_value": "Loppusumma", "store_id": "Toimipiste",
        },
        "%d.%m.%Y klo %H.%M",
        {"currency": "EUR", "decimal": ","},
        "detect",
        ("sales", "customers", "optins", "products"),
    ),
    "a Brazilian supermarket": Unseen(
        supermarket,
        {
            "time": "Data da compra", "basket_id": "Cupom fiscal", "household_id": "CPF do cliente",
            "product_id": "Código do produto", "quantity": "Quantidade", "sales_value": "Valor total",
        },
        "%d/%m/%Y %H:%M:%S",
        {"currency": "BRL", "decimal": ",", "thousands": "."},
        "windows-1252",
        ("sales", "customers", "optins"),
    ),
    "a Japanese bookshop": Unseen(
        bookshop,
        {
            "basket_id": "伝票番号", "time": "購入日", "household_id": "会員番号", "product_id": "商品コード",
            "quantity": "冊数", "sales_value": "金額",
        },
        "%Y年%m月%d日",
        {"currency": "JPY", "thousands": ",", "minor_units": 0},
        "shift_jis",
        ("sales", "customers", "optins", "products"),
    ),
}  # fmt: skip
