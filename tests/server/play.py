"""A play: an invented candidate, policy and people, so that the whole door can be walked through."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import json
import shutil
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import candidate
import governed

from twinops.adapters.memory.governance import MemorySigner
from twinops.entities.approval import Act, Actor
from twinops.entities.evidence import Evidence
from twinops.governance.log.manifest import manifest
from twinops.governance.people.sshsig import fingerprint
from twinops.governance.policy import decide as deciding
from twinops.governance.policy import limits as policies
from twinops.governance.policy.judge import NAME as JUDGED
from twinops.governance.policy.judge import Judge, JudgedStage

MODEL = "twin"
KEY = "a" * 64
TREE = "7" * 40
PLAY = "A play for the tests, not a decision about any model."
ROLES = {
    "scientist": Actor("scientist", frozenset({"scientist"})),
    "other": Actor("other", frozenset({"scientist"})),
    "ci": Actor("ci", frozenset({"gate-runner"})),
    "risk-officer": Actor("risk-officer", frozenset({"risk-officer"})),
    "dpo": Actor("dpo", frozenset({"dpo"})),
    "admin": Actor("admin", admin=True),
    "admin-officer": Actor("admin-officer", frozenset({"risk-officer"}), admin=True),
    "impostor": Actor("impostor", frozenset({"risk-officer"})),
}
POLICY = """# PLAY: for tests
version: "play"
valid_from: 2020-01-01
gates:
  - id: accuracy_activity
    gate: accuracy
    limits: {gain: active_auc.gain_over_rfm, more_than: 0.0}
  - {id: consent, gate: consent}
  - {id: lineage, gate: lineage}
  - {id: dpia, gate: dpia}
  - id: documents
    gate: documents
    limits: {required: [README.md, dpia.json, dpia.md, verdicts.json]}
not_judged:
  {accuracy_spend_mae: a, carried: a, consistency: a, coverage: a, drift: a, early_warning: a,
   fairness: a, holdout: a, influence: a, linkage: a, membership: a, use: a}
"""
KEYS = {name: MemorySigner() for name in ("chief", "dpo", "owner")}
OFFICES = f"""# PLAY: for tests
version: "play"
gate_runners: [ci]
people:
  - {{account: risk-officer, office: risk officer, emails: [risk@example.net]}}
  - {{account: admin-officer, office: risk officer}}
  - {{name: Chief, account: chief, office: risk officer, emails: [chief@example.net], key: {KEYS["chief"].public}}}
  - {{name: Dpo, account: dpo, office: data protection officer, emails: [dpo@example.net], key: {KEYS["dpo"].public}}}
  - {{name: Owner, account: owner, office: data owner, emails: [owner@example.net], key: {KEYS["owner"].public}}}
  - {{account: scientist, emails: [scientist@example.org]}}
"""
MLMODEL = """flavors:
  python_function:
    code: null
    data: data/twin.json
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: twinops.adapters.mlflow.twin_flavour
    python_version: 3.11.7
    streamable: false
mlflow_version: 3.17.2
model_uuid: play
utc_time_created: '2026-11-23 00:00:00'
"""


def model_files(number: int = 0) -> dict[str, bytes]:
    """A model folder that loads; `number` makes another model of it."""
    told = json.loads(candidate.twin_json())
    told["trained_on"]["cutoffs" if "cutoffs" in told["trained_on"] else next(iter(told["trained_on"]))] = 100 + number
    return {"MLmodel": MLMODEL.encode(), "data/twin.json": json.dumps(told, sort_keys=True).encode()}


SERVER_SAYS = {"git_revision", "git_dirty", "lock_matches", "documents.present", "documents.problems", "judged_on"}
"""Facts that the server finds out for itself."""


def evidence(*, auc: float = 0.88, gain: float = 0.003, name: str = MODEL) -> Evidence:
    """Evidence that passes the play policy, unless the gain's low end is not above zero."""
    made = governed.candidate()
    told = {"active_auc": {"value": auc}, "active_auc.gain_over_rfm": {"low": gain}}
    measures = [replace(m, **told.get(m.name, {})) for m in made.measures]
    facts = tuple(_signed(f) for f in made.facts if f.name not in SERVER_SAYS)
    return Evidence(name, KEY, date(2018, 1, 1), tuple(measures), facts)


