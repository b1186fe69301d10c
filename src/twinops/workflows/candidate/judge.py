"""Judge the candidate in this folder by the policy in this folder: evidence, lineage and documents together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from twinops import params as params_file
from twinops.entities.canonical import from_json
from twinops.entities.evidence import JUDGED_ON, Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance.log import manifest
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.limits import Policy
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.ports import Lineage
from twinops.workflows.candidate.files import evidence_of, lineage_facts, stale
from twinops.workflows.evidence import READ_OWN, against_other_sources
from twinops.workflows.pipeline.documents import anew
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of

Day = date | None


@dataclass(frozen=True)
class JudgedCandidate:
    """What was measured, declared and looked up, and what follows from it under the policy."""

    measured: Evidence
    """As it lies in `reports/evidence.json`."""
    evidence: Evidence
    """The same, with lineage and documents looked up now."""
    decision: Decision
    rules: Policy
    """The policy it was judged by."""
    stale: str = ""
    """What changed since it was measured, in a sentence; nothing when it is what the folder holds now."""


def judge(places: Places, lineage: Lineage, today: Day = None) -> JudgedCandidate:
    """Read the evidence, look up what no file of the pipeline may hold, and decide. `today` None: ask the clock.

    Raises:
        DataError: nothing was measured yet, or not of the sources that params.yaml declares.
    """
    rules = policy_of(places)
    measured = evidence_of(places.evidence)
    against_other_sources(measured.table(READ_OWN), _own(places))
    facts = (*lineage_facts(lineage, measured), *document_facts(places, measured, rules), day_fact(today))
    evidence = measured.joined(facts=facts)
    return JudgedCandidate(measured, evidence, decide(rules, evidence), rules, stale(lineage, measured))


def _own(places: Places) -> OwnParams:
    """The sources of one's own that are declared here; a folder without parameters declares none."""
    path = places.root / "params.yaml"
    return params_file.read(path).own if path.is_file() else NOTHING_OWN


def day_fact(today: Day = None) -> Fact:
    """The day of judging, which decides whether policy, approval and rulings are in force."""
    day = today or datetime.now(UTC).date()
    return Fact(JUDGED_ON, day.isoformat(), Kind.MEASURED, "the clock, when the candidate was judged")


def document_facts(places: Places, measured: Evidence, rules: Policy) -> tuple[Fact, ...]:
    """Which documents lie beside the manifest and whether they still fit; nothing when there is no manifest.

    A manifest can be written by hand to fit any document, so where it fits, all of them are made anew and compared.
    """
    folder = places.card(measured.model, manifest.NAME).parent
    if not (folder / manifest.NAME).is_file():
        return ()
    contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    present, problems = manifest.facts_of_documents(_listing(contents), contents, measured)
    if not problems.value:
        problems = replace(problems, value=_otherwise(contents, anew(places, measured, rules)))
    return present, problems


def _otherwise(contents: Mapping[str, bytes], made: Mapping[str, str]) -> list[str]:
    """Files that say something else than this evidence makes, or that it does not make."""
    differing = [name for name, text in sorted(made.items()) if contents.get(name) != text.encode()]
    strange = sorted(contents.keys() - made.keys())
    return [
        *(f"{name} does not say what the evidence says" for name in differing),
        *(f"{name} lies beside the documents, and no evidence made it" for name in strange),
    ]


def _listing(contents: Mapping[str, bytes]) -> Mapping[str, object]:
    try:
        listing = from_json(contents[manifest.NAME])
    except ValueError:
        return {}
    return listing if isinstance(listing, dict) else {}
