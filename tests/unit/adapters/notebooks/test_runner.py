"""A notebook is published when it ran through and shows nobody, and always with the same bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from twinops.adapters.notebooks.canonical import canonical
from twinops.adapters.notebooks.leaks import Scanner
from twinops.adapters.notebooks.papermill_runner import PapermillRunner
from twinops.errors import DataError, LeakError, ParamsError, ServiceError

pytestmark = pytest.mark.filterwarnings("default")  # notebook libraries deprecate their own parts

SID = "0123456789abcdef" * 2
STORY = """# %% [markdown]
# # A story

# %% tags=["parameters"]
project = "."
times = 1

# %% tags=["dev"]
raise SystemExit("never")

# %%
import sys
print("one")
print("log", "only", file=sys.stderr)
sys.stdout.flush()
print("two" * times)
import random
random.uniform

# %%
import base64
from IPython.display import Image
Image(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="))
"""


@pytest.fixture
def runner(tmp_path: Path) -> PapermillRunner:
    (tmp_path / "random.py").write_text(
        "raise ImportError('a file of the project stood before the standard library')\n"
    )
    return PapermillRunner(tmp_path, tmp_path / ".twinops" / "nb", say=lambda _: None)


def run(runner: PapermillRunner, text: str, **arguments: object) -> Path:
    source, into = runner.root / "story.py", runner.root / "reports" / "story.ipynb"
    source.write_text(text, encoding="utf-8")
    runner.run(source, into, **arguments)  # type: ignore[arg-type]
    return into


def test_two_runs_give_the_same_bytes_with_pictures_and_parameters(runner: PapermillRunner) -> None:
    first = run(runner, STORY, parameters={"times": 2}).read_bytes()
    again = run(runner, STORY, parameters={"times": 2}).read_bytes()
    assert first == again
    cells = json.loads(first)["cells"]
    assert [c["metadata"].get("tags") for c in cells[1:3]] == [["parameters"], ["injected-parameters"]]
    assert cells[3]["outputs"][0]["text"] == ["one\n", "twotwo\n"]
    assert "image/png" in cells[4]["outputs"][0]["data"]
    assert b"log only" not in first
    assert b"never" not in first
    assert not re.search(rb"20\d\d-\d\d-\d\dT", first)
    assert not list((runner.scratch).iterdir())


def test_a_notebook_is_written_when_it_ran_and_not_around_each_cell(
    runner: PapermillRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from papermill import engines

    written: list[int] = []
    write = engines.write_ipynb
    monkeypatch.setattr(engines, "write_ipynb", lambda nb, path: written.append(1) or write(nb, path))
    run(runner, STORY + "\n# %%\nprint(1)\n" * 9)
    assert len(written) == 2


def test_a_failed_cell_publishes_nothing_and_says_which_cell_and_where_the_rest_lies(runner: PapermillRunner) -> None:
    text = STORY + '\n# %%\nfrom twinops.errors import DataError\nraise DataError("no such month")\n'
    with pytest.raises(
        DataError, match=r"Cell 4 of story failed with DataError: no such month.*nb/story\.ipynb"
    ) as caught:
        run(runner, text)
    assert caught.value.exit_code == 3
    assert not (runner.root / "reports").exists()
    assert (runner.scratch / "story.ipynb").is_file()


def test_a_notebook_has_memory_of_its_own_and_its_outputs_keep_their_order(runner: PapermillRunner) -> None:
    text = (
        '# %% tags=["parameters"]\nproject = "."\n\n# %%\nimport json\n'
        'from IPython.display import Markdown, display\njson.marked = 1\nprint("a")\ndisplay(Markdown("b"))\n'
        'print("c")\n_ = 1\n7;\n\n# %%\n6 * 7\n'
    )
    cells = json.loads(run(runner, text).read_bytes())["cells"]
    shown = [o.get("text") or o["data"].get("text/markdown") for o in cells[1]["outputs"]]
    assert shown == [["a\n"], ["b"], ["c\n"]]
    assert cells[2]["outputs"][0]["data"] == {"text/plain": ["42"]}
    assert not hasattr(json, "marked")


def test_a_kernel_that_dies_publishes_nothing(runner: PapermillRunner) -> None:
    text = '# %% tags=["parameters"]\nproject = "."\n\n# %%\nimport os\nos._exit(0)\n'
    with pytest.raises(ServiceError, match="did not start or died"):
        run(runner, text)
    assert not (runner.root / "reports").exists()


def test_a_failure_that_names_a_subject_is_told_without_the_name(runner: PapermillRunner) -> None:
    text = f'# %% tags=["parameters"]\nproject = "."\n\n# %%\nraise ValueError("{SID[:8]}" + "{SID[8:]}")\n'
    with pytest.raises(Exception, match="not repeated") as caught:
        run(runner, text, known_sids=lambda: [SID])
    assert SID not in str(caught.value)
    assert not list(runner.scratch.iterdir())


def test_an_output_that_shows_a_subject_is_not_published(runner: PapermillRunner) -> None:
    text = f'# %% tags=["parameters"]\nproject = "."\n\n# %%\nprint("{SID[:8]}" + "{SID[8:]}")\n'
    with pytest.raises(LeakError, match="the output of cell 2 shows a subject id") as caught:
        run(runner, text, known_sids=lambda: [SID])
    assert caught.value.exit_code == 4
    assert SID not in str(caught.value)
    assert not (runner.root / "reports").exists()
    assert not list(runner.scratch.iterdir())


@pytest.mark.parametrize(
    ("text", "parameters", "said"),
    [
        ("# %%\n1\n", {}, "has 0 cells tagged parameters"),
        ('# %% tags=["parameters"]\na = 1\n\n# %% tags=["parameters"]\nb = 1\n', {}, "has 2 cells tagged parameters"),
        ('# %% tags=["parameters"]\nproject = "."\n', {"projct": "x"}, "no parameter projct"),
    ],
)
def test_parameters_are_strict(runner: PapermillRunner, text: str, parameters: dict[str, str], said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        run(runner, text, parameters=parameters)


@pytest.mark.parametrize(
    "shown",
    [
        f"id {SID}",
        SID.upper(),
        f"{SID[:8]}-{SID[8:12]}-{SID[12:16]}-{SID[16:20]}-{SID[20:]}",
        f"x{SID[:16]}",
        repr(bytes.fromhex(SID)),
        f"<td>\x1b[31m{SID}\x1b[0m</td>",
        SID + "00ff",
    ],
)
def test_a_known_subject_is_seen_in_every_spelling(shown: str) -> None:
    assert [leak.what for leak in Scanner([SID]).shown({"text/html": shown}, where="cell 1")] == ["a subject id"]


def test_what_looks_like_a_subject_or_a_raw_table_is_refused_although_unknown() -> None:
    scanner = Scanner()
    assert scanner.shown("f" * 32, where="cell 1")
    assert scanner.shown(repr(bytes(range(16))), where="cell 1")
    assert scanner.shown("<th>household_id</th><td>7</td>", where="cell 1")
    assert scanner.shown({"data": [{"sid": "?"}]}, where="cell 1")


def test_figures_digests_and_words_are_no_leak() -> None:
    scanner = Scanner([SID])
    for text in (
        "AUC 0.8801 [0.871, 0.889]",
        "a" * 64,
        "ev-0123456789ab",
        "1,469,307 lines",
        "b'abc'",
        "residual inside",
    ):
        assert scanner.shown(text, where="cell 1") == []


def test_a_memory_address_and_the_way_a_stream_was_cut_do_not_change_bytes() -> None:
    def notebook(address: str, pieces: list[str]) -> dict[str, object]:
        outputs = [{"output_type": "stream", "name": "stdout", "text": p} for p in pieces]
        shown = {"output_type": "execute_result", "data": {"text/plain": f"<object at {address}>"}, "metadata": {}}
        cell = {
            "cell_type": "code",
            "source": "x",
            "metadata": {"papermill": {"duration": 1}},
            "outputs": [*outputs, shown],
        }
        return {"cells": [cell]}

    assert canonical(notebook("0x7f01", ["a\n", "b\n"])) == canonical(notebook("0x7f02", ["a\nb\n"]))
