"""Refuse a twin that does not predict better than the plain baseline it was measured beside.

The gain is paired (both predict the same households on the same held-out days) and its interval is a bootstrap over
households, because rows of one household are alike (Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance.reading import Record

RULE = "GDPR art. 5(1)(c), necessity: data must add something; Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x"
QUESTION = "Does the twin predict better than its plain baseline, with more than luck?"
PICTURES = ("accuracy", "calibration")
_NAMES = ("active_", "spend_", "baskets_")
SPEAKS_TO = {"dpia.accuracy": _NAMES, "annex_iv.2g": _NAMES, "annex_iv.3": ("active_auc", "spend_mae")}


EACH = ("active_auc", "spend_mae")
"""Quantities that a policy judges, or says why not."""


class Limits(Record):
    """`gain` names the paired gain, above zero when the twin is better, in the unit of the measure."""

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
    gain = evidence.measure(limits.gain)
    if gain is None or gain.low is None or gain.high is None:
        return missing(
            f"No gain with its interval was measured under the name {limits.gain}.",
            "Run `dvc repro evaluate`.",
            limit=limits.more_than,
        )
    figures = about(gain, limit=limits.more_than)
    if gain.low > limits.more_than:
        return passed(_sentence(gain, evidence, f"all of it above {limits.more_than:g}"), **figures)
    if gain.high <= limits.more_than:
        return failed(
            _sentence(gain, evidence, f"none of it above {limits.more_than:g}"),
            "See notebooks/evaluate.py; change `train` in params.yaml or the features, never the limit.",
            **figures,
        )
    return inconclusive(
        _sentence(gain, evidence, f"which spans {limits.more_than:g}, so this may be luck"),
        "Collect further months (`months` in params.yaml) and `make run`; else a risk officer decides in writing.",
        **figures,
    )


def _sentence(gain: Measure, evidence: Evidence, judgement: str) -> str:
    quantity, baseline = gain.name.split(".gain_over_")
    pair = [evidence.measure(name) for name in (quantity, f"{quantity}.{baseline}")]
    beside = f" (twin {pair[0].value:.4g}, {baseline} {pair[1].value:.4g})" if pair[0] and pair[1] else ""
    return f"{quantity}: the gain over {baseline} is {gain}, {judgement}{beside}."
