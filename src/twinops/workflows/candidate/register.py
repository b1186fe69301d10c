"""Make the candidate a version of the registered model: one version per key, described by its verdicts."""

from dataclasses import dataclass

from twinops.errors import DataError
from twinops.governance.verdicts.explain import verdicts_markdown
from twinops.ports import Lineage, Registry, Tracking
from twinops.workflows.candidate.files import against_absent, lineage_facts, same_key
from twinops.workflows.candidate.judge import JudgedCandidate, judge
from twinops.workflows.candidate.track import tags
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Registered:
    """The candidate's version."""

    name: str
    version: str
    key: str
    decision: str
    written: bool
    """False when the version was there already; its description is kept up to date all the same."""


def register(places: Places, lineage: Lineage, tracking: Tracking, registry: Registry) -> Registered:
    """Find the version of this candidate, or make it; say in its description what the gates say now.

    Trees with uncommitted changes are taken too: the version is tagged so, and the lineage gate fails.

    Raises:
        DataError: the model file is not here, or the candidate has no run yet.

    """
    against_absent(places.model)
    judged = judge(places, lineage)
    model, key = judged.measured.model, same_key(judged.measured, lineage)
    run_id = tracking.find(key)
    if run_id is None:
        raise DataError("This candidate is not in the ledger yet.", hint="Run `twinops track` first.")
    known = registry.find(model, key)
    told = verdicts_markdown(judged.decision, links=_links(model, tracking.page(run_id)))
    tagged = {**tags(judged.measured, lineage_facts(lineage, judged.measured), lineage), **_verdict_tags(judged)}
    version = known or registry.register(model, key=key, run_id=run_id, model=places.model, tags=tagged)
    registry.describe(model, version, description=told, tags=tagged)
    return Registered(model, version, key, judged.decision.decision, written=known is None)


def _links(model: str, run: str) -> dict[str, str]:
    """Where a reader of the registry's page finds the rest; relative, because nobody knows the server's address."""
    return {
        "model card": f"{run}/artifacts/model_cards/{model}/README.md",
        "evidence": f"{run}/artifacts/reports/evidence.json",
        "run": run,
    }


def _verdict_tags(judged: JudgedCandidate) -> dict[str, str]:
    return {
        "twinops.decision": judged.decision.decision,
        "twinops.evidence": judged.measured.digest,
        "twinops.policy": judged.decision.policy_version,
    }
