"""Gather what was measured in a folder and what is declared for it into the one Evidence that is judged."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from twinops import plugins
from twinops.data.own_sources.law import SOURCES, law_of
from twinops.entities.consent import Purpose
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.errors import DataError, ParamsError
from twinops.governance.reading import parse
from twinops.ideas import NO_IDEAS, IdeasParams
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ANY_CONSUMER, DocumentsParams, SourcesParams, SubjectParams
from twinops.whole_files import told_in
from twinops.workflows.compliance_files import Declarations
from twinops.workflows.compliance_files import text_of as _text
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.ideas.kept import against_strange
from twinops.workflows.places import Places

SHIPPED = SourcesParams()
READ_OWN = "sources_of_own"
"""What the stage `quality` leaves of sources of one's own: by the source of the pipeline, the name of the declared."""
RECEIPTS, PROFILES, SUBJECT = "transactions", "demographics", "household_id"
NO_KEY = "0" * 64
"""For what is not about one candidate, or is not made yet."""


@dataclass(frozen=True)
class CandidateFolder:
    """A project's folder, the name of its model, the as-of day, and which sources are declared."""

    places: Places
    named: DocumentsParams
    as_of: date
    own: OwnParams = NOTHING_OWN
    shipped: SourcesParams = SHIPPED
    subject: SubjectParams = ANY_CONSUMER
    ideas: IdeasParams = NO_IDEAS

    def gather(self, declared: Declarations, *, key: str = NO_KEY) -> Evidence:
        """All findings, and all that is declared in `compliance/` and by the sources.

        Raises:
            DataError: nothing was measured yet, not of the sources that are declared, or twice under one name.

        """
        stages = [path.stem for path in self.places.all_measures]
        if not stages:
            raise DataError("Nothing was measured yet.", hint="Run `make run`, or `dvc repro`.")
        against_strange(self.places, self.ideas)
        words = DeclaredWords(self.own, self.subject)
        found = words.told(sum((self.places.kept(stage) for stage in stages), Findings()))
        against_other_sources(next((f.value for f in found.facts if f.name == READ_OWN), {}), self.own)
        told = (
            *declared.facts,
            *source_facts(self.own, files_of_others=self.shipped.folder is not None),
            *open_facts(self.own),
            undeclared_fact(self.own),
            *to_declare(self.own),
            words.fact,
            words.told(sheet_fact(self.own)),
            model_fact(self.places),
            *library_facts(self.places),
            *blend_facts(self.places),
        )
        try:
            facts = (*found.facts, *told)
            return Evidence(self.named.model, key, self.as_of, found.measures, facts, found.shown)
        except ValueError as problem:
            raise DataError(f"The stages do not fit together: {problem}.", hint="Every measure has one home.") from None


def own_sources(own: OwnParams) -> dict[str, str]:
    """Sources of the pipeline whose place a source of your own takes, each with its name."""
    return {name: mine for name in law_of(own) if (mine := own.staged_as(name)) is not None}


def against_other_sources(read: Any, own: OwnParams) -> None:
    """Refuse to show what was measured of other sources as if it were about these.

    A cloned project brings the figures of whoever committed them; `read` is what the stage `quality` left of its own.

    Raises:
        DataError: other sources are declared than were measured.
    """
    mine = own_sources(own)
    if read == mine:
        return
    told = ", ".join(f"own.{name}" for name in sorted(set(mine.values()))) or "the shipped sources"
    before = ", ".join(f"own.{name}" for name in sorted(set(dict(read).values()))) or "the shipped sources"
    raise DataError(
        f"Nothing was measured of {told} yet: the figures in reports/ are about {before}.",
        hint="Run `make run`, or `twinops repro`.",
    )


def model_fact(places: Places) -> Fact:
    """What kind of model it is: its form, what it predicts, and from what. None when there is no model file."""
    source = f"models/{places.model.name}"
    if not places.model.is_file():
        return Fact("model.family", None, Kind.MEASURED, source)
    with told_in(places.model) as told:
        family = {
            "form": told["schema"],
            "speakers": told["speakers"],
            "foretells": sorted(told["intercepts"]),
            "from": sorted(term["name"] for term in told["terms"]),
            "horizon_days": told["horizon_days"],
        }
    return Fact("model.family", family, Kind.MEASURED, source)


def library_facts(places: Places) -> tuple[Fact, ...]:
    """Names and versions of the libraries that stages depend on; nothing when they are not pinned here."""
    path = places.root / "pins.yaml"
    if not path.is_file():
        return ()
    told = parse(_text(path), name=path.name)
    if not isinstance(told, dict):
        raise ParamsError(f"{path.name} names no libraries.", hint="Restore it from git.")
    pins = {name: version for name, version in told.items() if version is not None}
    return (Fact("libraries", pins, Kind.MEASURED, path.name),)


