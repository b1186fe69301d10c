"""Bring the pipeline up to date with independent stages side by side; DVC does one at a time, and its lock after each.

What a stage needs, whether it changed, what the run cache holds, what is kept and what the lock says: DVC's own objects
decide all of it, one stage after the other, under DVC's own locks. Only while commands run is there more than one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from logging import WARNING
from pathlib import Path
from time import monotonic
from typing import Any

from twinops.adapters.dvc.claimed_once import claimed_once
from twinops.adapters.dvc.lock_text import with_stages
from twinops.adapters.dvc.locks import at_work
from twinops.adapters.dvc.parsed_once import parsed_once
from twinops.adapters.dvc.processes import Command, SideBySide
from twinops.adapters.dvc.schedule import Lanes
from twinops.adapters.dvc.stage_clock import StageClock
from twinops.adapters.dvc.unfinished_files import without_empty_runs
from twinops.adapters.dvc.waiting import Waiting
from twinops.adapters.dvc.warm import Warm
from twinops.errors import DataError, ParamsError, ServiceError
from twinops.whole_files import write

WITHOUT_GIT = "DVC works inside git: `git init && git add --all && git commit -m start` in this folder, then run again."
WAIT = "Wait until it ends, or end it, and run again; what a killed run left, `twinops doctor` mends."
RAN, CACHED, UNCHANGED = "ran", "cached", "unchanged"


@dataclass(frozen=True)
class Outcome:
    """How many stages ran, came from the run cache, or needed neither."""

    ran: int
    cached: int
    unchanged: int
    seconds: float


@dataclass(frozen=True)
class Manner:
    """How many commands run side by side; whether what is up to date runs too; `many`: more than a few will run.

    `left` are stages whose outputs are taken as they are, whatever changed before them: they and what they teach.
    """

    lanes: int
    force: bool = False
    many: bool = False
    left: frozenset[str] = frozenset()
    waiting: Waiting | None = None
    """A process that was forked for them in time."""


def reproduce(root: Path, stages: Sequence[str], *, how: Manner, say: Callable[[str, str], None]) -> Outcome:
    """Run what changed of these stages and all they need, or of the whole pipeline; `say` takes a stage and a line.

    Raises:
        ParamsError: there is no such stage, or `dvc.yaml` is not one.
        ServiceError: a stage failed, and the others were stopped; it carries the stage's exit code.
    """
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.logger import set_loggers_level
    from dvc.repo import Repo
    from dvc.scm import SCMError

    started = monotonic()
    try:
        with (
            parsed_once(),
            set_loggers_level(WARNING),
            chdir(root),
            Repo(_wait_for_lock=True) as repo,
            repo.lock,
            claimed_once((run := _Run(repo, stages, how, say)).held.get),
        ):
            without_empty_runs(Path(repo.stage_cache.cache_dir))
            counts = run.to_the_end()
    except LockError as problem:
        others = ", ".join(map(str, at_work(root))) or "it has ended meanwhile"
        raise ServiceError(f"Another run works in this folder (process {others}).", hint=WAIT) from problem
    except SCMError as problem:
        raise ServiceError(_told(problem), hint=WITHOUT_GIT) from problem
    except DvcException as problem:
        raise ServiceError(_told(problem), hint="`dvc repro` does the same, one stage at a time.") from problem
    return Outcome(counts[RAN], counts[CACHED], counts[UNCHANGED], round(monotonic() - started, 1))


@dataclass
class _Run:
    repo: Any
    targets: Sequence[str]
    how: Manner
    say: Callable[[str, str], None]
    unwritten: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    claims: dict[str, ExitStack] = field(default_factory=dict)
    held: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    @cached_property
    def warm(self) -> Warm:
        """From where most commands are forked."""
        root, how = Path(self.repo.root_dir), self.how
        return Warm(root, how.many, learning=not how.left, waiting=how.waiting)

    @cached_property
    def clock(self) -> StageClock:
        """How long stages took last time."""
        return StageClock.of(Path(self.repo.tmp_dir))

    @cached_property
    def graph(self) -> Any:
        """DVC's graph: edges lead from a stage to those it needs."""
        from dvc.repo.reproduce import get_active_graph

        return get_active_graph(self.repo.index.graph)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """Stages by name, in the order of a plain `dvc repro`."""
        from dvc.repo.reproduce import collect_stages, plan_repro
        from dvc.stage.exceptions import StageNotFound

        try:
            targets = collect_stages(self.repo, self.targets) if self.targets else None
        except StageNotFound as problem:
            raise ParamsError(_told(problem), hint="`dvc stage list` names them.") from None
        asked = self.graph.subgraph([s for s in self.graph if s.addressing not in self.how.left])
        return {stage.addressing: stage for stage in plan_repro(asked, targets)}

    def to_the_end(self) -> Counter[str]:
        """Do all of the plan; what was done is in the lock file even when something fails."""
        self.warm.get_ready()
        needs = {name: frozenset(s.addressing for s in self.graph.successors(s)) for name, s in self.plan.items()}
        todo = Lanes(needs, self.how.lanes)
        commands = SideBySide(self.say)
        try:
            while not todo.over:
                self._start_what_can(todo, commands)
                for command, code in sorted(self._unlocked(commands.wait), key=lambda ended: ended[1] != 0):
                    self._finish(command, code)
                    self._over(todo, command.name)
        finally:
            stopped = self._unlocked(commands.stop)
            self.warm.stop()
            self._release(*self.claims)
            self._write_lock()
            self.clock.keep()
            if stopped:
                self.say("", f"stopped: {', '.join(stopped)}")
        return self.counts

    def _start_what_can(self, todo: Lanes, commands: SideBySide) -> None:
        while startable := todo.startable():
            name = startable[0]
            if name == todo.last:
                self._write_lock()  # it may read there what all others made
            with self._claiming(name):
                how = self._without_running(self.plan[name])
            if how is None:
                self._command(name, commands)
                todo.start(name)
                continue
            self.counts[how] += 1
            self._release(name)
            self._over(todo, name)

    def _over(self, todo: Lanes, name: str) -> None:
        todo.finish(name)
        self.done.add(name)

    def _without_running(self, stage: Any) -> str | None:
        """How a stage got up to date without its command; None when it must run. As `Stage.reproduce` decides."""
        from dvc.stage.cache import RunCacheNotFoundError

        if not self.how.force and not stage.changed(upstream=list(self.graph.successors(stage))):
            return UNCHANGED
        stage.remove_outs()
        if self.how.force:
            return None
        if lost := [str(dep) for dep in stage.deps if not dep.exists]:
            raise DataError(
                f"{stage.addressing} needs what is not there: {', '.join(lost)}.",
                hint="Put it back by `git checkout`, or make it anew: `dvc repro -f` of the stage that writes it.",
            )
        try:
            self.repo.stage_cache.restore(stage)
        except RunCacheNotFoundError:
            stage.save_deps()
            return None
        self._keep(stage)
        self.say(stage.addressing, "is in the cache")
        return CACHED

    def _command(self, name: str, commands: SideBySide) -> None:
        from dvc.stage.run import _make_cmd, get_executable, prepare_kwargs

        stage = self.plan[name]
        command = stage.cmd if isinstance(stage.cmd, str) else " && ".join(stage.cmd)
        if said := self.clock.said(list(self.plan), self.done, lanes=self.how.lanes):
            self.say("", said)
        self.say(name, f"> {command}")
        self.began[name] = monotonic()
        how = prepare_kwargs(stage)
        if begin := self.warm.begin(command, how):
            commands.begin(name, begin)
        else:
            commands.start(name, _make_cmd(get_executable(), command), **how)

    def _finish(self, command: Command, code: int) -> None:
        if code != 0:
            raise _failed(command, code)
        self.clock.took[command.name] = monotonic() - self.began[command.name]
        with self._speaking_for(command.name):
            self._keep(self.plan[command.name])
        self._release(command.name)
        self.counts[RAN] += 1

    def _keep(self, stage: Any) -> None:
        """Hash and cache what it made. As `Stage.run` ends; the lock file is written for many at once."""
        loose = any(not out.use_cache for out in stage.outs if not (out.is_metric or out.is_plot))
        stage.save(run_cache=not loose)
        stage.commit()
        self.unwritten.append(stage.addressing)

    def _write_lock(self) -> None:
        """Put what was done into `dvc.lock`, in the plan's order: whole or not at all."""
        from dvc.dvcfile import LOCK_FILE
        from dvc.stage.serialize import to_lockfile

        done = [stage for name, stage in self.plan.items() if name in self.unwritten]
        if not done:
            return
        lock = Path(self.repo.root_dir, LOCK_FILE)
        told: dict[str, Any] = {}
        for stage in done:
            told.update(to_lockfile(stage))
        before = lock.read_text(encoding="utf-8") if lock.exists() else ""
        write(lock, with_stages(before, told))
        self.unwritten.clear()

    @contextmanager
    def _speaking_for(self, name: str) -> Iterator[None]:
        """DVC tells the holders of its locks apart by process and command line; here each stage is a holder."""
        before, sys.argv = sys.argv, ["twinops", "repro", name]
        try:
            yield
        finally:
            sys.argv = before

    @contextmanager
    def _claiming(self, name: str) -> Iterator[None]:
        """Hold DVC's locks on a stage's inputs and outputs from here until they are released."""
        from dvc.rwlock import rwlock

        stage = self.plan[name]
        reads, writes = [d.fs_path for d in stage.deps], [o.fs_path for o in stage.outs]
        hardlink = self.repo.config["core"].get("hardlink_lock", False)
        with self._speaking_for(name):
            claim = self.claims[name] = ExitStack()
            holder = " ".join(sys.argv)
            claim.enter_context(rwlock(self.repo.tmp_dir, self.repo.fs, holder, reads, writes, hardlink))
            claim.callback(self.held.pop, holder)
            self.held[holder] = (reads, writes)
            yield

    def _release(self, *names: str) -> None:
        for name in names:
            self.claims.pop(name).close()

    def _unlocked(self, act: Callable[[], Any]) -> Any:
        """Let other DVC commands in while nothing of DVC is done here."""
        if self.repo.lock.is_locked:  # it is not, where Ctrl-C came while it was being taken
            self.repo.lock.unlock()
            self.repo._reset()
        try:
            return act()
        finally:
            self.repo.lock.lock()


def _failed(command: Command, code: int) -> ServiceError:
    """With the stage's own exit code, and what it said last: other stages may have spoken since."""
    how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    problem = ServiceError(
        "\n".join([f"Stage {command.name} {how}. It said last:", *(f"  {line}" for line in command.said)]),
        hint=f"Mend that, then run it again: what is done stays done. Alone: `dvc repro {command.name}`.",
    )
    problem.exit_code = max(code, 1)
    return problem


def _told(problem: BaseException) -> str:
    """What DVC says, with the reasons it gives."""
    reasons = [str(problem).strip("'\"")]
    while problem.__cause__ is not None:
        problem = problem.__cause__
        reasons.append(str(problem))
    return ": ".join(dict.fromkeys(r for r in reasons if r))
