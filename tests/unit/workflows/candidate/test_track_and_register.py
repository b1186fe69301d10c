"""One run and one version per key, whatever happened before; in memory and in the project's own MLflow alike."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from candidate import PICTURE, changed_evidence, commit, make_candidate, write

from twinops import params
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.memory.ledger_and_registry import MemoryRegistry, MemoryTracking
from twinops.adapters.mlflow.embedded import KEY, MlflowStore
from twinops.adapters.mlflow.registry import MlflowRegistry
from twinops.adapters.mlflow.tracking import EXPERIMENT, MlflowTracking
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.errors import DataError, IntegrityError
from twinops.ports import Registry, Tracking
from twinops.workflows.candidate.register import register
from twinops.workflows.candidate.status import status
from twinops.workflows.candidate.track import track
from twinops.workflows.places import Places

pytestmark = pytest.mark.filterwarnings("default")  # MLflow deprecates its own parts


@dataclass
class House:
    places: Places
    tracking: Tracking
    registry: Registry

    @property
    def lineage(self) -> DvcStore:
        return DvcStore(self.places.root)

    def track(self) -> Any:
        return track(self.places, self.lineage, self.tracking, params.read(self.places.root / "params.yaml"))

    def register(self) -> Any:
        return register(self.places, self.lineage, self.tracking, self.registry)

    def status(self) -> dict[str, Any]:
        return status(
            self.places, params.read(self.places.params), self.lineage, self.tracking, self.registry
        ).to_dict()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty MLflow database; making one takes seconds."""
    root = tmp_path_factory.mktemp("empty")
    MlflowStore(root).client().search_experiments()
    return MlflowStore(root).database.read_bytes()


