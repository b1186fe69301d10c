"""The only module that chooses adapters, and that hands workflows what their type hints ask for."""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from datetime import date
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

from twinops import ideas, plugins
from twinops import params as params_file
from twinops.entities.day_count import DayCount
from twinops.entities.measure import Measure
from twinops.errors import IntegrityError, ParamsError
from twinops.params import Params, section_names
from twinops.ports import (
    ColumnLineage,
    Commits,
    Copies,
    Engine,
    KeyKeeper,
    KeyRestorer,
    KeyStore,
    LearnedFrom,
    Lineage,
    Notebooks,
    Persons,
    Production,
    Registry,
    Rights,
    RightsKeeper,
    RightsRead,
    Signer,
    Tracking,
    Versions,
)
from twinops.workflows.places import Places

if TYPE_CHECKING:
    from twinops.adapters.keystore import StoredKeys
    from twinops.adapters.notebooks.counter import Around
    from twinops.adapters.notebooks.window import Behind
    from twinops.ports import Workers
    from twinops.twin.answers.what_if import Simulated
    from twinops.workflows.candidate.preview import Preview
    from twinops.workflows.declared_words import DeclaredWords
    from twinops.workflows.twin.predict import Predicted
    from twinops.workflows.twin.show import ShownPortrait


T = TypeVar("T")
WORKFLOWS = "twinops.workflows"
FOLLOWING_POLICY = ("drift", "fairness")
"""Stages that run again when the policy changes; in another's notebook a verdict would outlive the rule."""
WINDOW = "TWINOPS_WINDOW"
"""Set in cells that are executed: there, others do what opens anything."""
READING = frozenset(
    {
        *(f"links.{verb}" for verb in ("explain", "history", "listed")),
        *(f"candidate.{verb}" for verb in ("brief", "compare", "judge", "owed", "preview", "stage_verdicts", "status")),
        *(f"quarantine.{verb}" for verb in ("list_batches", "show_rows")),
        *(f"sources.{verb}" for verb in ("check", "contract", "data_map", "in_doubt")),
        "keys.status",
        "update.look",
        *(f"subject.{verb}" for verb in ("certificate", "certificate_of")),
        *(f"twin.{verb}" for verb in ("access", "asked_by_id", "predict", "segments", "show", "simulate")),
        *(f"serving.{verb}" for verb in ("live", "live_ground")),
        "dpia.status",
        "ideas.check",
        "retention.status",
    }
)
"""Workflows that write nothing; every other one is refused when the code that runs is not the project's."""
LOOKING = frozenset({"ideas.new", "project.begin", "project.upgrade"})
"""Workflows that are done whatever the project's own files hold."""
RENEWING = frozenset({"project.begin", "project.upgrade"})
"""Workflows that make the project fit the code that runs."""

HEARD = frozenset(f"subject.{verb}" for verb in ("act", "act_file", "requests", "step"))
"""What people say is taken down whatever code runs: a no does not wait for an upgrade. No result hangs on that code."""


