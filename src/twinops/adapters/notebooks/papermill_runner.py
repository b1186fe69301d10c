"""Execute a percent-format notebook through Papermill, and publish it only when it ran and shows nobody."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops import errors
from twinops.adapters.notebooks.canonical import canonical, joined
from twinops.adapters.notebooks.leaks import Leak, Scanner
from twinops.adapters.quiet import be_quiet
from twinops.errors import IntegrityError, LeakError, ParamsError, ServiceError

KERNEL = "python3"
HIDDEN = frozenset({"dev", "twinops-check"})
CHECK = "import sys as _sys\nassert _sys.prefix == {prefix!r}, f'the kernel runs in {{_sys.prefix}}'\ndel _sys"
"""First, dropped cell: a kernel of another environment would compute with other libraries."""


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class PapermillRunner:
    """Runs notebooks of one project: `root` is their working directory, `scratch` keeps the ones that failed."""

    root: Path
    scratch: Path
    say: Callable[[str], None] = _say

    def run(
        self, source: Path, into: Path, *, parameters: Mapping[str, Any] | None = None, known_sids: Iterable[str] = ()
    ) -> None:
        """Execute `source` (percent `.py`) and write the executed notebook to `into`.

        Raises:
            ParamsError: not exactly one parameters cell, or a parameter it does not define.
            LeakError: an output shows a subject id or a raw row; nothing is published.
            TwinopsError: a cell failed; the half-run notebook stays in `scratch`.

        """
        raw = self.scratch / f"{source.stem}.ipynb"
        raw.parent.mkdir(parents=True, exist_ok=True)
        scanner = Scanner(known_sids)
        notebook = self._prepared(source, dict(parameters or {}))
        executed = self._executed(notebook, raw, dict(parameters or {}), scanner)
        found = leaks(executed, scanner)
        if found:
            raw.unlink()
            raise LeakError(
                f"{source.name} was not published: {'; '.join(map(str, found[:5]))}.",
                hint="Show aggregates instead; groups of fewer than ten are suppressed.",
            )
        publish(canonical(executed), into)
        raw.unlink()

    def _prepared(self, source: Path, parameters: dict[str, Any]) -> Any:
        if not source.is_file():
            raise ParamsError(
                f"There is no notebook {source.name} in {source.parent.name}/.",
                hint="Choose one of the .py files there.",
            )
        jupytext, nbformat = _module("jupytext"), _module("nbformat")
        notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
        notebook.metadata = nbformat.from_dict(
            {"kernelspec": {"display_name": "Python 3", "language": "python", "name": KERNEL}}
        )
        _check_parameters(notebook, parameters, name=source.name)
        check = nbformat.v4.new_code_cell(CHECK.format(prefix=sys.prefix), metadata={"tags": ["twinops-check"]})
        notebook.cells = [check, *(c for c in notebook.cells if "dev" not in c.metadata.get("tags", ()))]
        return notebook

    def _executed(self, notebook: Any, raw: Path, parameters: dict[str, Any], scanner: Scanner) -> Any:
        papermill, failure, manager = _papermill()
        try:
            with _private_places():
                return papermill.execute_notebook(
                    notebook,
                    str(raw),
                    parameters,
                    kernel_name=KERNEL,
                    progress_bar=False,
                    cwd=str(self.root),
                    kernel_manager_class=manager,
                    on_cell_start=self._progress(notebook, raw.stem, injected=int(bool(parameters))),
                )
        except failure as problem:
            raise _told(problem, raw, scanner) from None
        except (OSError, RuntimeError, TimeoutError) as problem:
            raise ServiceError(
                f"The kernel for {raw.stem} did not start or died ({type(problem).__name__}).",
                hint=f"Run it again; the half-run notebook is {_near(raw)}.",
            ) from problem

    def _progress(self, notebook: Any, name: str, *, injected: int) -> Callable[..., None]:
        total = sum(1 for c in notebook.cells if c.cell_type == "code") - 1 + injected
        done = iter(range(total + 2))

        def cell_started(cell: Any, **_: Any) -> None:
            if cell.cell_type == "code" and (number := next(done)):
                self.say(f"  {name}: cell {number} of {total}")

        return cell_started


def _check_parameters(notebook: Any, parameters: dict[str, Any], *, name: str) -> None:
    """Papermill only warns about unknown parameters and a missing cell; both are mistakes here."""
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())]
    if len(cells) != 1:
        raise ParamsError(
            f"{name} has {len(cells)} cells tagged parameters; it needs exactly one.",
            hint='Begin one cell with `# %% tags=["parameters"]`.',
        )
    assigned = {
        t.id
        for node in ast.parse(cells[0].source).body
        if isinstance(node, ast.Assign)
        for t in node.targets
        if isinstance(t, ast.Name)
    }
    unknown = sorted(set(parameters) - assigned)
    if unknown:
        raise ParamsError(
            f"{name} has no parameter {', '.join(unknown)}.", hint=f"It has {', '.join(sorted(assigned)) or 'none'}."
        )


def leaks(notebook: Any, scanner: Scanner) -> list[Leak]:
    """Every place of an executed notebook where a subject may show: sources and outputs, pictures' bytes aside."""
    found: list[Leak] = []
    number = 0
    for cell in (c for c in notebook["cells"] if not HIDDEN & set(c.get("metadata", {}).get("tags", ()))):
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


