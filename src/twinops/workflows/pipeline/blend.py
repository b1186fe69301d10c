"""Blend what the sources tell: one sealed row per consumer and as-of day, and how many are held from where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import blend as blending
from twinops.data.consent.rights import RightsToday
from twinops.data.own_sources.law import law_of
from twinops.data.texts import signals
from twinops.entities.consent import LegalBasis
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.canvas import save
from twinops.evaluation.quality.held_picture import held_picture
from twinops.evaluation.statistics.wilson import share
from twinops.evaluation.texts import measures as sentiment
from twinops.evaluation.texts.labelled_posts import labelled
from twinops.own_params import OwnParams
from twinops.params import SignalsParams
from twinops.whole_files import told_in
from twinops.workflows.apart import apart_of, everyone, seal_parts
from twinops.workflows.beside_records import said_beside
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.pipeline.lawful import assessed
from twinops.workflows.places import Places
from twinops.workflows.policy_file import assessments

BLENDED = ("crm", "social_accounts", *blending.TEXTS)
PANEL = ("sid", "cutoff", "may_train", "may_score", "may_offer")
"""What is read of the panel."""
ROWS_AT_ONCE = 200_000
"""Rows of the panel that are blended at one time."""
PRESENCE = {
    "has_registration": "registration for the card",
    "has_crm": "CRM profile",
    "has_account": "social account",
    "texts_scored": "five or more scored texts",
    "has_case": "service case",
}
"""Columns of the blend that say whether a source tells anything of a consumer, and the words for it."""
NO_LINKS = pa.schema(
    [("sid", pa.string()), ("source", pa.string()), ("record", pa.string()), ("probability", pa.float64())]
)


@dataclass(frozen=True)
class Blended:
    """Aggregates of the blend."""

    consumers: int
    rows: int
    findings: Findings


def blend(plane: DataPlane, texts: SignalsParams, said: RightsToday, words: DeclaredWords = UNDECLARED) -> Blended:
    """Write the sealed blend, `reports/measures/blend.json` and a picture of who is held from where.

    Only consumers of the panel are in it, so consent to training holds for every row; every other source's record is in
    only on days its own basis allowed, then and today.
    """
    engine, places, tables = plane.engine, plane.places, plane.tables
    opened = {name: tables.source(name, otherwise=pa.table({})) for name in (*BLENDED, "registrations")}
    panel = everyone(plane, places.panel, columns=PANEL)
    cutoffs = sorted(pc.unique(panel["cutoff"]).to_pylist())
    linked = blending.linked_sources(tables.table(places.links, otherwise=NO_LINKS.empty_table()))
    linked = pa.concat_tables([linked, *_by_customer(opened, panel, words.own)])
    choices = said.beside(said_beside(tables, words.own))
    asked = blending.BlendDays(cutoffs, said.today)
    days = blending.record_days(engine, linked, choices, days=asked, law=_law(places, said.as_of, words.own))
    told = blending.scored_texts(_ever(linked, days), {n: opened[n] for n in blending.TEXTS if opened[n].num_rows})
    error = sentiment.by_hand(labelled(), params=sentiment.Draws(texts.draws, texts.seed)).error
    felt = signals.per_subject(engine, told, cutoffs=cutoffs, error=error, params=texts)
    given = {
        "linked": _ever(linked, days), "record_days": days, "signals": felt,
        **_tables(opened, words.own),
    }  # fmt: skip
    parts = [blending.blend(engine, given | {"panel": some}, window_days=texts.window_days) for some in _cut(panel)]
    table = pa.concat_tables(part.select(["sid", "cutoff", *PRESENCE]) for part in parts)
    seal_parts(plane, parts, places.blend, apart=apart_of(plane))
    findings = _findings(table, places)
    places.keep("blend", findings, words.wording)
    save(held_picture(findings, PRESENCE, made_up=_made_up(opened, words)), places.figure("held"), words.wording)
    return Blended(len(pc.unique(table["sid"])), table.num_rows, findings)


def _cut(panel: pa.Table) -> Iterator[pa.Table]:
    """The panel in one, or of a large shop so many subjects at a time, by rising sid, with all their rows."""
    if panel.num_rows <= ROWS_AT_ONCE:
        yield panel
        return
    panel = panel.sort_by([("sid", "ascending"), ("cutoff", "ascending")])
    sids, first = panel["sid"], 0
    while first < panel.num_rows:
        last = min(first + ROWS_AT_ONCE, panel.num_rows)
        while last < panel.num_rows and sids[last].as_py() == sids[last - 1].as_py():
            last += 1
        yield panel.slice(first, last - first)
        first = last


def _made_up(opened: Mapping[str, pa.Table], words: DeclaredWords) -> str:
    """What of the sources beside the receipts is declared as synthetic, in a sentence; nothing where none is."""
    law, held = law_of(words.own), [name for name, table in opened.items() if table.num_rows]
    synthetic = [name for name in held if law[name].synthetic]
    if not synthetic:
        return ""
    named = "All but purchases" if synthetic == held else ", ".join(n.replace("_", " ") for n in synthetic).capitalize()
    return f"{named} are synthetic."


def _law(places: Places, as_of: date, own: OwnParams) -> dict[str, blending.LegalGround]:
    """Each source's legal basis for blending, and whether an assessment stands; only of those declared for it."""
    signed, found, law = assessments(places, on=as_of), {}, law_of(own)
    for name in BLENDED:
        basis = law[name].bases.get(blending.SERVES)
        if basis is None:
            continue
        stands = basis is LegalBasis.LEGITIMATE_INTEREST and blending.SERVES in assessed(name, signed, own)
        found[name] = blending.LegalGround(basis, stands)
    return found