def _signed(found: Any) -> Any:
    """The assessment's signatures are the play's officers'."""
    if found.name != "dpia.signatures":
        return found
    who = {"decision": "chief", "dpo_advice": "dpo"}
    return replace(found, value={n: {**s, **signed_by(who.get(n, "owner"))} for n, s in found.value.items()})


def signed_by(who: str) -> dict[str, str]:
    """A signature of one of them, as the evidence tells it."""
    return {"by": f"{who}@example.net", "key": fingerprint(KEYS[who].public)}


def signed(text: str, namespace: str, who: str) -> str:
    """Rules with the ssh signature of one of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        KEYS[who].sign(path, key=Path("key"), namespace=namespace)
        return path.with_name("rules.yaml.sig").read_text(encoding="utf-8")


def activated(store: Any, kind: str, body: str) -> None:
    """Rules that let more through are asked for by the risk officer and confirmed by the DPO."""
    from twinops.server.officer import acts as desk
    from twinops.server.officer import rules
    from twinops.server.registry import callers as actors

    with actors.acting("risk-officer"):
        done = desk.activate(store, kind, body)
    if not done.active:
        digest = rules.parsed(kind, body).digest
        with actors.acting("dpo"):
            desk.confirm(store, kind, digest, signature=signed(body, f"twinops-{kind}", "dpo"))


def documents(given: Evidence) -> dict[str, str]:
    """The play's documents and their manifest, by file name."""
    card = f"# {PLAY}\n"
    texts = {"README.md": card, "dpia.json": "{}\n", "dpia.md": card, "verdicts.json": "{}\n"}
    listing = manifest(texts, given, deciding.decide(policies.read(POLICY), given))
    return {**texts, "manifest.json": json.dumps(listing)}


def handed(model: bytes, given: Evidence | None = None, *, name: str = MODEL, **changes: Any) -> dict[str, Any]:
    """What `twinops model evidence` sends, as JSON."""
    given = given or evidence(name=name)
    files = {
        "reports/evidence.json": given.to_json().encode(),
        "reports/figures/accuracy.png": candidate.PICTURE,
        **{f"model_cards/{name}/{document}": text.encode() for document, text in documents(given).items()},
    }
    body = {
        "files": {name: base64.b64encode(content).decode() for name, content in files.items()},
        "commit": hashlib.sha256(model).hexdigest()[:40],
        "tree": TREE,
        "dirty": False,
        "lock_matches": True,
        "base": None,
        "authors": ["scientist@example.org"],
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "forced": True,
        "isolation": {"network": "off", "processes": "hidden", "files": "read-only"},
        **changes,
    }
    told = body.pop("judge", None) or judge(body["commit"])
    return {**body, "files": {JUDGED: base64.b64encode(told.to_json().encode()).decode(), **body["files"]}}


def judge(commit: str, *, text: str = "measures honestly\n", command: str = "twinops run documents") -> Judge:
    """The judge of a play: one file of code, two stages."""
    digest = hashlib.sha256
    told = {"features": "twinops run features", "documents": command}
    stages = {n: JudgedStage(cmd=c, digest=digest(c.encode()).hexdigest()) for n, c in told.items()}
    files = {"src/twinops/evaluation/measures.py": digest(text.encode()).hexdigest()}
    return Judge(commit=commit, tree=TREE, files=files, stages=stages)


def migrate(address: str) -> None:
    """Let MLflow make its tables in an empty database."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    made: Any = SqlAlchemyStore(address)
    made._dispose_engine()
    SqlAlchemyStore._engine_map.pop(address, None)


@functools.cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="twinops-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder}/mlflow.db")
    return folder / "mlflow.db"


def copy_migrated(root: Path) -> None:
    """MLflow's empty tables, whose sixty migrations take two CPU-seconds and run once; a database stays as it is."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "mlflow.db").exists():
        shutil.copyfile(_migrated(), root / "mlflow.db")


