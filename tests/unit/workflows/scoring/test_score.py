"""`twinops score`: who may be scored and nobody else, as the twin alone is; sealed, or its owner answers."""

from __future__ import annotations

import csv
import json
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from living_world import living_crowd, living_project, natural
from own_world import LEGAL, TWIN, params
from rights_world import CHILD, MERGED, OTHER, RightsWorld, rights_world
from shoppers import GRID, everyone_agrees, ledger_of
from typer.testing import CliRunner

from twinops import plugins
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.cli import score as score_cli
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.rights import Right
from twinops.errors import DataError, ParamsError, ServiceError
from twinops.twin.model import model_file
from twinops.twin.support.newcomers import NewcomerModel
from twinops.twin.support.support import to_text as support_text
from twinops.twin.tastes.categories import Tastes
from twinops.twin.tastes.model_file import Preferences
from twinops.workflows.scoring.admitted import Admitted, admitted
from twinops.workflows.scoring.score import score
from twinops.workflows.scoring.scored import ModelGiven, Scored, Wanted
from twinops.workflows.scoring.states_today import StatesToday
from twinops.workflows.twin import tastes
from twinops.workflows.twin.access import access
from twinops.workflows.twin.predict import predict
from twinops.workflows.twin.show import show
from twinops.workflows.twin.tastes import liked_by

OWNER = "owner-account"
FIGURES = ("active_probability", "baskets", "spend", "spend_median")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    made = rights_world(tmp_path_factory.mktemp("score"))
    offices = made.places.compliance / "offices.yaml"
    text = offices.read_text(encoding="utf-8")
    line = (
        f"  - {{account: {OWNER}, name: Olga Owner, emails: [olga@shop.example], office: data owner, "
        "valid_until: 2027-11-23}\n  - {account: by-account, office: data owner, valid_until: 2027-11-23}\n"
    )
    offices.write_text(text.replace("people:\n", f"people:\n{line}"), encoding="utf-8")
    return made


def done(world: RightsWorld, out: Path | str, purpose: str = "offers", **asked: Any) -> Scored:
    given = {k: asked.pop(k) for k in ("model", "heard") if k in asked}
    return score(Wanted(purpose, str(out), **asked), **given, opener=world.opener, desk=world.desk)


def opened(world: RightsWorld, path: Path) -> list[dict[str, Any]]:
    return read_sealed(path, dataset="scores", keys=world.keys).to_pylist()


def test_each_row_is_what_the_twin_says_alone(world, tmp_path):
    found = done(world, tmp_path / "scores.parquet")
    rows = opened(world, tmp_path / "scores.parquet")
    assert found.rows == len(rows) > 400
    for row in rows[::9]:
        alone = predict(row["sid"], "offers", opener=world.opener).expected
        assert alone is not None
        assert [row[f] for f in FIGURES] == [getattr(alone, f) for f in FIGURES]
        assert (row["spend_low"], row["spend_high"]) == alone.spend_range
        assert (row["baskets_low"], row["baskets_high"]) == alone.baskets_range
    shown = show(rows[0]["sid"], "offers", opener=world.opener).portrait
    assert shown is not None
    assert (rows[0]["reason_1"], rows[0]["reason_1_factor"]) == (shown.reasons[0].theme, shown.reasons[0].factor)


GOODS_COLUMNS = {"product_id": "sku", "product_category": "group"}
UNSEEN_GOODS = {
    "kind": "products",
    "reads": "csv",
    "path": "goods.csv",
    "columns": GOODS_COLUMNS,
    "legal": LEGAL | {"purposes": dict.fromkeys(GOODS_COLUMNS, TWIN)},
    "special_reviewed": "open",
}


