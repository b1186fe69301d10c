"""Who may be blended, and that a row of the blend knows nothing of its own day or later."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data import blend as blending
from twinops.data.texts import signals
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.findings import Findings
from twinops.errors import ParamsError
from twinops.governance.assessment import legitimate_interests
from twinops.twin.state.linked_permissions import narrowed
from twinops.workflows.pipeline.lawful import lawful
from twinops.workflows.places import Places

ANNA, PROFILE, ACCOUNT = "a" * 32, "b" * 32, "c" * 32
TODAY, AS_OF = 365, date(2018, 1, 1)
DAY = 100
CONSENT = dict.fromkeys(
    ("crm", "social_accounts", "social_posts", "social_comments"), blending.LegalGround(LegalBasis.CONSENT)
)
LAW = CONSENT | {"care_cases": blending.LegalGround(LegalBasis.LEGITIMATE_INTEREST)}
SIGNED = CONSENT | {"care_cases": blending.LegalGround(LegalBasis.LEGITIMATE_INTEREST, assessed=True)}

LEDGER = pa.schema(
    [("sid", pa.string()), ("purpose", pa.string()), ("event", pa.string()), ("day", pa.int64()), ("seq", pa.int64())]
)


class Window:
    window_days = 30
    seed = 1


ERROR = signals.ScorerError(((9, 1, 1), (1, 9, 1), (1, 1, 9)))


def choices(*events: tuple[str, str, int]) -> pa.Table:
    rows = [
        {"sid": sid, "purpose": str(Purpose.TRAINING), "event": event, "day": day, "seq": seq}
        for seq, (sid, event, day) in enumerate(events)
    ]
    return pa.Table.from_pylist(rows, schema=LEDGER)


AGREED = choices((PROFILE, "granted", -10), (ACCOUNT, "granted", -10))


def text(day: int, *, label: str = "positive") -> dict[str, object]:
    topics = {f"topic_{t}": int(t == "price") for t in signals.TOPICS}
    return {"sid": ACCOUNT, "day": day, "label": label, "compound_e4": 5000, **topics}


def post(day: int, verb: str = "Create") -> dict[str, object]:
    return {"record": ACCOUNT, "day": day, "verb": verb, "brand": 1, "reply": 0, "source": "social_posts"}


def table(rows: list[dict[str, object]], **types: pa.DataType) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(types.items())))


def blended(
    *, posts=(), texts=(), cases=(), updated=0, since=0, ledger=AGREED, law=LAW, cutoffs=(DAY,)
) -> dict[str, object]:
    """The row of the last as-of day."""
    engine = DuckDBEngine(threads=1)
    panel = [{"sid": ANNA, "cutoff": c, "may_train": True, "may_score": True, "may_offer": False} for c in cutoffs]
    links = pa.table(
        {
            "sid": [ANNA, ANNA],
            "source": ["crm", "social_accounts"],
            "record": [PROFILE, ACCOUNT],
            "probability": [0.999, 0.995],
        }
    )
    linked = blending.linked_sources(links)
    days = blending.record_days(engine, linked, ledger, days=blending.BlendDays(cutoffs, TODAY), law=law)
    fields = {"sid": pa.string(), "day": pa.int64(), **{f.name: f.type for f in signals.FIELDS}}
    told = blending.scored_texts(linked, {"social_posts": table(list(texts), **fields)})
    text_, whole = pa.string(), pa.int64()
    flags = dict.fromkeys(("may_train", "may_score", "may_offer"), pa.bool_())
    tables = {
        "panel": table(panel, sid=text_, cutoff=whole, **flags),
        "linked": linked.filter(
            pa.array([s in set(days["source"].to_pylist()) for s in linked["source"].to_pylist()], pa.bool_())
        ),
        "record_days": days,
        "signals": signals.per_subject(engine, told, cutoffs=cutoffs, error=ERROR, params=Window()),
        "registered": table([{"sid": ANNA, "day": -5}], sid=text_, day=whole),
        "crm_profiles": table(
            [{"record": PROFILE, "day": updated, "has_email": True}], record=text_, day=whole, has_email=pa.bool_()
        ),
        "handed_in": table(
            [{"source": "social_accounts", "record": ACCOUNT, "day": since}], source=text_, record=text_, day=whole
        ),
        "social_events": table(
            list(posts), record=text_, day=whole, verb=text_, brand=whole, reply=whole, source=text_
        ),
        "cases": table(list(cases), record=text_, opened=whole, closed=whole),
    }
    return blending.blend(engine, tables, window_days=30).to_pylist()[-1]


def test_a_row_counts_what_every_source_told_before_its_day():
    row = blended(
        posts=[post(80), post(99), post(98, "Like"), post(97, "Announce"), post(69)],  # the last is out of the window
        texts=[text(d) for d in (90, 91, 92, 93, 94)],
    )
    assert (row["social_events"], row["social_posts"], row["social_likes"], row["social_shares"]) == (4, 2, 1, 1)
    assert (row["social_about_us"], row["social_days_since_event"]) == (4, 1)
    assert (row["texts_scored"], row["texts_positive"], row["topic_price"]) == (5, 5, 5)
    assert (row["has_registration"], row["has_crm"], row["has_account"], row["has_case"]) == (True, True, True, False)
    assert (row["crm_days_since_update"], row["crm_has_email"], row["link_probability"]) == (100, True, 0.995)


@pytest.mark.parametrize("late", [DAY, DAY + 1, DAY + 60])
def test_an_event_of_tomorrow_leaves_no_trace_today(late):
    known = [text(d) for d in (90, 91, 92, 93, 94)]
    before = blended(posts=[post(80)], texts=known, law=SIGNED)
    planted = blended(
        posts=[post(80), post(late), post(late, "Like")],
        texts=[*known, text(late, label="negative")],
        cases=[{"record": PROFILE, "opened": late, "closed": None}],
        law=SIGNED,
    )
    assert planted == before


def test_a_profile_updated_or_an_account_opened_on_the_day_or_later_is_not_known_yet():
    row = blended(updated=DAY, since=DAY + 1)
    assert (row["has_crm"], row["has_account"], row["crm_days_since_update"]) == (False, False, None)


def test_a_case_closed_later_was_still_open_and_its_end_is_not_known():
    later = blended(cases=[{"record": PROFILE, "opened": 90, "closed": DAY}], law=SIGNED)
    never = blended(cases=[{"record": PROFILE, "opened": 90, "closed": None}], law=SIGNED)
    closed = blended(cases=[{"record": PROFILE, "opened": 90, "closed": DAY - 1}], law=SIGNED)
    assert later == never
    assert (later["care_cases"], later["care_open_cases"], closed["care_open_cases"]) == (1, 1, 0)


def test_legitimate_interest_needs_a_signed_assessment_and_an_objection_refuses():
    case = [{"record": PROFILE, "opened": 90, "closed": None}]
    assert blended(cases=case, law=LAW)["has_case"] is False
    assert blended(cases=case, law=SIGNED)["has_case"] is True
    objected = choices((PROFILE, "granted", -10), (PROFILE, "objected", 95), (ACCOUNT, "granted", -10))
    assert blended(cases=case, law=SIGNED, ledger=objected)["has_case"] is False


def test_a_record_is_in_only_on_days_its_consent_held_then_and_today():
    late = choices((PROFILE, "granted", DAY + 1), (ACCOUNT, "granted", -10))
    assert blended(ledger=late)["has_crm"] is False
    withdrawn = choices((PROFILE, "granted", -10), (PROFILE, "withdrawn", TODAY), (ACCOUNT, "granted", -10))
    assert blended(ledger=withdrawn)["has_crm"] is False
    silent = choices((ACCOUNT, "granted", -10))
    assert (blended(ledger=silent)["has_crm"], blended(ledger=silent)["has_account"]) == (False, True)


def test_the_strictest_of_linked_records_narrows_the_household_today_and_never_widens_it():
    purposes = (Purpose.TRAINING, Purpose.OFFERS)
    columns = ("sid", "day", "purpose", "allowed", "reason")
    ours = [(ANNA, d, str(p), True, None) for d in (DAY, TODAY) for p in purposes]
    said = [(PROFILE, TODAY, "twin_training", True, None), (PROFILE, TODAY, "offers", False, "objected")]
    made = [pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))) for rows in (ours, said)]
    made[0] = made[0].set_column(4, "reason", made[0]["reason"].cast(pa.string()))
    links = pa.table({"sid": [ANNA], "record": [PROFILE]})
    found = {
        (r["day"], r["purpose"]): (r["allowed"], r["reason"])
        for r in narrowed(DuckDBEngine(threads=1), made[0], links, made[1], today=TODAY).to_pylist()
    }
    assert found == {
        (DAY, "twin_training"): (True, None),
        (DAY, "offers"): (True, None),
        (TODAY, "twin_training"): (True, None),
        (TODAY, "offers"): (False, "objected"),
    }


# ---- before linking


SIGNATURE = """
version: "1"
assessments:
  - {source: care_cases, purpose: twin_training, interest: i, necessity: n, balance: b, signed_by: A Person,
     signed_on: 2017-06-01, valid_until: 2018-06-01}
