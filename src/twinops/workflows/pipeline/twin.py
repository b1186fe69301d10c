"""Measure where the data can answer, how newcomers fare, whether streaming equals batch; and tell of one twin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.entities.consent import Purpose
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.wording import MANY, ONE, Wording
from twinops.evaluation.canvas import save
from twinops.evaluation.scorecard.newcomers import newcomer_measures, tell_newcomers
from twinops.evaluation.scorecard.newcomers_picture import newcomers_picture
from twinops.evaluation.segments.picture import segments_picture
from twinops.evaluation.segments.portrait_picture import portrait_picture
from twinops.params import TrainParams
from twinops.twin.answers.portrait import Occasion, Portrait
from twinops.twin.answers.portrait_text import portrait_text
from twinops.twin.answers.what_if import Action, Simulated
from twinops.twin.state.examples import Examples, open_examples
from twinops.twin.support import support
from twinops.twin.support.newcomers import newcomers
from twinops.whole_files import write
from twinops.workflows.kept_penalties import kept_penalties
from twinops.workflows.places import Places
from twinops.workflows.twin.open import Opened, Opener, shipped_model
from twinops.workflows.twin.segments import Segmented, segments
from twinops.workflows.twin.show import portrait_of
from twinops.workflows.twin.simulate import guarded, told
from twinops.workflows.twin_events import EventTables, stream_gap

NAME = "twin 1"
LONG_KNOWN = 180
"""Days since the first basket of a twin that is shown."""

TOO_FEW = f"No ten {MANY} are alike enough to show one of them."
ASKED = ("silence:14", "basket:40")
WHAT_IF = "silence:14"


@dataclass(frozen=True)
class Story:
    """What the notebook may show: one banded portrait, what-ifs, segments, and aggregates."""

    portrait: Portrait | None
    like: int
    """So many households share the portrait's banded habits; fewer than ten: no portrait is shown."""
    simulated: tuple[Simulated, ...]
    segments: Segmented
    findings: Findings
    wording: Wording

    @property
    def words(self) -> str:
        """The portrait in words, or why there is none."""
        return self.wording.told(TOO_FEW) if self.portrait is None else portrait_text(self.portrait, self.wording)

    @property
    def conclusion(self) -> str:
        """What was found, in words."""
        found = {m.name: m for m in self.findings.measures}
        lines = [
            f"Taking in baskets one by one gives the batch's state: over {found['stream_batch_gap'].n:,} "
            f"{ONE}-days no decayed sum is further off than {found['stream_batch_gap'].value:.2g} baskets for each "
            "basket in it, which is the batch's own rounding, and every other sum is the same."
        ]
        if self.portrait is not None:
            lines.append(f"{self.like} {MANY} share the banded habits of the twin that is shown.")
        covered = [
            m
            for m in self.findings.measures
            if m.name.startswith("newcomer_coverage_80.") and not m.name.endswith(".established")
        ]
        if covered:
            low, high = min(m.value for m in covered), max(m.value for m in covered)
            widths = {m.name.rsplit(".", 1)[1]: m for m in self.findings.measures if "relative_width" in m.name}
            told = f"80 % ranges of newcomers held in {low:.0%} to {high:.0%} of cases"
            if {"0_days", "established"} <= widths.keys():
                first, last = widths["0_days"].value, widths["established"].value
                told += (
                    f", and they are honest about how little is known: {first:.1f} times what is expected before the "
                    f"first basket, {last:.1f} times for established {MANY}"
                )
            lines.append(f"{told}.")
        return "\n\n".join(lines)


def twin(opener: Opener, penalties: TrainParams) -> Story:
    """Write `models/support.json`, `reports/measures/living.json` and three pictures.

    Raises:
        DataError: nothing was trained yet, or too few households to tell.
    """
    places, receipts, plane = opener.places, opener.receipts, opener.receipts.plane
    model, end = shipped_model(places), receipts.known_until
    everyone = open_examples(plane.engine, plane.keys, panel=places.panel, labels=places.labels)
    closed, tables = everyone.all_closed(), EventTables(receipts)
    diary, contacts = tables.diaries(everyone), tables.contacts(everyone)
    found = support.fit_support(closed, model, diary, contacts, known_until=end)
    write(places.support, support.to_text(found))
    oldest = min((b[0].day for b in diary.values() if b), default=0)
    who = newcomers(diary, known_until=end, oldest=oldest, quiet=model.horizon_days)
    enough = found is not None and found.newcomers is not None
    new = tell_newcomers(closed, who, opener.grid, kept_penalties(places, penalties)) if enough else ()
    findings = Findings((*stream_gap(everyone, diary, model), *newcomer_measures(new)), (_support_fact(found),))
    wording = opener.words.wording
    places.keep("living", findings, wording)
    cut = segments(what_if=WHAT_IF, receipts=receipts, words=opener.words)
    shown = show_one(everyone, opener, (*ASKED, *(f"campaign:{name}" for name in contacts.types[:1])))
    save(newcomers_picture(findings), places.figure("newcomers"), wording)
    drawn = segments_picture(cut.segments, what="14 days of silence", horizon_days=model.horizon_days)
    save(drawn, places.figure("segments"), wording)
    save(portrait_picture(shown.portrait, shown.simulated), places.figure("portrait"), wording)
    return Story(shown.portrait, shown.like, wording.told(shown.simulated), cut, findings, wording)


