"""Judge Evidence by a policy. Pure: the same evidence and policy give the same decision, on any machine and day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.policy import SHELF, Gate, Policy


@dataclass(frozen=True)
class Decision:
    """Every gate's verdict, in the order of the policy, and what follows from them.

    `blocking` names the gates that stand in the way, `advisory` those that did not pass and do not block.
    """

    decision: Literal["promotable", "refused"]
    verdicts: tuple[Verdict, ...]
    blocking: tuple[str, ...]
    advisory: tuple[str, ...]
    policy_version: str
    policy_digest: str
    evidence_digest: str

    @property
    def promotable(self) -> bool:
        """Nothing in the policy stands in the way. A human still decides whether to promote."""
        return self.decision == "promotable"

    def to_dict(self) -> dict[str, Any]:
        """For JSON; verdicts in the shape of `twinops status --json`."""
        return {**asdict(self), "verdicts": [v.to_dict() for v in self.verdicts]}


def decide(policy: Policy, evidence: Evidence) -> Decision:
    """Ask every gate of the policy, never the first only; anything but *passed* on a blocking gate refuses.

    An inconclusive answer blocks like a failed one: only a named human's written resolution could settle it.
    """
    verdicts = tuple(_ask(gate, evidence) for gate in policy.gates)
    open_gates = [
        gate for gate, verdict in zip(policy.gates, verdicts, strict=True) if verdict.outcome is not Outcome.PASSED
    ]
    blocking = tuple(gate.id for gate in open_gates if gate.blocks)
    return Decision(
        decision="refused" if blocking else "promotable",
        verdicts=verdicts,
        blocking=blocking,
        advisory=tuple(gate.id for gate in open_gates if not gate.blocks),
        policy_version=policy.version,
        policy_digest=policy.digest,
        evidence_digest=evidence.digest,
    )


def _ask(gate: Gate, evidence: Evidence) -> Verdict:
    module = plugins.load(SHELF, gate.gate)
    verdict: Verdict = module.check(evidence, gate.checked_limits())
    return verdict.stamped(gate=gate.id, rule=module.RULE)
