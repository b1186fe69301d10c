"""What a notebook stage of the project's own leaves: measures under its own name, and nothing beside them."""

from __future__ import annotations

from collections.abc import Mapping

from twinops.entities import shown
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.errors import DataError, ParamsError
from twinops.ideas import STAGES, IdeasParams
from twinops.workflows.places import Places


def own_findings(ideas: IdeasParams, stage: str, found: Mapping[Measure, str]) -> Findings:
    """What goes into `reports/measures/STAGE.json`.

    Raises:
        ParamsError: the stage is none of the project's own, or a measure's name does not begin with its.
    """
    if stage not in ideas.of(STAGES):
        raise ParamsError(f"{stage!r:.60} is no stage of this project's own.", hint="List it under `ideas`.")
    findings = Findings(tuple(found), (), shown.measures({m.name: says for m, says in found.items()}))
    problem = strange(stage, findings)
    if problem:
        raise ParamsError(f"{problem}.", hint=f"Call it {stage}.SOMETHING.")
    return findings


def against_strange(places: Places, ideas: IdeasParams) -> None:
    """Refuse what such a stage left under a name that is not its own: shipped gates judge by shipped names.

    Raises:
        DataError: one did.
    """
    for stage in ideas.of(STAGES):
        if places.measures(stage).is_file() and (problem := strange(stage, places.kept(stage))):
            raise DataError(f"reports/measures/{stage}.json: {problem}.", hint="Mend the notebook, and run it again.")


def strange(stage: str, findings: Findings) -> str:
    """What of it does not go by the stage's name."""
    names = [*(m.name for m in findings.measures), *(s.name for s in findings.shown)]
    other = [n for n in names if not n.startswith(f"{stage}.")]
    if findings.facts:
        return "a stage of one's own leaves measures and no facts"
    return f"the measure {other[0]} is not called as the stage {stage}" if other else ""