@dataclass(frozen=True)
class Project:
    """One project folder with its parameters, places and adapters; adapters are made when first asked for."""

    root: Path

    @cached_property
    def params(self) -> Params:
        """The checked `params.yaml`, with the project's own files on their shelves."""
        ideas.lay(self.root)
        return params_file.read(self.root / "params.yaml")

    @cached_property
    def places(self) -> Places:
        """Where everything lies."""
        return Places(self.root)

    @cached_property
    def words(self) -> DeclaredWords:
        """The words of its texts, as `params.yaml` and its sources declare them."""
        from twinops.workflows.declared_words import DeclaredWords

        return DeclaredWords(self.params.own, self.params.subject, self.params.features.days)

    def told(self, value: T) -> T:
        """A text, or a record of texts, in the declared words."""
        return self.words.told(value)

    @property
    def about(self) -> str:
        """Whom everything here is about, as declared: one line of Markdown."""
        return self.words.about

    @cached_property
    def engine(self) -> Engine:
        """The SQL engine that `compute` names."""
        asked = self.params.compute
        if asked.engine == "spark":
            from twinops.adapters.sql.spark_engine import SparkEngine

            return SparkEngine(master=asked.master, memory=asked.memory[:-1].lower())
        from twinops.adapters.sql.duckdb_engine import DuckDBEngine

        return DuckDBEngine(threads=asked.threads, memory_limit=asked.memory)

    @cached_property
    def keys(self) -> KeyStore:
        """The key store; refused when it is not as far as the project is, so that the erased stay away."""
        from twinops.adapters import erasure_marks, keystore

        store = self._opened_keys()
        if not isinstance(store, keystore.StoredKeys):
            return store
        file = self.places.epoch
        return keystore.checked(store, here=erasure_marks.here(file), ahead=erasure_marks.anywhere(file))

    @cached_property
    def key_keeper(self) -> KeyKeeper:
        """The key store for whoever erases and rotates: it may be ahead of the project, never behind it."""
        from twinops.adapters import erasure_marks, keystore

        return keystore.checked(self._own_keys, here=None, ahead=erasure_marks.anywhere(self.places.epoch))

    @cached_property
    def _own_keys(self) -> StoredKeys:
        """The key store for whoever restores it, however old it is.

        Raises:
            IntegrityError: keys are the published ones, which nobody can destroy.
        """
        from twinops.adapters import keystore

        store = self._opened_keys()
        if not isinstance(store, keystore.StoredKeys):
            raise IntegrityError(
                "vault.keys is `demo`: the published key cannot be destroyed, and what it seals is nobody's own.",
                hint="Set vault.keys to `store` for people of your own.",
            )
        return store

    def _opened_keys(self) -> KeyStore:
        from twinops.adapters import keystore

        return keystore.open_store(
            self.params.vault.keys,
            own_data=self.params.sources.folder is not None or bool(self.params.own.root),
            location=self._key_place,
            wrapped_in=self.places.keystore,
        )

    @property
    def _key_place(self) -> str:
        """Folder or address of the key store."""
        return os.environ.get("TWINOPS_KEYSTORE") or str(self.places.keystore)

    @cached_property
    def rights(self) -> Rights:
        """The ledger of rights, to be written."""
        from twinops.adapters.rights_ledger import RightsLedger

        return RightsLedger(self._key_place, self.keys, self.root)

    @cached_property
    def rights_kept(self) -> RightsKeeper:
        """The same for whoever erases: before `epoch.json` tells of it."""
        from twinops.adapters.rights_ledger import RightsLedger

        return RightsLedger(self._key_place, self.key_keeper, self.root)

    @cached_property
    def rights_read(self) -> RightsRead:
        """The ledger of rights for whoever goes by it: refused where the project does not follow it, or it is old."""
        from twinops.adapters.rights_ledger import FollowedRights, RightsLedger

        return FollowedRights(RightsLedger(self._key_place, self.keys, self.root), self.params.rights.max_age_days)

    @cached_property
    def learned(self) -> LearnedFrom:
        """Which versions learned from whom."""
        from twinops.adapters.lineage_index import LineageIndex

        return LineageIndex(self._key_place)

    @cached_property
    def copies(self) -> Copies:
        """Where copies of the project's data lie."""
        from twinops.adapters.copies import ProjectCopies

        return ProjectCopies(self.root)

    @cached_property
    def commits(self) -> Commits:
        """The project's history."""
        from twinops.adapters.git_commit import GitCommits

        return GitCommits(self.root)

    @cached_property
    def versions(self) -> Versions:
        """Registered versions, to be told of an erasure."""
        from twinops.adapters.mlflow.versions import MlflowVersions

        return MlflowVersions(self.root)

    @cached_property
    def persons(self) -> Persons:
        """The register of persons; refused where the project does not follow it."""
        from twinops.adapters.person_register import LedgerOfPersons
        from twinops.adapters.rights_ledger import RightsLedger

        return LedgerOfPersons(RightsLedger(self._key_place, self.keys, self.root))

    @cached_property
    def tracking(self) -> Tracking:
        """The ledger of runs."""
        from twinops.adapters.mlflow.tracking import MlflowTracking
        from twinops.adapters.registry_client.client import against_closed_door

        against_closed_door()
        return MlflowTracking(self.root)

    @cached_property
    def registry(self) -> Registry:
        """The model registry."""
        from twinops.adapters.mlflow.registry import MlflowRegistry
        from twinops.adapters.registry_client.client import against_closed_door

        against_closed_door()
        return MlflowRegistry(self.root)

    @cached_property
    def lineage(self) -> Lineage:
        """What DVC's lock file and git know."""
        from twinops.adapters.dvc.lock_file import DvcStore

        return DvcStore(self.root)

    @cached_property
    def columns(self) -> ColumnLineage:
        """What the SQL files say of each derived column."""
        from twinops.adapters.sql.column_lineage import SqlLineage
        from twinops.twin import table_lineage

        sources = table_lineage.sealed_columns()
        return SqlLineage(table_lineage.queries(), table_lineage.given(sources), sources)

    @cached_property
    def notebooks(self) -> Notebooks:
        """The notebook runner."""
        from twinops.adapters.notebooks.papermill_runner import PapermillRunner

        return PapermillRunner(self.root, self.places.scratch / "nb", around=self._around)

    def _around(self, stage: str) -> Around:
        """What stands around the cells of a stage's notebook: its steps, and what they alone may open."""
        from twinops.adapters.notebooks.confinement import Confines, all_sealed, private_places
        from twinops.adapters.notebooks.counter import Around

        own = self.params.own.root.values()
        elsewhere = [self.params.sources.folder, *(said.path for said in own)]
        sealed = all_sealed(self.root, (self.root / path for path in elsewhere if path), os.environ)
        unsaid = tuple(said.url_from for said in own if said.url_from)
        confines = Confines((*sealed, *private_places(Path.home())), (self.root / "reports" / "code",), (self.root,))
        return Around(lambda window: self.behind(stage).serve(window), confines, unsaid)

    def behind(self, stage: str) -> Behind:
        """The side with the keys of a stage's notebook: the steps that its cells may ask for, and no others."""
        from twinops.adapters.notebooks.window import Behind
        from twinops.adapters.running_code import against_other

        against_other(self.root)
        steps: dict[str, Callable[..., Any]] = {"run": partial(self._run_own, stage)}
        told = {"run": ("()", "Do the whole stage as `twinops run` does it.")}
        for kind in steps_of(stage):
            once = cache(partial(self._made, kind))
            names = [n for n, f in vars(kind).items() if inspect.isfunction(f) and not n.startswith("_")]
            steps |= {n: partial(self._step, once, n) for n in names}
            told |= {n: (_signature(getattr(kind, n)), inspect.getdoc(getattr(kind, n)) or "") for n in names}
        steps["measured"] = partial(self._measured, stage)
        told["measured"] = ("(stage, found)", "Keep what a stage of the project's own measured.")
        if stage in FOLLOWING_POLICY:
            steps["verdicts"] = lambda kept: self.run("candidate.stage_verdicts", findings=kept.findings)
            told["verdicts"] = ("(kept)", "What the gates say of the measures that were kept.")
        steps["preview"] = partial(self.run, "candidate.preview")
        told["preview"] = ("()", "What the gates would say of all measures as they lie here.")
        return Behind(steps, {"stage": stage, "steps": told, "words": self.words, "root": self.root})

    def _measured(self, stage: str, asked: str, found: Sequence[tuple[dict[str, Any], str]]) -> None:
        """What cells say they measured, under the name of their own stage alone."""
        if asked != stage:
            raise ParamsError(f"The notebook {stage} keeps measures of its own, and none of {asked!r:.60}.")
        self.measured(stage, {Measure(**told): says for told, says in found})

    def _run_own(self, stage: str, verb: str = "", **arguments: Any) -> Any:
        """The workflow that is called as the stage, and no other: what it opens is what the stage is for."""
        if verb not in ("", stage):
            raise ParamsError(f"The notebook {stage} runs {stage} and nothing else, not {verb!r:.60}.")
        return self.run(stage, **arguments)

    @cached_property
    def production(self) -> Production:
        """What is live."""
        from twinops.adapters.mlflow.production import MlflowProduction

        return MlflowProduction(self.root)

    @cached_property
    def signer(self) -> Signer:
        """Whoever signs answers and bundles."""
        from twinops.adapters.ssh_keygen import SshKeygen

        return SshKeygen()

    def measured(self, stage: str, found: Mapping[Measure, str]) -> None:
        """Keep what a notebook stage of the project's own measured, each with what it says; it flows into Evidence.

        Raises:
            ParamsError: the stage is none of the project's own, or a measure's name does not begin with its.
        """
        if WINDOW in os.environ:
            from twinops.adapters.notebooks.window import inherited

            inherited().ask("measured", stage, [[asdict(measure), says] for measure, says in found.items()])
            return
        from twinops.workflows.ideas.kept import own_findings

        self.places.keep(stage, own_findings(self.params.ideas, stage, found), self.words.wording)

    @contextmanager
    def answering_by_id(self) -> Iterator[None]:
        """While it lasts, a twin that MLflow loaded answers ids of this project, as far as its consumers allow it."""
        from twinops.adapters.mlflow import twin_flavour

        def asks(ids: Sequence[str], purpose: str, text: str) -> twin_flavour.ById:
            found = self.run("twin.asked_by_id", ids=ids, purpose=purpose, text=text)
            return twin_flavour.ById(found.states, found.refused, found.support)

        with twin_flavour.answered_by(asks):
            yield

    def twin(self, who: str, *, purpose: str) -> Twin:
        """One consumer's twin, by the id of the source or a subject id, opened for a declared purpose."""
        return Twin(self, str(who), purpose)

    def run(self, verb: str, **arguments: Any) -> Any:
        """Do one workflow: `project.run("train")`, of another room `project.run("dpia.answer")`.

        What its type hints ask for is supplied; the rest are arguments.

        Raises:
            IntegrityError: it writes, and the code that runs is not the project's own.
        """
        if WINDOW in os.environ:
            from twinops.adapters.notebooks.window import inherited

            return inherited().ask("run", verb, **arguments)
        workflow = find(verb)
        if verb not in LOOKING:
            ideas.lay(self.root)
        if verb not in READING | RENEWING | HEARD:
            from twinops.adapters.running_code import against_other

            against_other(self.root)
        hints = {name: hint for name, hint in get_type_hints(workflow).items() if name != "return"}
        supplied = {name: self._made(hint) for name, hint in hints.items() if injected(hint)}
        try:
            bound = inspect.signature(workflow).bind(**supplied, **arguments)
        except TypeError as problem:
            raise ParamsError(
                f"The workflow {verb} was not called as it expects: {problem}.",
                hint="See its function in src/twinops/workflows.",
            ) from None
        with nullcontext() if verb in LOOKING else self._elsewhere():
            return workflow(*bound.args, **bound.kwargs)

    def _step(self, made: Callable[[], Any], name: str, /, *args: Any, **named: Any) -> Any:
        """One step of a record that is made when the first of its steps is asked for."""
        with self._elsewhere():
            return getattr(made(), name)(*args, **named)

    def _elsewhere(self) -> AbstractContextManager[None]:
        """While it lasts, rows are sealed and summed where the engine works, if that is elsewhere."""
        if self.params.compute.engine == "duckdb":
            return nullcontext()
        from twinops.data.elsewhere import working_on

        return working_on(lambda: cast("Workers", self.engine))

    def _made(self, hint: Any) -> Any:
        """What a type hint asks for; of a record, what each of its fields asks for."""
        if hint in PORTS:
            return getattr(self, PORTS[hint])
        if hint in DAYS:
            return DAYS[hint](self.params)
        if hint in section_names():
            return getattr(self.params, section_names()[hint])
        return hint(**{name: self._made(kind) for name, kind in get_type_hints(hint).items() if injected(kind)})


