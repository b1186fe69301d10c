"""Refuse a model from which it can be told whose data it was made of.

Judged is the attack that leaks most: online LiRA (Carlini et al. 2022, doi:10.1109/SP46214.2022.9833649), its true
positives at one false positive in a hundred, and the area under its curve. Every head that ships is attacked; one that
could not be is no head that does not leak.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.entities.wording import MANY
from twinops.governance.reading import Record

RULE = "GDPR art. 5(1)(f), recital 26; EDPB opinion 28/2024; Carlini et al. 2022, doi:10.1109/SP46214.2022.9833649"
QUESTION = "Can it be told from the model whose data it was made of?"
RATE = "membership_rate"
AUC = "membership_auc"
UNATTACKED = "membership_not_attacked"
RISKS = ("risk_inference", "incident_access")
SPEAKS_TO = {"dpia.risk_incident": (AUC,), "annex_iv.2g": ("membership_",)}


class Limits(Record):
    """`rate_at_most`: members found at 1 % false alarms; `auc_at_most`: how well members are told from strangers."""

    rate_at_most: Annotated[float, Field(ge=0.01, lt=1)]
    auc_at_most: Annotated[float, Field(ge=0.5, lt=1)]


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (RATE, AUC)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Judge the end that hurts: passed only when even the high ends of both stay within the limits."""
    rate, auc, skipped = evidence.measure(RATE), evidence.measure(AUC), evidence.fact(UNATTACKED)
    if skipped is not None and skipped.value:
        why = "; ".join(f"{head} ({said})" for head, said in sorted(skipped.value.items()))
        return missing(
            f"Heads that ship were not attacked: {why}.",
            f"Collect more {MANY}, or ship without these heads.",
            **about(skipped, limit=limits.rate_at_most),
        )
    if rate is None or rate.low is None or rate.high is None or auc is None or auc.low is None or auc.high is None:
        return missing(
            "No membership attack with its interval was measured.",
            "Run `dvc repro privacy`.",
            limit=limits.rate_at_most,
        )
    figures = about(rate, limit=limits.rate_at_most)
    heads = ", ".join(m.name.removeprefix(f"{RATE}.") for m in evidence.starting(f"{RATE}."))
    leaks = f", at its best over {heads}," if heads else ""
    sentence = (
        f"At one false alarm in a hundred the attack{leaks} finds {rate} of those trained on (by chance 0.01), "
        f"and, at its best, tells them from strangers with AUC {auc} (by chance 0.5)"
    )
    if rate.high <= limits.rate_at_most and auc.high <= limits.auc_at_most:
        return passed(f"{sentence}; limits {limits.rate_at_most:g} and {limits.auc_at_most:g}.", **figures)
    if rate.low > limits.rate_at_most or auc.low > limits.auc_at_most:
        return failed(
            f"{sentence}, beyond the limits {limits.rate_at_most:g} and {limits.auc_at_most:g}.",
            "Make the model simpler or penalise it more (train.activity_c), and see notebooks/privacy.py.",
            **figures,
        )
    return inconclusive(
        f"{sentence}, which spans the limits {limits.rate_at_most:g} and {limits.auc_at_most:g}.",
        "Raise privacy.models in params.yaml for a narrower interval, or penalise the model more.",
        **figures,
    )
