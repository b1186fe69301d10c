"""A stage records which of the project's own files it loaded, and is refused when it does not depend on one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinops import ideas, plugins
from twinops.adapters.running_code import note, strange
from twinops.errors import IntegrityError
from twinops.governance.gates._shelf import SHELF
from twinops.workflows.ideas.new import example

GATE = example("gates", "warm")
STAGE = (
    "stages:\n  documents:\n    cmd: twinops run documents\n    deps: [{}]\n    outs: [reports/code/documents.json]\n"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "ideas" / "gates").mkdir(parents=True)
    (tmp_path / "ideas" / "gates" / "warm.py").write_text(GATE, encoding="utf-8")
    (tmp_path / "params.yaml").write_text("ideas: [gates/warm.py]\n", encoding="utf-8")
    monkeypatch.setenv("DVC_STAGE", "documents")
    ideas.lay(tmp_path)
    yield tmp_path
    plugins.lay(())


def recorded(root: Path, deps: str) -> dict[str, str]:
    (root / "dvc.yaml").write_text(STAGE.format(deps), encoding="utf-8")
    note(root)
    found: dict[str, str] = json.loads((root / "reports" / "code" / "documents.json").read_bytes())
    return found


def test_what_a_stage_loaded_is_recorded_as_it_was_loaded(root: Path) -> None:
    assert "ideas/gates/warm.py" not in recorded(root, "ideas/gates/warm.py"), "it was not loaded yet"
    plugins.load(SHELF, "warm")
    (root / "ideas" / "gates" / "warm.py").write_text("# changed while it ran\n", encoding="utf-8")
    told = recorded(root, "ideas/gates/warm.py")["ideas/gates/warm.py"]
    assert told == hashlib.md5(GATE.encode(), usedforsecurity=False).hexdigest()


def test_a_stage_that_loaded_what_it_does_not_depend_on_is_refused(root: Path) -> None:
    plugins.load(SHELF, "warm")
    with pytest.raises(IntegrityError, match=r"documents loaded ideas/gates/warm\.py, and dvc\.yaml does not watch it"):
        recorded(root, "compliance")


def test_an_idea_is_no_code_from_elsewhere(root: Path) -> None:
    plugins.load(SHELF, "warm")
    assert strange(Path(__file__).resolve().parents[3]) == ""
