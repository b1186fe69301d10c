"""Time stamps by an authority of the tests' own, over plain HTTP on this machine; verified without any network."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from twinops.adapters.registry_client import time_stamp
from twinops.errors import IntegrityError, ParamsError, ServiceError

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="OpenSSL's command line is not installed")
CONFIG = """[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:true
[stamping]
basicConstraints = CA:false
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = play
[play]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """A CA, a stamping certificate, and what answers over HTTP; `falsely` makes it answer for something else."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.falsely = folder, b""
        (folder / "config").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        subject = ("-config", "config", "-subj")
        self.run(
            "req", "-x509", *new, *subject, "/CN=Play CA", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem"
        )
        self.run("req", *new, *subject, "/CN=Play TSA", "-keyout", "tsa.key", "-out", "tsa.csr")
        self.run(
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2",
            "-extfile", "config", "-extensions", "stamping", "-out", "tsa.pem",
        )  # fmt: skip

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    def run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(self.falsely or query)
        self.run("ts", "-reply", "-config", "config", "-queryfile", "query", "-out", "answer")
        return (self.folder / "answer").read_bytes()


def served(authority: Authority) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            told = b"x" * 100_000 if self.path == "/long" else b"no" if self.path == "/no" else authority.answer(asked)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.fixture(scope="module")
def address(authority: Authority) -> Iterator[str]:
    server = served(authority)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_stamp_tells_when_and_holds_for_exactly_these_bytes(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    path = tmp_path / "SHA256SUMS"
    path.write_text("what was put together\n")
    made = time_stamp.stamp(path, address)
    assert made.name == "SHA256SUMS.tsr"
    found = time_stamp.verified(path, authority.root)
    assert abs(found.at - datetime.now(UTC)) < timedelta(minutes=1)
    path.write_text("something else\n")
    with pytest.raises(IntegrityError, match="does not verify"):
        time_stamp.verified(path, authority.root)
    path.write_text("what was put together\n")
    made.write_bytes(made.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError, match="does not verify"):
        time_stamp.verified(path, authority.root)
    made.unlink()
    with pytest.raises(IntegrityError, match="carries no time stamp"):
        time_stamp.verified(path, authority.root)


def test_another_authority_vouches_for_nothing(authority: Authority, address: str, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("a checkpoint")
    time_stamp.stamp(path, address)
    with pytest.raises(IntegrityError, match="does not verify"):
        time_stamp.verified(path, Authority(tmp_path / "other").root)


def test_an_answer_that_is_none_or_for_another_file_is_not_kept(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text("a")
    other.write_text("b")
    query = tmp_path / "query"
    for asked, digest in ((other, "-sha256"), (path, "-sha256"), (path, "-sha1")):  # other bytes, nonce, no grant
        words = ("-query", "-data", str(asked), digest, "-cert", "-out", str(query))
        subprocess.run(["openssl", "ts", *words], check=True)
        authority.falsely = query.read_bytes()
        try:
            with pytest.raises(ServiceError, match="granted no time stamp for this file"):
                time_stamp.stamp(path, address)
        finally:
            authority.falsely = b""
    for where in ("/no", "/long"):
        with pytest.raises(ServiceError):
            time_stamp.stamp(path, address + where)
    with pytest.raises(ServiceError, match="did not answer"):
        time_stamp.stamp(path, "http://127.0.0.1:1/")
    with pytest.raises(ParamsError):
        time_stamp.stamp(path, "ftp://example.org/")
    assert not time_stamp.beside(path).exists()


def test_checkpoints_are_stamped_and_an_audit_verifies_them(authority: Authority, address: str, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from twinops.cli._door import app

    kept = tmp_path / "registry" / "checkpoints"
    kept.mkdir(parents=True)
    log, key = made_log(tmp_path, kept)
    run = CliRunner().invoke
    front = ["--project", str(tmp_path), "audit"]
    done = run(app, [*front, "stamp", "--authority", address])
    assert done.exit_code == 0, done.output
    assert "2 time stamps written" in done.output
    assert "0 time stamps written" in run(app, [*front, "stamp", "--authority", address]).output
    words = [*front, "verify", "--export", str(log), "--key", str(key), "--checkpoints", str(kept)]
    done = run(app, [*words, "--authorities", str(authority.root)])
    assert (done.exit_code, "2 time stamps, the newest of 20" in done.output) == (0, True), done.output
    assert "time stamp" not in run(app, words).output, "off by default"
    one, two = sorted(kept.glob("*.tsr"))
    one.write_bytes(two.read_bytes())
    done = run(app, [*words, "--authorities", str(authority.root)])
    assert done.exit_code == 4
    assert "time stamp of 000000000001.txt does not verify" in done.output


def made_log(root: Path, kept: Path) -> tuple[Path, Path]:
    """An exported log of three entries with two checkpoints."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from twinops.adapters.registry_client.audit_source import Log, to_file
    from twinops.entities.event import Event, Kind
    from twinops.governance.log.checkpoint import Checkpoint, raw, signed
    from twinops.governance.log.merkle import Frontier, leaf_hash

    secret = Ed25519PrivateKey.generate()
    frontier, bodies = Frontier.from_text(0, ""), []
    for seq in range(3):
        body = Event(Kind.STARTED, "p-1", "2026-11-23T18:00:00.000Z").body(seq).encode()
        bodies.append(body)
        frontier = frontier.appended(leaf_hash(body))
        if seq != 1:
            note = signed(Checkpoint("twinops-registry", frontier.size, frontier.root), secret)
            (kept / f"{frontier.size:012d}.txt").write_text(note)
    to_file(Log(bodies, (frontier.size, frontier.root.hex())), root / "log.jsonl")
    (root / "registry.pub").write_text(raw(secret.public_key()).hex() + "\n")
    return root / "log.jsonl", root / "registry.pub"
