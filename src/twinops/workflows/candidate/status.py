"""Say what stands: the candidate, its verdicts, what was left out, and where it is recorded."""

from dataclasses import asdict, dataclass
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.governance.open_fields import OpenField
from twinops.governance.policy.decide import Decision
from twinops.ports import Lineage, Registry, Tracking
from twinops.workflows.candidate.judge import judge
from twinops.workflows.compliance_files import open_in
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Status:
    """The candidate in this folder and what is known of it."""

    evidence: Evidence
    decision: Decision
    run_id: str | None
    version: str | None
    stale: str = ""
    """What changed since, in a sentence; nothing when it is what the folder holds now."""
    open: tuple[OpenField, ...] = ()
    """What people have not said yet."""

    def to_dict(self) -> dict[str, Any]:
        """What `twinops status --json` prints; names and meanings are a contract."""
        return {
            "model": {
                "name": self.evidence.model,
                "version": self.version,
                "key": self.evidence.key,
                "run_id": self.run_id,
            },
            "stale": self.stale or None,
            "decision": self.decision.decision,
            "gates": [verdict.to_dict() for verdict in self.decision.verdicts],
            "settled": [written.to_dict() for written in self.decision.rulings],
            "measures": {m.name: _figures(m) for m in self.evidence.measures},
            "excluded": _counts(self.evidence, "excluded"),
            "open": [asdict(one) for one in self.open],
            "quarantined": _counts(self.evidence, "quarantined"),
        }


def status(places: Places, lineage: Lineage, tracking: Tracking, registry: Registry) -> Status:
    """Judge the candidate as it lies here and look up its run and version; nothing is written."""
    judged = judge(places, lineage)
    model, key = judged.measured.model, judged.measured.key
    return Status(
        judged.evidence, judged.decision, tracking.find(key), registry.find(model, key), judged.stale, open_in(places)
    )


def _figures(measure: Measure) -> dict[str, Any]:
    told = measure.to_dict()
    return {name: told[name] for name in ("value", "low", "high", "n", "unit", "source")}


def _counts(evidence: Evidence, name: str) -> dict[str, int]:
    fact = evidence.fact(name)
    return dict(fact.value) if fact and isinstance(fact.value, dict) else {}
