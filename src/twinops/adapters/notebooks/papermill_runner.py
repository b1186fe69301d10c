"""Execute a percent-format notebook through Papermill, and publish it only when it ran and shows nobody."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops import errors
from twinops.adapters.notebooks.canonical import canonical, joined
from twinops.adapters.notebooks.counter import Around, stand_behind
from twinops.adapters.notebooks.leaks import Leak, Scanner
from twinops.adapters.quiet import be_quiet
from twinops.errors import LeakError, ParamsError, ServiceError
from twinops.whole_files import write

KERNEL = "python3"
HIDDEN = "dev"
ENGINE = "forked"
"""Cells run in a fork of this process, so in this very environment: another's would compute with other libraries."""


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class PapermillRunner:
    """Runs notebooks of one project: `root` is their working directory, `scratch` keeps the ones that failed."""

    root: Path
    scratch: Path
    say: Callable[[str], None] = _say
    around: Callable[[str], Around] | None = None
    """What stands around the cells of a notebook of this name."""

    def run(
        self,
        source: Path,
        into: Path,
        *,
        parameters: Mapping[str, Any] | None = None,
        known_sids: Callable[[], Iterable[str]] = frozenset,
    ) -> None:
        """Execute `source` (percent `.py`) and write the executed notebook to `into`.

        Raises:
            ParamsError: not exactly one parameters cell, or a parameter it does not define.
            LeakError: an output shows a subject id or a raw row; nothing is published.
            TwinopsError: a cell failed; the half-run notebook stays in `scratch`.
        """
        raw = self.scratch / f"{source.stem}.ipynb"
        raw.parent.mkdir(parents=True, exist_ok=True)
        notebook = self._prepared(source, dict(parameters or {}))
        # who is known is read once the cells are gone: they run in a fork, which would have it in its memory
        executed = self._executed(notebook, raw, dict(parameters or {}), known_sids)
        scanner = Scanner(known_sids())
        found = leaks(executed, scanner)
        if found:
            raw.unlink()
            raise LeakError(
                f"{source.name} was not published: {'; '.join(map(str, found[:5]))}.",
                hint="Show aggregates instead; groups of fewer than ten are suppressed.",
            )
        write(into, canonical(executed))
        raw.unlink()

    def left_open(self, source: Path) -> frozenset[str]:
        """Parameters that the notebook's own cell leaves to others: those it sets to None."""
        told = _assigned(_parameters_cell(self._read(source), name=source.name))
        return frozenset(
            name for name, value in told.items() if isinstance(value, ast.Constant) and value.value is None
        )

    def _read(self, source: Path) -> Any:
        if not source.is_file():
            raise ParamsError(
                f"There is no notebook {source.name} in {source.parent.name}/.",
                hint="Choose one of the .py files there.",
            )
        return _module("jupytext").reads(source.read_text(encoding="utf-8"), fmt="py:percent")

    def _prepared(self, source: Path, parameters: dict[str, Any]) -> Any:
        notebook, nbformat = self._read(source), _module("nbformat")
        notebook.metadata = nbformat.from_dict(
            {"kernelspec": {"display_name": "Python 3", "language": "python", "name": KERNEL}}
        )
        _check_parameters(notebook, parameters, name=source.name)
        notebook.cells = [c for c in notebook.cells if HIDDEN not in c.metadata.get("tags", ())]
        return notebook

    def _executed(
        self, notebook: Any, raw: Path, parameters: dict[str, Any], known_sids: Callable[[], Iterable[str]]
    ) -> Any:
        papermill = _papermill()
        try:
            with _private_place():
                return papermill.execute_notebook(
                    notebook,
                    str(raw),
                    parameters,
                    engine_name=ENGINE,
                    kernel_name=KERNEL,
                    progress_bar=False,
                    cwd=str(self.root),
                    say=lambda number, total: self.say(f"  {raw.stem}: cell {number} of {total}"),
                    around=self.around(raw.stem) if self.around is not None else None,
                )
        except papermill.exceptions.PapermillExecutionError as problem:
            raise _told(problem, raw, Scanner(known_sids())) from None
        except (OSError, RuntimeError) as problem:
            raise ServiceError(
                f"The kernel for {raw.stem} did not start or died ({type(problem).__name__}).",
                hint=f"Run it again; the half-run notebook is {_near(raw)}.",
            ) from problem


def _check_parameters(notebook: Any, parameters: dict[str, Any], *, name: str) -> None:
    """Papermill only warns about unknown parameters and a missing cell; both are mistakes here."""
    assigned = _assigned(_parameters_cell(notebook, name=name))
    unknown = sorted(set(parameters) - set(assigned))
    if unknown:
        raise ParamsError(
            f"{name} has no parameter {', '.join(unknown)}.", hint=f"It has {', '.join(sorted(assigned)) or 'none'}."
        )


