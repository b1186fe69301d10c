"""Draft a justification of an attribute by which the fairness gate failed: what is known is filled in."""

from datetime import UTC, datetime, timedelta

import yaml

from twinops.entities.verdict import Outcome, Verdict
from twinops.errors import ParamsError
from twinops.governance.assessment import justification
from twinops.governance.assessment.justification import SIGNERS
from twinops.governance.gates import fairness as gate
from twinops.governance.people.offices import DATA_OWNER, DPO, RISK_OFFICER
from twinops.ports import Lineage
from twinops.workflows.candidate.judge import Day, JudgedCandidate, judge
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places

DAYS = 90


def justification_draft(places: Places, lineage: Lineage, *, attribute: str, today: Day = None) -> str:
    """What is known of a justification, as YAML; what only people can say is left empty.

    Raises:
        ParamsError: the attribute did not fail, or nobody may justify it.
    """
    judged = judge(places, lineage, today)
    limits, day = failed_limits(judged, attribute), today or datetime.now(UTC).date()
    names = {office: next((p.name for p in offices_of(places).holding(office)), None) for office in SIGNERS.values()}
    said = {
        "attribute": attribute,
        "candidate": judged.evidence.key,
        "evidence": str(_verdict(judged).evidence),
        **dict.fromkeys(("aim", "necessity", "advice"), ""),
        "alternatives": [
            {"evidence": i, "why_not": ""} for i in justification.less_unequal(judged.evidence, attribute)
        ],
        "data_owner": names[DATA_OWNER],
        "risk_officer": names[RISK_OFFICER],
        "dpo": names[DPO],
        "dated": day,
        "until": day + timedelta(days=min(DAYS, limits.justified_days)),
    }
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=110)


def _verdict(judged: JudgedCandidate) -> Verdict:
    listed = next((g.id for g in judged.rules.gates if g.gate == "fairness"), "")
    return next(v for v in judged.decision.verdicts if v.gate == listed)


def failed_limits(judged: JudgedCandidate, attribute: str) -> gate.Limits:
    """The limits of the gate, which this attribute failed and may be justified by."""
    limits: gate.Limits | None = next((g.checked_limits() for g in judged.rules.gates if g.gate == "fairness"), None)
    if limits is None or attribute not in limits.justifiable:
        raise ParamsError(
            f"The policy does not let {attribute} be justified.",
            hint="`justifiable` in compliance/policy.yaml; what Charter art. 21 names never is.",
        )
    if gate.failing(judged.evidence, limits).get(attribute) is not Outcome.FAILED:
        raise ParamsError(f"By {attribute} nothing failed, so there is nothing to justify.", hint="`twinops status`.")
    return limits
