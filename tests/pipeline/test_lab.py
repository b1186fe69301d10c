"""A data scientist's notebook: the same from a cell, a command and params.yaml; what is sealed stays sealed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from candidate import ROOT
from laboratory import LATE, SIDS, WITHDRAWN, changed_cell, laboratory, outputs, run, twinops

from twinops.adapters.keystore import DemoKeys
from twinops.adapters.notebooks.confinement import can_confine
from twinops.data.vault.seal import read_sealed
from twinops.wiring import open_project

pytestmark = pytest.mark.pipeline
MADE = ("models/twin.json", "models/recipe.json", "reports/figures/coefficients.png")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose notebook `train` ran as it ships."""
    root = laboratory(tmp_path_factory.mktemp("lab") / "a shop")
    done = twinops(root, "notebook", "train", "--section", "train")
    assert done.returncode == 0, done.stderr
    return root


def copied(shipped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped, tmp_path / "b"))


def made(root: Path) -> list[bytes]:
    return [(root / path).read_bytes() for path in MADE]


def test_a_changed_cell_an_argument_papermill_and_params_yaml_make_the_same_bytes(
    shipped: Path, tmp_path: Path
) -> None:
    cell, argument, params = (copied(shipped, tmp_path / name) for name in ("cell", "argument", "params"))
    changed_cell(cell, "train", "activity_c = None", "activity_c = 0.5")
    assert twinops(cell, "notebook", "train", "--section", "train").returncode == 0
    assert twinops(argument, "notebook", "train", "--section", "train", "--activity-c", "0.5").returncode == 0
    told = yaml.safe_load((params / "params.yaml").read_text())
    told["train"]["activity_c"] = 0.5
    (params / "params.yaml").write_text(yaml.safe_dump(told))
    assert twinops(params, "notebook", "train", "--section", "train").returncode == 0
    assert made(cell) == made(argument) == made(params) != made(shipped)
    assert "activity_c: 0.5 instead of 0.2" in outputs(cell, "train")


STAGE = """stages:
  train:
    cmd: twinops notebook train --section train
    deps: [notebooks/train.py, data/features]
    params: [train]
    outs:
      - models/twin.json: {cache: false}
      - models/recipe.json: {cache: false}
      - models/penalties.json: {cache: false}
"""


def test_an_experiment_of_dvc_makes_the_same_bytes_as_a_changed_cell(shipped: Path, tmp_path: Path) -> None:
    root, cell = copied(shipped, tmp_path), copied(shipped, tmp_path / "cell")
    for part in ("models", "reports/notebooks"):
        shutil.rmtree(root / part)
    (root / "dvc.yaml").write_text(STAGE)
    me = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    for words in (("git", "init", "-q"), ("dvc", "init", "-q"), ("git", "add", "-A")):
        assert run(root, *words).returncode == 0
    assert run(root, "git", *me, "commit", "-qm", "a shop").returncode == 0
    done = run(root, "dvc", "exp", "run", "-S", "train.activity_c=0.5")
    assert done.returncode == 0, done.stderr
    changed_cell(cell, "train", "activity_c = None", "activity_c = 0.5")
    assert twinops(cell, "notebook", "train", "--section", "train").returncode == 0
    assert made(root) == made(cell) != made(shipped)