def _parameters_cell(notebook: Any, *, name: str) -> str:
    """The text of the one cell of parameters."""
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())]
    if len(cells) != 1:
        raise ParamsError(
            f"{name} has {len(cells)} cells tagged parameters; it needs exactly one.",
            hint='Begin one cell with `# %% tags=["parameters"]`.',
        )
    return str(cells[0].source)


def _assigned(cell: str) -> dict[str, ast.expr]:
    """What a cell sets, by name."""
    return {
        target.id: node.value
        for node in ast.parse(cell).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def leaks(notebook: Any, scanner: Scanner) -> list[Leak]:
    """Every place of an executed notebook where a subject may show: sources and outputs, pictures' bytes aside."""
    found: list[Leak] = []
    number = 0
    for cell in (c for c in notebook["cells"] if HIDDEN not in c.get("metadata", {}).get("tags", ())):
        number += cell["cell_type"] == "code"
        found += scanner.text(
            cell["source"],
            where=f"the text of cell {number}" if cell["cell_type"] == "code" else f"the story after cell {number}",
        )
        for output in joined(cell.get("outputs", [])):
            shown = output.get("text", output.get("data", {}))
            parts = [shown] if isinstance(shown, str) else [v for mime, v in shown.items() if mime != "image/png"]
            found += [leak for part in parts for leak in scanner.shown(part, where=f"the output of cell {number}")]
    return list(dict.fromkeys(found))


def _told(problem: Any, raw: Path, scanner: Scanner) -> errors.TwinopsError:
    """Which cell, what went wrong, where the half-run notebook lies. Our own errors keep their exit code."""
    kept = f"The half-run notebook is {_near(raw)}; nothing was published."
    if leaks(_module("nbformat").read(raw, as_version=4), scanner):
        raw.unlink()
        kept = "The half-run notebook showed a subject or raw rows and was deleted; nothing was published."
    message = str(problem.evalue).strip().splitlines()[0][:300] if str(problem.evalue).strip() else "no message"
    if scanner.shown(message, where="the message"):
        message = "its message names a subject and is not repeated"
    kind = getattr(errors, problem.ename, None)
    kind = kind if isinstance(kind, type) and issubclass(kind, errors.TwinopsError) else ServiceError
    return kind(f"Cell {problem.exec_count} of {raw.stem} failed with {problem.ename}: {message}", hint=kept)


def _near(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


@contextmanager
def _private_place() -> Iterator[None]:
    """A short-lived folder for IPython: a user's profile must not change results."""
    before = os.environ.get("IPYTHONDIR")
    with tempfile.TemporaryDirectory(prefix=f"tw-{os.getpid()}-") as folder:
        os.environ["IPYTHONDIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("IPYTHONDIR") if before is None else os.environ.update(IPYTHONDIR=before)


def _module(name: str) -> Any:
    """Import a notebook library without the 35 grammars jsonschema would compile for a format notebooks never use.

    jsonschema does without them when they cannot be imported; that saves 1.3 to 1.8 CPU-seconds.
    """
    absent: Any = None
    sys.modules.setdefault("rfc3987_syntax", absent)
    return importlib.import_module(name)


def _papermill() -> Any:
    """Papermill, told how cells are run here."""
    be_quiet()
    papermill = _module("papermill")
    engines = _module("papermill.engines")

    class Forked(engines.Engine):  # type: ignore[misc, name-defined]  # Papermill has no types
        """Hands Papermill the outputs of cells that run in a fork."""

        @classmethod
        def execute_managed_notebook(
            cls, nb_man: Any, _kernel: str, *, say: Callable[..., None], around: Around | None, **_: Any
        ) -> None:
            with _written_at_the_end(nb_man):
                _run_all(nb_man, say, around)

    engines.papermill_engines.register(ENGINE, Forked)
    return papermill


@contextmanager
def _written_at_the_end(manager: Any) -> Iterator[None]:
    """Papermill writes all of a notebook before and after each cell; once, when it ran or a cell failed, is enough."""
    kept, manager.output_path = manager.output_path, None
    try:
        yield
    finally:
        manager.output_path = kept


def _run_all(manager: Any, say: Callable[[int, int], None], around: Around | None) -> None:
    """Every cell of code until one fails."""
    counter = stand_behind(around) if around is not None else None
    from twinops.adapters.notebooks.kernel import executed, failed

    cells = [cell for cell in manager.nb.cells if cell.cell_type == "code"]
    output = _module("nbformat").from_dict
    ran = executed([cell.source for cell in cells], counter)
    for number, cell in enumerate(cells, start=1):
        manager.cell_start(cell)
        say(number, len(cells))
        cell.outputs, cell.execution_count = [output(o) for o in next(ran)], number
        if failed(cell.outputs):
            manager.cell_exception(cell)
            break
        manager.cell_complete(cell)
    ran.close()