"""
EMPTY = 'version: "1"\nassessments: []\n'


def asked_before_linking(folder, *, signed: str, events: list[tuple[str, str]]):
    """Allowed profiles, allowed cases, excluded by source; records C1 to C30 are profiles that also wrote to us."""
    keys, places = MemoryKeys(), Places(folder)
    places.compliance.mkdir(parents=True, exist_ok=True)
    (places.compliance / "interests.yaml").write_text(signed, encoding="utf-8")
    records = [f"C{n}" for n in range(30)]
    held = {"crm": pa.table({"id": records}), "care_cases": pa.table({"id": records})}
    rows = [
        {"id": r, "purpose": "twin_training", "event": e, "day": d, "seq": d}
        for d, (r, e) in enumerate(events, start=1)
    ]
    types = pa.schema([("id", pa.string()), *((f.name, f.type) for f in LEDGER if f.name != "sid")])
    held["choices"] = pa.Table.from_pylist(rows, schema=types)
    for name, rows_of in held.items():
        path = places.raw(name, "all")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(rows_of, path, dataset=name, keys=keys, subject="id")
    found = supplied(lawful, places, engine=DuckDBEngine(threads=1), keys=keys, as_of=AS_OF)
    facts = {f.name: f.value for f in Findings.from_json(places.measures("lawful").read_text("utf-8")).facts}
    listed = read_sealed(places.blendable, dataset="blendable", keys=keys)
    assert sum(listed["allowed"].to_pylist()) == found.allowed["crm"]
    return found.allowed, facts["blend_excluded"]


def test_only_records_that_said_yes_are_linked_and_the_others_are_counted_by_reason(tmp_path):
    events = [(f"C{n}", "granted") for n in range(20)] + [("C0", "withdrawn")]
    allowed, excluded = asked_before_linking(tmp_path, signed=EMPTY, events=events)
    assert (allowed["crm"], allowed["care_cases"]) == (19, 0)
    assert excluded["crm"] == {"consent_unknown": 10, "consent_withdrawn": None}  # one: too few to show
    assert excluded["care_cases"] == {"legitimate_interest_not_assessed": 29, "consent_withdrawn": None}


def test_a_signature_lets_cases_in_and_an_objection_keeps_them_out(tmp_path):
    events = [(f"C{n}", "objected") for n in range(12)]
    allowed, excluded = asked_before_linking(tmp_path, signed=SIGNATURE, events=events)
    assert allowed["care_cases"] == 18
    assert excluded["care_cases"] == {"objected": 12}


def test_an_assessment_counts_once_it_is_signed_until_it_runs_out_whatever_day_the_data_end_on():
    signed = legitimate_interests.read(SIGNATURE)
    days = [date(2017, 5, 31), date(2017, 6, 1), date(2018, 6, 1), date(2018, 6, 2)]
    assert [bool(legitimate_interests.standing(signed, on=d)) for d in days] == [True, True, True, False]


@pytest.mark.parametrize("wrong", [SIGNATURE.replace("2018-06-01", "2016-06-01"), SIGNATURE.replace("A Person", "")])
def test_an_assessment_that_nobody_signed_or_that_ends_before_it_begins_is_a_mistake(wrong):
    with pytest.raises(ParamsError):
        legitimate_interests.read(wrong)
