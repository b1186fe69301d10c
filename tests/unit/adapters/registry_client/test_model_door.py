"""Loading is hostile ground: signature, digests and approval first, then an allow-list, then a trial elsewhere."""

from __future__ import annotations

import json
import os
import random
import sys
import zipfile
from datetime import UTC, datetime
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import candidate
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hostile_models import HOSTILE, LIGHTGBM, MLMODEL

import twinops
from twinops.adapters.mlflow import described, digests, trial_load
from twinops.adapters.registry_client import client as registry_door
from twinops.adapters.registry_client import log_memory
from twinops.adapters.registry_client.client import RefusedError
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.log import signed_pass as passport
from twinops.governance.log.checkpoint import raw
from twinops.governance.log.signed_pass import LogState
from twinops.wiring import open_project

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = raw(KEY.public_key()).hex()
APPROVAL = {"id": 1, "at": "2026-11-23T18:00:00.000Z", "expires": "2126-11-23T18:00:00.000Z", "separated": True}


def model(folder: Path, described: str = MLMODEL, **files: str) -> Path:
    candidate.write(folder / "MLmodel", described)
    for name, content in {"data/twin.json": candidate.twin_json(), **files}.items():
        candidate.write(folder / name, content)
    return folder


def bundle(
    root: Path, described: str = MLMODEL, *, key: Ed25519PrivateKey = KEY, files: Any = None, **changes: Any
) -> Path:
    """What `twinops model export` leaves."""
    listed = digests.listing(model(root / "model", described, **(files or {})))
    body = {
        "name": "twin",
        "version": 3,
        "alias": "production",
        "files": listed,
        "digest": digests.digest_of(listed),
    }
    told = {**body, "approval": APPROVAL, "issued": "2026-11-23T18:00:00.000Z", **changes}
    candidate.write(root / "pass.json", json.dumps(passport.issued(told, key)))
    return root


def test_what_was_approved_loads_offline(tmp_path: Path) -> None:
    loaded = twinops.load(str(bundle(tmp_path)), key=PUBLIC)
    import pandas as pd

    from twinops.adapters.mlflow.twin_flavour import example

    assert isinstance(loaded.predict(example(), {"purpose": "offers"}), pd.DataFrame)


def test_scores_are_made_by_a_bundle_only_as_it_was_approved(tmp_path: Path) -> None:
    from twinops.cli.score import _verified

    made = bundle(tmp_path)
    with _verified(str(made), Path(PUBLIC)) as given:
        assert given is not None
        assert (given.name, given.version) == ("twin", 3)
        assert given.text == (made / "model" / "data" / "twin.json").read_text(encoding="utf-8")
    (made / "model" / "data" / "twin.json").write_text(given.text + " ", encoding="utf-8")
    with pytest.raises(RefusedError), _verified(str(made), Path(PUBLIC)):
        pass


def test_a_changed_added_or_missing_file_is_refused(tmp_path: Path) -> None:
    for number, change in enumerate((
        lambda m: (m / "data/twin.json").write_text("{}"),
        lambda m: (m / ".git").mkdir() or (m / ".git" / "hook").write_text("x"),
        lambda m: (m / "data/twin.json").unlink(),
        lambda m: (m / "link").symlink_to("/etc/passwd"),
    )):  # fmt: skip
        made = bundle(tmp_path / str(number))
        change(made / "model")
        with pytest.raises(RefusedError):
            twinops.load(str(made), key=PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: (b / ".hidden").write_text("x"),
        lambda b: (b / "notes.txt").write_text("x"),
        lambda b: (b / "other").mkdir(),
        lambda b: (b / "model" / ".artifact.uploading.1").write_text("x"),
        lambda b: (b / "model").rename(b.parent / "m") and (b / "model").symlink_to(b.parent / "m"),
        lambda b: (b / "pass.json").rename(b.parent / "p") and (b / "pass.json").symlink_to(b.parent / "p"),
        lambda b: os.link(b / "model" / "MLmodel", b.parent / "second-name"),
        lambda b: (b / "model" / "/".join("d" * 500)).mkdir(parents=True),
    ],
)
def test_a_bundle_holds_a_pass_and_the_model_and_nothing_else(tmp_path: Path, change: Any) -> None:
    made = bundle(tmp_path / "bundle")
    change(made)
    with pytest.raises(RefusedError):
        twinops.load(str(made), key=PUBLIC)


