"""Notebooks tell a story and hold no code of their own, no results, and one cell of parameters."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
from candidate import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))

pytestmark = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)


def cells(notebook: Path) -> list[dict[str, object]]:
    import jupytext  # a second, and in every process that collects

    return list(jupytext.reads(notebook.read_text(encoding="utf-8"), fmt="py:percent").cells)


def code(notebook: Path) -> str:
    return "\n".join(
        str(c["source"]) for c in cells(notebook) if c["cell_type"] == "code" and "%" not in str(c["source"])[:1]
    )


def test_a_notebook_defines_nothing(notebook: Path) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for node in ast.walk(ast.parse(code(notebook))) if isinstance(node, defined)]


def test_a_notebook_has_one_cell_of_parameters_that_names_the_project(notebook: Path) -> None:
    tagged = [c for c in cells(notebook) if "parameters" in c["metadata"].get("tags", [])]  # type: ignore[attr-defined]
    assert len(tagged) == 1
    assert 'project = "."' in str(tagged[0]["source"])


def test_a_notebook_tells_before_it_shows(notebook: Path) -> None:
    kinds = [c["cell_type"] for c in cells(notebook)]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= 3


def test_a_notebook_holds_no_results_and_no_versions_of_tools(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert not re.search(r"jupytext_version|\"outputs\"|data:image|[0-9a-f]{32}", text)


def test_a_notebook_does_its_work_through_a_workflow(notebook: Path) -> None:
    assert re.search(r"(\.run|lab\.open_stage)\(\s*[\"']", code(notebook))


def test_no_notebook_is_committed_with_outputs(notebook: Path) -> None:
    assert not notebook.with_suffix(".ipynb").exists() or ".ipynb" in (ROOT / ".gitignore").read_text()


def test_a_notebook_saved_unchanged_in_jupyterlab_stays_as_it_was(notebook: Path, tmp_path: Path) -> None:
    from jupytext import TextFileContentsManager

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".ipynb*"))
    shutil.copy(ROOT / "jupytext.toml", tmp_path)
    lab = TextFileContentsManager(root_dir=str(tmp_path), allow_hidden=True)
    opened = lab.get(f"notebooks/{notebook.name}", content=True, type="notebook")
    assert opened["content"]["metadata"]["kernelspec"]["name"] == "python3"  # else Lab asks for a kernel first
    opened["content"]["metadata"]["language_info"] = {"name": "python", "version": "3.11.0"}
    lab.save(opened, f"notebooks/{notebook.name}")
    assert (tmp_path / "notebooks" / notebook.name).read_bytes() == notebook.read_bytes()
