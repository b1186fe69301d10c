"""Refuse a twin that does not predict better than the best of the plain baselines it was measured beside.

The gain is paired (both predict the same households on the same held-out days) and its interval is a bootstrap over
households, because rows of one household are alike (Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x), with how
the days differ. To be better than all, it must be shown better than each, and no number of them makes that easier
(Berger, Technometrics 24, 1982), so the hardest to beat is judged, whichever the policy names: the one over which the
gain is smallest. Where another one decides, because less is known of it, the sentence says so.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from twinops.entities.baselines import CHALLENGER, GAIN, best_baseline, plain_gains
from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance.reading import Record

RULE = "GDPR art. 5(1)(c), necessity: data must add something; Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x"
QUESTION = "Does the twin predict better than the best of its plain baselines, with more than luck?"
PICTURES = ("accuracy", "calibration")
_NAMES = ("active_", "spend_", "baskets_")
SPEAKS_TO = {"dpia.accuracy": _NAMES, "annex_iv.2g": _NAMES, "annex_iv.3": ("active_auc", "spend_mae")}


EACH = ("active_auc", "spend_mae")
"""Quantities that a policy judges, or says why not."""


class Limits(Record):
    """`gain` names a paired gain that must be there, above zero when the twin is better, in the unit of the measure.

    Over whichever baseline: none that was measured beside it is passed over.
    """

    gain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.gain_over_[a-z0-9_]+$")]
    more_than: Annotated[float, Field(ge=0)] = 0.0


def covers(limits: Limits) -> str:
    """Which of the quantities these limits are about."""
    return limits.gain.split(".")[0]


def needs(limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (limits.gain,)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Whole interval above the limit: passed; at or below it: failed; across it: the data cannot tell."""
    named, quantity = evidence.measure(limits.gain), covers(limits)
    gains = [*plain_gains(quantity, evidence.measures).values(), *([named] if named else [])]
    known = [(g.low, g.high, g) for g in gains if g.low is not None and g.high is not None]
    if named is None or len(known) < len(gains):
        return missing(
            f"No gain with its interval was measured under the name {limits.gain}, or beside it.",
            "Run `dvc repro evaluate`.",
            limit=limits.more_than,
        )
    lost = [one for one in known if one[1] <= limits.more_than]
    unsure = [one for one in known if one[0] <= limits.more_than]
    if lost:
        gain = _deciding(lost, known, end=1)
        return failed(
            _sentence(gain, evidence, f"none of it above {limits.more_than:g}"),
            "See notebooks/evaluate.py; change `train` in params.yaml or the features, never the limit.",
            **about(gain, limit=limits.more_than),
        )
    if unsure:
        gain = _deciding(unsure, known, end=0)
        return inconclusive(
            _sentence(gain, evidence, f"which spans {limits.more_than:g}, so this may be luck"),
            "Collect further months (`months` in params.yaml) and `make run`; else a risk officer decides in writing.",
            **about(gain, limit=limits.more_than),
        )
    gain = _deciding(known, known, end=0)
    judgement = f"all of it above {limits.more_than:g}"
    return passed(_sentence(gain, evidence, judgement), **about(gain, limit=limits.more_than))


Known = tuple[float, float, Measure]
"""Low and high end of a gain, and the gain."""


def _deciding(among: list[Known], of: list[Known], *, end: int) -> Measure:
    """The gain over the hardest to beat where it is among these; else the one whose end is farthest off."""
    hardest = min(of, key=lambda one: one[2].value)
    return (hardest if hardest in among else min(among, key=lambda one: (one[0], one[1])[end]))[2]


def _sentence(gain: Measure, evidence: Evidence, judgement: str) -> str:
    quantity, baseline = gain.name.split(GAIN)
    plain = plain_gains(quantity, evidence.measures)
    hardest = best_baseline(quantity, evidence.measures)
    pair = [evidence.measure(name) for name in (quantity, f"{quantity}.{baseline}")]
    beside = f" (twin {pair[0].value:.4g}, {baseline} {pair[1].value:.4g})" if pair[0] and pair[1] else ""
    trees = evidence.measure(f"{quantity}{GAIN}{CHALLENGER}")
    told = f" Beside the challenger {CHALLENGER}, which decides nothing: {trees}." if trees else ""
    among = ""
    if len(plain) > 1 and hardest is not None:
        among = f", the hardest to beat of {len(plain)} plain baselines,"
        if plain[hardest].value < gain.value:
            among = f", the least sure of {len(plain)} plain baselines ({hardest} is the hardest to beat),"
    return f"{quantity}: the gain over {baseline}{among} is {gain}, {judgement}{beside}.{told}"