def test_a_pass_that_means_two_things_or_has_no_end_of_nests_is_not_read(tmp_path: Path) -> None:
    told = (bundle(tmp_path / "a") / "pass.json").read_text()
    for number, text in enumerate((
        told.replace('"version": 3', '"version": 4, "version": 3'),
        told.replace('"name":', '"name": "other", "name":'),
        "[" * 100_000,
        told[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}",
        told + " " * 2_000_000,
    )):  # fmt: skip
        made = bundle(tmp_path / str(number))
        (made / "pass.json").write_text(text)
        with pytest.raises(RefusedError, match=r"no readable pass\.json|not signed"):
            twinops.load(str(made), key=PUBLIC)


def test_a_bundle_is_refused_after_its_end_and_before_it_was_made(tmp_path: Path) -> None:
    ended = bundle(tmp_path / "a", approval={**APPROVAL, "expires": "2026-11-24T00:00:00.000Z"})
    with pytest.raises(RefusedError, match="expired on 2026-11-24"):
        twinops.load(str(ended), key=PUBLIC)
    early = bundle(tmp_path / "b", issued="2126-01-01T00:00:00.000Z")
    with pytest.raises(RefusedError, match="in the future"):
        twinops.load(str(early), key=PUBLIC)


def test_a_bundle_of_another_version_than_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="holds version 3, not 4"):
        twinops.load(str(bundle(tmp_path)), key=PUBLIC, version=4)


def test_the_longest_log_seen_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(log_memory, "_here", {})
    assert log_memory.recall(b"k" * 32) is None
    for size in (5, 9, 7):
        log_memory.remember(b"k" * 32, LogState(size, f"r{size}"))
    monkeypatch.setattr(log_memory, "_here", {})
    assert log_memory.recall(b"k" * 32) == LogState(9, "r9")
    assert log_memory.recall(b"j" * 32) is None
    log_memory.place(b"k" * 32).write_text("{")
    assert log_memory.recall(b"k" * 32) is None, "a damaged note is none"


def test_where_nothing_can_be_written_this_process_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(log_memory, "_here", {})
    log_memory.remember(b"k" * 32, LogState(5, "r5"))
    assert log_memory.recall(b"k" * 32) == LogState(5, "r5")


def test_an_unsigned_pass_another_key_or_no_approval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="not signed by the registry"):
        twinops.load(str(bundle(tmp_path / "a", key=Ed25519PrivateKey.generate())), key=PUBLIC)
    with pytest.raises(RefusedError, match="Nobody approved"):
        twinops.load(str(bundle(tmp_path / "b", approval=None)), key=PUBLIC)
    made = bundle(tmp_path / "c")
    told = json.loads((made / "pass.json").read_text())
    (made / "pass.json").write_text(json.dumps({**told, "version": 4}))
    with pytest.raises(RefusedError, match="not signed"):
        twinops.load(str(made), key=PUBLIC)
    with pytest.raises(ParamsError, match="public key is not known"):
        twinops.load(str(made), key="no-such-file")


def test_a_pass_for_a_version_expires_and_says_so() -> None:
    given = passport.issued({"approval": APPROVAL, "issued": APPROVAL["at"]}, KEY)
    later, now = datetime(2127, 1, 1, tzinfo=UTC), datetime(2126, 11, 23, 17, tzinfo=UTC)
    assert "expired on 2126-11-23" in passport.against_end(given, now=later)[0]
    assert passport.against_end(given, now=now) == ()