def _by_customer(opened: Mapping[str, pa.Table], panel: pa.Table, own: OwnParams) -> Iterator[pa.Table]:
    """Records of sources that name the customer: whose they are is known, and nothing was linked."""
    people = pc.unique(panel["sid"].cast(pa.string()))
    for name in blending.TEXTS:
        if any(own.root[n].by_customer for n in own.all_staged_as(name)) and opened[name].num_rows:
            held = pc.unique(opened[name]["sid"].cast(pa.string()))
            sids = held.filter(pc.is_in(held, people))
            n = len(sids)
            yield pa.table(
                {"sid": sids, "source": pa.repeat(name, n), "record": sids, "probability": pa.repeat(1.0, n)}
            )


def _ever(linked: pa.Table, days: pa.Table) -> pa.Table:
    """Links of records that may be blended on one day at least."""
    allowed = set(zip(days["source"].to_pylist(), days["record"].to_pylist(), strict=True))
    pairs = zip(linked["source"].to_pylist(), linked["record"].to_pylist(), strict=True)
    return linked.filter(pa.array([p in allowed for p in pairs], pa.bool_()))


def _tables(opened: Mapping[str, pa.Table], own: OwnParams) -> dict[str, pa.Table]:
    """The tables of `blend.sql` that come from one source each."""
    told = {"record": "sid", **{c: c for c in ("day", "verb", "brand", "reply")}}
    events = [
        _columns(opened[n], told, EVENTS).append_column("source", pa.array([n] * opened[n].num_rows, pa.string()))
        for n in ("social_posts", "social_comments")
    ]
    crm = opened["crm"]
    has_email = pc.is_valid(crm["email"]) if crm.num_columns else pa.chunked_array([[]], pa.bool_())
    return {
        "registered": _columns(opened["registrations"], {"sid": "sid", "day": "registered"}, DAYS),
        "crm_profiles": _columns(crm, {"record": "sid", "day": "updated"}, DAYS).append_column("has_email", has_email),
        "handed_in": _handed_in(opened, own),
        "social_events": pa.concat_tables(events),
        "cases": _columns(opened["care_cases"], {"record": "sid", "opened": "opened", "closed": "closed"}, CASES),
    }


def _handed_in(opened: Mapping[str, pa.Table], own: OwnParams) -> pa.Table:
    """Since when an account is known; of posts and comments that name the customer, since the first of them."""
    since = _columns(opened["social_accounts"], {"record": "sid", "day": "since"}, DAYS)
    parts = [since.append_column("source", pa.array(["social_accounts"] * since.num_rows, pa.string()))]
    for name in ("social_posts", "social_comments"):
        if any(own.root[n].by_customer for n in own.all_staged_as(name)) and opened[name].num_rows:
            told = _columns(opened[name], {"record": "sid", "day": "day"}, DAYS)
            first = told.group_by("record").aggregate([("day", "min")]).rename_columns(["record", "day"])
            parts.append(first.append_column("source", pa.array([name] * first.num_rows, pa.string())))
    return pa.concat_tables(parts)


DAYS = (pa.string(), pa.int64())
CASES = (pa.string(), pa.int64(), pa.int64())
EVENTS = (pa.string(), pa.int64(), pa.string(), pa.int64(), pa.int64())


def _columns(table: pa.Table, names: Mapping[str, str], types: tuple[pa.DataType, ...]) -> pa.Table:
    """Columns under other names and in plain types; empty where the source has none."""
    found = {
        name: table[column].cast(kind) if table.num_columns else pa.array([], kind)
        for (name, column), kind in zip(names.items(), types, strict=True)
    }
    return pa.table(found)


def _findings(table: pa.Table, places: Places) -> Findings:
    """Shares of consumers on the last as-of day, and what is missing because a source is off or nothing was blended."""
    last = table.filter(pc.equal(table["cutoff"], pc.max(table["cutoff"]))) if table.num_rows else table
    n, measures = last.num_rows, []
    for column in PRESENCE:
        hits = _held(last, column)
        if n and (hits == 0 or hits >= SMALLEST_CELL) and n - hits != 0:
            method = "share of consumers of whom this is known on the last as-of day; Wilson's interval"
            measures.append(share(hits, n).measure(f"held.{column}", n, "blend", method))
        elif n and hits == n:
            measures.append(Measure(f"held.{column}", 1.0, n, "blend", "counted in full"))
    off = sorted(filter(None, map(_off, places.all_counts)))
    facts = {
        "blend_rows": {"rows": table.num_rows, "consumers": len(pc.unique(table["sid"])), "on_last_day": n},
        "blend_sources_off": off,
        "blend_lost": [words for column, words in PRESENCE.items() if n and not _held(last, column)],
    }
    source = "data/twin/blend.parquet"
    return Findings(tuple(measures), tuple(Fact(k, v, Kind.MEASURED, source) for k, v in facts.items()))


def _off(counts: Path) -> str | None:
    """The source of a batch whose source is off."""
    with told_in(counts) as told:
        return str(told["source"]) if told["off"] else None


def _held(rows: pa.Table, column: str) -> int:
    known = rows[column] if pa.types.is_boolean(rows[column].type) else pc.is_valid(rows[column])
    return int(pc.sum(known.cast(pa.int64())).as_py() or 0)
