"""The registry store: every write to the registry, from whatever route, passes this one object."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModel
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import event, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from twinops.adapters.mlflow.digests import digest_of
from twinops.entities.approval import Actor
from twinops.entities.event import Kind
from twinops.errors import IntegrityError
from twinops.governance.people import approval
from twinops.governance.people.lookalikes import against_name, resembles, twin_of
from twinops.governance.people.offices import GATE_RUNNER
from twinops.server import understood
from twinops.server.refusals import refusal, refuse
from twinops.server.registry import aliases, artifact_folders, cases, records, standing, tables, triggers
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import callers as actors
from twinops.server.registry.aliases import Promotion
from twinops.server.registry.audit_log import AuditLog
from twinops.server.registry.home import Home
from twinops.server.registry.outbox import TOLD, Outbox
from twinops.server.registry.records import Recorded
from twinops.server.registry.transaction import Memo, Transaction
from twinops.server.registry.triggers import ALWAYS
from twinops.server.registry.witness import Witness

RESERVED = "twinops."
ERASURES = "erasure."
"""Tags that tell what was decided of a version after people it learned from were erased: officers write them."""
STATED = f"{RESERVED}approval"
"""The tag by which an answer states that what it serves is approved no longer; in answers only, nothing stores it."""
SCHEME = "twinops+"
REFUSALS_WAIT = 2.0
"""Seconds within which a checkpoint tells of a refusal; of all else before the answer."""


class GovernedStore(SqlAlchemyStore):
    """MLflow's own store, with a check, a record and a log entry around what may change what is served."""

    def __init__(self, store_uri: str, read_db_uri: str | None = None, *, home: Home | None = None) -> None:
        self.home = home or Home.here()
        self._here = threading.local()
        self._turn = threading.Lock()
        self._known = Memo()
        self.witness = Witness(self.home)
        self._unkept: tuple[int, str] | None = None
        super().__init__(store_uri.removeprefix(SCHEME), read_db_uri)
        self._stock_sessions = _answering(understood.sessions(self.ManagedSessionMaker))
        self.ManagedSessionMaker = self._session
        self.roles_of: Callable[[str], Actor] = Actor
        self.outbox: Outbox | None = None
        _write_ahead(self.engine)
        with self.engine.begin() as connection:
            self.triggers_before = triggers.found(connection)
            self.altered = triggers.faults(connection)
            self.new = tables.prepare(connection)

    @contextmanager
    def _session(self, read_only: bool = True) -> Iterator[Session]:
        """Inside `writing`, MLflow's methods work in that transaction; elsewhere in one of their own."""
        running = getattr(self._here, "now", None)
        if running is not None:
            yield running.session
            return
        if not read_only:
            _asked_of_models().clear()
        with self._stock_sessions(read_only=read_only) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[AuditLog]:
        """One transaction that holds the writer lock from its first statement: all of it happens, or none."""
        note = ""
        _asked_of_models().clear()
        with self._turn, self._stock_sessions(read_only=False) as session:
            if self.db_type == "sqlite":
                session.execute(text("BEGIN IMMEDIATE"))
            now = self._transaction(session)
            log = AuditLog(now)
            self._here.now = now
            try:
                yield log
                note = log.sign() if log.appended else ""
            except BaseException:
                if log.appended or log.named:
                    self._known = Memo()  # numbers and pseudonyms of what is rolled back are given again
                raise
            finally:
                self._here.now = None
        if note:
            self.witness.took(log.bodies, since=log.begun)
            self._publish(log, note)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One snapshot for MLflow's methods and our own questions, however many there are and whatever is committed."""
        running = getattr(self._here, "now", None)
        if running is not None:
            yield running
            return
        with self._stock_sessions(read_only=True) as session:
            if self.db_type == "sqlite":
                session.execute(text("BEGIN"))  # else each SELECT is a transaction of its own
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            self._here.now = self._transaction(session)
            try:
                yield self._here.now
            finally:
                self._here.now = None

    def _transaction(self, session: Session) -> Transaction:
        return Transaction(session, self.home, self._known, self.now(), self.witness)

    @contextmanager
    def guarded(self, about: dict[str, Any]) -> Iterator[AuditLog]:
        """The same, and a refusal inside is logged after everything else was rolled back.

        A refusal that cannot be logged stays a refusal.
        """
        try:
            with self.writing() as log:
                yield log
        except MlflowException as problem:
            if problem.error_code == "PERMISSION_DENIED":
                self.log(Kind.REFUSED, {**about, "why": problem.message[:500]})
            raise

    def log(self, kind: Kind, about: dict[str, Any]) -> int:
        """Log what has no other effect in this database."""
        with self.writing() as log:
            return log.append(kind, actors.current(), about)

    def actor(self) -> Actor:
        """Who is calling, with roles."""
        return self.roles_of(actors.current())

    def get_registered_model(self, name: str) -> Any:
        """MLflow asks twice to find out who may set an alias; a request is answered once, until it writes."""
        if getattr(self._here, "now", None) is not None:
            return super().get_registered_model(name)
        kept = _asked_of_models()
        if name not in kept:
            kept[name] = super().get_registered_model(name)
        return kept[name]

    # registration

    def create_registered_model(self, name: str, tags: Any = None, *more: Any, **named: Any) -> Any:
        """Reserved tags are left out silently: copying a model takes them along. No name is taken for another."""
        with self.guarded({"model": str(name)[:80], "act": "name a model"}) as log:
            if self._new(log, str(name)):
                return super().create_registered_model(name, _unreserved(tags), *more, **named)
        return super().create_registered_model(name, _unreserved(tags), *more, **named)  # says that it exists

    def _new(self, log: AuditLog, name: str) -> bool:
        refuse(against_name(name))
        names: set[str] = set(log.session.scalars(select(SqlRegisteredModel.name)))
        former = log.transaction.seen().told.names  # whoever read of a model knows it by the name it had then
        like = twin_of(name, {*names, *former} - {name})
        if like and name not in names:
            raise refusal(f"the name {name[:80]!r} looks like the model {like[:80]!r}; choose another.")
        return name not in names

    def create_model_version(
        self, name: str, source: str, run_id: str | None = None, tags: Any = None, *args: Any, **more: Any
    ) -> Any:
        """Register: only bytes in our own artifact store; they are digested and sealed in the same transaction."""
        kept = _unreserved(tags)
        if _is_prompt(kept):
            self._against_prompt_among_models(name)
            return super().create_model_version(name, source, run_id, kept, *args, **more)
        with self.guarded({"model": name, "act": "register"}) as log, self.home.sealing():
            made = super().create_model_version(name, source, run_id, kept, *args, **more)
            held = self._get_sql_model_version(log.session, name, made.version)
            self._record(log, held, registrar=actors.current(), separated=True)
        return made

    def _against_prompt_among_models(self, name: str) -> None:
        """A version that calls itself a prompt goes to a family of prompts, or it would go round the record."""
        with self.ManagedSessionMaker() as session:
            family = self._get_registered_model_tag(session, name, IS_PROMPT_TAG_KEY)
            among_prompts = family is not None and str(family.value).lower() == "true"
        if not among_prompts:
            with self.guarded({"model": name, "act": "prompt among models"}):
                raise refusal("a model does not become a prompt, nor a prompt a model.")

    def _record(self, log: AuditLog, held: Any, *, registrar: str, separated: bool) -> Recorded:
        address = held.storage_location or held.source
        place = artifact_folders.place_of(self.home, address)
        if place is None and not separated:
            place = artifact_folders.moved_place(self.home, address)
        if place is None:
            raise refusal(
                f"{str(held.source)[:200]!r} is not in this server's artifact store. "
                "Upload the model to a run of this server and register it from there."
            )
        try:
            files = artifact_folders.listing(self.home, place)
        except IntegrityError as problem:
            raise refusal(str(problem)) from None
        about = {"model": held.name, "version": held.version, "digest": digest_of(files), "files": len(files)}
        made = Recorded(
            uid=uuid.uuid4().hex,
            name=held.name,
            version=held.version,
            created_ms=held.creation_time,
            run_id=held.run_id,
            place=place,
            registrar=registrar,
            digest=about["digest"],
            files=files,
            separated=separated,
            seq=log.frontier.size,
        )
        by = sorted(log.pseudonym(account) for account in records.contributing(log.session, made))
        about |= {"uid": made.uid, "run": held.run_id, "created": made.created_ms, "by": by}
        about["place"] = standing.hidden(place)
        log.append(Kind.REGISTERED if separated else Kind.ADOPTED, registrar, about)
        records.keep_version(log.session, made)
        return made

    def adopt(self, name: str, version: int, *, registrar: str) -> Recorded:
        """Record a version that was made without this server; its roles count as not separated."""
        with self.writing() as log, self.home.sealing():
            held = self._get_sql_model_version(log.session, name, version)
            return self._record(log, held, registrar=registrar, separated=False)

    # aliases

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        """An ordinary alias is MLflow's business; a protected one is a promotion."""
        self.promote(name, alias, version)

    def promote(self, name: str, alias: str, version: Any, *, etag: int | None = None) -> int | None:
        """Point an alias to a version; with an ETag only if nothing happened to it since. The new ETag is returned."""
        if alias != ALWAYS and alias not in (protected := self.protected()):
            self._against_lookalike(alias, protected)
            refuse(against_name(alias))
            super().set_registered_model_alias(name, alias, version)
            return None
        with self.guarded({"model": name, "version": str(version), "alias": alias, "act": "promote"}) as log:
            made = aliases.promote(log, Promotion(name, alias, int(version)), etag=etag)
            super().set_registered_model_alias(name, alias, int(version))
        return made

    def take_down(self, log: AuditLog, name: str, alias: str, *, why: str) -> bool:
        """Remove a protected alias in the running transaction, for a reason the log holds; False: it was not set."""
        done = aliases.take_down(log, name, alias, why=why)
        if done:
            super().delete_registered_model_alias(name, alias)
        return done

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """A protected alias is taken down by an officer on the review page, with a reason."""
        if alias in self.protected():
            with self.guarded({"model": name, "alias": alias, "act": "remove alias"}):
                raise refusal(
                    f"{alias!r} is protected. A risk officer takes it down on /twinops/review, with a reason."
                )
        super().delete_registered_model_alias(name, alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        """What a protected alias points to, if it is still exactly what was approved and was not revoked."""
        with self.reading() as now:
            found = super().get_model_version_by_alias(name, alias)
            protected = (ALWAYS,) if alias == ALWAYS else aliases.protected(now)
            over = aliases.verify(now, found, alias) if alias in protected else ""
        if alias not in protected:
            self._against_lookalike(alias, protected)
        if over:
            found._add_tag(ModelVersionTag(STATED, over))
        return found

    def protected(self) -> tuple[str, ...]:
        """Aliases that need an approval."""
        with self.reading() as now:
            return aliases.protected(now)

    def _against_lookalike(self, alias: str, protected: tuple[str, ...]) -> None:
        like = resembles(alias, protected)
        if like:
            with self.guarded({"alias": alias[:80], "act": "look-alike alias"}):
                raise refusal(f"the alias {alias[:80]!r} looks like the protected {like!r}; choose another.")

    # bytes

    def get_model_version_download_uri(self, name: str, version: Any) -> str:
        """Where the bytes are: the approved copy for what carries a protected alias. Changed bytes are refused."""
        with self.reading() as now:
            held = self._get_sql_model_version(now.session, name, version)
            made = records.version_of(now.session, name, held.version, created_ms=held.creation_time)
            granted = any(g.version == held.version for g in records.active_grants(now.session, name))
            where: str = held.storage_location or held.source
            decided = now.seen().decision(made.uid) if made is not None else None
            revoked = decided is not None and decided["kind"] == Kind.REVOKED
            over = aliases.refused_after_end(now, made.uid) if made is not None and granted else ""
        if made is None:
            return where
        if over:
            raise refusal(f"version {version} of {name} is not served. {over}")
        if revoked:
            raise refusal(f"version {version} of {name} is not served. Its approval was revoked.")
        return artifact_folders.verified_address(self.home, made, approved=granted)

    def against_sealed(self, place: str, *, above: bool = False) -> None:
        """Refuse to write into a registered version's folder, or (`above`) to remove what such a folder lies in."""
        with self.ManagedSessionMaker() as session:
            seal = records.sealed(session, place, above=above)
        if seal is not None:
            with self.guarded({"act": "write sealed bytes", "place": seal}):
                raise refusal(
                    f"{seal} belongs to a registered version; its bytes stay. Upload to another place and "
                    "register that as a new version."
                )

    def against_revoked(self, digest: str) -> None:
        """Refuse the approved copy of what was revoked, to whoever kept its address; other versions may share it."""
        with self.reading() as now:
            decided = [now.seen().decision(uid) for uid in records.holding(now.session, digest)]
        if decided and all(last is not None and last["kind"] == Kind.REVOKED for last in decided):
            raise refusal("this version is not served. Its approval was revoked.")

    def stamp_upload(self, folder: str, account: str) -> None:
        """Note who put a file into this folder."""
        with self.ManagedSessionMaker(read_only=False) as session:
            records.stamp_upload(session, folder, account)

    # what must stay while a protected alias is carried

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Not while a protected alias is set, nor by anybody who likes once others look at it.

        Records follow the name, approvals do not.
        """
        with self.guarded({"model": name, "act": "rename"}) as log:
            self._against_carried(log, name)
            self._against_looked_at(log, name)
            self._new(log, str(new_name))
            made = super().rename_registered_model(name, new_name)
            records.rename_versions(log.session, name, new_name)
            log.append(Kind.RENAMED, actors.current(), {"model": name, "now": new_name})
        return made

    def delete_registered_model(self, name: str) -> None:
        """Not while a protected alias is set."""
        with self.guarded({"model": name, "act": "delete model"}) as log:
            self._against_carried(log, name)
            for number in [v for n, v in records.all_versions(log.session) if n == name]:
                self._forget(log, name, number)
            super().delete_registered_model(name)

    def delete_model_version(self, name: str, version: Any) -> None:
        """Not the version that carries a protected alias."""
        with self.guarded({"model": name, "version": str(version), "act": "delete version"}) as log:
            self._against_carried(log, name, version=int(version))
            self._forget(log, name, int(version))
            super().delete_model_version(name, version)

    def update_model_version(self, name: str, version: Any, description: str | None = None) -> Any:
        """The description of what is in production stays as it was approved."""
        with self.guarded({"model": name, "version": str(version), "act": "describe"}) as log:
            self._against_carried(log, name, version=int(version))
            return super().update_model_version(name, version, description)

    def transition_model_version_stage(self, name: str, version: Any, *_more: Any, **_named: Any) -> Any:
        """Legacy stages are a second door to production; it is closed."""
        with self.guarded({"model": name, "version": str(version), "act": "stage"}):
            raise refusal("legacy stages are switched off. Production is the alias 'production', by approval.")

    def _forget(self, log: AuditLog, name: str, version: int) -> None:
        made = records.version_of(log.session, name, version)
        if made is not None:
            records.forget_version(log.session, made.uid)
            log.append(Kind.DELETED, actors.current(), {"model": name, "version": version, "uid": made.uid})

    def _against_carried(self, log: AuditLog, name: str, *, version: int | None = None) -> None:
        for grant in records.active_grants(log.session, name):
            if version in (None, grant.version):
                raise refusal(
                    f"version {grant.version} of {name} carries the protected alias {grant.alias!r}. "
                    "A risk officer takes it down first."
                )

    def _against_looked_at(self, log: AuditLog, name: str) -> None:
        """Who reads evidence or decides finds it under its name: else another model could take that name meanwhile."""
        who, active = self.actor(), cases.rules(log.transaction).offices
        looked = records.looked_at(log.session, name)
        officer = active is not None and not approval.against_activating(who, active, now=log.now)
        if looked and not who.admin and not officer:
            raise refusal(
                f"version {looked[0]} of {name} has evidence or a review, so it is known by this name. "
                "A risk officer or the administrator renames it."
            )

    # tags

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        """Reserved tags and the prompt family are not for callers."""
        self._against_reserved(name, tag.key)
        super().set_registered_model_tag(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Reserved tags and the prompt family are not for callers."""
        self._against_reserved(name, key)
        super().delete_registered_model_tag(name, key)

    def set_model_version_tag(self, name: str, version: Any, tag: Any) -> None:
        """Reserved tags and the prompt family are not for callers."""
        self._against_reserved(name, tag.key)
        super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        """Reserved tags and the prompt family are not for callers."""
        self._against_reserved(name, key)
        super().delete_model_version_tag(name, version, key)

    def describe(self, made: Recorded, description: str) -> None:
        """Tell on MLflow's own page what was judged, inside the running transaction."""
        super().update_model_version(made.name, made.version, description)

    def mirror(self, name: str, version: int, tags: dict[str, str]) -> None:
        """Show what our own tables say as tags, inside the running transaction; nothing reads them back."""
        for key, value in tags.items():
            super().set_model_version_tag(name, version, ModelVersionTag(f"{RESERVED}{key}", value))

    def _against_reserved(self, name: str, key: str) -> None:
        shape = key.strip().casefold()
        if shape.startswith(RESERVED):
            why = f"tags that begin with {RESERVED!r} mirror what the server decided; nobody sets them."
        elif shape == IS_PROMPT_TAG_KEY.casefold():
            why = "a model does not become a prompt, nor a prompt a model."
        elif shape.startswith(ERASURES) and not self._tells_of_erasures():
            told = f"tags that begin with {ERASURES!r} tell what was decided after an erasure"
            why = f"{told}; who holds an office in the active offices file writes them, or a gate runner."
        else:
            return
        with self.guarded({"model": name, "tag": key[:80], "act": "reserved tag"}):
            raise refusal(why)

    def _tells_of_erasures(self) -> bool:
        """Officers sign what was decided, a gate runner tells it in their name; without active offices anybody may."""
        who = self.actor()
        with self.reading() as now:
            active = cases.rules(now).offices
        officer = active is None or active.officer(who.account, on=self.now().date()) is not None
        return who.admin or GATE_RUNNER in who.roles or officer

    # the log

    def _publish(self, log: AuditLog, note: str) -> None:
        """Keep the signed head outside the database: at once, but for a flood of refusals, which share one."""
        if self.outbox:
            for kind, about in log.appended:
                if kind in TOLD:
                    self.outbox.tell(kind.value, about)
        if any(kind is not Kind.REFUSED for kind, _ in log.appended):
            self._keep(log.frontier.size, note)
            return
        waiting, self._unkept = self._unkept, (log.frontier.size, note)
        if waiting is None:
            timer = threading.Timer(REFUSALS_WAIT, self._keep_refusals)
            timer.daemon = True
            timer.start()

    def _keep_refusals(self) -> None:
        kept, self._unkept = self._unkept, None
        if kept:
            self._keep(*kept)

    def _keep(self, size: int, note: str) -> None:
        path = ledger.keep_checkpoint(self.home, size, note)
        if self.outbox:
            self.outbox.checkpoint(note)
            self.outbox.stamp(path)

    def keep_checkpoint(self) -> None:
        """Sign the log's head as it is: at start, what a crash left undone."""
        with self.ManagedSessionMaker() as session:
            frontier = ledger.head(session)
        if frontier.size:
            self._keep(frontier.size, ledger.signed_head(self.home, frontier))

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.now(UTC)


def _asked_of_models() -> dict[str, Any]:
    """What this request was told of models since it wrote last; nothing outside a request."""
    from flask import g, has_request_context

    kept: dict[str, Any] = g.setdefault("twinops_models", {}) if has_request_context() else {}
    return kept


def _answering(sessions: Any) -> Any:
    """MLflow's sessions, where a database that goes away even while rolling back is told as 503: ask again."""

    @contextmanager
    def session(read_only: bool = True) -> Iterator[Session]:
        try:
            with sessions(read_only=read_only) as made:
                yield made
        except SQLAlchemyError as problem:
            sentence = f"twinops: the registry's database did not answer ({type(problem).__name__}). Ask again."
            raise MlflowException(sentence, TEMPORARILY_UNAVAILABLE) from problem

    return session


def _write_ahead(engine: Any) -> None:
    """SQLite: readers go on while one writes, and a commit is one synchronous write."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _begin(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = FULL")

    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _unreserved(tags: Any) -> list[Any]:
    return [tag for tag in tags or [] if not tag.key.strip().casefold().startswith((RESERVED, ERASURES))]


def _is_prompt(tags: list[Any]) -> bool:
    return any(tag.key == IS_PROMPT_TAG_KEY and str(tag.value).lower() == "true" for tag in tags)
