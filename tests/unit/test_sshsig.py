"""Signatures made by the real `ssh-keygen` are verified without it, and nothing else is taken for one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from twinops.governance.sshsig import NotSigned, allowed, signer

CONTENT = b"what was said\n"
KINDS = {"ed25519": (), "rsa": ("-b", "2048"), "ecdsa": ("-b", "256")}


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for kind, more in KINDS.items():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, *more, "-N", "", "-C", "", "-f", str(folder / kind)], check=True
        )
    return {kind: folder / kind for kind in KINDS}


def sign(key: Path, content: bytes = CONTENT, namespace: str = "twinops-dpia", *options: str) -> str:
    command = ["ssh-keygen", "-Y", "sign", "-q", *options, "-n", namespace, "-f", str(key), "-"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()


def line(key: Path, who: str = "ada@shop.example", options: str = "") -> str:
    return f"{who} {options} {key.with_suffix('.pub').read_text()}"


def found(signature: str, listed: str, content: bytes = CONTENT, namespace: str = "twinops-dpia") -> tuple[str, ...]:
    return signer(content, signature, allowed(listed), namespace=namespace)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_is_recognised(keys, kind):
    assert found(sign(keys[kind]), line(keys[kind])) == ("ada@shop.example",)


def test_ssh_keygen_agrees_on_the_same_files(keys, tmp_path):
    (tmp_path / "allowed").write_text(line(keys["ed25519"]))
    (tmp_path / "sig").write_text(sign(keys["ed25519"]))
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        "ada@shop.example",
        "-n",
        "twinops-dpia",
        "-s",
        "sig",
    ]
    assert subprocess.run(command, cwd=tmp_path, input=CONTENT, capture_output=True, check=False).returncode == 0


def test_a_shorter_hash_is_taken_as_well(keys):
    assert found(sign(keys["ed25519"], CONTENT, "twinops-dpia", "-O", "hashalg=sha256"), line(keys["ed25519"]))


def test_changed_bytes_another_purpose_and_another_key_are_told_apart(keys):
    made, listed = sign(keys["ed25519"]), line(keys["ed25519"])
    for content, namespace, known, told in (
        (b"something else\n", "twinops-dpia", listed, "changed after it was signed"),
        (CONTENT, "twinops-resolution", listed, "not for 'twinops-resolution'"),
        (CONTENT, "twinops-dpia", line(keys["rsa"]), "not in compliance/allowed_signers"),
        (CONTENT, "twinops-dpia", "", "not in compliance/allowed_signers"),
    ):
        with pytest.raises(NotSigned, match=told):
            found(made, known, content, namespace)


def test_a_key_may_be_kept_to_some_purposes(keys):
    made = sign(keys["ed25519"])
    assert found(made, line(keys["ed25519"], options='namespaces="git,twinops-dpia"'))
    with pytest.raises(NotSigned):
        found(made, line(keys["ed25519"], options='namespaces="git"'))


@pytest.mark.parametrize(
    "options", ["cert-authority", 'valid-before="20200101"', 'namespaces="twinops-dpia",cert-authority']
)
def test_a_line_with_options_that_we_do_not_know_is_not_used(keys, options):
    with pytest.raises(NotSigned):
        found(sign(keys["ed25519"]), line(keys["ed25519"], options=options))


@pytest.mark.parametrize("who", ["*@shop.example", "!ada@shop.example", "*", "ada"])
def test_patterns_of_names_are_not_used(keys, who):
    with pytest.raises(NotSigned):
        found(sign(keys["ed25519"]), line(keys["ed25519"], who=who))


def test_every_byte_of_a_signature_counts(keys):
    import base64

    made, listed = sign(keys["ed25519"]), line(keys["ed25519"])
    head, *middle, tail = made.strip().splitlines()
    blob = base64.b64decode("".join(middle))
    for place in range(0, len(blob), 3):
        bad = bytearray(blob)
        bad[place] ^= 1
        with pytest.raises(NotSigned):
            found("\n".join([head, base64.b64encode(bytes(bad)).decode(), tail]) + "\n", listed)
    for end in range(0, len(blob), 7):
        with pytest.raises(NotSigned):
            found("\n".join([head, base64.b64encode(blob[:end]).decode() or "AAAA", tail]) + "\n", listed)


@pytest.mark.parametrize("text", ["", "not one", "-----BEGIN SSH SIGNATURE-----\n!!\n-----END SSH SIGNATURE-----\n"])
def test_what_is_no_signature_is_none(text):
    with pytest.raises(NotSigned):
        signer(CONTENT, text, (), namespace="twinops-dpia")


def test_the_signer_in_memory_makes_signatures_that_ssh_keygen_and_we_take(tmp_path):
    from twinops.adapters.memory_governance import MemorySigner

    one = MemorySigner()
    path = tmp_path / "said.txt"
    path.write_bytes(CONTENT)
    one.sign(path, key=tmp_path, namespace="twinops-dpia")
    (tmp_path / "allowed").write_text(f"ada@shop.example {one.public}\n")
    assert found((tmp_path / "said.txt.sig").read_text(), f"ada@shop.example {one.public}\n") == ("ada@shop.example",)
    known = ["-f", "allowed", "-I", "ada@shop.example", "-n", "twinops-dpia", "-s", "said.txt.sig"]
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", *known], cwd=tmp_path, input=CONTENT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_live_can_be_put_in_by_hand():
    from twinops.adapters.memory_governance import MemoryProduction

    live = MemoryProduction({"twin": "{}"}, {("main", "reports/evidence.json"): "[]"})
    assert (live.evidence("twin"), live.evidence("other")) == ("{}", None)
    assert live.at("main", Path("reports/evidence.json")) == "[]"