@pytest.mark.parametrize("what", HOSTILE)
def test_what_could_run_code_is_refused_before_anything_is_read(tmp_path: Path, what: str) -> None:
    evil = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).write_text('x')\n"
    made = bundle(tmp_path / "b", HOSTILE[what], files={"evil.py": evil, "code/evil.py": evil})
    with pytest.raises(RefusedError):
        twinops.load(str(made), key=PUBLIC)
    assert not (tmp_path / "ran").exists()
    assert "evil" not in sys.modules


def test_damaged_lightgbm_text_ends_another_process_not_this_one(tmp_path: Path) -> None:
    import lightgbm
    import numpy as np

    rng = np.random.default_rng(1)
    data = lightgbm.Dataset(rng.normal(size=(200, 3)), rng.integers(0, 2, 200), params={"verbose": -1})
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 4}, data, 3)
    text = booster.model_to_string()
    good = candidate_file(tmp_path, text)
    trial_load.try_out(good)
    chance = random.Random(3)
    ended = 0
    for _ in range(4):
        lines = text.splitlines()
        del lines[chance.randrange(len(lines) // 2)]
        at = chance.randrange(len(lines))
        lines[at] = lines[at][: len(lines[at]) // 2] + "-9999999999"
        try:
            trial_load.try_out(candidate_file(tmp_path, "\n".join(lines)))
        except IntegrityError:
            ended += 1
    assert ended >= 2
    assert dangers(good) == ()


def candidate_file(folder: Path, text: str) -> Path:
    candidate.write(folder / "m" / "MLmodel", LIGHTGBM)
    candidate.write(folder / "m" / "model.lgb", text)
    return folder / "m"


def dangers(folder: Path) -> tuple[str, ...]:
    return described.dangers(folder, digests.listing(folder))


def test_bombs_are_refused_without_being_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 50_000_000)
    zipped = (tmp_path / "bomb.zip").read_bytes().decode("latin1")
    for name in ("model.zip", "model.parquet", "model.pkl"):
        described = MLMODEL.replace("data/twin.json", name)
        made = bundle(tmp_path / name, described, files={name: zipped})
        with pytest.raises(RefusedError, match="not one text file"):
            twinops.load(str(made), key=PUBLIC)
    deep = bundle(tmp_path / "deep", files={"data/twin.json": "[" * 200_000})
    with pytest.raises(RefusedError, match="does not load"):
        twinops.load(str(deep), key=PUBLIC)
    long = model(tmp_path / "long", "x" * 300_000)
    assert "too long" in dangers(long)[0]


def test_a_model_that_loops_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_load, "SECONDS", 0.01)
    with pytest.raises(IntegrityError, match="did not load within"):
        trial_load.try_out(model(tmp_path))


def test_an_alias_that_is_not_set_is_no_broken_service() -> None:
    body = BytesIO(b'{"message": "Registered model alias production not found."}')
    told = registry_door._told(HTTPError("http://x", 400, "Bad Request", Message(), body))
    assert (type(told), "alias production not found" in str(told)) == (ParamsError, True)


def test_a_login_that_is_not_known_is_told_with_its_account_and_server_and_never_with_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(request: Any, **_: Any) -> None:
        raise HTTPError(request.full_url, 401, "Unauthorized", Message(), BytesIO(b"You are not authenticated."))

    monkeypatch.setattr("twinops.adapters.straight.opened", refusing)
    monkeypatch.setenv(registry_door.ADDRESS, "http://rita:dollop@registry.example:5000/")
    monkeypatch.setenv(registry_door.PASSWORD, "hunter2")
    project = open_project(candidate.make_candidate(tmp_path / "project").root)
    for account, named in (("rita", "the account 'rita'"), ("", "anybody without an account")):
        monkeypatch.setenv(registry_door.ACCOUNT, account)
        doors = (lambda: registry_door.Door.from_environment().get("whoami"), lambda: project.run("candidate.track"))
        for knock in doors:
            with pytest.raises(ParamsError, match=r"http://registry\.example:5000 does not know") as told:
                knock()
            assert named in str(told.value)
            assert not any(secret in str(told.value) for secret in ("hunter2", "dollop"))
