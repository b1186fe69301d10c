"""The command line keeps to its exit codes, says errors in two sentences, and answers in pure JSON when asked to."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from candidate import ROOT, changed_evidence, make_candidate, write
from command_line import twinops
from typer.testing import CliRunner

from twinops import plugins
from twinops.adapters.memory.governance import MemorySigner
from twinops.cli import _table, main
from twinops.cli._door import app
from twinops.wiring import open_project

TWINOPS = Path(sys.executable).with_name("twinops")
CONTRACT = {"status", "sources", "gates", "decide", "documents", "officers", "track", "register"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_candidate(tmp_path_factory.mktemp("cli") / "project").root


def test_every_noun_of_the_contract_is_there() -> None:
    assert set(plugins.names("twinops.cli")) >= CONTRACT


def _commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield " ".join([*path, name]), command
        if hasattr(command, "list_commands"):
            yield from _commands(command, *path, name)


def test_every_command_says_itself_in_a_whole_sentence_and_offers_only_its_own_options() -> None:
    found = dict(_commands(typer.main.get_command(app)))
    assert {"dpia", "dpia sign", "model adopt-base", "register"} <= found.keys()
    for name, command in found.items():
        assert not re.search(r"\b(art|e\.g|i\.e|no|cf)\.?$", command.get_short_help_str(10_000)), name
        assert "--install-completion" not in [word for option in command.params for word in option.opts], name


def test_nothing_made_yet_is_a_data_error_in_two_sentences(tmp_path: Path) -> None:
    write(tmp_path / "params.yaml", (ROOT / "params.yaml").read_text())
    write(tmp_path / "compliance" / "policy.yaml", (ROOT / "compliance" / "policy.yaml").read_text())
    command = [str(TWINOPS), "status", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        "There is no evidence.json: the pipeline was not run to its end yet.\n"
        "Run `make run`: it goes on where it stopped, or says what stops it.\n"
    )


def test_it_says_its_version(tmp_path: Path) -> None:
    done = twinops("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"twinops {version('twinops')}\n")


@pytest.mark.parametrize("words", [["nonsense"], ["decide"], ["run", "train", "--alone"], ["run", "nothing"]])
def test_a_wrong_command_line_ends_with_2_and_no_traceback(project: Path, words: list[str]) -> None:
    done = twinops(*words, cwd=project)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_unexpected_error_is_told_shortly_and_its_message_stays_out_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise KeyError("household 7")

    monkeypatch.setattr("twinops.wiring.open_project", boom)
    done = twinops("status", cwd=tmp_path)
    assert done.returncode == 1
    assert "stopped on a KeyError" in done.stderr
    assert "household 7" not in done.stderr
    log = (tmp_path / ".twinops" / "last-error.txt").read_text()
    assert "boom" in log
    assert "household 7" not in log
    monkeypatch.setenv("TWINOPS_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["twinops", "status"])
    with pytest.raises(KeyError, match="household 7"):
        main()


def test_a_full_disk_is_told_and_so_is_a_log_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise raised

    raised: Exception = OSError(errno.ENOSPC, "No space left on device", "household-7.csv")
    monkeypatch.setattr("twinops.wiring.open_project", boom)
    done = twinops("status", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        5, "The disk is full (No space left on device).\nMake room, then run again.\n"
    )  # fmt: skip
    raised = KeyError("household 7")
    write(tmp_path / ".twinops", "a file where the folder would be")
    done = twinops("status", cwd=tmp_path)
    assert (done.returncode, "could not be written down" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_what_an_extra_brings_is_named_when_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'opendp'", name="opendp.prelude")

    monkeypatch.setattr("twinops.wiring.open_project", boom)
    done = twinops("status", cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr.splitlines() == [
        "This needs the extra `release` of twinops, which is not installed.",
        "Run `pip install 'twinops[release]'`; in a project, add it to the line of requirements.txt.",
    ]


def test_a_project_is_made_where_nothing_lies_and_only_one_that_was_made_so_is_upgraded(tmp_path: Path) -> None:
    done = twinops("init", str(tmp_path / "our shop"), "--own", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["root"] == str(tmp_path / "our shop")
    again = twinops("init", str(tmp_path / "our shop"), cwd=tmp_path)
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    told = twinops("upgrade", "--json", cwd=tmp_path / "our shop")
    assert json.loads(told.stdout)["files"] == {}
    said = twinops("status", cwd=tmp_path / "our shop")
    assert said.returncode == 3
    assert ", by the controller\n" in said.stderr, "what is open shows before anything ran"
    assert "controller.name (the controller)" in twinops("status", "--open", cwd=tmp_path / "our shop").stderr
    refused = twinops("upgrade", cwd=ROOT)
    assert (refused.returncode, "its own twinops in src/" in refused.stderr) == (2, True)


@pytest.mark.parametrize("name", ["50%20", "shop?", "two\nlines"])
def test_a_folder_whose_name_no_database_address_can_hold_is_refused_before_anything_is_made(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    done = twinops("track", cwd=tmp_path / name)
    assert (done.returncode, "no database address can hold that name" in done.stderr) == (2, True)
    assert not list((tmp_path / name).iterdir())


def test_status_answers_in_the_shape_of_the_contract_and_exits_0_although_refused(project: Path) -> None:
    done = twinops("status", "--json", cwd=project)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told.keys() == {
        "model",
        "decision",
        "gates",
        "measures",
        "excluded",
        "quarantined",
        "settled",
        "erasures",
        "stale",
        "open",
        "unserved",
    }
    assert told["stale"] is None
    assert told["model"].keys() == {"name", "version", "key", "run_id"}
    assert told["decision"] == "refused"
    gate = {"id", "outcome", "sentence", "value", "low", "high", "limit", "n", "evidence", "rule", "next"}
    assert all(g.keys() == gate for g in told["gates"])
    assert told["measures"]["active_auc"].keys() == {"value", "low", "high", "n", "unit", "source"}
    assert (told["excluded"], told["quarantined"]) == ({"consent_refused": 210}, {"transactions": 3})


def test_a_refusal_is_an_answer_with_exit_code_10(project: Path) -> None:
    assert twinops("gates", "explain", cwd=project).returncode == 10
    one = twinops("gates", "explain", "drift", "--json", cwd=project)
    assert (one.returncode, [v["id"] for v in json.loads(one.stdout)["verdicts"]]) == (10, ["drift"])
    none = twinops("gates", "explain", "tarot", cwd=project)
    assert (none.returncode, "no gate 'tarot'" in none.stderr) == (2, True)
    done = twinops("decide", "--evidence", "reports/evidence.json", "--json", cwd=project)
    assert done.returncode == 10
    assert json.loads(done.stdout)["decision"] == "refused"


def test_evidence_that_was_touched_is_an_integrity_error(tmp_path: Path) -> None:
    places = make_candidate(tmp_path / "project")
    write(places.evidence, places.evidence.read_text().replace("0.88,", "0.98,", 1))
    assert twinops("decide", "--evidence", "reports/evidence.json", cwd=places.root).returncode == 4


@pytest.mark.parametrize("noun", [("gates", "list"), ("sources", "list"), ("documents", "list"), ("doctor",)])
def test_lists_answer_in_json_and_nothing_else(project: Path, noun: tuple[str, ...]) -> None:
    done = twinops(*noun, "--json", cwd=project)
    assert done.returncode == 0
    assert json.loads(done.stdout)


def test_another_folder_can_be_named(project: Path, tmp_path: Path) -> None:
    assert twinops("--project", str(project), "status", "--json", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_table_is_readable_at_every_width_without_colour(
    project: Path, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    _table.show(open_project(project).run("candidate.status"), columns=columns)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= columns
    assert "\x1b[" not in shown
    for word in ("accuracy_activity", "passed", "missing", "0.007 [0.003,", "make serve", "make lab"):
        assert word in shown
    assert ("what to do next" if columns >= 96 else "Next: Run") in shown
    assert "210 consent refused" in shown


def test_starting_loads_no_heavy_library_and_no_other_noun(project: Path) -> None:
    code = (
        "import sys; sys.argv = ['twinops', 'run', 'nothing']\n"
        "from twinops.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"mlflow", "dvc", "papermill", "pandas", "numpy", "pyarrow", "duckdb", "sklearn", "matplotlib", "jinja2"}
    assert not heavy & set(seen)
    assert "twinops.cli.run" in seen
    assert "twinops.cli.status" not in seen


def test_status_of_a_changed_candidate_says_that_the_lock_does_not_fit(tmp_path: Path) -> None:
    places = make_candidate(tmp_path / "project")
    changed_evidence(places, key="1" * 64)
    gates = {g["id"]: g for g in json.loads(twinops("status", "--json", cwd=places.root).stdout)["gates"]}
    assert gates["lineage"]["outcome"] == "failed"


def test_who_holds_which_office_is_listed_added_and_taken_out(tmp_path: Path) -> None:
    root = make_candidate(tmp_path / "project").root
    path = root / "compliance" / "offices.yaml"
    write(path, (ROOT / "compliance" / "offices.yaml").read_text())
    shipped = path.read_text()
    key = tmp_path / "id.pub"
    key.write_text(f"{MemorySigner().public} rita@laptop\n")
    rita = ["Rita Risk", "--email", "rita@shop.example", "--office", "risk officer", "--account", "risk-officer"]
    assert twinops("officers", "add", *rita, "--key", str(key), cwd=root).returncode == 0
    listed = json.loads(twinops("officers", "list", "--json", cwd=root).stdout)["people"]
    held = next(p for p in listed if p["account"] == "risk-officer")
    assert (held["name"], held["office"], held["key"][:7]) == ("Rita Risk", "risk officer", "SHA256:")
    assert (
        "risk officer: Rita Risk, rita@shop.example, account risk-officer, SHA256:"
        in twinops("officers", "list", cwd=root).stdout
    )
    dora = ["Dora Dpo", "--email", "dora@shop.example", "--office", "data protection officer", "--key", str(key)]
    refused = twinops("officers", "add", *dora, cwd=root)
    assert (refused.returncode, "stands twice" in refused.stderr) == (2, True), "one key is one person"
    assert twinops("officers", "add", "Otto", "--email", "not one", cwd=root).returncode == 2
    assert twinops("officers", "remove", "risk-officer", cwd=root).returncode == 2, "nobody would be left to approve"
    assert twinops("officers", "remove", "scientist", cwd=root).returncode == 0
    assert [line for line in shipped.splitlines() if line.startswith("#")] == [
        line for line in path.read_text().splitlines() if line.startswith("#")
    ]
    assert "scientist" not in path.read_text()


@pytest.mark.parametrize("command", ["status", "gates explain"])
def test_what_is_older_than_its_inputs_is_called_stale_and_never_exits_as_current(command: str, tmp_path: Path) -> None:
    project = make_candidate(tmp_path / "project").root
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("activity_c: 0.2", "activity_c: 0.4"))
    done = twinops(*command.split(), cwd=project)
    assert done.returncode == 4
    assert "Stale, made before this changed: train (params.yaml: train" in done.stdout + done.stderr
    assert "`make run` renews it" in done.stderr
    told = json.loads(twinops(*command.split(), "--json", cwd=project).stdout)
    assert told["stale"].startswith("Stale")


def test_somebody_elses_verdicts_are_not_shown_as_ones_own(tmp_path: Path) -> None:
    """A first stage ran anew and the run failed: what lies there was made for another candidate."""
    project = make_candidate(tmp_path / "project").root
    lock = project / "dvc.lock"
    lock.write_text(lock.read_text().replace("twinops notebook train", "twinops notebook  train"))
    pipeline = project / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("twinops notebook train", "twinops notebook  train"))
    done = twinops("status", cwd=project)
    assert done.returncode == 4
    assert "not for the one that lies here" in done.stdout


def test_what_people_have_not_said_is_counted_after_the_verdicts_and_listed_when_asked(tmp_path: Path) -> None:
    project = make_candidate(tmp_path / "project").root
    use = project / "compliance" / "intended_use.yaml"
    owed = yaml.safe_load(use.read_text())
    owed |= {"title": "to be said by the data owner: what is it for?", "not_for": ["to be said by the data owner"]}
    use.write_text(yaml.safe_dump(owed, sort_keys=False, allow_unicode=True))
    counted = twinops("status", cwd=project)
    assert "intended_use.yaml: 2, by the data owner" in counted.stderr
    assert "intended_use.yaml: title" not in counted.stderr
    listed = twinops("status", "--open", cwd=project)
    assert "compliance/intended_use.yaml:2: title (the data owner)" in listed.stderr
    command = [str(TWINOPS), "status"]
    both = subprocess.run(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert both.stdout.index("Candidate twin") < both.stdout.index("things that only people can say")
    told = json.loads(twinops("status", "--json", cwd=project).stdout)
    assert [one["field"] for one in told["open"]] == ["title", "not_for"]


def test_a_list_of_ids_that_is_not_there_is_told_so(project: Path) -> None:
    done = twinops("score", "--purpose", "twin_scoring", "--out", "a.csv", "--ids", "nowhere.txt", cwd=project)
    assert done.returncode == 2
    assert "There is no file nowhere.txt." in done.stderr


def test_the_brief_says_on_one_page_what_is_in_the_way_and_what_to_do(project: Path) -> None:
    done = twinops("status", "--brief", cwd=project)
    assert done.returncode == 0
    assert "Refused by policy" in done.stdout
    assert done.stdout.count("    do: ") == 3
    assert len(done.stdout.split()) < 400


def test_no_name_of_a_file_or_column_moves_the_terminals_cursor(tmp_path: Path) -> None:
    rows = [
        f"2025-{m:02}-{d:02},R{m}{d}{k},C{k:03},11,1,{k}.50,a"
        for m in range(1, 7)
        for d in (3, 17)
        for k in range(1, 41)
    ]
    sales, gone = tmp_path / "sales.csv", tmp_path / "no\x1b[2J\u202e.txt"
    sales.write_text("\n".join(["date,receipt,customer,article,pieces,amount,note\x1b]0;x\x07", *rows, ""]))
    gone.write_text("C001\nC002\n")
    given = ["--from", str(sales), "--opt-outs", str(gone), "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    assert made.exit_code == 0, made.output
    assert "no\\x1b[2J\\u202e.txt" in made.output
    assert not set(made.output) & set("\x1b\x07\u202e")


ENDING = """
import atexit, os, sys, twinops.cli
from twinops.cli import _door
usual = _door.enter
_door.enter = lambda: (atexit.register(print, "what ends ends"), usual())
class Loaded:
    def __del__(self, write=os.write):
        write(1, b"taken apart")
sys.modules["loaded"] = kept = Loaded()
kept.itself = kept
sys.argv[0] = "twinops"
twinops.cli.main()
"""


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["run", "nothing"], 2)])
def test_a_command_ends_with_its_code_and_takes_nothing_apart(tmp_path: Path, words: list[str], code: int) -> None:
    def told(name: str) -> tuple[int, list[str]]:
        script = tmp_path / name
        script.write_text(ENDING)
        command = [sys.executable, str(script), *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    usual = told("another")
    assert (usual[0], usual[1][-2:]) == (code, ["what ends ends", "taken apart"])
    assert told("twinops") == (code, usual[1][:-1])
