"""The tables of the notebook `twin`: what is held of one twin, what-ifs, segments."""

from collections.abc import Sequence

from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.segments.measures import Mean, Segment
from twinops.evaluation.statistics.rendering import table
from twinops.twin.answers.forecast import Forecast
from twinops.twin.answers.portrait import Portrait
from twinops.twin.answers.what_if import Simulated


def held_table(portrait: Portrait | None) -> str:
    """What each source holds, and what it may be used for; nothing where no twin is shown."""
    if portrait is None:
        return ""
    rows = [[h.source.replace("_", " "), f"about {h.records:,}" if h.records else "a few"] for h in portrait.held]
    allowed = [a.purpose.replace("_", " ") for a in portrait.permissions if a.allowed]
    return f"{table(['source', 'records'], rows)}\n\nAllowed today: {', '.join(allowed) or 'nothing'}."


def what_if_table(simulated: Sequence[Simulated]) -> str:
    """Without and with each action; or why it is not answered."""
    rows = []
    for s in simulated:
        told = s.action.campaign or f"{s.action.amount:,.0f}"
        if s.without is None or s.with_action is None:
            rows.append([f"{s.action.kind} {told}", "", "", " ".join(s.refused)])
            continue
        r = s.redemption
        redeemed = "" if r is None else f"{r.share:.0%} [{r.low:.0%}, {r.high:.0%}] redeem"
        rows.append([f"{s.action.kind} {told}", _spend(s.without), _spend(s.with_action), redeemed])
    if not simulated:
        return "Nothing was asked: no twin is shown."
    caveat = max((s.caveat for s in simulated), key=len)
    return f"{table(['action', 'without', 'with', ''], rows)}\n\n{caveat}"


def segments_table(segments: Sequence[Segment]) -> str:
    """About how many, and means with 95 % intervals; a suppressed segment keeps its name only."""
    rows = []
    for s in segments:
        if s.households is None:
            rows.append([", ".join(s.name), "suppressed", "", "", ""])
            continue
        change = s.what_if.difference if s.what_if else None
        rows.append([", ".join(s.name), f"{s.households:,}", _mean(s.active, 100), _mean(s.spend), _mean(change)])
    return table(["segment", f"{MANY}, about", "shop at all, %", f"spend, {MONEY}", f"change if, {MONEY}"], rows)


def _spend(d: Forecast) -> str:
    return f"{d.spend:,.0f} {MONEY} [{d.spend_range[0]:,.0f}, {d.spend_range[1]:,.0f}]"


def _mean(m: Mean | None, times: float = 1) -> str:
    return "not told" if m is None else f"{times * m.value:.3g} [{times * m.low:.3g}, {times * m.high:.3g}]"
