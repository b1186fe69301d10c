"""Find out which records of several sources are one person's, and how sure that is. Only lawful records take part.

Persons keep the ids they had when the register was settled last; what a person decided of two records stands.
"""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from twinops.data.consent.ages import birth_days
from twinops.data.linkage.explain import TieExplanation, explained
from twinops.data.linkage.intake import COMPARED, HOME, LONE, raw_records
from twinops.data.linkage.linking import FEWEST, LinkageSettings, Linked, linked
from twinops.data.linkage.model import Model
from twinops.data.linkage.outcome import links, nothing_linked, review
from twinops.data.linkage.registered import Registering, registered, with_persons
from twinops.data.linkage.resolve import JoiningRules
from twinops.data.linkage.splinking import Drawing
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.canonical import to_json
from twinops.entities.day_count import DayCount
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.persons import PersonRegister, record_name
from twinops.evaluation.canvas import save
from twinops.evaluation.linkage.findings import LinkageOutcome, against_truth, counted, facts
from twinops.evaluation.linkage.measures import SHOWN, linkage_findings
from twinops.evaluation.linkage.picture import bands_picture, no_tie_picture, tie_picture
from twinops.own_params import OwnParams
from twinops.params import LinkParams
from twinops.ports import Persons
from twinops.whole_files import write
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.pipeline.lawful import ATTACHED
from twinops.workflows.places import Places

NO_PROFILES = pa.table({"sid": pa.array([], pa.string())})


@dataclass(frozen=True)
class LinkedUp:
    """Aggregates: records per source that took part and that were left out, households with a link, links, pairs to
    look at by reason; the weakest tie that was joined, in words; what was found.
    """

    records: dict[str, int]
    left_out: dict[str, int]
    households: int
    links: int
    to_review: dict[str, int]
    weakest: TieExplanation | None
    findings: Findings


def link(
    plane: DataPlane, persons: Persons, rules: LinkParams, days: DayCount, words: DeclaredWords = UNDECLARED
) -> LinkedUp:
    """Write the sealed links, review list, persons and birthdays, the model, the findings and two pictures.

    A source that was not collected is missed, and said to be; without registrations, or with too few records, nothing
    is linked and every twin stays with its purchases.
    """
    places, tables = plane.places, plane.tables
    held = {s: tables.source(s) for s in COMPARED if tables.collected(s)}
    lawful = {s: _lawful(tables, places, table) for s, table in held.items()}
    raw, known = raw_records(_with_cards(lawful)), persons.known()
    done = linked(plane.engine, raw, settings_of(rules, known, raw)) if _possible(lawful) else None
    people = registered(raw, done, Registering(known, plane.keys, HOME))
    found, doubts = (links(done, home=HOME), review(done, home=HOME)) if done else nothing_linked()
    outcome = LinkageOutcome(done, found, doubts, _sizes(held), _sizes(lawful), HOME)
    plane.seal(with_persons(found, people), places.links)
    plane.seal(doubts, places.review)
    plane.seal(people, places.persons)
    plane.seal(_births(found, lawful, tables.source("demographics", otherwise=NO_PROFILES), days), places.births)
    measures = counted(outcome) + (_measured(plane, done, raw, rules) if done else [])
    said = facts(outcome, sources=tuple(COMPARED), rules=rules.model_dump(include={"merge_at", "review_from"}))
    said = (*said, keyed(words.own))
    findings = Findings(tuple(measures), said, SHOWN)
    write(places.linkage_model, to_json(done.model.to_dict() if done else {"linked": False}, indent=1) + "\n")
    places.keep("linkage", findings, words.wording)
    weakest = _weakest(done, found)
    for name, figure in _drawn(done, weakest, _joining(rules)).items():
        save(figure, places.figure(name), words.wording)
    taking_part = outcome.taking_part
    left_out = {s: n - taking_part[s] for s, n in outcome.held.items()}
    return LinkedUp(taking_part, left_out, outcome.households, found.num_rows, outcome.doubts, weakest, findings)


def keyed(own: OwnParams) -> Fact:
    """The sources whose rows name the customer, as declared: nothing of them need be linked."""
    named = [source for source in ATTACHED if own.by_customer(source)]
    return Fact("linkage_not_needed", named, Kind.DECLARED, "params.yaml, own")


def settings_of(rules: LinkParams, known: PersonRegister, raw: pa.Table) -> LinkageSettings:
    """The rules as `params.yaml` has them, what was decided, and the settled weights while they serve."""
    drawing = Drawing(rules.seed, rules.u_pairs, rules.em_pairs)
    model = _model_kept(known, raw, rules.relearn_from)
    return LinkageSettings(drawing, _joining(rules), rules.most_share_a_key, LONE, known.decisions, model)


