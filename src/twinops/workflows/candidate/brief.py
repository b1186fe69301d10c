"""Say on one page what a candidate is for, what was decided and why, who must do what by when, and what changed."""

from dataclasses import replace

from twinops.governance.verdicts.brief import Brief
from twinops.governance.verdicts.brief import brief as page
from twinops.ports import Lineage, Production
from twinops.workflows.candidate.compare import before_this
from twinops.workflows.candidate.judge import JudgedCandidate, judge
from twinops.workflows.places import Places


def brief(places: Places, lineage: Lineage, production: Production) -> Brief:
    """The page of the candidate in this folder."""
    return of(places, production, judge(places, lineage))


def of(places: Places, production: Production, judged: JudgedCandidate) -> Brief:
    """The page of a candidate that was judged."""
    before = before_this(places, production, judged)
    made = page(judged.evidence, judged.decision, policy=judged.rules, before=before)
    return replace(made, stale=judged.stale)