def test_papermills_own_command_in_a_stock_kernel_makes_the_same_bytes(shipped: Path, tmp_path: Path) -> None:
    root, argument = copied(shipped, tmp_path), copied(shipped, tmp_path / "argument")
    (root / "notebooks/.ipynb").mkdir()
    paper = (sys.executable, "-W", "ignore", "-m")
    turned = run(root, *paper, "jupytext", "--to", "ipynb", "-o", "notebooks/.ipynb/train.ipynb", "notebooks/train.py")
    assert turned.returncode == 0, turned.stderr
    words = ("-p", "activity_c", "0.5", "notebooks/.ipynb/train.ipynb", "out.ipynb", "-k", "python3")
    done = run(root, *paper, "papermill", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    assert twinops(argument, "notebook", "train", "--activity-c", "0.5").returncode == 0
    assert made(root) == made(argument)


def test_another_estimator_in_a_cell_is_what_is_measured_and_judged(shipped: Path, tmp_path: Path) -> None:
    root = copied(shipped, tmp_path)
    changed_cell(root, "train", "heads={},", 'heads={"spend": ["trees"]}, terms={"activity": ["pace", "recency"]},')
    changed_cell(root, "train", "    terms={},", "    #")
    done = twinops(root, "notebook", "train", "--section", "train")
    assert done.returncode == 0, done.stderr
    model = json.loads((root / "models/twin.json").read_text())
    assert model["speakers"]["spend"] == ["trees"]
    assert {t["name"] for t in model["terms"] if t["activity"]} == {"pace", "recency"}
    assert twinops(root, "notebook", "evaluate", "--section", "evaluate").returncode == 0
    shown = outputs(root, "evaluate")
    assert "LightGBM's trees** instead of" in shown
    assert "`twinops gates explain` tells" in shown, "the policy may change while this page stays"
    asked = "from twinops import lab; print(lab.open_stage('evaluate').verdicts(None))"
    said = run(root, sys.executable, "-W", "ignore", "-c", asked)
    assert "accuracy_spend" in said.stdout, said.stderr
    looks = (root / "reports/looks.jsonl").read_text().splitlines()
    assert twinops(root, "notebook", "evaluate", "--section", "evaluate").returncode == 0
    assert (root / "reports/looks.jsonl").read_text().splitlines() == looks
    assert len(looks) == 1, "a look is counted once a candidate"


def test_a_head_of_the_projects_own_speaks_when_a_cell_names_it(shipped: Path, tmp_path: Path) -> None:
    root = copied(shipped, tmp_path)
    example = ROOT / "src/twinops/workflows/ideas/examples/heads.py.txt"
    (root / "ideas/heads").mkdir(parents=True)
    (root / "ideas/heads/mine.py").write_text(example.read_text().replace("NAME", "mine"))
    told = yaml.safe_load((root / "params.yaml").read_text())
    (root / "params.yaml").write_text(yaml.safe_dump({**told, "ideas": ["heads/mine.py"]}))
    changed_cell(root, "train", "heads={},", 'heads={"spend": ["regression", "own_mine"]},')
    done = twinops(root, "notebook", "train", "--section", "train")
    assert done.returncode == 0, done.stderr
    assert [own["name"] for own in json.loads((root / "models/twin.json").read_text())["own"]] == ["own_mine"]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('heads={"spend": ["oracle"]},', "heads: spend"),
        ('heads={"spend": __import__("sklearn.linear_model").linear_model.Ridge()},', "no Ridge: nothing of a cell"),
        ('terms={"spend": ["star_sign"]},', "spend cannot use star_sign"),
        ('heads={"luck": ["trees"]},', "luck is no head"),
        ("activity_c=-1,", "train: activity_c"),
        ("depth=3,", "train: depth"),
    ],
)
def test_what_cannot_be_stored_is_refused_in_a_sentence_and_nothing_is_kept(
    shipped: Path, tmp_path: Path, cell: str, told: str
) -> None:
    root = copied(shipped, tmp_path)
    name = cell.partition("=")[0]
    text = (root / "notebooks/train.py").read_text()
    lines = [line for line in text.splitlines() if not line.strip().startswith(f"{name}=")]
    lines.insert(lines.index("fitted = work.fit(") + 1, f"    {cell}")
    (root / "notebooks/train.py").write_text("\n".join(lines) + "\n")
    done = twinops(root, "notebook", "train", "--section", "train")
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert made(root) == made(shipped)


WAYS = {
    "a sealed table": "import pyarrow.parquet as pq; pq.read_table('data/features/panel.parquet').num_rows",
    "a sealed table, by DuckDB": "import duckdb; duckdb.sql(\"FROM 'data/features/panel.parquet'\").fetchall()",
    "a sealed table, by another program": (
        "import subprocess; subprocess.run(['cat', 'data/features/panel.parquet'], check=True, capture_output=True)"
    ),
    "a sealed table, by a link": (
        "import os; os.symlink(os.path.abspath('data'), os.environ['TMPDIR'] + '/l'); "
        "open(os.environ['TMPDIR'] + '/l/features/panel.parquet', 'rb')"
    ),
    "a sealed table, by the process's own root": (
        "import os; open('/proc/self/root' + os.path.abspath('data/features/panel.parquet'), 'rb')"
    ),
    "the platform's own opening": (
        "from twinops.workflows.learning import Learning; import twinops; "
        "twinops.open_project('.')._made(Learning).examples()"
    ),
    "another stage": "work.run('holdout')",
    "another stage's notebook": "lab.open_stage('evaluate')",
    "another workflow": "import twinops; twinops.open_project('.').run('twin.show', who='1', purpose='twin_scoring')",
    "a step of another stage": "work._ask('trials', [141])",
    "a held-out day": "work.panel(as_of=141)",
    "a day whose labels are held out": "work.panel(as_of=141 - 28 + 14)",
    "no day": "work.panel(as_of='141')",
    "what was never made": "work._ask('keep', {'twinops:held': 99})",
    "a model that was not fitted here": "work._ask('keep', {'model': 'mine'})",
    "the memory of the parent": "import os; open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "the environment of the parent": "import os; open(f'/proc/{os.getppid()}/environ', 'rb').read(1)",
    "a file of the parent": "import os; os.listdir(f'/proc/{os.getppid()}/fd'); open(f'/proc/{os.getppid()}/fd/0')",
    "a measure of its own": "open('reports/measures/accuracy.json', 'w')",
    "a model of its own": "open('models/twin.json', 'a')",
    "the ledger of looks": "open('reports/looks.jsonl', 'a')",
    "a declaration": "open('compliance/policy.yaml', 'a')",
    "a connection": "import socket; socket.socket()",
    "the registry's key": "open('registry/registry.key', 'rb')",
    "a list of scores": "open('live/scores.csv', 'rb')",
    "a wrapping key in a folder of its own": "open('../kek/kek-0', 'rb')",
    "a wrapping key of the environment": "import os; os.environ['TWINOPS_KEK']",
    "a password of the environment": "import os; os.environ['SHOP_DATABASE']",
    "what this process was given": (
        "import ctypes, re; spans = [l.split() for l in open('/proc/self/maps') if '[stack]' in l]; "
        "low, high = (int(x, 16) for x in spans[0][0].split('-')); "
        "assert b'cafe' * 8 in ctypes.string_at(low, high - low)"
    ),
    "a kill": "import os, signal; os.kill(os.getppid(), 0)",
}


