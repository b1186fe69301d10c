"""Infer from a panel of other people how segments of our consumers think; only for segments, always with its doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.fusion import fusion
from twinops.data.fusion import table as fusion_table
from twinops.data.fusion.panel_shift import Shift
from twinops.data.fusion.plan import Plan, SegmentColumn, permitted
from twinops.data.fusion.predictive_mean_matching import Shared
from twinops.data.own_sources.declared_law import law_on
from twinops.data.sources import demographics, panelists, transactions
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Purpose
from twinops.entities.demographics import CODES, SCALES
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.canvas import save
from twinops.evaluation.fusion import measures as measured
from twinops.evaluation.fusion.findings import as_facts, by_truth
from twinops.evaluation.fusion.picture import fusion_picture
from twinops.own_params import OwnParams
from twinops.params import FusionParams
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places

FOUR_WEEKS = 28
MADE_FROM: Mapping[str, tuple[ModuleType, tuple[str, ...]]] = {
    "baskets_per_4_weeks": (transactions, ("basket_id", "transaction_timestamp")),
    "spend_per_4_weeks": (transactions, ("sales_value", "transaction_timestamp")),
    **{name: (demographics, (name,)) for name in CODES},
}
"""Shared variable -> our source, and its columns that the variable is made from."""
VISITS = ("under 2 baskets", "2 to 5 baskets", "6 to 11 baskets", "12 baskets or more")
SPENDING = (f"under 50 {MONEY}", f"50 to 149 {MONEY}", f"150 to 299 {MONEY}", f"300 {MONEY} or more")
SEGMENTS = (
    SegmentColumn("visits", ("baskets_per_4_weeks",)),
    SegmentColumn("spending", ("spend_per_4_weeks",)),
    SegmentColumn("social_account"),
)
STORES = ("0", "1", "2 or more")


@dataclass(frozen=True)
class Fused:
    """What the notebook may show: segments as they are published, and what was found."""

    recipients: int
    donors: int
    left_out: tuple[str, ...]
    findings: Findings


def fuse(plane: DataPlane, rule: FusionParams, words: DeclaredWords = UNDECLARED) -> Fused:
    """Write `reports/measures/fusion.json` and a picture; without a panel, or with too few consumers, it says so.

    Matched on are only variables that our own sources declare for training; the others are named as left out.
    """
    places, tables, panel = plane.places, plane.tables, law_on(words.own, panelists).controller
    donors, recipients = _donors(places, tables), _recipients(places, tables)
    declared, left_out = permitted([_shared(n) for n in rule.shared], _declared(words.own), Purpose.TRAINING)
    fewest = 2 * rule.smallest_cell
    shared = tuple(v for v in declared if _known(donors, v.name).sum() >= fewest)
    parts = [
        Questions(some, _plan(shared, scales, panel))
        for some, scales in _answered(_who_know(donors, shared), _scales(words.own))
        if shared and some.num_rows >= fewest
    ]
    if not parts or recipients.num_rows < fewest:
        why = {"not_inferred": _why_not(donors, recipients, shared, rule)}
        findings = Findings((), (Fact("fusion_segments", why, Kind.MEASURED, "data/raw/panelists"), _left(left_out)))
        doubt, plan = (
            fusion_table.UnseenDoubt({}, Shift(0.0, {})),
            _plan((_shared("baskets_per_4_weeks"),), SCALES, panel),
        )
        fused = fusion_table.table({}, doubt, plan, rule)
    else:
        fused = pa.concat_tables(
            fusion.fuse(plane.engine, part.donors, recipients, plan=part.plan, params=rule) for part in parts
        )
        against = _against_truth(fused, recipients, places, tables)
        findings = as_facts(fused) + against + _hidden(recipients, shared, rule) + Findings(facts=(_left(left_out),))
    places.keep("fusion", findings, words.wording)
    save(fusion_picture(fused, variable="visits", order=VISITS), places.figure("fusion"), words.wording)
    save(
        fusion_picture(fused, variable="social_account", order=("yes", "no")),
        places.figure("fusion_bounds"),
        words.wording,
    )
    return Fused(recipients.num_rows, donors.num_rows, left_out, findings)


def _shared(name: str) -> Shared:
    return Shared(name, CODES.get(name, ()))


def _plan(shared: tuple[Shared, ...], scales: tuple[str, ...], panel: str) -> Plan:
    return Plan(shared, scales, SEGMENTS, panel)


@dataclass(frozen=True)
class Questions:
    """Scales that the same panelists answered, and those panelists."""

    donors: pa.Table
    plan: Plan


def _scales(own: OwnParams) -> tuple[str, ...]:
    """The scales that were asked: your own panel's, or the shipped ones."""
    mine = own.of_kind("panel")
    return SCALES if mine is None else tuple(own.root[mine].scales)


def _answered(donors: pa.Table, scales: tuple[str, ...]) -> list[tuple[pa.Table, tuple[str, ...]]]:
    """Scales with those who answered them: whoever left one open still gives the others."""
    by_answer: dict[bytes, list[str]] = {}
    for name in scales:
        by_answer.setdefault(np.packbits(_known(donors, name)).tobytes(), []).append(name)
    return [(donors.filter(pa.array(_known(donors, names[0]))), tuple(names)) for names in by_answer.values()]


def _who_know(donors: pa.Table, shared: tuple[Shared, ...]) -> pa.Table:
    """Panelists who answered all that is matched on."""
    known = [_known(donors, v.name) for v in shared] or [np.ones(donors.num_rows, bool)]
    return donors.filter(pa.array(np.logical_and.reduce(known), pa.bool_()))