def _support_fact(found: support.Support | None) -> Fact:
    """Where what-ifs are answered: aggregates of ten households or more; None: nowhere, there are too few."""
    value = found and {
        "basket_value": [found.basket_value.low, found.basket_value.high],
        "tiers": {
            t.name: {
                "upto_expected_baskets": t.upto_baskets,
                "households": t.spread.households,
                "recency_days": t.seen["recency_days"].high,
                "campaigns": {k: {"contacts": r.contacts, "redeemed": r.redeemed} for k, r in t.campaigns.items()},
            }
            for t in found.tiers
        },
        "newcomers": found.newcomers and found.newcomers.spread.households,
    }
    return Fact("simulation_support", value, Kind.MEASURED, f"closed {ONE}-days of consenting {MANY}")


@dataclass(frozen=True)
class ShownTwin:
    """A banded portrait, so many households that share its habits, and its banded what-ifs."""

    portrait: Portrait | None
    like: int
    simulated: tuple[Simulated, ...] = ()


def show_one(everyone: Examples, opener: Opener, asked: Sequence[str] = ASKED) -> ShownTwin:
    """One well-covered twin whose banded habits many share; no portrait where none is shared by ten."""
    sid, like = ordinary(everyone)
    if sid is None:
        return ShownTwin(None, like)
    opened = opener.open(sid)
    occasion = Occasion(NAME, Purpose.SCORING.value, opener.receipts.as_of, opener.receipts.days)
    portrait = portrait_of(opened, opener.receipts, occasion).banded()
    return ShownTwin(portrait, like, tuple(_what_if(opened, Action.parse(a), opener.places) for a in asked))


def _what_if(opened: Opened, action: Action, places: Places) -> Simulated:
    """The banded answer, if consumer and policy allow the question."""
    purpose = Purpose.OFFERS if action.kind == "campaign" else Purpose.SCORING
    against = guarded(opened.consumer, action, purpose.value, places)
    return Simulated.refusal(action, *against) if against else told(opened, action, places).banded()


def ordinary(everyone: Examples) -> tuple[str | None, int]:
    """The first by its random id of the established twins whose banded habits most share, and how many do.

    None where no ten of them are alike.
    """
    newest = everyone.where(everyone.cutoff == everyone.cutoff.max())
    flags = [newest.table[f].to_numpy(zero_copy_only=False) for f in ("may_score", "may_offer")]
    old = newest.table["tenure_days"].to_numpy() > LONG_KNOWN
    table = newest.table.filter(pa.array(flags[0] & flags[1] & old))
    keys = _bands(table)
    groups: dict[Sequence[int], list[str]] = {}
    for sid, key in zip(table["sid"].to_pylist(), keys, strict=True):
        groups.setdefault(key, []).append(sid)
    best = max(groups.values(), key=len, default=[])
    return (sorted(best)[0] if len(best) >= SMALLEST_CELL else None), len(best)


def _bands(table: pa.Table) -> list[tuple[int, ...]]:
    """Baskets to the nearest ten, USD a basket to the nearest ten, weeks since the last.

    Only of those with sixty baskets or more, the last of them within a week: there is something to tell.
    """
    total = table["baskets_total"].to_numpy()
    usd = table["cents_total"].to_numpy() / 100 / total
    weeks = table["recency_days"].to_numpy() // 7
    bands = np.column_stack([np.rint(total / 10), np.rint(usd / 10), weeks]).astype(int)
    others = (total < 60) | (weeks != 0)
    bands[others] = -1 - np.arange(others.sum())[:, None]
    return [tuple(b) for b in bands.tolist()]