def test_no_taste_is_told_while_nobody_looked_through_the_products(world, tmp_path, monkeypatch):
    looked_at = done(world, tmp_path / "looked.parquet")
    heads_asked = []
    monkeypatch.setattr("twinops.workflows.scoring.rows.liked_by", liked_when(heads_asked))
    opener = replace(world.opener, receipts=replace(world.opener.receipts, own=params(goods=UNSEEN_GOODS).own))
    found = score(Wanted("offers", str(tmp_path / "scores.parquet")), opener=opener, desk=world.desk)
    assert found.rows == looked_at.rows
    assert heads_asked
    assert set(heads_asked) == {None}, "no head for tastes is asked"
    assert {row["category_1"] for row in opened(world, tmp_path / "scores.parquet")} == {None}
    beside = json.loads((tmp_path / "scores.parquet.json").read_text(encoding="utf-8"))
    assert beside["model"]["tastes"].startswith("none: nobody who knows the goods")
    assert looked_at.model.tastes.startswith("as they were learned")


def test_nor_is_one_in_a_portrait_or_in_a_copy(world, monkeypatch):
    asked: list[Any] = []
    monkeypatch.setattr(tastes, "heads", lambda _: Preferences(tastes=HEAD))
    monkeypatch.setattr(tastes, "liked_by", lambda *_, top: asked.append(_[2]) or tastes.NOTHING_TOLD)
    who = next(natural(n) for n in range(100) if show(natural(n), "offers", opener=world.opener).refused is None)
    access(who, opener=world.opener)
    assert asked == [HEAD, HEAD]
    unseen = replace(world.opener, receipts=replace(world.opener.receipts, own=params(goods=UNSEEN_GOODS).own))
    assert show(who, "offers", opener=unseen).portrait is not None
    assert access(who, opener=unseen).portrait is not None
    assert asked[2:] == [None, None]


HEAD = cast("Tastes", object())


def liked_when(asked: list[Any]) -> Any:
    """Remember which head was asked, and answer as ever."""

    def liked(tables: Any, places: Any, model: Any, *, top: int) -> Any:
        asked.append(model)
        return liked_by(tables, places, model, top=top)

    return liked


@pytest.fixture
def own_feature() -> Iterator[None]:
    """A feature of the project's own: baskets so far, times ten."""
    sql = (
        "-- reads: basket_id\n-- purposes: twin_training, twin_scoring\n-- says: baskets so far\n"
        "SELECT subject, 10.0 * COUNT(DISTINCT basket_id) AS value FROM past GROUP BY subject ORDER BY subject\n"
    )
    with plugins.only([plugins.Idea("twinops.twin.own_features", "visits", "ideas/features/visits.sql", sql)]):
        yield


@pytest.mark.usefixtures("own_feature")
def test_features_of_the_projects_own_are_those_that_one_twin_is_opened_with(world):
    sids = admitted(world.receipts, "offers").sids[:20]
    states = StatesToday.among(world.receipts, GRID).of(sids, world.receipts.plane.tables).to_pylist()
    assert len(states) == 20
    for row in states:
        consumer = world.opener.consumer(row["sid"])
        assert {name: row[name] for name in consumer.own} == consumer.own
        assert consumer.own["own_visits"] == 10 * row["baskets_total"]


def test_small_blocks_give_the_same_table(world, tmp_path, monkeypatch):
    done(world, tmp_path / "one.parquet")
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr("twinops.workflows.scoring.rows.BLOCK", 37)
    done(world, tmp_path / "two.parquet", heard=lambda n, of: heard.append((n, of)))
    assert opened(world, tmp_path / "one.parquet") == opened(world, tmp_path / "two.parquet")
    assert len(heard) > 10
    assert heard == sorted(heard)


def test_whoever_twin_refuses_is_in_no_table_and_is_counted(world, tmp_path):
    world.take(OTHER, "object", purpose="offers")
    world.take(MERGED, "restrict", ground="b")
    done(world, tmp_path / "scores.parquet")
    there = {row["sid"] for row in opened(world, tmp_path / "scores.parquet")}
    for who in (OTHER, MERGED, CHILD):
        assert world.sid(who) not in there
        assert predict(world.sid(who), "offers", opener=world.opener).refused
    counted = admitted(world.receipts, "offers").left_out
    assert counted["restricted"] == counted["under_age"] == counted["objected"] == 1
    assert sum(counted.values()) + len(there) == 450
    world.take(MERGED, "lift")


