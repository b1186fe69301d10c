"""Where bytes lie: a disk and a bucket keep the same promises; what a kill left half done is finished or cleared."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import live as living
import play
import pytest
from mlflow.exceptions import MlflowException
from test_wiring import started

from twinops.entities.approval import Act
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.server.registry import artifact_folders, records, storage
from twinops.server.registry.bucket import Bucket
from twinops.server.registry.home import Home
from twinops.server.registry.storage import Child, Disk, Storage

pytestmark = pytest.mark.pipeline


@pytest.fixture
def bucket(buckets: Callable[[], living.Bucket], monkeypatch: pytest.MonkeyPatch) -> living.Bucket:
    """A prefix of its own, and this process told of it as a server is."""
    made = buckets()
    for name, value in made.told.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(params=["disk", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "disk":
        made: Storage = Disk(tmp_path / "kept")
    else:
        where = request.getfixturevalue("bucket")
        made = Bucket(where.name, f"{where.prefix}/kept", tmp_path / "spool")
    made.claim("me")
    return made


def test_a_file_is_there_whole_with_its_digest_or_not_at_all(kept: Storage, tmp_path: Path) -> None:
    play.put(kept, "1/run/model/data/twin.json", b"one")
    play.put(kept, "1/run/model/MLmodel", b"two")
    play.put(kept, "1/run/model-beside/MLmodel", b"of another folder")
    one = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert kept.digests("1/run/model")["data/twin.json"] == one
    assert sorted(kept.digests("1/run/model")) == ["MLmodel", "data/twin.json"]
    assert kept.children("1/run/model") == [Child("MLmodel", 3), Child("data", None)]
    assert kept.children("1/run/model/MLmodel") == []
    assert kept.children("") == [Child("1", None)]
    kept.fetch("1/run/model/data/twin.json", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"one"
    for ask in (lambda: kept.fetch("1/run/none", tmp_path / "x"), lambda: kept.fetch("1/run", tmp_path / "x")):
        with pytest.raises((FileNotFoundError, IsADirectoryError)):
            ask()
    with kept.opened("1/run/model") as folder:
        assert (folder / "data" / "twin.json").read_bytes() == b"one"
    kept.remove("1/run/model")
    assert kept.children("1/run") == [Child("model-beside", None)], "a name that begins alike is another place"
    with pytest.raises(IntegrityError):
        kept.digests("1/run/model")


def test_what_is_staged_and_thrown_away_was_never_there(kept: Storage) -> None:
    received = kept.spool / ".artifact.uploading.y"
    received.write_bytes(b"half")
    staged = kept.stage(received)
    assert kept.children("") == []
    kept.discard(staged)
    received.unlink(missing_ok=True)
    assert kept.names("") | kept.names(".") <= {".twinops-owner"}


def test_a_model_of_more_files_than_anyone_would_sign_for_is_refused_and_a_folder_of_more_than_a_page_is_listed(
    bucket: living.Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Bucket(bucket.name, f"{bucket.prefix}/kept", tmp_path / "spool")
    for n in range(1_001):
        bucket.client.put_object(Bucket=bucket.name, Key=f"{bucket.prefix}/kept/many/{n:04}", Body=b"")
    assert len(kept.children("many")) == len(kept.names("many")) == 1_001
    monkeypatch.setattr("twinops.adapters.mlflow.digests.MAX_FILES", 1_000)
    with pytest.raises(IntegrityError, match="too much"):
        kept.digests("many")
    kept.remove("many")
    assert bucket.listed() == []


@pytest.mark.parametrize("key", ["data/", "a//b", "../x", "./x", "a/./b", "tab\tname", "back\\slash", "MLmodel/x"])
def test_keys_that_no_file_could_have_are_found_in_a_bucket(bucket: living.Bucket, tmp_path: Path, key: str) -> None:
    kept = Bucket(bucket.name, f"{bucket.prefix}/kept", tmp_path / "spool")
    for name, content in (("MLmodel", b"plain"), (key, b"decoy")):
        bucket.client.put_object(Bucket=bucket.name, Key=f"{bucket.prefix}/kept/model/{name}", Body=content)
    with pytest.raises(IntegrityError, match="no plain file"):
        kept.digests("model")
    with kept.opened("model") as folder:
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    "place", ["../x", "a/../../x", "/etc/passwd", "a/../b", "..", "x/" + "y" * 300, "a\0b", "a\\..\\b"]
)
def test_no_place_leads_out_of_its_root(place: str) -> None:
    with pytest.raises(MlflowException, match="twinops"):
        storage.plain(place)


@pytest.mark.parametrize(
    "address",
    ["file:///etc", "/etc", "file:///kept/../etc", "file:///kept-beside/x", "s3://kept/x", "file://host/kept/x",
     "file:///kept/%2e%2e/etc", "file:///kept/x?y=z", "https://example.org/kept"],
)  # fmt: skip
def test_an_address_outside_the_storage_is_no_place_in_it(address: str) -> None:
    with pytest.raises(MlflowException, match="twinops"):
        storage.below(Disk(Path("/kept")), address)


@pytest.mark.parametrize("to", ["/etc", "1"])
def test_a_link_is_not_followed_neither_out_of_the_store_nor_to_a_second_name_in_it(tmp_path: Path, to: str) -> None:
    kept = Disk(tmp_path / "kept")
    kept.claim("me")
    play.put(kept, "1/passwd", b"sealed")
    (kept.root / "out").symlink_to(to)
    asked = (kept.path, kept.children, kept.digests, lambda place: kept.fetch(place, tmp_path / "x"))
    for ask in (*asked, kept.remove, lambda place: play.put(kept, place, b"other")):
        with pytest.raises(MlflowException, match="link"):
            ask("out/passwd")
    assert (kept.root / "1" / "passwd").read_bytes() == b"sealed"


@pytest.mark.parametrize(
    "told", ["gs://b/p", "s3://", "s3:///p", "bucket/p", "s3://b/../p", "s3://b/p?x=1", "s3://k@b/p"]
)
def test_what_is_no_bucket_is_said_in_a_sentence(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINOPS_ARTIFACTS", told)
    with pytest.raises(ParamsError, match="no bucket"):
        Home(Path("nowhere")).uploads  # noqa: B018


def test_another_servers_prefix_is_not_taken_and_half_done_uploads_of_a_killed_server_are_cleared(
    bucket: living.Bucket, tmp_path: Path
) -> None:
    Home(tmp_path / "mine").claim()
    mine = Home(tmp_path / "mine").uploads
    received = mine.spool / ".artifact.uploading.z"
    received.write_bytes(b"half")
    mine.stage(received)
    assert [key for key in bucket.listed() if ".artifact.uploading." in key]
    Home(tmp_path / "mine").claim()
    assert not [key for key in bucket.listed() if ".artifact.uploading." in key]
    assert not received.exists()
    with pytest.raises(ServiceError, match="Another server"):
        Home(tmp_path / "theirs").claim()


def test_a_bucket_that_is_away_is_told_and_the_server_does_not_start(bucket: living.Bucket, tmp_path: Path) -> None:
    away = Bucket("no-such-bucket", "x", tmp_path / "spool")
    with pytest.raises(MlflowException, match="did not answer") as problem:
        away.digests("1/x")
    assert problem.value.get_http_status_code() == 503
    told = {**bucket.told, "TWINOPS_ARTIFACTS": "s3://no-such-bucket/x", "TWINOPS_DEBUG": ""}
    done = started(tmp_path, "twinops", "--project", str(tmp_path), "server", **told)
    assert done.returncode == 5
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_endpoint_that_is_gone_is_told_before_long(
    bucket: living.Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{living.free_port()}")
    before = time.monotonic()
    with pytest.raises(MlflowException, match="did not answer") as problem:
        Bucket(bucket.name, bucket.prefix, tmp_path / "spool").fetch("1/x", tmp_path / "x")
    assert problem.value.get_http_status_code() == 503
    assert time.monotonic() - before < 30


def test_what_was_made_on_the_disk_is_not_taken_over_into_a_bucket(bucket: living.Bucket, tmp_path: Path) -> None:
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from twinops.server.app.adopt import adopt

    store = play.open_store(tmp_path)
    play.put(store.home.disk, "play/run1/artifacts/model/MLmodel", b"{}")
    stock = SqlAlchemyStore(store.db_uri)
    stock.create_registered_model("before")
    stock.create_model_version("before", f"{store.home.disk.address}/play/run1/artifacts/model", "run1")
    done, left = adopt(store)
    assert done == []
    assert len(left) == 1
    assert "is not in this server's artifact store" in left[0]


@pytest.fixture(params=["disk", "bucket"])
def governed(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store without a server, and its artifacts on either."""
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    store = play.open_store(tmp_path)
    store.home.claim()
    return store