@pytest.mark.skipif(not can_confine(), reason="this kernel has no Landlock")
def test_no_way_leads_round_the_window(shipped: Path, tmp_path: Path) -> None:
    root = copied(shipped, tmp_path)
    tried = "\n".join(
        f"try:\n    exec({way!r})\n    print({name!r}, 'OPEN')\nexcept BaseException as e:\n"
        f"    print({name!r}, 'refused')\n"
        for name, way in WAYS.items()
    )
    for place in ("registry/registry.key", "live/scores.csv", "../kek/kek-0"):
        (root / place).parent.mkdir(exist_ok=True)
        (root / place).write_text("x")
    path = root / "notebooks/train.py"
    path.write_text(path.read_text() + f"\n# %%\n{tried}")
    told = {"TWINOPS_KEK": "cafe" * 32, "SHOP_DATABASE": "postgresql://ann:secret@db/shop"}
    told["TWINOPS_KEK_FOLDER"] = str(tmp_path / "kek")
    done = twinops(root, "notebook", "train", "--section", "train", **told)
    assert done.returncode == 0, done.stderr
    shown = outputs(root, "train")
    assert [name for name in WAYS if f"{name} refused" not in shown] == []
    assert made(root) == made(shipped)


HUNT = """
import gc, re
texts = [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict, set, frozenset))]
seen = {s for o in texts for s in (o.values() if isinstance(o, dict) else o) if isinstance(s, (str, bytes))}
seen |= {getattr(work, n) for n in dir(work) if isinstance(getattr(work, n), (str, bytes))}
found = {s if isinstance(s, str) else s.hex() for s in seen if len(s) in (16, 32, 64)}
digests = sorted({hashlib.sha256(s.encode()).hexdigest()[:12] for s in found})
panel = work.panel()
print("columns", sorted(set(panel.table.column_names) | set(panel.past.column_names)))
print("digests", digests)
"""


def test_no_id_and_no_key_is_within_reach_of_a_cell(shipped: Path, tmp_path: Path) -> None:
    import hashlib

    root = copied(shipped, tmp_path)
    path = root / "notebooks/train.py"
    path.write_text(path.read_text() + f"\n# %%\nimport hashlib\n{HUNT}")
    done = twinops(root, "notebook", "train", "--section", "train")
    assert done.returncode == 0, done.stderr
    shown = outputs(root, "train")
    sids = DemoKeys().subject_ids(SIDS)
    keys = [key.hex() for key in DemoKeys().subject_keys(sids).values()]
    secret = {hashlib.sha256(s.encode()).hexdigest()[:12] for s in (*sids, *keys)}
    assert "digests" in shown
    assert not [digest for digest in secret if digest in shown]
    assert not {"sid", "may_train", "may_score"} & set(shown.split("'"))


def test_whoever_does_not_allow_it_is_in_no_panel(shipped: Path) -> None:
    project = open_project(shipped)
    sealed = read_sealed(project.places.panel, dataset="panel", keys=project.keys).to_pylist()
    on_the_day = [row for row in sealed if row["cutoff"] == 85]
    allowed = [row for row in on_the_day if row["may_train"] and row["may_score"]]
    sids = [{row["sid"] if isinstance(row["sid"], str) else row["sid"].hex() for row in r} for r in (sealed, allowed)]
    withdrawn, late = project.keys.subject_ids([WITHDRAWN, LATE])
    assert withdrawn not in sids[0]
    assert late in sids[0] - sids[1]
    panel = project.behind("train").steps["panel"](85)
    assert 0 < panel.table.num_rows == len(allowed) < len(on_the_day)
    assert set(panel.past["group"].to_pylist()) <= set(panel.table["group"].to_pylist())


def test_the_example_of_the_page_about_notebooks_runs(shipped: Path, tmp_path: Path) -> None:
    root = copied(shipped, tmp_path)
    page = (ROOT / "docs/notebooks.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert "lab.open_stage" in code
    (root / "example.py").write_text(code.replace("as_of=225", "as_of=85"))
    done = run(root, sys.executable, "example.py")
    assert done.returncode == 0, done.stderr
    assert "Panel as of day 85" in done.stdout
    assert made(root) != made(shipped)
