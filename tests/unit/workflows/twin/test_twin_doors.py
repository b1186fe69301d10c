"""`twinops twin` and `twinops segments`: a declared purpose the consumer allows, or a refusal; ids never repeated."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from living_world import AS_OF, PENALTIES, RULE, living_project, natural
from shoppers import GRID, everyone_agrees, ledger_of
from supplying import supplied
from typer.testing import CliRunner

from twinops.adapters.keystore import DemoKeys, SqliteKeyStore
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.cli import segments as segments_cli
from twinops.cli import twin as twin_cli
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_tables import SingleSubject
from twinops.errors import REFUSED, DataError
from twinops.params import AgesParams
from twinops.wiring import Project, open_project
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.pipeline import twin as twin_verb
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.twin import (
    access as twin_access,
)
from twinops.workflows.twin import (
    predict as twin_predict,
)
from twinops.workflows.twin import segments as segments_verb
from twinops.workflows.twin import (
    show as twin_show,
)
from twinops.workflows.twin import (
    simulate as twin_simulate,
)

HOUSEHOLDS, NEVER_BOUGHT = 450, 9_999
WITHDREW, OBJECTED, NEVER_ASKED, CHILD, PLAIN, BUSY = 1, 2, 4, 5, 7, 193


@dataclass(frozen=True)
class Home:
    """What the command line opens: workflows by name, with ports injected."""

    places: Places
    keys: MemoryKeys
    story: twin_verb.Story
    rule: AgesParams = RULE

    words: DeclaredWords = UNDECLARED

    @property
    def plane(self) -> DataPlane:
        return DataPlane(self.places, DuckDBEngine(threads=1), self.keys)

    def told(self, text: str) -> str:
        return self.words.told(text)

    def run(self, verb: str, **asked: Any) -> Any:
        does: Callable[..., Any] = {
            "twin.access": twin_access.access,
            "twin.segments": segments_verb.segments,
            "twin.show": twin_show.show,
            "twin.predict": twin_predict.predict,
            "twin.simulate": twin_simulate.simulate,
        }[verb]
        ports = {"engine": DuckDBEngine(threads=1), "keys": self.keys, "grid": GRID, "rule": self.rule, "as_of": AS_OF}
        return supplied(does, self.places, **ports, **asked)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("living")
    sids = [natural(n) for n in range(HOUSEHOLDS)]
    ledger = everyone_agrees([*(s for s in sids if s != natural(NEVER_ASKED)), natural(NEVER_BOUGHT)])
    later = ledger_of(
        (natural(WITHDREW), "twin_scoring", "withdrawn", 100), (natural(OBJECTED), "offers", "objected", 100)
    )
    later = later.set_column(later.schema.get_field_index("seq"), "seq", pa.array([9000, 9001]))
    places, keys = living_project(root, households=HOUSEHOLDS, ledger=pa.concat_tables([ledger, later]))
    story = supplied(
        twin_verb.twin,
        places,
        engine=DuckDBEngine(threads=1),
        keys=keys,
        grid=GRID,
        penalties=PENALTIES,
        rule=RULE,
        as_of=AS_OF,
    )
    return Home(places, keys, story)


@pytest.fixture
def says(house: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    for module in (twin_cli, segments_cli):
        monkeypatch.setattr(module, "home", lambda _ctx: house)

    def ask(app: Any, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    return ask


def test_who_agreed_and_never_bought_is_known_and_only_newcomers_tell_of_them(house):
    with pytest.raises(DataError, match="Too few newcomers"):
        house.run("twin.predict", who=natural(NEVER_BOUGHT), purpose="twin_scoring")
    told = house.run("twin.simulate", who=natural(NEVER_BOUGHT), purpose="twin_scoring", action="silence:7")
    assert "Nothing is known" in told.refused[0]


def test_a_portrait_tells_what_is_held_allowed_and_expected(says):
    code, text = says(twin_cli.app, "show", natural(PLAIN), "--purpose", "twin_scoring")
    assert code == 0
    for part in ("What is held", "transactions:", "What it may be used for", "offers: allowed", "80 of 100", "Why:"):
        assert part in text
    assert natural(PLAIN) not in text


def test_json_is_one_document_without_an_id(says, house):
    code, text = says(twin_cli.app, "show", natural(PLAIN), "--purpose", "twin_scoring", "--json")
    told = json.loads(text)
    assert code == 0
    assert told["portrait"]["expected"]["spend_range"][0] <= told["portrait"]["expected"]["spend"]
    assert house.keys.known_sid(natural(PLAIN)) not in text


def test_a_sid_opens_the_same_twin_as_the_natural_id(says, house):
    sid = house.keys.known_sid(natural(PLAIN))
    one, two = (says(twin_cli.app, "predict", who, "--purpose", "twin_scoring") for who in (sid, natural(PLAIN)))
    assert one == two


@pytest.mark.parametrize(
    ("who", "purpose", "why"),
    [
        (PLAIN, "credit", "no purpose"),
        (PLAIN, "twin_training", "no purpose"),
        (WITHDREW, "twin_scoring", "consent withdrawn"),
        (OBJECTED, "offers", "objected"),
        (NEVER_ASKED, "twin_scoring", "consent unknown"),
    ],
)
@pytest.mark.parametrize("verb", ["show", "predict"])
def test_what_is_not_declared_or_not_allowed_is_refused_with_a_sentence(says, verb, who, purpose, why):
    code, text = says(twin_cli.app, verb, natural(who), "--purpose", purpose)
    assert code == REFUSED
    assert why in text
    assert "USD" not in text


def test_a_minor_has_no_twin_to_show(house):
    path = house.places.births
    path.parent.mkdir(parents=True, exist_ok=True)
    births = pa.table({"household_id": [natural(CHILD)], "birth_day": pa.array([-10 * 365], pa.int64())})
    write_sealed(births, path, dataset="births", keys=house.keys, subject="household_id")
    try:
        told = house.run("twin.show", who=natural(CHILD), purpose="twin_scoring")
    finally:
        path.unlink()
    assert told.portrait is None
    assert "under age" in told.refused


@pytest.mark.parametrize(("who", "why"), [(WITHDREW, "consent withdrawn"), (NEVER_ASKED, "consent unknown")])
def test_who_refuses_everything_is_still_told_what_is_held(says, who, why):
    """GDPR art. 15 hangs on no consent; a forecast does."""
    code, text = says(twin_cli.app, "show", natural(who), "--purpose", "access_request")
    assert code == 0
    for part in ("transactions:", "kept for 730 days", "fields: day", why, "No forecast is made", "authority where"):
        assert part in " ".join(text.split()), part
    assert "USD" not in text
    assert natural(who) not in text


def test_access_tells_what_was_made_and_opens_no_other_door(says, house):
    told = house.run("twin.access", who=natural(PLAIN)).portrait
    days = {h.source: h.records for h in told.made}
    assert days["states, by as-of day"] > 1
    assert told.expected is not None
    assert "privacy@" in told.rights[0]
    for verb in ("predict", "simulate"):
        action = ("--action", "silence:7") if verb == "simulate" else ()
        assert says(twin_cli.app, verb, natural(PLAIN), "--purpose", "access_request", *action)[0] == REFUSED


def test_access_finds_records_of_other_sources_that_were_taken_for_theirs(house):
    places, keys, record = house.places, house.keys, "crm-77"
    crm = {"given": "Ada", "email": None, "updated": pa.array([30], pa.int64())}
    columns = {k: v if isinstance(v, pa.Array) else pa.array([v], pa.string()) for k, v in crm.items()}
    paths = [places.raw("crm", "all"), places.links]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_sealed(pa.table({"crm_id": [record], **columns}), paths[0], dataset="crm", keys=keys,
                 subject="crm_id")  # fmt: skip
    sids = {"sid": [keys.known_sid(natural(PLAIN))], "source": ["crm"], "record": [keys.known_sid(record)]}
    write_sealed(pa.table(sids), paths[1], dataset="links", keys=keys, subject="sid")
    try:
        held = {h.source: h for h in house.run("twin.access", who=natural(PLAIN)).portrait.held}
        other = {h.source for h in house.run("twin.access", who=natural(BUSY)).portrait.held}
    finally:
        for path in paths:
            path.unlink()
    assert (held["crm"].records, held["crm"].first, held["crm"].kept_days) == (1, "2017-01-31", 1095)
    assert held["crm"].fields == ("given", "updated")  # an empty field holds nothing
    assert "crm" not in other


def test_who_agreed_and_never_bought_is_told_of_their_consent(house):
    told = house.run("twin.access", who=natural(NEVER_BOUGHT)).portrait
    assert [h.source for h in told.held] == ["consent"]
    assert told.expected is None


def test_an_unknown_consumer_is_an_error_that_does_not_repeat_the_id(house):
    with pytest.raises(DataError) as unknown:
        house.run("twin.predict", who="secret-number-17", purpose="twin_scoring")
    assert unknown.value.exit_code == 3
    assert "17" not in str(unknown.value)


def test_an_id_that_means_two_consumers_opens_one(house, tmp_path):
    """Somebody's natural id may be another's sid, by chance or by intent; their baskets are never mixed."""
    keys, other = copy.deepcopy(house.keys), house.keys.known_sid(natural(BUSY))
    keys._sids[other] = keys.known_sid(natural(PLAIN))
    told = Home(house.places, keys, house.story).run("twin.show", who=other, purpose="twin_scoring").portrait
    alone = [house.run("twin.show", who=natural(n), purpose="twin_scoring").portrait for n in (PLAIN, BUSY)]
    assert told.habits in [p.habits for p in alone]


def test_asking_enrols_nobody(house):
    with pytest.raises(DataError):
        house.run("twin.predict", who="stranger", purpose="twin_scoring")
    assert house.keys.known_sid("stranger") is None


def test_a_consumer_whose_key_is_destroyed_is_unknown(house):
    keys = copy.deepcopy(house.keys)
    keys.forget(keys.known_sid(natural(PLAIN)))
    with pytest.raises(DataError, match="No such consumer"):
        Home(house.places, keys, house.story).run("twin.show", who=natural(PLAIN), purpose="twin_scoring")


def test_a_what_if_answers_with_a_distribution_and_says_response(says):
    code, text = says(twin_cli.app, "simulate", natural(BUSY), "--purpose", "offers", "--action", "campaign:A")
    assert code == 0
    assert all(part in text for part in ("as it is, from today", "with campaign A", "not uplift"))


def test_a_campaign_is_no_what_if_for_scoring(says):
    code, text = says(twin_cli.app, "simulate", natural(PLAIN), "--purpose", "twin_scoring", "--action", "campaign:A")
    assert code == REFUSED
    assert "declared for offers" in text


def test_who_was_contacted_too_often_is_left_alone(house):
    path, limits = house.places.raw("campaigns", "all"), policy_of(house.places).influence
    before, n = path.read_bytes(), limits.most_contacts
    sent = pa.table({
        "household_id": [natural(PLAIN)] * n, "campaign_id": list(range(n)), "campaign_type": ["Type A"] * n,
        "start_day": [190] * n, "end_day": [220] * n,
    })  # fmt: skip
    write_sealed(sent, path, dataset="campaigns", keys=house.keys, subject="household_id")
    try:
        told = house.run("twin.simulate", who=natural(PLAIN), purpose="offers", action="campaign:A")
    finally:
        path.write_bytes(before)
    assert "the policy allows" in told.refused[0]


def test_who_has_an_open_complaint_is_sent_no_campaign_and_may_still_be_predicted(house):
    path, sid = house.places.blend, house.keys.known_sid(natural(BUSY))
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {"sid": [sid] * 2, "cutoff": pa.array([169, 197], pa.int64())}

    def asked(open_cases: list[int], action: str) -> tuple[str, ...]:
        cases = pa.array(open_cases, pa.int64())
        table = pa.table({**rows, "care_open_cases": cases})
        write_sealed(table, path, dataset=path.stem, keys=house.keys, subject="sid")
        return house.run("twin.simulate", who=natural(BUSY), purpose="offers", action=action).refused

    try:
        assert asked([0, 1], "campaign:A") == ("The policy protects who shows open complaint.",)
        assert asked([0, 1], "silence:7") == ()
        assert asked([1, 0], "campaign:A") == ()  # it was settled since
    finally:
        path.unlink()


def test_segments_are_told_as_means_with_how_many(says):
    code, text = says(segments_cli.app, "--what-if", "silence:7")
    assert code == 0
    assert all(part in text for part in ("consumers", "[", "not uplift"))


def test_segments_for_market_research_are_refused_until_the_data_owner_has_declared_it(house):
    told = house.run("twin.segments", purpose="market_research")
    assert not told.segments
    (why,) = told.refused
    for named in ("'market_research' is not declared", "data owner", "purposes", "intended_use.yaml", "consent ledger"):
        assert named in why
    assert "declared for other work" in house.run("twin.segments", purpose="twin_training").refused[0]


def test_segments_count_only_who_allows_the_purpose(house, monkeypatch):
    counted, whom = [], segments_verb.KeyedNoise.count

    def count(self, rows, name):
        counted.append(len(rows))
        return whom(self, rows, name)

    monkeypatch.setattr(segments_verb.KeyedNoise, "count", count)
    everyone = house.run("twin.segments", purpose="twin_scoring")
    scored = counted[-1]
    house.run("twin.segments", purpose="offers")
    assert counted[-1] == scored - 1  # one withdrew from scoring and is in neither, one objected to offers
    assert 0 < abs(everyone.asked - scored) + 1 < 30


@pytest.mark.parametrize("words", [("--by", "income"), ("--purpose", "credit"), ("--what-if", "campaign:A")])
def test_segments_are_refused_by_key_by_purpose_and_by_action(says, words):
    assert says(segments_cli.app, *words)[0] == REFUSED


def test_a_picture_is_drawn_when_asked_for(says, tmp_path: Path):
    code, _ = says(segments_cli.app, "--picture", str(tmp_path / "segments.png"))
    assert code == 0
    assert (tmp_path / "segments.png").read_bytes().startswith(b"\x89PNG")


def test_the_story_measures_streaming_against_batch_and_shows_nobody(house):
    found = json.loads(house.places.measures("living").read_text())
    assert found["measures"]["stream_batch_gap"]["value"] < 1e-9
    assert house.places.figure("portrait").is_file()


def test_the_story_shows_a_twin_whose_bands_ten_share_or_none(house):
    assert (house.story.portrait is None) == (house.story.like < 10)
    assert "Taking in baskets one by one" in house.story.conclusion


def test_python_has_the_same_doors_and_shows_no_id(house, monkeypatch):
    monkeypatch.setattr(Project, "run", lambda _self, verb, **asked: house.run(verb, **asked))
    twin = open_project(".").twin(natural(PLAIN), purpose="twin_scoring")
    assert twin.show() == house.run("twin.show", who=natural(PLAIN), purpose="twin_scoring")
    assert twin.predict().expected.spend_range[0] <= twin.predict().expected.spend
    assert twin.simulate("silence:7").with_action.spend < twin.simulate("silence:7").without.spend
    assert "declared for offers" in twin.simulate("campaign:A").refused[0]
    assert natural(PLAIN) not in repr(twin)


def test_every_key_store_finds_who_is_enrolled_and_nobody_else(tmp_path: Path):
    store = SqliteKeyStore(tmp_path / "store")
    (sid,) = store.subject_ids(["household 1"])
    assert store.known_sid("household 1") == sid
    assert store.known_sid("household 2") is None
    store.forget(sid)
    assert store.known_sid("household 1") is None
    assert DemoKeys().known_sid("1") == DemoKeys().subject_ids(["1"])[0]


def test_only_one_subject_can_be_opened(house):
    sids = house.keys.subject_ids([natural(1), natural(2)])
    assert list(SingleSubject(house.keys, frozenset({sids[0]})).subject_keys(sids)) == [sids[0]]