def judged(store: Any) -> Any:
    """A version that only waits for its approval."""
    version = play.registered(store, 1)
    play.with_evidence(store, version)
    return version


def recorded(store: Any, version: Any) -> records.Recorded:
    with store.ManagedSessionMaker() as session:
        made = records.version_of(session, version.name, int(version.version))
    assert made is not None
    return made


def test_a_copy_that_a_kill_left_half_done_is_finished_by_the_next_approval(governed: Any) -> None:
    version = judged(governed)
    made = recorded(governed, version)
    governed.home.copies.copy(governed.home.uploads, f"{made.place}/MLmodel", f"{made.digest}/MLmodel")
    with pytest.raises(IntegrityError):
        artifact_folders._same(governed.home.copies, made.digest, made.files)
    play.acted(governed, Act.APPROVE, version)
    assert governed.home.copies.digests(made.digest) == made.files
    play.set_alias(governed, version)
    assert governed.get_model_version_by_alias(play.MODEL, "production").version == version.version


def test_bytes_that_change_while_they_are_copied_leave_no_copy(governed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = judged(governed)
    made = recorded(governed, version)
    kind, changed = type(governed.home.copies), []
    stock = kind.copy

    def swapped(self: Any, source: Any, place: str, to: str) -> None:
        if not changed:
            changed.append(place)
            play.put(governed.home.uploads, place, b"{}")
        stock(self, source, place, to)

    monkeypatch.setattr(kind, "copy", swapped)
    with play.refused("bytes changed"):
        play.acted(governed, Act.APPROVE, version)
    assert changed
    assert governed.home.copies.names(made.digest) == set()


@pytest.mark.parametrize("name", ["MLmodel", "evil.py"])
def test_a_copy_that_holds_more_or_other_bytes_is_not_approved_into(governed: Any, name: str) -> None:
    version = judged(governed)
    made = recorded(governed, version)
    play.put(governed.home.copies, f"{made.digest}/{name}", b"evil")
    with play.refused("bytes changed"):
        play.acted(governed, Act.APPROVE, version)