PORTS: Mapping[Any, str] = {
    Engine: "engine",
    KeyStore: "keys",
    KeyKeeper: "key_keeper",
    KeyRestorer: "_own_keys",
    RightsKeeper: "rights_kept",
    Copies: "copies",
    Commits: "commits",
    Versions: "versions",
    Rights: "rights",
    RightsRead: "rights_read",
    Persons: "persons",
    LearnedFrom: "learned",
    Tracking: "tracking",
    Registry: "registry",
    Lineage: "lineage",
    ColumnLineage: "columns",
    Notebooks: "notebooks",
    Production: "production",
    Signer: "signer",
    Places: "places",
    Params: "params",
}
"""What a project supplies whole, beside the sections of its parameters and the as-of day."""


DAYS: Mapping[Any, Callable[[Params], Any]] = {
    date: lambda params: params.as_of,
    DayCount: lambda params: params.features.days,
}
"""The as-of day, and how days are counted: of all parameters the only ones that are supplied one by one."""


def steps_of(stage: str) -> tuple[Any, ...]:
    """The records of steps that a stage's notebook may ask for, each made as a workflow is supplied.

    A panel is opened where a model is made or measured, and in notebooks of a project's own.
    """
    room = f"{WORKFLOWS}.pipeline"
    own = load_steps(room, stage)
    panel = stage not in plugins.verbs(room) or "learning" in getattr(own, "__annotations__", ())
    return tuple(kind for kind in (own, load_steps(WORKFLOWS, "panel") if panel else None) if kind is not None)