def blend_facts(places: Places) -> tuple[Fact, ...]:
    """The blended table as it lies sealed: digest, size and the names of its columns; nothing when there is none."""
    from twinops.data.vault.sealed_file import label_of

    if not places.blend.is_file():
        return ()
    label, content = label_of(places.blend), places.blend.read_bytes()
    columns = ["sid", *(column.name for column in label.columns)] if label else []
    path = places.blend.relative_to(places.root).as_posix()
    value = {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "columns": columns}
    return (Fact("blend.file", value, Kind.MEASURED, path),)


def source_facts(own: OwnParams = NOTHING_OWN, *, files_of_others: bool = False) -> tuple[Fact, ...]:
    """The legal facts that every source declares, beside its reader or in `params.yaml`.

    With sources of your own nothing is taken from the shipped ones, so nothing is said of them either, unless
    `sources.folder` brings files in their shape.
    """
    found = []
    ideas = {idea.name: idea.path for idea in plugins.laid(SOURCES)}
    for name, legal in law_of(own).items():
        mine = own.staged_as(name)
        if own.root and mine is None and name not in ideas and not files_of_others:
            continue
        value = {
            **({"own": mine} if mine else {}),
            "controller": legal.controller,
            "provenance": legal.provenance,
            "collected_from": legal.collected_from,
            "bases": {purpose.value: basis.value for purpose, basis in legal.bases.items()},
            "columns": sorted(legal.columns),
            "retention_days": legal.retention_days,
            "notice": legal.notice,
            "synthetic": legal.synthetic,
            "personal_data": legal.personal_data,
        }
        shipped = ideas.get(name, f"src/twinops/data/sources/{name}.py")
        said_in = f"params.yaml: own.{mine}" if mine else shipped
        found.append(Fact(f"source.{name}", value, Kind.DECLARED, said_in))
    return tuple(found)


def open_facts(own: OwnParams) -> tuple[Fact, ...]:
    """By source of your own, the legal facts that nobody has said yet; nothing when all is said."""
    value = {name: list(facts) for name, facts in sorted(own.open.items())}
    return (Fact("legal_basis_open", value, Kind.DECLARED, "params.yaml: own"),) if value else ()


def undeclared_fact(own: OwnParams = NOTHING_OWN) -> Fact:
    """Purposes that the receipt lines serve for nobody: no basis, or no column of theirs, is declared for them."""
    legal, mine = law_of(own)[RECEIPTS], own.staged_as(RECEIPTS)
    where = f"own.{mine}" if mine else RECEIPTS
    value = {}
    for purpose in Purpose:
        if purpose not in legal.bases:
            value[purpose.value] = f"the purpose {purpose.value} has no basis in {where}, so it serves nobody"
        elif purpose not in legal.columns.get(SUBJECT, ()):
            value[purpose.value] = f"no {SUBJECT} of {where} is declared for {purpose.value}, so it serves nobody"
    said_in = f"params.yaml: own.{mine}" if mine else f"src/twinops/data/sources/{RECEIPTS}.py"
    return Fact("purposes_undeclared", value, Kind.DECLARED, said_in)


def to_declare(own: OwnParams = NOTHING_OWN) -> tuple[Fact, ...]:
    """In which keys of `params.yaml` each purpose that serves nobody would be declared; nothing where all are."""
    lines, profiles = own.staged_as(RECEIPTS), own.staged_as(PROFILES)
    if lines is None:
        return ()
    found = {}
    for purpose in Purpose:
        there = [name for name in (profiles, lines) if name and (purpose is Purpose.BIAS_ASSESSMENT or name == lines)]
        keys = [f"own.{n}.legal.bases.{purpose.value}" for n in there if purpose not in own.root[n].legal.acted_on]
        if purpose not in own.root[lines].legal.purposes.get(SUBJECT, ()):
            keys.append(f"own.{lines}.legal.purposes.{SUBJECT}")
        if keys:
            found[purpose.value] = keys
    return (Fact("purposes_to_declare", found, Kind.DECLARED, "params.yaml: own"),) if found else ()


def sheet_fact(own: OwnParams = NOTHING_OWN) -> Fact:
    """Whom the receipt lines are about and what they cannot tell, as their source declares it."""
    said, mine = asdict(law_of(own)[RECEIPTS].sheet), own.staged_as(RECEIPTS)
    said_in = f"params.yaml: own.{mine}" if mine else f"src/twinops/data/sources/{RECEIPTS}.py"
    return Fact("data_sheet", {**said, "caveats": list(said["caveats"])}, Kind.DECLARED, said_in)