def publish(text: str, into: Path) -> None:
    """Write beside, then rename: there is never half a notebook under the name."""
    into.parent.mkdir(parents=True, exist_ok=True)
    beside = into.with_name(f".{into.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(into)


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
    return kind(f"Cell {problem.exec_count - 1} of {raw.stem} failed with {problem.ename}: {message}", hint=kept)


def _near(path: Path) -> str:
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


@contextmanager
def _private_places() -> Any:
    """Sockets, history and start-up files of the kernel in a short-lived folder of its own.

    IPC sockets may not have long paths, and a user's IPython start-up files must not change results.
    """
    with tempfile.TemporaryDirectory(prefix=f"tw-{os.getpid()}-", dir=_short_folder()) as folder:
        before = {name: os.environ.get(name) for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "PYTHONSAFEPATH")}
        os.environ |= {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, "PYTHONSAFEPATH": "1"}
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _short_folder() -> Path | None:
    """A temporary folder with a short path: a socket's may have 104 characters, and some systems' own take 50."""
    short = Path(Path.cwd().anchor) / "tmp"
    return short if os.access(short, os.W_OK) else None


def _module(name: str) -> Any:
    """Import a notebook library without the 35 grammars jsonschema would compile for a format notebooks never use.

    jsonschema does without them when they cannot be imported; that saves 1.3 to 1.8 CPU-seconds.
    """
    absent: Any = None
    sys.modules.setdefault("rfc3987_syntax", absent)
    return importlib.import_module(name)


def _papermill() -> tuple[Any, Any, Any]:
    """Papermill, its error, and a kernel manager of this environment that talks over IPC."""
    be_quiet()
    papermill = _module("papermill")
    from jupyter_client.manager import AsyncKernelManager

    class PrivateKernel(AsyncKernelManager):
        """Of this interpreter: safe module path, no user history, unencrypted TCP replaced by sockets of this user."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # without a name the sockets lie in the working directory, where two kernels at once take the same
            own = str(Path(os.environ["JUPYTER_RUNTIME_DIR"]) / "kernel.json")
            super().__init__(*args, **{**kwargs, "transport": "ipc", "connection_file": own})

        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            command = super().format_kernel_cmd(extra_arguments)
            if command[1:2] != ["-Xfrozen_modules=off"] and command[1:2] != ["-m"]:
                raise IntegrityError(
                    f"The kernel {KERNEL} is not started as a Python module.",
                    hint="Remove the kernel specification that stands before ours.",
                )
            return [sys.executable, *command[1:], "--HistoryManager.enabled=False"]

    return papermill, papermill.exceptions.PapermillExecutionError, PrivateKernel
