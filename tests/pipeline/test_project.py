"""A project that `twinops init` makes runs on the twinops that is installed, and again only where its code changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from workshop import BIN, ROOT, Workshop, change_params

from twinops.adapters import installed_code
from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.registry_client.commit import Commit, installed

pytestmark = pytest.mark.pipeline
FEW = ("collect_consent", "collect@2017-01", "collect_profile@campaigns", "collect_profile@redemptions")
CAMPAIGNS = "src/twinops/data/sources/campaigns.py"
PARTS = ("src", "notebooks", "compliance", "setup", ".dvc", "dvc.yaml", "params.yaml", "pins.yaml", "jupytext.toml")
SETTINGS = (".dvcignore", ".gitignore", ".gitattributes")


class Shop(Workshop):
    """A project without code of its own, and a twinops of its own that it is told to run on."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(self.twinops / "src")}

    @property
    def twinops(self) -> Path:
        return self.root.parent / "twinops"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small project of the demonstration of which a few stages ran, on a copy of this twinops."""
    made = Shop(tmp_path_factory.mktemp("project") / "our shop")
    for part in (*PARTS, *SETTINGS):
        skip = shutil.ignore_patterns("__pycache__", "cache", "tmp", "*.ipynb", ".ipynb")
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        (made.twinops / part).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, made.twinops / part, **({"ignore": skip} if copy is shutil.copytree else {}))
    made.root.mkdir()
    said = made.do("twinops", "init", ".", GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    assert "git does not know who you are" in said
    change_params(made.root, {"months": ["2017-01", "2017-02"], "sources.sample": 100})
    made.commit("a shop")
    made.do("twinops", "repro", *FEW)
    made.commit("what ran")
    return made


def counted(said: str) -> str:
    return said.partition("pipeline: ")[2].partition(", in")[0]


def test_what_ran_is_what_is_installed_and_a_second_run_does_nothing(shop: Shop) -> None:
    code = json.loads((shop.root / "code.lock.json").read_text())
    for name, stage in shop.lock().items():
        entry = name if name in code else name.partition("@")[0]
        assert stage["params"]["code.lock.json"] == {entry: code[entry]}
        loaded = json.loads((shop.root / f"reports/code/{name}.json").read_text())
        assert loaded, f"{name} loaded nothing of what it depends on"
        assert {path: code[entry].get(path, md5) for path, md5 in loaded.items()} == loaded
    assert counted(shop.do("twinops", "repro", *FEW)) == "0 ran, 0 from the cache, 4 unchanged"
    assert counted(shop.do("twinops", "repro", *FEW)) == counted(shop.do("twinops", "repro", *FEW))
    assert "is up to date" in shop.repro("collect_consent") or "didn't change" in shop.repro("collect_consent")


def test_other_code_is_refused_until_it_is_written_down_and_then_runs_exactly_what_it_changes(shop: Shop) -> None:
    path = shop.twinops / CAMPAIGNS
    code = installed_code.code()
    concerned = {
        entry for entry, paths in code.items() if any(p == CAMPAIGNS or CAMPAIGNS.startswith(f"{p}/") for p in paths)
    }
    before = path.read_text()
    path.write_text(before + "\n# a newer version\n")
    try:
        said = shop.do("twinops", "repro", *FEW, expect=4)
        assert "Nothing was written: the code of twinops that is installed here is not what code.lock.json says" in said
        assert "collect_profile@campaigns" in shop.do("twinops", "upgrade")
        assert shop.do("git", "status", "--porcelain") == ""
        told = json.loads(shop.do("twinops", "upgrade", "--installed", "--json"))["again"]
        assert set(told) == concerned
        assert {"collect_profile@campaigns", "documents"} <= concerned
        assert not {"collect", "collect_profile@redemptions", "train", "fairness"} & concerned
        ran = len([stage for stage in FEW if stage in concerned])
        assert 0 < ran < len(FEW)
        assert counted(shop.do("twinops", "repro", *FEW)) == f"{ran} ran, 0 from the cache, {len(FEW) - ran} unchanged"
    finally:
        path.write_text(before)
        shop.do("twinops", "upgrade", "--installed")
        shop.do("twinops", "repro", *FEW)


def test_the_lock_file_does_not_fit_when_the_installed_code_is_another_one(shop: Shop) -> None:
    """In this process the code of this repository is installed, which is what the shop ran on."""
    known = {name: why for name, why in DvcStore(shop.root).changed().items() if name in shop.lock()}
    assert known == {}
    lock = yaml.safe_load((shop.root / "dvc.lock").read_text())
    code = lock["stages"]["collect_consent"]["params"]["code.lock.json"]["collect_consent"]
    code["src/twinops/data/days.py"] = "0" * 32
    before = (shop.root / "dvc.lock").read_bytes()
    (shop.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    store = DvcStore(shop.root)
    changed, ran = store.changed(), store.ran_otherwise()
    (shop.root / "dvc.lock").write_bytes(before)
    assert "src/twinops/data/days.py" in changed["collect_consent"]
    assert ran == {"collect_consent": ("src/twinops/data/days.py",)}


def test_the_judge_of_a_project_is_the_installed_code_with_its_notebooks_and_stages(shop: Shop) -> None:
    judge = Commit.head(shop.root).judge()
    assert {path: judge.files[path] for path in installed()} == installed()
    assert {path for path in judge.files if path.startswith("notebooks/")} == {
        f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.py")
    }
    assert {"features", "documents"} <= judge.stages.keys()


def test_the_projects_own_tests_are_green_and_find_what_is_wrong(shop: Shop) -> None:
    checks = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    left_out = "not what_ran"
    shop.do(*checks, "-k", left_out)
    for path, text in (("params.yaml", "months: 3\n"), ("compliance/policy.yaml", "version: 1\n"), ("a.pem", "x")):
        place = shop.root / path
        before = place.read_bytes() if place.exists() else None
        place.write_text(text)
        shop.do("git", "add", "--force", path)
        shop.do(*checks, "-k", left_out, expect=1)
        shop.do("git", "reset", "-q")
        place.unlink() if before is None else place.write_bytes(before)


def test_a_folder_that_is_not_empty_is_refused_in_a_sentence(shop: Shop) -> None:
    said = shop.do("twinops", "init", ".", expect=2)
    assert "is not empty" in said
    assert len(said.splitlines()) == 2


def test_make_setup_is_left_out_where_an_environment_is_named(shop: Shop) -> None:
    said = shop.do("make", "status", f"VENV={BIN.parent}", expect=None)
    assert "set-up" not in said
    assert "the pipeline was not run to its end yet" in said


def test_the_wheel_holds_all_code_and_what_a_project_begins_with_and_nothing_else(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    listing = ["git", "ls-files", "-co", "--exclude-standard", "src"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if not name.startswith("twinops-")}
        meta = next(name for name in opened.namelist() if name.endswith("/METADATA"))
        needs = [line for line in opened.read(meta).decode().splitlines() if line.startswith("Requires-Dist")]
    code = {name.removeprefix("src/") for name in listed.stdout.split()}
    assert {name for name in held if "/_project/" not in name} == code
    carried = {name.partition("/_project/")[2] for name in held if "/_project/" in name}
    assert {"dvc.yaml", "compliance/policy.yaml", "notebooks/train.py", "setup/project/Makefile"} <= carried
    assert [name for name in carried if not (ROOT / name).is_file()] == []
    assert [line for line in needs if "==" in line and "extra ==" not in line] == [], "ranges, not pins"


def built(folder: Path) -> Path:
    """The wheel of this repository."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.skipif("TWINOPS_WHOLE" not in os.environ, reason="a new environment and all stages: 15 min")
def test_in_an_empty_environment_the_wheel_makes_a_project_that_runs_and_is_registered(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    venv.create(tmp_path / "first", with_pip=True)
    pip = [str(tmp_path / "first/bin/python"), "-m", "pip", "install", "-q", str(wheel), "pandas>=3", "scikit-learn"]
    subprocess.run(pip, check=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TWINOPS", "VIRTUAL"))}
    clean |= {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org"}
    clean |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org"}
    clean |= {"PATH": os.pathsep.join(p for p in clean["PATH"].split(os.pathsep) if Path(p) != BIN)}

    def do(*words: str, at: Path = tmp_path / "shop") -> str:
        done = subprocess.run(words, cwd=at, env=clean, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    do(str(tmp_path / "first/bin/twinops"), "init", "shop", at=tmp_path)
    do("make", "run")
    do("make", "test")
    told = json.loads(do(str(tmp_path / "shop/.venv/bin/twinops"), "status", "--json"))
    assert told["model"]["version"] == "1"
    assert told["stale"] is None
    do("make", "run")