def _known(donors: pa.Table, name: str) -> np.ndarray:
    """Who answered it; nobody, where it was not asked."""
    if name not in donors.column_names:
        return np.zeros(donors.num_rows, bool)
    return np.asarray(donors[name].is_valid().to_numpy())


def _donors(places: Places, tables: SealedTables) -> pa.Table:
    """The panel, without customers of ours who do not allow it (GDPR arts. 7(3), 21)."""
    panel = tables.source("panelists", otherwise=pa.table({}))
    if not panel.num_rows:
        return panel
    rows = tables.table(places.panel)
    latest = rows.filter(pc.equal(rows["cutoff"], pc.max(rows["cutoff"]))) if rows.num_rows else rows
    refused = latest.filter(pc.invert(latest["may_train"]))["sid"].combine_chunks()
    return panel.filter(pc.invert(pc.is_in(panel["sid"], refused)))


def _why_not(donors: pa.Table, recipients: pa.Table, shared: tuple[Shared, ...], rule: FusionParams) -> str:
    """Why nothing was inferred, in words."""
    if not donors.num_rows:
        return "there is no panel"
    if recipients.num_rows < 2 * rule.smallest_cell:
        return f"too few {MANY} allow it"
    if not shared:
        return "the panel asked nothing that our own sources know and declare for training"
    return "too few panelists answered a scale"


OF_OWN = {"transaction_timestamp": "time", "sales_value": "unit_price", "basket_id": "time"}
"""What a source of your own declares where it has no column of that name; see `data.own`."""


def _declared(own: OwnParams) -> dict[str, tuple[Purpose, ...]]:
    """Shared variable -> the purposes that all columns it is made from declare."""
    found = {}
    for name, (source, columns) in MADE_FROM.items():
        said = law_on(own, source).columns
        purposes = [set(said.get(c, said.get(OF_OWN.get(c, c), ()))) for c in columns]
        found[name] = tuple(p for p in Purpose if all(p in said for said in purposes))
    return found


def _left(left_out: tuple[str, ...]) -> Fact:
    value = {"variables": list(left_out), "why": "our own sources declare them for other purposes than training"}
    return Fact("fusion_not_matched_on", value, Kind.MEASURED, "legal facts of the sources")


def _recipients(places: Places, tables: SealedTables) -> pa.Table:
    """Consumers on the last as-of day: what they are matched on, their segments, and two numbers to test with."""
    rows = tables.table(places.panel)
    if not rows.num_rows:
        return rows
    rows = rows.filter(pc.and_(pc.equal(rows["cutoff"], pc.max(rows["cutoff"])), rows["may_train"])).sort_by("sid")
    held = tables.table(places.blend)
    has = dict(zip(_keys(held), held["has_account"].to_pylist(), strict=True))
    tenure = np.maximum(rows["tenure_days"].to_numpy(), FOUR_WEEKS)
    baskets = np.rint(rows["baskets_total"].to_numpy() * FOUR_WEEKS / tenure).astype(np.int64)
    spend = np.rint(rows["cents_total"].to_numpy() * FOUR_WEEKS / tenure / 100).astype(np.int64)
    return pa.table(
        {
            "sid": rows["sid"],
            "baskets_per_4_weeks": baskets,
            "spend_per_4_weeks": spend,
            "visits": _banded(baskets, (2, 6, 12), VISITS),
            "spending": _banded(spend, (50, 150, 300), SPENDING),
            "social_account": ["yes" if has.get(k) else "no" for k in _keys(rows)],
            "stores": _banded(rows["stores_h3"].to_numpy(), (1, 2), STORES),
            "saved_share": rows["saved_share_h3"],
        }
    )


def _keys(rows: pa.Table) -> list[tuple[str, int]]:
    return list(zip(rows["sid"].to_pylist(), rows["cutoff"].to_pylist(), strict=True))


def _banded(values: np.ndarray, edges: tuple[int, ...], names: tuple[str, ...]) -> list[str]:
    """The band of each value; an edge belongs to the band above it."""
    return [names[i] for i in np.searchsorted(np.array(edges), values, side="right")]


def _against_truth(fused: pa.Table, recipients: pa.Table, places: Places, tables: SealedTables) -> Findings:
    """Beside what the generator says that each consumer would have answered, where there is such a truth."""
    truth = tables.table(places.truth("panelists"), dataset="truth_panelists", otherwise=pa.table({}))
    if not truth.num_rows:
        return Findings()
    place = {sid: i for i, sid in enumerate(truth["sid"].to_pylist())}
    rows = np.array([place[sid] for sid in recipients["sid"].to_pylist()])
    return by_truth(fused, recipients, {s: truth[s].to_numpy()[rows] for s in SCALES})


def _hidden(recipients: pa.Table, shared: tuple[Shared, ...], rule: FusionParams) -> Findings:
    """Fidelity on real consumers: in how many stores they shop is known, hidden from one half, borrowed by it.

    Where all shop in as many, or nobody tells stores apart, there is nothing to hide.
    """
    if min(len(pc.unique(recipients[name])) for name in ("stores", "saved_share")) < 2:
        return Findings()
    hidden = measured.Hidden("stores", STORES, shared, "saved_share", f"{MANY} on the last as-of day")
    return measured.by_hiding(recipients, hidden, measured.Halvings(rule.halvings, rule.donors, rule.seed))
