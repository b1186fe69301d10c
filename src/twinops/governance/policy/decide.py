"""Judge Evidence by a policy. Pure: the same evidence and policy give the same decision, on any machine and day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Literal

from twinops import plugins
from twinops.entities.evidence import JUDGED_ON, Evidence
from twinops.entities.verdict import Outcome, Verdict, failed, missing, passed
from twinops.governance.gates._shelf import SHELF
from twinops.governance.open_fields import is_said
from twinops.governance.policy.limits import Gate, Policy
from twinops.governance.policy.resolution import JudgedRuling, judged_rulings

POLICY = "policy"
"""The last verdict: whether the policy itself is in force on the day of judging."""
LATER = "It is looked up when somebody asks: `twinops status`, or `twinops decide --on DATE`."
_RULE = "compliance/policy.yaml, valid_from and valid_until"


@dataclass(frozen=True)
class Decision:
    """Every gate's verdict in the order of the policy, then the policy's own, and what follows from them.

    `blocking` names the gates that stand in the way, `advisory` those that did not pass and do not block. `rulings`
    holds what people wrote about gates that did not pass: each is shown with the verdict, whether it counts or not.
    """

    decision: Literal["promotable", "refused"]
    verdicts: tuple[Verdict, ...]
    blocking: tuple[str, ...]
    advisory: tuple[str, ...]
    policy_version: str
    policy_digest: str
    evidence_digest: str
    rulings: tuple[JudgedRuling, ...] = ()

    @property
    def not_applicable(self) -> tuple[str, ...]:
        """Gates that have nothing to judge here."""
        return tuple(v.gate for v in self.verdicts if v.outcome is Outcome.NOT_APPLICABLE)

    @property
    def promotable(self) -> bool:
        """Nothing in the policy stands in the way. A human still decides whether to promote."""
        return self.decision == "promotable"

    def about(self, gate: str) -> tuple[JudgedRuling, ...]:
        """What people wrote about a gate."""
        return tuple(r for r in self.rulings if r.gate == gate)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; verdicts in the shape of `twinops status --json`, rulings under `settled` as files have it."""
        told = {name: value for name, value in asdict(self).items() if name != "rulings"}
        verdicts, written = [v.to_dict() for v in self.verdicts], [r.to_dict() for r in self.rulings]
        return {**told, "verdicts": verdicts, "settled": written}


def decide(policy: Policy, evidence: Evidence) -> Decision:
    """Ask every gate of the policy, never the first only; anything but *passed* on a blocking gate refuses.

    Of what is not applicable the policy says, gate by gate, whether it refuses too.

    An inconclusive answer blocks like a failed one, unless somebody whom the policy names resolved it in writing,
    signed and for a time. What is missing cannot be resolved.
    """
    verdicts = (*(_ask(gate, evidence) for gate in policy.gates), _in_force(policy, evidence))
    written = judged_rulings(policy, evidence, verdicts)
    free = {r.gate for r in written if r.counts} | {gate.id for gate in policy.gates if not gate.blocks}
    absent = {v.gate for v in verdicts if v.outcome is Outcome.NOT_APPLICABLE}
    free |= {gate.id for gate in policy.gates if gate.lets_absent_pass and gate.id in absent}
    not_passed = tuple(v.gate for v in verdicts if v.outcome is not Outcome.PASSED)
    blocking = tuple(gate for gate in not_passed if gate not in free)
    return Decision(
        decision="refused" if blocking else "promotable",
        verdicts=verdicts,
        blocking=blocking,
        advisory=tuple(g.id for g in policy.gates if g.id in not_passed and not g.blocks),
        policy_version=policy.version,
        policy_digest=policy.digest,
        evidence_digest=evidence.digest,
        rulings=written,
    )


def _ask(gate: Gate, evidence: Evidence) -> Verdict:
    module = plugins.load(SHELF, gate.gate)
    asked = _asked if plugins.is_idea(module) else _asked_shipped
    verdict = asked(module, gate, evidence)
    return evidence.wording.told(verdict.stamped(gate=gate.id, rule=module.RULE))


def _asked_shipped(module: ModuleType, gate: Gate, evidence: Evidence) -> Verdict:
    verdict: Verdict = module.check(evidence, gate.checked_limits())
    return verdict


def _asked(module: ModuleType, gate: Gate, evidence: Evidence) -> Verdict:
    """A gate of the project's own: whatever it stumbles over, it has not said yes."""
    try:
        verdict = _asked_shipped(module, gate, evidence)
    except Exception as problem:
        why = f"The project's own gate {gate.gate} could not judge: {type(problem).__name__}."
        return missing(why, f"Mend ideas/gates/{gate.gate}.py; `twinops ideas check {gate.gate}` tries it.")
    if not isinstance(verdict, Verdict):
        return missing(f"The project's own gate {gate.gate} gave no verdict.", f"Mend ideas/gates/{gate.gate}.py.")
    return verdict


def _in_force(policy: Policy, evidence: Evidence) -> Verdict:
    today, fact = evidence.judged_on, evidence.fact(JUDGED_ON)
    named = f"Policy {policy.version}" if is_said(policy.version) else "The policy, which nobody has named yet,"
    until = f"until {policy.valid_until}" if policy.valid_until else "without an end"
    if today is None or fact is None:
        verdict = missing("The day of judging is not in this evidence.", LATER)
    elif policy.valid_on(today):
        verdict = passed(f"{named} is in force on {today}: from {policy.valid_from} {until}.", evidence=fact.id)
    else:
        verdict = failed(
            f"{named} is not in force on {today}: it holds from {policy.valid_from} {until}.",
            "The risk officer reviews compliance/policy.yaml and gives it a new version and time.",
            evidence=fact.id,
        )
    return verdict.stamped(gate=POLICY, rule=_RULE)