def open_store(root: Path, database: str | None = None, *, rules: bool = True) -> Any:
    """A governed store without a server, with the play's people and rules."""
    from twinops.server.officer import acts as desk
    from twinops.server.registry import callers as actors
    from twinops.server.registry.home import Home
    from twinops.server.registry.store import GovernedStore

    if database in (None, f"sqlite:///{root}/mlflow.db"):
        copy_migrated(root)
    home = Home(root)
    home.artifacts.mkdir(exist_ok=True)
    store = GovernedStore(f"twinops+{database or f'sqlite:///{root}/mlflow.db'}", home=home)
    store.roles_of = lambda account: ROLES.get(account, Actor(account))
    if rules and store.new:
        with actors.acting("admin"):
            desk.activate(store, "offices", OFFICES)
        with actors.acting("risk-officer"):
            desk.activate(store, "policy", POLICY)
            desk.activate(store, "judge", judge(TREE).to_json())
    return store


def put(kept: Any, place: str, content: bytes) -> None:
    """A file, past every check that an upload meets."""
    kept.spool.mkdir(parents=True, exist_ok=True)
    received = kept.spool / f".artifact.uploading.{uuid.uuid4().hex}"
    received.write_bytes(content)
    kept.publish(kept.stage(received), place)


def registered(store: Any, number: int = 0, *, who: str = "scientist", name: str = MODEL, files: Any = None) -> Any:
    """A version of the play model: run stamped, files uploaded and stamped, registered."""
    from mlflow.exceptions import MlflowException

    from twinops.server.registry import callers as actors
    from twinops.server.registry import records

    run = uuid.uuid4().hex
    place = f"1/{run}/artifacts/model"
    for path, content in (files or model_files(number)).items():
        put(store.home.uploads, f"{place}/{path}", content)
    with store.ManagedSessionMaker(read_only=False) as session:
        records.stamp_run(session, run, who)
        records.stamp_upload(session, place, who)
    with actors.acting(who):
        try:
            store.create_registered_model(name)
        except MlflowException as problem:
            assert problem.error_code == "RESOURCE_ALREADY_EXISTS"
        return store.create_model_version(name, f"mlflow-artifacts:/{place}", run)


def with_evidence(store: Any, version: Any, *, who: str = "ci", **changes: Any) -> int:
    """The gate runner hands in evidence on this version."""
    from twinops.server.officer import evidence
    from twinops.server.registry import callers as actors
    from twinops.server.registry import records

    with store.ManagedSessionMaker() as session:
        made = records.version_of(session, version.name, int(version.version))
    with store.home.uploads.opened(made.place) as folder:
        model = (folder / "data/twin.json").read_bytes()
    with actors.acting(who):
        body = handed(model, name=version.name, **changes)
        return evidence.submit(store, version.name, int(version.version), evidence.Handed.from_json(body))


def acted(store: Any, what: Act, version: Any, *, who: str = "risk-officer", seen: str | None = None) -> Any:
    """Somebody acts on a version, having seen what is there."""
    from twinops.server.officer import acts as desk
    from twinops.server.officer import dossier
    from twinops.server.registry import callers as actors

    with actors.acting(who):
        digest = seen or dossier.dossier(store, version.name, int(version.version)).digest
        return desk.decide(store, version.name, int(version.version), desk.Deed(what, PLAY, digest))


def approved(store: Any, number: int = 0, *, commit: str | None = None, **more: Any) -> Any:
    """A version that was registered, judged and approved."""
    version = registered(store, number, **more)
    with_evidence(store, version, **({"commit": commit} if commit else {}))
    acted(store, Act.APPROVE, version)
    return version


def set_alias(
    store: Any, version: Any, alias: str = "production", *, who: str = "scientist", etag: int | None = None
) -> Any:
    """Somebody points an alias to a version."""
    from twinops.server.registry import callers as actors

    with actors.acting(who):
        return store.promote(version.name, alias, version.version, etag=etag)


@contextmanager
def refused(*words: str) -> Any:
    """The block is refused by our rules, in a sentence with these words."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as problem:
        assert problem.error_code == "PERMISSION_DENIED", problem
        missing = [word for word in words if word not in problem.message]
        assert not missing, f"{missing} not in: {problem.message}"
    else:
        raise AssertionError("nothing was refused")


def wait_until(true: Any, *, seconds: float = 60) -> None:
    """Until it answers true, or fail."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)