@pytest.fixture(params=["memory", "mlflow"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    places = make_candidate(tmp_path / "project")
    if request.param == "memory":
        yield House(places, MemoryTracking(), MemoryRegistry())
        return
    yield on_mlflow(places, request.getfixturevalue("database"))


@pytest.fixture
def mlflow_house(tmp_path: Path, database: bytes) -> House:
    return on_mlflow(make_candidate(tmp_path / "project"), database)


def on_mlflow(places: Places, database: bytes) -> House:
    MlflowStore(places.root).database.write_bytes(database)
    return House(places, MlflowTracking(places.root), MlflowRegistry(places.root))


def test_a_candidate_has_one_run_and_one_version_however_often_it_is_recorded(house: House) -> None:
    first, again = house.track(), house.track()
    assert (first.written, again.written) == (True, False)
    assert first.run_id == again.run_id
    made, known = house.register(), house.register()
    assert (made.written, known.written) == (True, False)
    assert made.version == known.version == "1"
    assert house.status()["model"] == {"name": "twin", "version": "1", "key": first.key, "run_id": first.run_id}


def test_without_the_model_file_nothing_is_recorded_and_the_hint_says_what_brings_it(house: House) -> None:
    held = house.places.model.read_text()
    house.places.model.unlink()
    for record in (house.track, house.register):
        with pytest.raises(DataError, match=r"no twin\.json in models/") as told:
            record()
        assert "make run" in told.value.hint
    key = house.lineage.candidate_key()
    assert (house.tracking.find(key), house.registry.find("twin", key)) == (None, None)
    write(house.places.model, held)
    run = house.track()
    house.places.model.unlink()
    with pytest.raises(DataError, match=r"no twin\.json in models/"):
        house.register()
    assert house.registry.find("twin", key) is None
    write(house.places.model, held)
    assert (run.written, house.register().version) == (True, "1")


def test_another_key_is_another_run_and_version_and_the_first_is_found_again(house: House) -> None:
    first = house.track()
    house.register()
    old = (house.places.root / "dvc.lock").read_text()
    write(house.places.root / "dvc.lock", old.replace("notebook train", "notebook train2"))
    changed_evidence(house.places, key=house.lineage.candidate_key())
    second = house.track()
    assert second.run_id != first.run_id
    assert house.register().version == "2"
    write(house.places.root / "dvc.lock", old)
    changed_evidence(house.places, key=first.key)
    assert house.track().run_id == first.run_id
    assert house.register().version == "1"


def test_evidence_that_changed_under_the_same_key_brings_the_run_up_to_date(house: House) -> None:
    first = house.track()
    declared = Fact("declared", "somebody filled a form", Kind.DECLARED, "compliance")
    evidence = Evidence.from_json(house.places.evidence.read_text()).joined(facts=[declared])
    write(house.places.evidence, evidence.to_json())
    again = house.track()
    assert again.written
    assert again.run_id == first.run_id
    assert not house.track().written


def test_what_was_recorded_uncommitted_is_brought_up_to_date_once_it_is_committed(house: House) -> None:
    write(house.places.root / "note.txt", "not committed")
    house.track()
    assert house.tracking.find(house.lineage.candidate_key(), tags={"twinops.git.dirty": "true"})
    commit(house.places.root)
    assert house.track().written
    assert house.tracking.find(house.lineage.candidate_key(), tags={"twinops.git.dirty": "false"})


def test_evidence_of_another_candidate_is_refused(house: House) -> None:
    changed_evidence(house.places, key="0" * 64)
    with pytest.raises(IntegrityError, match="made for candidate 000000000000"):
        house.track()


def test_registering_before_tracking_is_refused(house: House) -> None:
    with pytest.raises(DataError, match="not in the ledger"):
        house.register()


def test_the_run_holds_parameters_intervals_pictures_and_lineage(tmp_path: Path) -> None:
    house = House(make_candidate(tmp_path), MemoryTracking(), MemoryRegistry())
    house.track()
    run = house.tracking.runs["run-1"]  # type: ignore[attr-defined]
    assert run.params["train.activity_c"] == 0.2
    assert (run.metrics["active_auc"], run.metrics["active_auc.low"], run.metrics["active_auc.high"]) == (
        0.88,
        0.87,
        0.89,
    )
    assert run.tags["twinops.git.dirty"] == "false"
    assert run.files["reports/figures/accuracy.png"].startswith(PICTURE.decode("latin1").encode())
    names = {"reports/evidence.json", "reports/notebooks/train.ipynb", "lineage/md5.json", "pipeline/dvc.lock"}
    assert names <= run.files.keys()


def test_a_run_cut_off_before_it_was_finished_is_taken_up_not_doubled(mlflow_house: House) -> None:
    client = MlflowStore(mlflow_house.places.root).client()
    number = client.create_experiment(EXPERIMENT, artifact_location=(mlflow_house.places.root / "mlruns").as_uri())
    cut_off = client.create_run(number, tags={KEY: mlflow_house.lineage.candidate_key()}).info.run_id
    assert mlflow_house.tracking.find(mlflow_house.lineage.candidate_key()) is None
    assert mlflow_house.track().run_id == cut_off
    assert len(client.search_runs([number])) == 1


def test_a_deleted_ledger_is_filled_anew(mlflow_house: House) -> None:
    mlflow_house.track()
    MlflowStore(mlflow_house.places.root).database.unlink()
    assert mlflow_house.tracking.find(mlflow_house.lineage.candidate_key()) is None


def test_the_description_shows_verdicts_and_links_and_fits_the_registry(mlflow_house: House) -> None:
    mlflow_house.track()
    done = mlflow_house.register()
    version = MlflowStore(mlflow_house.places.root).client().get_model_version(done.name, done.version)
    assert len(version.description) <= 4500
    assert "accuracy" in version.description
    assert "reports/evidence.json" in version.description
    assert version.tags["twinops.decision"] == "refused"
    assert version.tags["twinops.git.dirty"] == "false"


def test_the_registered_model_loads_and_predicts_without_any_pickle(
    mlflow_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cloudpickle
    import mlflow

    from twinops.adapters.mlflow import twin_flavour

    run_id = mlflow_house.track().run_id
    mlflow_house.register()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pickle was opened")

    class NoUnpickler(pickle.Unpickler):
        def __init__(self, *_: object, **__: object) -> None:
            refuse()

    for home, name in ((pickle, "load"), (pickle, "loads"), (cloudpickle, "load"), (cloudpickle, "loads")):
        monkeypatch.setattr(home, name, refuse)
    monkeypatch.setattr(pickle, "Unpickler", NoUnpickler)
    folder = mlflow_house.places.root / "mlruns" / EXPERIMENT / run_id / "artifacts" / "model"
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle", ".joblib", ".pt", ".bin"}]
    predicted = mlflow.pyfunc.load_model(str(folder)).predict(twin_flavour.example(), params={"purpose": "offers"})
    # every weight is zero, so rates are one, and the chance is 1 - (3 / 4) ** 3
    assert predicted.to_dict("list") == {
        "id": ["weekly", "once"],
        "basis": ["established", "established"],
        "active_probability": [0.578125, 0.578125],
        "baskets": [1.0, 1.0],
        "spend": [1.0, 1.0],
        "spend_median": [1.0, 1.0],
        "refused": ["", ""],
    }


def test_a_first_run_killed_while_mlflow_makes_its_tables_leaves_no_half_database(tmp_path: Path) -> None:
    store = MlflowStore(tmp_path)
    (tmp_path / "mlflow.db.half").write_bytes(b"half")
    (tmp_path / "mlflow.db.half-journal").write_bytes(b"half")
    store.made()
    assert sorted(p.name for p in tmp_path.glob("mlflow.db*")) == ["mlflow.db"]
    assert store.peek("SELECT COUNT(*) FROM experiments") == [(1,)]
    before = store.database.stat().st_mtime_ns
    store.made()
    assert store.database.stat().st_mtime_ns == before
