"""The front of the command line: finds nouns, keeps to the exit codes, and never shows a traceback unasked."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from twinops import plugins
from twinops.adapters.extras import lacking
from twinops.adapters.quiet import be_quiet
from twinops.errors import ParamsError, ServiceError, TwinopsError
from twinops.whole_files import write

SHELF = "twinops.cli"
UNEXPECTED = 1
EXTRA = "Run `pip install 'twinops[%s]'`; in a project, add it to the line of requirements.txt."
FULL = (errno.ENOSPC, errno.EDQUOT)


class Nouns(TyperGroup):
    """Every module of `twinops.cli` without an underscore is a noun; only the one asked for is imported."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """The nouns, sorted."""
        return list(plugins.names(SHELF))

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """The noun's own command or group, or None."""
        if cmd_name not in plugins.names(SHELF):
            return None
        module = plugins.load(SHELF, cmd_name)
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Nouns, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"twinops {version('twinops')}")
        raise typer.Exit


@app.callback()
def _twinops(
    ctx: typer.Context,
    project: Annotated[Path, typer.Option(help="The project's folder.", file_okay=False)] = Path(),
    _version: Annotated[
        bool, typer.Option("--version", help="Say it and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Consumer digital twins under governance."""
    ctx.obj = named(project.resolve())


def named(root: Path) -> Path:
    """MLflow writes the folder into addresses, where these signs mean something else."""
    if not root.as_posix().isprintable() or set("%?") & set(root.as_posix()):
        raise ParamsError(
            f"The project lies in {root.as_posix()!r}, and no database address can hold that name.",
            hint="Move it to a folder without %, ? and signs that cannot be printed.",
        )
    return root


def enter() -> None:
    """Run one command and end the process with the exit code of the contract."""
    be_quiet()
    _find_own_commands()
    try:
        app(prog_name="twinops")
    except TwinopsError as problem:
        _say(problem)
        sys.exit(problem.exit_code)
    except Exception as problem:
        if _debugging():
            raise
        if extra := lacking(problem):
            _say(
                ServiceError(f"This needs the extra `{extra}` of twinops, which is not installed.", hint=EXTRA % extra)
            )
            sys.exit(ServiceError.exit_code)
        if isinstance(problem, OSError) and problem.errno in FULL:
            _say(ServiceError(f"The disk is full ({problem.strerror}).", hint="Make room, then run again."))
            sys.exit(ServiceError.exit_code)
        _say_unexpected(problem)
        sys.exit(UNEXPECTED)


def _find_own_commands() -> None:
    """Called by its path, without its environment being active, it still runs the `dvc` and `twinops` beside it."""
    own, known = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    if own not in known.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([own, known])


def _say(problem: TwinopsError) -> None:
    if _debugging():
        traceback.print_exception(problem)
    from twinops.cli._answer import seen

    print(seen(problem.what), file=sys.stderr)
    if problem.hint:
        print(seen(problem.hint), file=sys.stderr)


def _say_unexpected(problem: Exception) -> None:
    print(f"twinops stopped on a {type(problem).__name__} that it did not expect.", file=sys.stderr)
    try:
        print(f"Where it happened is in {_log(problem)}; TWINOPS_DEBUG=1 shows all of it.", file=sys.stderr)
    except OSError as full:
        print(f"Where it happened could not be written down: {full.strerror}.", file=sys.stderr)


def _log(problem: Exception) -> Path:
    """Write where it happened and what kind it was. Messages stay out: they may quote a row."""
    path = Path(".twinops") / "last-error.txt"
    frames = [f"{f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(problem.__traceback__)]
    write(path, "\n".join([*frames, type(problem).__qualname__]) + "\n")
    return path


def _debugging() -> bool:
    return os.environ.get("TWINOPS_DEBUG", "") not in ("", "0")
