"""Signatures made by the real `ssh-keygen` are verified without it, and nothing else is taken for one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from twinops.governance.people.offices import read
from twinops.governance.people.sshsig import NotSigned, fingerprint, public_key, signing_key

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


def key_of(key: Path) -> str:
    return public_key(key.with_suffix(".pub").read_text())


def found(signature: str, content: bytes = CONTENT, namespace: str = "twinops-dpia") -> str:
    return signing_key(content, signature, namespace=namespace)


@pytest.mark.parametrize("kind", KINDS)
def test_what_ssh_keygen_signs_is_recognised(keys, kind):
    assert found(sign(keys[kind])) == key_of(keys[kind])


def test_ssh_keygen_agrees_by_the_list_of_signers_that_the_offices_make(keys, tmp_path):
    pub = keys["ed25519"].with_suffix(".pub").read_text().strip()
    people = f"[{{name: Ada, emails: [ada@shop.example, a@home.example], office: risk officer, key: {pub}}}]"
    offices = read(f'version: "1"\ngate_runners: [ci]\npeople: {people}\n')
    (tmp_path / "allowed").write_text(offices.allowed_signers)
    for namespace, code in (("twinops-dpia", 0), ("git", 255)):
        (tmp_path / "sig").write_text(sign(keys["ed25519"], namespace=namespace))
        known = ["-f", "allowed", "-I", "ada@shop.example", "-n", namespace, "-s", "sig"]
        command = ["ssh-keygen", "-Y", "verify", *known]
        assert subprocess.run(command, cwd=tmp_path, input=CONTENT, capture_output=True, check=False).returncode == code


def test_a_shorter_hash_is_taken_as_well(keys):
    assert found(sign(keys["ed25519"], CONTENT, "twinops-dpia", "-O", "hashalg=sha256")) == key_of(keys["ed25519"])


def test_changed_bytes_and_another_purpose_are_told_apart(keys):
    made = sign(keys["ed25519"])
    for content, namespace, told in (
        (b"something else\n", "twinops-dpia", "changed after it was signed"),
        (CONTENT, "twinops-ruling", "not for 'twinops-ruling'"),
    ):
        with pytest.raises(NotSigned, match=told):
            found(made, content, namespace)


def test_no_two_things_are_signed_under_one_name():
    from twinops.governance.assessment import answers
    from twinops.governance.law import retention
    from twinops.governance.log import bundle
    from twinops.governance.people import offices
    from twinops.governance.policy import limits as policy
    from twinops.governance.policy import resolution

    given = [module.NAMESPACE for module in (answers, bundle, offices, policy, retention, resolution)]
    assert len(set(given)) == len(given)
    assert all(name.startswith("twinops-") for name in given)


def test_a_public_key_has_one_way_to_be_written(keys):
    kind, encoded, *_ = keys["ed25519"].with_suffix(".pub").read_text().split()
    assert public_key(f"  {kind}   {encoded}  ada@laptop ") == f"{kind} {encoded}"
    shown = subprocess.run(["ssh-keygen", "-l", "-f", keys["ed25519"]], capture_output=True, text=True, check=True)
    assert fingerprint(f"{kind} {encoded}") == shown.stdout.split()[1]


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !!!!", "ssh-rsa {ed}", "{ed}", None]
)
def test_what_is_no_public_key_is_refused(keys, text):
    encoded = keys["ed25519"].with_suffix(".pub").read_text().split()[1]
    with pytest.raises(ValueError, match="no public key"):
        public_key(text.format(ed=encoded) if text else text)


def test_a_weak_key_is_not_taken(tmp_path):
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(tmp_path / "weak")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this ssh-keygen makes no weak keys")
    with pytest.raises(ValueError, match="2048"):
        public_key((tmp_path / "weak.pub").read_text())


def test_every_byte_of_a_signature_counts(keys):
    import base64

    made = sign(keys["ed25519"])
    head, *middle, tail = made.strip().splitlines()
    blob = base64.b64decode("".join(middle))
    for place in range(0, len(blob), 3):
        bad = bytearray(blob)
        bad[place] ^= 1
        with pytest.raises(NotSigned):
            found("\n".join([head, base64.b64encode(bytes(bad)).decode(), tail]) + "\n")
    for end in range(0, len(blob), 7):
        with pytest.raises(NotSigned):
            found("\n".join([head, base64.b64encode(blob[:end]).decode() or "AAAA", tail]) + "\n")


@pytest.mark.parametrize("text", ["", "not one", "-----BEGIN SSH SIGNATURE-----\n!!\n-----END SSH SIGNATURE-----\n"])
def test_what_is_no_signature_is_none(text):
    with pytest.raises(NotSigned):
        found(text)


def test_the_signer_in_memory_makes_signatures_that_ssh_keygen_and_we_take(tmp_path):
    from twinops.adapters.memory.governance import MemorySigner

    one = MemorySigner()
    path = tmp_path / "said.txt"
    path.write_bytes(CONTENT)
    one.sign(path, key=tmp_path, namespace="twinops-dpia")
    (tmp_path / "allowed").write_text(f"ada@shop.example {one.public}\n")
    assert found((tmp_path / "said.txt.sig").read_text()) == one.public
    known = ["-f", "allowed", "-I", "ada@shop.example", "-n", "twinops-dpia", "-s", "said.txt.sig"]
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", *known], cwd=tmp_path, input=CONTENT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_live_can_be_put_in_by_hand():
    from twinops.adapters.memory.governance import MemoryProduction

    live = MemoryProduction({"twin": "{}"}, {("main", "reports/evidence.json"): "[]"})
    assert (live.evidence("twin"), live.evidence("other")) == ("{}", None)
    assert live.at("main", Path("reports/evidence.json")) == "[]"
