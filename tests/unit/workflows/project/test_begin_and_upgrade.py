"""A project is begun in an empty folder, and renewed without taking anything away from its owner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import own_world
import pytest
import yaml
from candidate import ROOT

from twinops import params
from twinops.adapters import installed_code
from twinops.data.own_sources.watching import watched
from twinops.errors import ParamsError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.workflows.compliance_files import declarations, open_in
from twinops.workflows.places import Places
from twinops.workflows.project import own_files
from twinops.workflows.project.begin import begin
from twinops.workflows.project.own_files import LOCK, Installed, renewed
from twinops.workflows.project.upgrade import Fate, Upgraded, upgrade
from twinops.workflows.watched_pipeline import OwnThings

NOW = Installed("9.9", installed_code.pipeline(), "twinops[server,lab]==9.9")


def begun(root: Path, *, own: bool = False) -> Path:
    begin(Places(root), installed=NOW, own=own)
    return root


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return begun(tmp_path / "shop")


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """A version in which the Makefile and the settings of notebooks are others, one file is new and one is gone."""
    changed = {**renewed(NOW), "new.txt": "new\n"}
    changed["Makefile"] += "# newer\n"
    changed["jupytext.toml"] += "# newer\n"
    del changed["README.md"]
    monkeypatch.setattr("twinops.workflows.project.upgrade.renewed", lambda _installed: changed)
    return Installed("10.0", NOW.pipeline, NOW.requirement)


def renew(places: Places, own: OwnParams = NOTHING_OWN, **how: Any) -> Upgraded:
    return upgrade(OwnThings(places, own), **how)


def fates(done: Upgraded) -> dict[str, Fate]:
    return {change.path: change.fate for change in done.changes}


def test_a_project_has_what_it_needs_and_every_parameter_and_declaration_in_it_can_be_acted_on(project: Path) -> None:
    for path in (
        *(
            "dvc.yaml",
            "params.yaml",
            "Makefile",
            "README.md",
            ".gitignore",
            ".gitattributes",
            "epoch.json",
            "rights.json",
            "corrections.json",
            "persons.json",
            "holds.json",
            "retained.json",
            ".dvc/config",
        ),
        *("sources.lock.json", "tests/test_project.py", ".github/workflows/twinops.yml", ".gitlab-ci.yml", LOCK),
        *("notebooks/train.py", "compliance/policy.yaml", "setup/lab/jupyter_lab_config.py", "requirements.txt"),
    ):
        assert (project / path).is_file(), path
    assert params.read(project / "params.yaml") == params.read(ROOT / "params.yaml"), "the demonstration, switched on"
    assert declarations(Places(project)).open == ()
    assert "twinops[server,lab]==9.9" in (project / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize("there", ["a.txt", ".hidden", "folder/x"])
def test_a_folder_in_which_anything_lies_is_left_alone(tmp_path: Path, there: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(ParamsError, match="is not empty") as refused:
        begun(tmp_path)
    assert "new or empty" in refused.value.hint
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_an_empty_folder_and_a_clone_that_holds_nothing_yet_are_taken_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    assert (begun(tmp_path / "clone") / "dvc.yaml").is_file()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ParamsError, match="is a file"):
        begun(tmp_path / "file")


def test_nothing_is_written_twice_what_a_project_gets_is_what_this_repository_has(project: Path) -> None:
    for path in (*own_files.SAME, *(f"notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.py"))):
        assert (project / path).read_bytes() == (ROOT / path).read_bytes()
    ours, theirs = (yaml.safe_load((root / "dvc.yaml").read_text())["stages"] for root in (ROOT, project))
    assert list(ours) == list(theirs)
    for name, stage in ours.items():
        here, there = stage.get("do", stage), theirs[name].get("do", theirs[name])
        assert there["deps"] == [dep for dep in here["deps"] if not dep.startswith("src/")]
        assert [p for p in there["params"] if "code.lock.json" not in p] == here["params"]
        assert len(there["params"]) == len(here["params"]) + 1
        assert {k: v for k, v in here.items() if k not in ("deps", "params")} == {
            k: v for k, v in there.items() if k not in ("deps", "params")
        }


def test_what_only_people_can_say_is_open_and_told_with_who_must_say_it(tmp_path: Path) -> None:
    places = Places(begun(tmp_path / "shop", own=True))
    found = {(one.file, one.field): one.who for one in open_in(places)}
    assert found["intended_use.yaml", "controller.name"] == "the controller"
    assert found["intended_use.yaml", "purposes.offers.legal_basis"] == "the controller's data owner"
    assert found["intended_use.yaml", "decision.solely_automated"] == "the controller's data owner"
    assert found["intended_use.yaml", "ai_act.facts.role_provider"] == "the controller's data owner"
    assert found["dpia.yaml", "declared.transfers"] == "the controller's data owner"
    assert found["dpia.yaml", "need"]
    assert found["policy.yaml", "version"] == "the risk officer"
    assert found["offices.yaml", "version"] == "the controller"
    told = declarations(places)
    assert told.open == open_in(places)
    assert not told.uses.controller.synthetic
    assert {said.value for said in (*told.uses.ai_act.facts.values(), *told.uses.consumer_law.facts.values())} == {
        "unknown"
    }
    assert params.read(places.root / "params.yaml").vault.keys == "store", "a published key seals nobody's data"


def test_no_open_file_says_anything_of_the_demonstration(tmp_path: Path) -> None:
    root = begun(tmp_path / "shop", own=True)
    for name in ("intended_use.yaml", "dpia.yaml", "offices.yaml"):
        text = (root / "compliance" / name).read_text()
        assert [
            word for word in ("Demo", "grocer", "is synthetic", "example.org", "scientist") if word in text
        ] == [], name


def test_an_answer_that_is_given_is_no_longer_open(tmp_path: Path) -> None:
    root = begun(tmp_path / "shop", own=True)
    path = root / "compliance" / "intended_use.yaml"
    before = open_in(Places(root))
    path.write_text(path.read_text().replace("name: to be said by the controller\n", "name: Blue Shop Ltd\n"))
    assert [one.field for one in before if one not in open_in(Places(root))] == ["controller.name"]


def test_an_unchanged_version_changes_nothing(project: Path) -> None:
    assert renew(Places(project), installed=NOW).changes == ()


def test_what_a_newer_version_changes_is_shown_first_and_written_when_asked(project: Path, newer: Installed) -> None:
    before = {p: p.read_bytes() for p in project.rglob("*") if p.is_file()}
    shown = renew(Places(project), installed=newer)
    assert fates(shown) == {
        "Makefile": Fate.CHANGED, "README.md": Fate.GONE, "jupytext.toml": Fate.CHANGED, "new.txt": Fate.NEW
    }  # fmt: skip
    assert "+# newer" in next(change.diff for change in shown.changes if change.path == "Makefile").splitlines()
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before
    renew(Places(project), installed=newer, write_it=True)
    assert (project / "Makefile").read_text().endswith("# newer\n")
    assert (project / "new.txt").is_file()
    assert not (project / "README.md").exists()
    assert json.loads((project / LOCK).read_text())["twinops"] == "10.0"
    assert renew(Places(project), installed=newer).changes == ()


def test_what_the_owner_changed_is_kept_and_a_conflict_is_told_until_it_is_joined(
    project: Path, newer: Installed
) -> None:
    for name in ("Makefile", "README.md", ".gitignore"):
        (project / name).write_text("mine\n")
    (project / "notebooks" / "twin.py").unlink()
    (project / "new.txt").write_text("mine too\n")
    for _ in range(2):
        done = renew(Places(project), installed=newer, write_it=True)
        assert done.conflicts == ("Makefile", "new.txt")
    assert [(project / name).read_text() for name in ("Makefile", "README.md", ".gitignore")] == ["mine\n"] * 3
    assert (project / "new.txt").read_text() == "mine too\n"
    assert not (project / "notebooks" / "twin.py").exists()
    assert (project / "jupytext.toml").read_text().endswith("# newer\n"), "what she left alone is renewed all the same"
    assert renew(Places(project), installed=newer, mine=["Makefile", "new.txt"]).conflicts == ()
    assert renew(Places(project), installed=newer).changes == ()
    with pytest.raises(ParamsError, match="no file that twinops renews"):
        renew(Places(project), installed=newer, mine=["params.yaml"])


def test_the_sources_that_dvc_watches_are_nobodys_edit_and_stay_watched(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_world.params(shop=own_world.RETAIL).own
    pipeline = project / "dvc.yaml"
    pipeline.write_text(watched(pipeline.read_text(), own, project))
    assert "files/retail.csv" in pipeline.read_text()
    assert renew(Places(project), own, installed=NOW).changes == ()
    changed = {**renewed(NOW), "dvc.yaml": NOW.pipeline + "# newer\n"}
    monkeypatch.setattr("twinops.workflows.project.upgrade.renewed", lambda _installed: changed)
    assert fates(renew(Places(project), own, installed=NOW, write_it=True)) == {"dvc.yaml": Fate.CHANGED}
    assert pipeline.read_text().endswith("# newer\n")
    assert "files/retail.csv" in pipeline.read_text()
    assert renew(Places(project), own, installed=NOW).changes == ()


@pytest.mark.parametrize("text", ["[", "stages", "a: [\n", ""])
def test_a_pipeline_that_is_none_any_more_is_left_and_told(project: Path, newer: Installed, text: str) -> None:
    (project / "dvc.yaml").write_text(text)
    (project / LOCK).write_text((project / LOCK).read_text().replace(own_files.digest(NOW.pipeline), "0" * 64))
    assert "dvc.yaml" in renew(Places(project), installed=newer, write_it=True).conflicts
    assert (project / "dvc.yaml").read_text() == text


def test_a_folder_that_was_not_begun_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="was not made by `twinops init`"):
        renew(Places(tmp_path), installed=NOW)
    (tmp_path / LOCK).write_text("[")
    with pytest.raises(ParamsError, match="cannot be read"):
        renew(Places(tmp_path), installed=NOW)