def _model_kept(known: PersonRegister, raw: pa.Table, relearn_from: float) -> Model | None:
    """What was learned serves on while few records are new: most of a run's time goes into learning."""
    names = (record_name(s, r) for s, r in zip(raw["source"].to_pylist(), raw["record"].to_pylist(), strict=True))
    new = sum(name not in known.records for name in names)
    read = json.loads(known.model) if known.model else {}
    return Model.from_dict(read) if "comparisons" in read and new < relearn_from * raw.num_rows else None


def _joining(rules: LinkParams) -> JoiningRules:
    return JoiningRules(rules.merge_at, rules.review_from, rules.most_records)


def _possible(lawful: dict[str, pa.Table]) -> bool:
    """There are households, something to link to them, and enough to learn from."""
    return HOME in lawful and len(lawful) > 1 and sum(_sizes(lawful).values()) >= FEWEST


def _sizes(tables: dict[str, pa.Table]) -> dict[str, int]:
    return {source: table.num_rows for source, table in tables.items()}


def _lawful(tables: SealedTables, places: Places, table: pa.Table) -> pa.Table:
    """Only the records that may be blended. Who is not on the list is not: consent unknown refuses (GDPR art. 7(1))."""
    if not places.blendable.is_file():
        return table.slice(0, 0)
    answers = tables.table(places.blendable)
    return table.filter(pc.is_in(table["sid"], pc.unique(answers.filter(answers["allowed"])["sid"])))


def _with_cards(lawful: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """A household's card is its sid; profiles name cards by it too (see `collect.pointing`)."""
    if HOME not in lawful:
        return lawful
    home = lawful[HOME]
    with_cards = {**lawful, HOME: home.append_column("card", home["sid"])}
    accounts = lawful.get("social_accounts")
    if "handle" in home.column_names and accounts is not None:
        named = pa.array(_named_by(home, accounts), pa.string())
        with_cards["social_accounts"] = accounts.append_column("card", named)
    return with_cards


def _named_by(home: pa.Table, accounts: pa.Table) -> list[str | None]:
    """The card of whoever wrote this handle on the form; nobody's where several did, or several accounts bear it."""
    handles = [_bare(h) for h in accounts["handle"].to_pylist()]
    told = [_bare(h) for h in home["handle"].to_pylist()]
    borne, written = Counter(handles), Counter(told)
    card = dict(zip(told, home["sid"].to_pylist(), strict=True))
    return [card.get(h) if h and borne[h] == written[h] == 1 else None for h in handles]


def _bare(handle: str | None) -> str | None:
    """A handle without its at sign and server."""
    return handle.strip().casefold().lstrip("@").partition("@")[0] or None if handle else None


def _births(found: pa.Table, lawful: dict[str, pa.Table], told: pa.Table, count: DayCount) -> pa.Table:
    """Birthdays of the households' holders, as far as a linked profile or what they told knows them: `sid, birth_day`.

    What was told serves whatever it was declared for: nobody's consent decides whether a child is left out.
    """
    profiles = lawful.get("crm", pa.table({"sid": pa.array([], pa.string()), "born": pa.array([], pa.string())}))
    born = dict(zip(profiles["sid"].to_pylist(), profiles["born"].to_pylist(), strict=True))
    pairs = zip(found["sid"].to_pylist(), found["record"].to_pylist(), strict=True)
    known = [(sid, born[record]) for sid, record in pairs if born.get(record)]
    if "born" in told.column_names:
        mine = zip(told["sid"].to_pylist(), told["born"].to_pylist(), strict=True)
        known += [(sid, day) for sid, day in mine if day]
    sids, days = ([k[i] for k in known] for i in (0, 1))
    return pa.table({"sid": pa.array(sids, pa.string()), "birth_day": birth_days(pa.array(days, pa.string()), count)})


def _measured(plane: DataPlane, done: Linked, raw: pa.Table, rules: LinkParams) -> list[Measure]:
    """Measured against the truth, where there is one: only generated identities have it."""
    truth = plane.tables.table(plane.places.truth("identities"), otherwise=pa.table({}))
    if not truth.num_rows:
        return []
    person_of = dict(zip(truth["sid"].to_pylist(), truth["person"].to_pylist(), strict=True))
    answer = against_truth(done, raw, person_of, home=HOME)
    return list(linkage_findings(answer, draws=rules.draws, seed=rules.seed).measures)


def _weakest(done: Linked | None, found: pa.Table) -> TieExplanation | None:
    """The least probable tie that was joined, in words."""
    if done is None or not found.num_rows:
        return None
    order = [("probability", "ascending"), ("match_weight", "ascending"), ("cluster", "ascending")]
    return explained(found.sort_by(order).slice(0, 1).to_pylist()[0], done.model)


def _drawn(done: Linked | None, weakest: TieExplanation | None, rules: JoiningRules) -> dict[str, Figure]:
    against = done.pairs.contradicted() if done else np.zeros(0, dtype=bool)
    free = done.plausible.probability[~against] if done else np.zeros(0)
    bands = bands_picture(free, rules=rules, contradicted=int(against.sum()))
    return {"linkage_bands": bands, "linkage_tie": tie_picture(weakest) if weakest else no_tie_picture()}
