"""The page that shows each head of the twin beside its rivals, shop by shop."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
HEADS = {
    "activity": "who comes back: log loss",
    "activity_brier": "who comes back: Brier score",
    "baskets": "baskets: Poisson deviance",
    "spend_mean": "mean of spend: Tweedie deviance",
    "spend_median": "median of spend: mean absolute error",
    "baskets_range": "range of baskets: interval score",
    "spend_range": "range of spend: interval score",
}
RIVALS = {"rfm": "RFM", "bgnbd": "BG/NBD + GG", "lightgbm": "LightGBM", "naive": "last period", "zero": "always zero"}
SHOPS = {
    "demo": "The demonstration's panel: groceries, a horizon of 28 days",
    "cdnow": "`cdnow`: a real, sparse music shop of 1997, a horizon of 56 days",
    "web": "`web`: a made-up web shop with returns, a horizon of 56 days",
    "five": "`five`: a made-up shop of five columns, a horizon of 28 days",
}


def page(rows: list[Row]) -> str:
    """Markdown: a table a shop."""
    parts = [_head(rows)]
    for shop, title in SHOPS.items():
        own = [r for r in rows if str(r["name"]).split(".")[1] == shop]
        if own:
            parts.append(f"## {title}\n\n{_said(own)}\n\n{_table(own)}")
    return "\n\n".join(parts) + "\n"


def _head(rows: list[Row]) -> str:
    worse = [f"{r['name']} (by {', '.join(RIVALS[m] for m in r['worse_than'])})" for r in rows if r["worse_than"]]
    found = f"worse is shown in {'; '.join(worse)}" if worse else "it is shown worse in none"
    return (
        "# Each head of the twin beside its rivals\n\n"
        "`make bench PART=heads` writes this page. On each shop the heads are chosen on earlier as-of days by the\n"
        "rule of [decision 19](adr/0019-heads-chosen-one-by-one.md), then measured on four later ones whose horizons\n"
        "do not overlap. Losses: lower is better. Gains are over the best rival of that line, positive where the twin\n"
        "is better; 95 % intervals are paired, of whole customers drawn and of how days differ. Bold: without zero.\n"
        "Rivals get medians and 80 % ranges by the twin's own rule (`twin/model/outcomes.py`), calibrated on the last\n"
        "closed window as its own are; always zero gets the range [0, 0].\n\n"
        f"Of {len(rows)} comparisons of the twin with all five rivals {found}."
    )


def _said(rows: list[Row]) -> str:
    said = [
        f"{HEADS[_head_of(r)].split(':')[0]}: {str(r['families']).replace('+', ' and ')}" for r in rows if r["families"]
    ]
    return f"{rows[0]['n']:,} customers. Chosen: {'; '.join(dict.fromkeys(said))}."


def _table(rows: list[Row]) -> str:
    head = ["head and loss", "twin", *RIVALS.values(), "gain over the best"]
    lines = [head, ["---"] * len(head), *(_line(r) for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(r: Row) -> list[str]:
    rivals = r["rivals"]
    gain, low, high = (float(str(r[k])) for k in ("gain", "low", "high"))
    told = f"{gain:+.3g} [{low:+.3g}, {high:+.3g}]"
    told = f"**{told}**" if low > 0 or high < 0 else told
    cells = [f"{rivals[m]:,.4g}" if m in rivals else "not defined" for m in RIVALS]
    return [HEADS[_head_of(r)], f"{r['value']:,.4g}", *cells, f"{told} ({RIVALS[str(r['peer'])]})"]


def _head_of(r: Row) -> str:
    return str(r["name"]).split(".")[2]
