"""What an answer of the policy rests on, and the last day of each: the first that ends takes an approval with it."""

from __future__ import annotations

from datetime import date

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.governance.gates._shelf import SHELF
from twinops.governance.policy.decide import Decision
from twinops.governance.policy.limits import Policy


def lasts(policy: Policy, evidence: Evidence, decision: Decision) -> dict[str, date]:
    """The policy itself, written rulings that count, and whatever gates say that they rest on; soonest first."""
    found = {f"policy {policy.version}": policy.valid_until} if policy.valid_until else {}
    found |= {f"the ruling on {r.gate} by {r.by}": date.fromisoformat(r.until) for r in decision.rulings if r.counts}
    for gate in policy.gates:
        module = plugins.load(SHELF, gate.gate)
        ends = getattr(module, "ends", None)
        # what rests on a gate of the project's own ends under that gate's name: it moves no other end
        before = f"{gate.id}: " if plugins.is_idea(module) else ""
        found |= {
            f"{before}{what}": day for what, day in (ends(evidence, gate.checked_limits()) if ends else {}).items()
        }
    return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))