def load_steps(room: str, name: str) -> Any:
    """The steps that a stage does in cells, a record that is made as a workflow is supplied; None: it has none."""
    if name not in plugins.names(room):
        return None
    return getattr(plugins.load(room, name), f"{name.title().replace('_', '')}Steps", None)


def _signature(step: Callable[..., Any]) -> str:
    """How a step is called, without what it is called on."""
    told = inspect.signature(step)
    return str(told.replace(parameters=list(told.parameters.values())[1:]))


def stand_behind(number: str, root: str, stage: str) -> None:
    """In a process of its own: answer the cells of a notebook that nobody executes, such as one open in JupyterLab."""
    open_project(root).behind(stage).serve(socket.socket(fileno=int(number)))


def find(verb: str) -> Callable[..., Any]:
    """The workflow of this name: `train`, or of another room `dpia.answer`.

    Raises:
        ParamsError: there is none.
    """
    room, _, name = verb.rpartition(".")
    if (room := room or "pipeline") not in (rooms := plugins.rooms(WORKFLOWS)):
        raise ParamsError(f"No workflow is called {verb!r}.", hint=f"Rooms of workflows are {', '.join(rooms)}.")
    return plugins.function(f"{WORKFLOWS}.{room}", name)


def injected(hint: Any) -> bool:
    """Whether a project supplies it: a port, a section of `params.yaml`, the as-of day, or a record of such."""
    if hint in PORTS or hint in DAYS or hint in section_names():
        return True
    if not (is_dataclass(hint) and isinstance(hint, type)):
        return False
    kinds = get_type_hints(hint)
    needed = [f for f in fields(hint) if f.default is MISSING and f.default_factory is MISSING]
    return bool(needed) and all(injected(kinds[f.name]) for f in needed)