def test_who_objects_while_it_runs_is_out(world, tmp_path, monkeypatch):
    monkeypatch.setattr("twinops.workflows.scoring.rows.BLOCK", 50)
    sid = world.sid(440)
    behind = sorted(admitted(world.receipts, "offers").sids).index(sid) > 60
    began: list[int] = []

    def heard(done_so_far: int, _of: int) -> None:
        if not began:
            world.take(440, "object", purpose="offers")
        began.append(done_so_far)

    done(world, tmp_path / "scores.parquet", heard=heard)
    assert behind, "its block comes after the first"
    assert sid not in {row["sid"] for row in opened(world, tmp_path / "scores.parquet")}


class Erased:
    """The keys of everybody but one."""

    def __init__(self, keys: MemoryKeys, gone: str) -> None:
        self.keys, self.gone = keys, gone

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        return {s: k for s, k in self.keys.subject_keys(sids).items() if s != self.gone}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.keys, name)


def test_an_erased_consumer_has_no_row_and_the_row_of_an_older_table_closes(world, tmp_path):
    done(world, tmp_path / "before.parquet")
    gone = opened(world, tmp_path / "before.parquet")[3]["sid"]
    after = RightsWorld(world.places, Erased(world.keys, gone))  # type: ignore[arg-type]
    found = done(after, tmp_path / "after.parquet")
    for path in ("before.parquet", "after.parquet"):
        there = {row["sid"] for row in opened(after, tmp_path / path)}
        assert len(there) == found.rows > 400
        assert gone not in there
    assert admitted(after.receipts, "offers").left_out["erased"] == 1


def test_no_id_and_no_figure_stands_in_the_open(world, tmp_path):
    done(world, tmp_path / "scores.parquet")
    assert pq.read_schema(tmp_path / "scores.parquet").names == ["sid", "frame"]
    beside = json.loads((tmp_path / "scores.parquet.json").read_text(encoding="utf-8"))
    assert beside["model"]["stands"] == "candidate, not approved"
    assert beside["purpose"] == "offers"
    assert not any(world.sid(n) in json.dumps(beside) for n in range(20))


def test_it_is_written_into_the_ledger_with_digest_and_counts_and_nobody(world, tmp_path):
    world.ledger.note("seen", "2020-01-01T00:00:00.000Z")
    found = done(world, tmp_path / "scores.parquet")
    last = world.ledger.entries()[-1]
    assert (last.right, last.sid, last.act.purpose) == (Right.SCORED, "", "offers")
    assert last.act.about["rows"] == str(found.rows)
    assert found.model is not None
    assert last.act.about["model"] == found.model.file_sha256
    # a job of every night does not make the ledger look as if somebody had taken in what was asked
    assert world.ledger.state("seen") == "2020-01-01T00:00:00.000Z"
    world.ledger.sync()


@pytest.mark.filterwarnings("default")  # MLflow deprecates its own parts
def test_the_audit_log_has_it_from_there(world, tmp_path):
    from twinops.server.registry.rights_log import about

    found = done(world, tmp_path / "scores.parquet", decide=True)
    told = about(world.ledger.entries()[-1])
    assert (told["right"], told["purpose"]) == ("scored", "offers")
    assert (told["use"]["rows"], told["use"]["sealed"], told["use"]["decided"]) == (str(found.rows), "yes", "yes")
    assert "subject" not in told


