"""The candidate's key, and whether the folder is what the lock file says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import governed
import pytest
import yaml
from candidate import commit, git, lock, make_candidate, write
from dvc.lock import LockError

from twinops.adapters.dvc import locks, repro
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.md5 import ignored_in, md5_of
from twinops.errors import DataError, IntegrityError, ServiceError
from twinops.governance.gates import lineage
from twinops.workflows.candidate.files import evidence_of, stale
from twinops.workflows.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return make_candidate(tmp_path / "project")


def change_lock(root: Path, stage: str, field: str, value: object) -> None:
    raw = yaml.safe_load((root / "dvc.lock").read_text())
    raw["stages"][stage][field] = value
    write(root / "dvc.lock", yaml.safe_dump(raw))


def test_the_key_changes_with_command_inputs_parameters_and_outputs(places: Places) -> None:
    seen = {DvcStore(places.root).candidate_key()}
    changes = {"cmd": "twinops notebook other", "deps": [], "params": {"params.yaml": {"as_of": 1}}, "outs": []}
    for field, value in changes.items():
        change_lock(places.root, "train", field, value)
        seen.add(DvcStore(places.root).candidate_key())
    assert len(seen) == 5


def test_the_key_leaves_out_the_documents_and_executed_notebooks(places: Places) -> None:
    key = DvcStore(places.root).candidate_key()
    change_lock(places.root, "documents", "cmd", "something else")
    write(places.executed("train"), "other\n")
    lock(places.root)
    assert DvcStore(places.root).candidate_key() == key


def test_a_folder_as_it_was_made_fits_its_lock(places: Places) -> None:
    write(places.root / "src" / "__pycache__" / "code.cpython-311.pyc", "ignored by .dvcignore")
    assert DvcStore(places.root).lock_matches()


def test_who_may_ask_the_service_is_no_part_of_what_a_candidate_was_made_from(places: Places) -> None:
    before = md5_of(places.compliance, ignored=ignored_in(places.root))
    write(places.compliance / "clients.yaml", "issuers: []\n")
    assert md5_of(places.compliance, ignored=ignored_in(places.root)) == before
    write(places.compliance / "offices.yaml", "people: []\n")
    assert md5_of(places.compliance, ignored=ignored_in(places.root)) != before


@pytest.mark.parametrize(
    "break_it",
    [
        lambda places: write(places.root / "src" / "code.py", "x = 2\n"),
        lambda places: write(places.root / "src" / "more.py", ""),
        lambda places: places.model.unlink(),
        lambda places: write(places.model, "{}"),
        lambda places: write(
            places.root / "params.yaml",
            (places.root / "params.yaml").read_text().replace("activity_c: 0.2", "activity_c: 0.4"),
        ),
    ],
)
def test_changed_code_data_or_parameters_do_not_fit_the_lock(places: Places, break_it: object) -> None:
    break_it(places)  # type: ignore[operator]
    assert not DvcStore(places.root).lock_matches()


def test_inputs_and_outputs_are_told_with_their_digests(places: Places) -> None:
    told = DvcStore(places.root).inputs_and_outputs()
    assert list(told) == ["models/twin.json", "reports/notebooks/train.ipynb", "src"]
    assert told["src"].endswith(".dir")


def test_git_is_asked_for_the_commit_and_for_changes(places: Places) -> None:
    store = DvcStore(places.root)
    assert store.git_revision() == git(places.root, "rev-parse", "HEAD").strip()
    assert store.git_dirty() is False
    write(places.root / "note.txt", "new")
    assert store.git_dirty() is True
    commit(places.root)
    assert store.git_dirty() is False


def test_outside_git_nothing_is_claimed(tmp_path: Path) -> None:
    store = DvcStore(tmp_path)
    assert store.git_revision() is None
    assert store.git_dirty() is None


def test_git_that_refuses_to_answer_is_quoted_and_not_taken_for_no_git(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(ServiceError, match=r"dubious ownership(.|\n)*safe\.directory"):
        DvcStore(places.root).git_dirty()
    with pytest.raises(ServiceError, match="dubious ownership"):
        DvcStore(places.root).git_revision()


def test_a_run_beside_another_and_a_folder_outside_git_are_told_in_one_true_sentence(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bare" / ".dvc" / "config", "")
    with pytest.raises(ServiceError, match="git init"):
        repro.reproduce(tmp_path / "bare", [], how=repro.Manner(1), say=print)
    monkeypatch.setattr("dvc.repo.Repo", held_by_another)
    with pytest.raises(ServiceError, match=r"Another run works in this folder.*Wait until it ends"):
        repro.reproduce(places.root, [], how=repro.Manner(1), say=print)


def held_by_another(*_: object, **__: object) -> None:
    raise LockError("'x' is busy. If there are no processes with such PIDs, you can manually remove the lock.")


def test_a_missing_or_broken_lock_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no dvc\.lock"):
        DvcStore(tmp_path).candidate_key()
    write(tmp_path / "dvc.lock", "[1, 2")
    with pytest.raises(IntegrityError, match="not a lock file"):
        DvcStore(tmp_path).candidate_key()


@pytest.mark.parametrize("left", ["", '{"write": {'])
def test_the_doctor_removes_a_lock_that_a_kill_left_broken(tmp_path: Path, left: str) -> None:
    rwlock = tmp_path / ".dvc" / "tmp" / "rwlock"
    write(rwlock, left)
    assert locks.mend(tmp_path) == ["Removed .dvc/tmp/rwlock, which a killed run had left broken."]
    assert not rwlock.exists()
    assert locks.mend(tmp_path) == []


def test_the_doctor_leaves_a_good_lock_alone(tmp_path: Path) -> None:
    rwlock = tmp_path / ".dvc" / "tmp" / "rwlock"
    write(rwlock, json.dumps({"read": {}, "write": {}}))
    assert locks.mend(tmp_path) == []
    assert rwlock.exists()


def test_the_doctor_touches_nothing_while_dvc_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rwlock = tmp_path / ".dvc" / "tmp" / "rwlock"
    write(rwlock, "")
    monkeypatch.setattr(locks, "at_work", lambda _root: [4711])
    with pytest.raises(ServiceError, match="process 4711"):
        locks.mend(tmp_path)
    assert rwlock.exists()


def test_an_entry_of_a_stage_that_is_gone_is_named_with_what_it_made(places: Places) -> None:
    raw = yaml.safe_load((places.root / "dvc.lock").read_text())
    raw["stages"]["sniff"] = {"cmd": "true", "outs": [{"path": "reports/measures/sniff.json", "md5": "0"}]}
    write(places.root / "dvc.lock", yaml.safe_dump(raw))
    store = DvcStore(places.root)
    assert store.stale_stages() == {"sniff": ("reports/measures/sniff.json",)}
    assert not store.lock_matches()


def test_an_entry_of_an_item_that_is_gone_is_named_too(places: Places) -> None:
    raw = yaml.safe_load((places.root / "dvc.lock").read_text())
    for month in ("2017-12", "2018-01"):
        raw["stages"][f"collect@{month}"] = {"cmd": "true", "outs": []}
    write(places.root / "dvc.lock", yaml.safe_dump(raw))
    stages = {"train": {}, "documents": {}, "collect": {"foreach": "${months}", "do": {"cmd": "true"}}}
    write(places.root / "dvc.yaml", yaml.safe_dump({"stages": stages}))
    assert list(DvcStore(places.root).stale_stages()) == ["collect@2018-01"]
    stages["collect"]["foreach"] = ["2018-01", "2017-12"]
    write(places.root / "dvc.yaml", yaml.safe_dump({"stages": stages}))
    assert DvcStore(places.root).lock_matches()


def test_what_changed_is_told_by_stage_with_what_never_ran(places: Places) -> None:
    write(places.root / "src" / "code.py", "x = 2\n")
    told = yaml.safe_load((places.root / "dvc.yaml").read_text())
    told["stages"]["collect"] = {"foreach": ["2018-01"], "do": {"cmd": "true"}}
    write(places.root / "dvc.yaml", yaml.safe_dump(told))
    store = DvcStore(places.root)
    assert store.changed() == {"train": ("src",), "collect@2018-01": ("it never ran",)}
    assert stale(store) == "Stale, made before this changed: train (src); collect@2018-01 (it never ran)."


def test_another_command_is_a_change_and_measures_do_not_hang_on_the_documents(places: Places) -> None:
    told = yaml.safe_load((places.root / "dvc.yaml").read_text())
    told["stages"]["documents"]["cmd"] = "cp prepared reports"
    write(places.root / "dvc.yaml", yaml.safe_dump(told))
    store = DvcStore(places.root)
    assert store.changed() == {"documents": ("its command",)}
    assert stale(store) == ""
    assert "documents (its command)" in stale(store, evidence_of(places.evidence))


def test_the_lineage_gate_says_which_entry_is_stale_and_how_to_remove_it() -> None:
    stale = governed.fact("lock_stale", {"sniff": ["reports/measures/sniff.json"]})
    verdict = lineage.check(governed.candidate(stale, governed.fact("lock_matches", False)), lineage.Limits())
    assert verdict.outcome.value == "failed"
    assert "still holds `sniff`, which dvc.yaml no longer has" in verdict.sentence
    assert "Take the entry `sniff:` below `stages:` out of dvc.lock" in verdict.next
    assert "delete `reports/measures/sniff.json`" in verdict.next