def asked(workflow: Callable[..., Any]) -> frozenset[Any]:
    """Every port, section and day that a workflow, or a record of steps, is supplied with, records opened."""
    hints = {name: hint for name, hint in get_type_hints(workflow).items() if name != "return"}
    return frozenset(leaf for hint in hints.values() if injected(hint) for leaf in _leaves(hint))


def _leaves(hint: Any) -> Iterator[Any]:
    if hint in PORTS or hint in DAYS or hint in section_names():
        yield hint
        return
    for kind in get_type_hints(hint).values():
        if injected(kind):
            yield from _leaves(kind)


@dataclass(frozen=True)
class Twin:
    """One consumer's twin as `twinops twin` has it; a refusal is an answer, with `refused` saying why.

    Nothing is opened before it is asked, and everything is asked anew: consent may have changed since.
    """

    project: Project = field(repr=False)
    who: str = field(repr=False)
    purpose: str

    def show(self) -> ShownPortrait:
        """The portrait: what is held, allowed, expected and why."""
        shown: ShownPortrait = self.project.run("twin.show", who=self.who, purpose=self.purpose)
        return shown

    def predict(self) -> Predicted:
        """Chance to shop, baskets and spend in the horizon, with their ranges."""
        predicted: Predicted = self.project.run("twin.predict", who=self.who, purpose=self.purpose)
        return predicted

    def simulate(self, action: str) -> Simulated:
        """What would come after `campaign:A`, `basket:25` or `silence:14` (days): response, not uplift."""
        simulated: Simulated = self.project.run("twin.simulate", who=self.who, purpose=self.purpose, action=action)
        return simulated


def preview(root: str | Path = ".") -> Preview:
    """What the gates would say of the work as it lies here, before a commit; shows itself in a notebook."""
    found: Preview = open_project(root).run("candidate.preview")
    return found


def open_project(root: str | Path = ".") -> Project:
    """The project in this folder or, for notebooks opened in JupyterLab, in the folder above."""
    here = Path(root).resolve()
    found = next((p for p in (here, here.parent) if (p / "params.yaml").is_file()), here)
    ideas.lay(found)
    return Project(found)
