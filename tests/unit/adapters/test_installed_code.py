"""What a project without code of its own depends on: the installed code, told as DVC tells of this repository."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from candidate import ROOT

from twinops.adapters import extras, installed_code, running_code
from twinops.adapters.registry_client.commit import installed
from twinops.plugins import carried

LINES = {
    "from a registry": (None, f"twinops[lab]=={version('twinops')}"),
    "from a wheel": ({"url": "file:///w/t.whl", "archive_info": {}}, "twinops[lab] @ file:///w/t.whl"),
    "from a folder": ({"url": "file:///w", "dir_info": {"editable": True}}, "twinops[lab] @ file:///w"),
    "from git": (
        {"url": "https://g/t", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
        "twinops[lab] @ git+https://g/t@abc",
    ),
}


def test_each_stage_depends_on_the_files_that_the_repositorys_own_pipeline_names() -> None:
    assert carried() == ROOT
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    code = installed_code.code()
    assert {entry.partition("@")[0] for entry in code} == set(stages)
    assert list(code["collect"]) == [d for d in stages["collect"]["do"]["deps"] if d.startswith("src/")]
    one, other = (code[f"collect_profile@{name}"].keys() for name in ("campaigns", "redemptions"))
    assert "src/twinops/data/sources/campaigns.py" in one - other
    assert installed_code.of_stage("collect@2017-01") == [*code["collect"]]
    assert installed_code.of_stage("collect_profile@campaigns") == [*code["collect_profile@campaigns"]]
    assert all(md5 != "None" for paths in code.values() for md5 in paths.values())


def test_the_digests_are_those_that_dvc_records_of_the_same_files(tmp_path: Path) -> None:
    from twinops.adapters.dvc.lock_file import DvcStore

    store = DvcStore(ROOT)
    for path in ("src/twinops/data/days.py", "src/twinops"):
        assert installed_code.md5(path) == store._md5(path)


def test_what_is_written_down_is_what_runs_and_another_code_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "code.lock.json").write_text("{}")
    (tmp_path / "pins.yaml").write_text(f"twinops: {version('twinops')}\n")
    assert "is not what code.lock.json says" in running_code.strange(tmp_path)
    assert set(installed_code.write(tmp_path)) == set(installed_code.code()), "every stage runs"
    assert running_code.strange(tmp_path) == ""
    assert installed_code.write(tmp_path) == ()
    told = json.loads((tmp_path / "code.lock.json").read_text())
    told["train"]["src/twinops/twin/model/boosted_trees.py"] = "0" * 32
    told["documents"] = {"src/twinops": "0" * 32 + ".dir"}
    (tmp_path / "code.lock.json").write_text(json.dumps(told))
    assert running_code.strange(tmp_path).endswith("is not what code.lock.json says, for documents, train")
    assert installed_code.differing(tmp_path) == ("documents", "train")


def test_pins_tell_what_is_installed(tmp_path: Path) -> None:
    installed_code.write(tmp_path)
    pins = yaml.safe_load((tmp_path / "pins.yaml").read_text())
    assert pins.pop("twinops") == version("twinops")
    assert pins == {name: version(name) for name in yaml.safe_load((ROOT / "pins.yaml").read_text())}


@pytest.mark.parametrize("case", LINES)
def test_a_project_gets_twinops_from_where_this_one_came(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told, line = LINES[case]

    class Distribution:
        def read_text(self, _name: str) -> str | None:
            return None if told is None else json.dumps(told)

    monkeypatch.setattr(installed_code, "distribution", lambda _name: Distribution())
    assert installed_code.requirement(["lab"]) == line


def test_the_judge_of_a_project_is_the_installed_code_as_this_repository_spells_it() -> None:
    told = installed()
    assert "src/twinops/governance/gates/fairness.py" in told
    assert not [path for path in told if path.startswith("src/twinops/server/") or "_project" in path]


def test_a_library_of_an_extra_is_named_by_its_extra() -> None:
    assert extras.lacking(ModuleNotFoundError("no", name="pyspark.sql")) == "spark"
    assert extras.lacking(ModuleNotFoundError("no", name="numpy")) == ""
    assert extras.lacking(ValueError("x")) == ""
    told = ImportError("MLflow's own words")
    told.__cause__ = ModuleNotFoundError("no", name="flask_wtf")
    assert extras.lacking(told) == "server"
