"""Say what stands: the candidate, its verdicts, what was left out, and where it is recorded."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.governance.open_fields import OpenField
from twinops.governance.policy.decide import Decision
from twinops.params import Params
from twinops.ports import Lineage, Registry, Tracking
from twinops.workflows.candidate.judge import judge
from twinops.workflows.candidate.owed import owed
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
    erasures: tuple[str, ...] = ()
    """What was decided of this version after people it learned from were erased."""

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
            "erasures": list(self.erasures),
            "quarantined": _counts(self.evidence, "quarantined"),
            "unserved": {purpose: str(why) for purpose, why in self.evidence.table("purposes_undeclared").items()},
        }


def status(places: Places, params: Params, lineage: Lineage, tracking: Tracking, registry: Registry) -> Status:
    """Judge the candidate as it lies here and look up its run and version; nothing is written."""
    judged = judge(places, lineage)
    model, key = judged.measured.model, judged.measured.key
    run, version = tracking.find(key), registry.find(model, key)
    erasures = tuple(decisions_on(places, model, version)) if version else ()
    return Status(judged.evidence, judged.decision, run, version, judged.stale, owed(places, params), erasures)


def decisions_on(places: Places, model: str, version: str) -> Iterator[str]:
    """As certificates of erasures tell it; a file that cannot be read tells nothing here, and `verify` says so."""
    for path in sorted(places.certificate("any").parent.glob("*.json")):
        try:
            said = json.loads(path.read_bytes())
            mine = [m for m in said["models"] if (m["model"], m["version"]) == (model, version)]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield from (f"{said['name']}: {m['decision']}" for m in mine if m["learned"] is not False)


def _figures(measure: Measure) -> dict[str, Any]:
    told = measure.to_dict()
    return {name: told[name] for name in ("value", "low", "high", "n", "unit", "source")}


def _counts(evidence: Evidence, name: str) -> dict[str, int]:
    fact = evidence.fact(name)
    return dict(fact.value) if fact and isinstance(fact.value, dict) else {}