def test_nothing_lies_there_when_it_cannot_be_logged(world, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise ServiceError("no ledger")

    monkeypatch.setattr(type(world.ledger), "append", broken)
    with pytest.raises(ServiceError):
        done(world, tmp_path / "scores.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("purpose", "why"), [("twin_training", "no purpose"), ("bias_assessment", "no purpose"), ("ads", "no purpose")]
)
def test_an_undeclared_purpose_is_refused_and_nothing_is_opened(world, tmp_path, purpose, why, monkeypatch):
    monkeypatch.setattr("twinops.workflows.scoring.score.admitted", lambda *_: pytest.fail("somebody was looked at"))
    found = done(world, tmp_path / "scores.parquet", purpose)
    assert why in found.refused[0]
    assert list(tmp_path.iterdir()) == []


def test_in_the_open_only_the_data_owner_answers_for_it(world, tmp_path):
    for by, why in (("dpo", "data owner"), ("nobody", "data owner")):
        found = done(world, tmp_path / "scores.csv", opened=True, by=by)
        assert why in found.refused[0]
    account = done(world, tmp_path / "scores.csv", opened=True, by="by-account")
    assert "no person with a name and an e-mail" in account.refused[0]
    with pytest.raises(ParamsError, match="Say who answers for a list") as unnamed:
        done(world, tmp_path / "scores.csv", opened=True)
    assert "office: data owner" in unnamed.value.hint
    assert list(tmp_path.iterdir()) == []
    inside = done(world, world.places.root / "scores.csv", opened=True, by=OWNER)
    assert "project's folder" in inside.refused[0]
    within = done(world, f"sqlite:///{world.places.root}/s.db#scores", opened=True, by=OWNER)
    assert "project's folder" in within.refused[0]


def test_an_open_csv_with_ids_of_the_source_holds_no_sid_and_is_for_the_owner_alone(world, tmp_path):
    asked = (natural(20), natural(21), natural(OTHER), "nobody at all")
    found = done(world, tmp_path / "scores.csv", opened=True, by=OWNER, only=asked)
    with (tmp_path / "scores.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {natural(20), natural(21)}
    assert "sid" not in rows[0]
    assert found.left_out == {"not_held_or_not_allowed": None}
    assert stat.S_IMODE((tmp_path / "scores.csv").stat().st_mode) == 0o600
    act = world.ledger.entries()[-1].act
    assert (act.person, act.office, act.about["sealed"]) == ("Olga Owner", "data owner", "no")


def test_an_open_parquet_says_which_model_it_is_of(world, tmp_path):
    done(world, tmp_path / "scores.parquet", opened=True, by=OWNER)
    file = pq.read_table(tmp_path / "scores.parquet")
    about = json.loads(file.schema.metadata[b"twinops.scores"])
    assert about["model"]["stands"] == "candidate, not approved"
    assert file.num_rows > 400


def test_a_table_of_a_database_is_for_the_owner_alone_and_replaced_whole_or_left_as_it_was(
    world, tmp_path, monkeypatch
):
    address = f"sqlite:///{tmp_path}/shop.db#scores"
    done(world, address, opened=True, by=OWNER)
    assert stat.S_IMODE((tmp_path / "shop.db").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "shop.db") as db:
        before = db.execute("SELECT COUNT(*), MAX(spend) FROM scores").fetchone()
    assert before[0] > 400
    monkeypatch.setattr(type(world.ledger), "append", lambda *_: (_ for _ in ()).throw(ServiceError("no ledger")))
    with pytest.raises(ServiceError, match="no ledger"):
        done(world, address, opened=True, by=OWNER)
    with sqlite3.connect(tmp_path / "shop.db") as db:
        assert db.execute("SELECT COUNT(*), MAX(spend) FROM scores").fetchone() == before


@pytest.mark.parametrize(
    "out",
    ["scores.xlsx", "scores", "mysql://u:secret@h/db#t", "sqlite:///x.db", "sqlite:///x.db#a;b", "postgresql://#t"],
)
def test_a_place_that_is_not_understood_is_refused_without_repeating_a_password(world, out):
    with pytest.raises((ParamsError, ServiceError)) as refused:
        done(world, out, opened=True, by=OWNER)
    assert "secret" not in str(refused.value)


def test_csv_and_databases_are_not_written_unless_open(world, tmp_path):
    for out in (tmp_path / "scores.csv", f"sqlite:///{tmp_path}/shop.db#t"):
        with pytest.raises(ParamsError, match="cannot be sealed"):
            done(world, out)


def test_the_declared_decision_takes_the_top_fifth_and_the_policy_keeps_back(world, tmp_path):
    day = world.receipts.today
    sids = [row["sid"] for row in opened_of(world, tmp_path)]
    top = [r["sid"] for r in opened_of(world, tmp_path, decide=True) if r["selected"]]
    assert len(top) == int(0.2 * len(sids) + 0.5)
    busy = top[0]
    rows = {"sid": [busy] * 3, "campaign_id": [900, 901, 902], "campaign_type": ["A"] * 3}
    sent = pa.table({**rows, "start_day": [day - 3, day - 2, day - 1], "end_day": [day] * 3})
    before = world.places.raw("campaigns", "all")
    kept = before.read_bytes()
    table = read_sealed(before, dataset="campaigns", keys=world.keys)
    table = table.set_column(0, "sid", table["sid"].cast(pa.string()))
    whole = pa.concat_tables([table.select(table.column_names), sent.select(table.column_names).cast(table.schema)])
    write_sealed(whole, before, dataset="campaigns", keys=world.keys, subject="sid")
    try:
        after = opened_of(world, tmp_path, decide=True)
    finally:
        before.write_bytes(kept)
    # nobody moves up into the place
    assert {r["sid"] for r in after if r["selected"]} == set(top)
    assert {r["sid"]: r["kept_back"] for r in after if r["kept_back"]} == {busy: "contacted_too_often"}


def opened_of(world: RightsWorld, folder: Path, **asked: Any) -> list[dict[str, Any]]:
    done(world, folder / "scores.parquet", **asked)
    return opened(world, folder / "scores.parquet")


def test_the_rows_of_a_list_of_ids_are_told_the_decision_over_everybody(world, tmp_path):
    top = {r["sid"] for r in opened_of(world, tmp_path, decide=True) if r["selected"]}
    asked = [natural(n) for n in range(30, 60)]
    sids = {world.sid(n) for n in range(30, 60)}
    found = done(world, tmp_path / "ids.parquet", decide=True, only=tuple(asked))
    rows = opened(world, tmp_path / "ids.parquet")
    assert len(rows) == found.rows == 30
    assert {r["sid"] for r in rows if r["selected"]} == top & sids != set()
    assert found.decision is not None
    assert found.decision.selected == len(top)
    least = min((r for r in rows if not r["selected"]), key=lambda r: r["spend"])
    done(world, tmp_path / "one.parquet", decide=True, only=(least["id"],))
    assert [r["selected"] for r in opened(world, tmp_path / "one.parquet")] == [False], "one is not a fifth of one"


@pytest.fixture
def registered(world: RightsWorld) -> Iterator[list[str]]:
    """Twelve who said yes when they registered, and never bought; how newcomers scatter is known."""
    names, file = [natural(5_000 + n) for n in range(12)], world.places.raw("consent", "registered")
    agreed = everyone_agrees(names).rename_columns({"sid": "household_id"})
    write_sealed(agreed, file, dataset="consent", keys=world.keys, subject="household_id")
    seen = living_crowd().support
    newcomers = NewcomerModel(2.0, 40.0, seen.tiers[0].spread, ())
    world.places.support.write_text(support_text(replace(seen, newcomers=newcomers)), encoding="utf-8")
    try:
        yield names
    finally:
        file.unlink()
        world.places.support.unlink()


def test_who_never_bought_is_scored_as_they_are_told_alone_and_is_no_candidate(world, registered, tmp_path):
    found = done(world, tmp_path / "scores.parquet", decide=True)
    rows = {row["sid"]: row for row in opened(world, tmp_path / "scores.parquet")}
    assert found.nothing_known == 12
    for who in registered:
        row, alone = rows[world.sid(who)], predict(who, "offers", opener=world.opener).expected
        assert alone is not None
        assert [row[f] for f in FIGURES] == [getattr(alone, f) for f in FIGURES]
        assert (row["basis"], row["selected"]) == ("nothing known", False)
    assert found.decision is not None
    assert found.decision.asked == found.rows - 12


def test_a_decision_for_a_purpose_that_may_not_contact_is_refused(world, tmp_path):
    found = done(world, tmp_path / "scores.parquet", "twin_scoring", decide=True)
    assert "campaign" in found.refused[0]


def test_a_verified_model_answers_and_is_named(world, tmp_path):
    text = world.places.model.read_text(encoding="utf-8")
    mine = done(world, tmp_path / "a.parquet", model=ModelGiven(text, "twin", 3, "d" * 64))
    assert mine.model is not None
    assert (mine.model.name, mine.model.version, mine.model.stands) == ("twin", 3, "approved and live in the registry")
    told = json.loads(text)
    told["trained_on"]["rows"] += 1
    other = model_file.to_text(model_file.from_text(json.dumps(told)))
    another = done(world, tmp_path / "b.parquet", model=ModelGiven(other, "twin", 4, "e" * 64))
    assert another.model is not None
    assert "another model" in another.model.newcomers
    assert another.model.file_sha256 != mine.model.file_sha256


def test_where_nobody_allows_it_a_sentence_says_so(tmp_path):
    sids = [natural(n) for n in range(60)]
    refused = ledger_of(*((s, "offers", "refused", 5) for s in sids))
    places, keys = living_project(tmp_path / "p", households=450, ledger=_whole(sids, refused))
    world = RightsWorld(places, keys)
    found = admitted(world.receipts, "offers")
    assert found.left_out["consent_refused"] == 60


def _whole(sids: list[str], refused: pa.Table) -> pa.Table:
    agreed = everyone_agrees([natural(n) for n in range(450)])
    numbers = pa.array(range(9000, 9000 + refused.num_rows), pa.int64())
    assert sids
    return pa.concat_tables([agreed, refused.set_column(refused.schema.get_field_index("seq"), "seq", numbers)])


def test_a_count_that_hides_another_is_not_said_to_be_small():
    told = Admitted((), {"no_consent": 900, "consent_withdrawn": 51, "under_age": 3}, frozenset()).told
    assert score_cli._counts(told) == "consent withdrawn not told, no consent 900, under age not told"


def test_the_command_tells_counts_and_ends_with_ten_when_refused(world, tmp_path, monkeypatch):
    class Home:
        words = world.opener.words

        def told(self, text: str) -> str:
            return self.words.told(text)

        def run(self, _verb: str, **asked: Any) -> Scored:
            return score(**asked, opener=world.opener, desk=world.desk)

    monkeypatch.setattr(score_cli, "home", lambda _ctx: Home())
    monkeypatch.setattr(score_cli._rights_log, "keep", lambda _project: None)
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(natural(n) for n in range(30, 60)) + "\n", encoding="utf-8")
    out = tmp_path / "scores.parquet"
    told = CliRunner().invoke(score_cli.app, ["--purpose", "offers", "--out", str(out), "--ids", str(ids), "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["rows"] == 30
    assert natural(30) not in told.stdout
    refused = CliRunner().invoke(score_cli.app, ["--purpose", "ads", "--out", str(out)])
    assert refused.exit_code == 10


def test_missing_keys_of_nobody_make_no_table(tmp_path):
    places, _ = living_project(tmp_path / "p", households=450)
    stranger = RightsWorld(places, MemoryKeys("another store"))
    with pytest.raises(DataError, match="No twin may be scored"):
        done(stranger, tmp_path / "scores.parquet")
