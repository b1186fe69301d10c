"""The evidence bundle is checked by the tools that everyone has, on a machine that knows nothing of twinops."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import offices
import pytest
from candidate import commit, make_candidate, write

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.mlflow.production import MlflowProduction
from twinops.adapters.ssh_keygen import SshKeygen
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance.assessment.answers import NAMESPACE
from twinops.governance.log.provenance import Made, statement
from twinops.governance.policy import limits as policy
from twinops.governance.policy.decide import decide
from twinops.workflows.candidate.annex_iv import annex_iv
from twinops.workflows.candidate.bundle import bundle
from twinops.workflows.candidate.files import evidence_of
from twinops.workflows.pipeline.documents import build
from twinops.workflows.places import Places

PLAIN = {"PATH": "/usr/bin:/bin"}
"""No twinops, no Python environment."""
WHO = offices.PEOPLE["risk officer"][1]


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, Path]:
    return offices.keys_of(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def places(tmp_path_factory, keys) -> Places:
    """A candidate with documents, people, and one signed answer."""
    places = make_candidate(tmp_path_factory.mktemp("bundle") / "project")
    write(places.compliance / "offices.yaml", offices.offices_text(keys))
    answer = places.compliance / "dpia" / "minimisation.yaml"
    from twinops.governance.assessment import answers
    from twinops.governance.assessment import questions as dpia

    question = dpia.read((places.compliance / "dpia.yaml").read_text()).human.minimisation.question
    given = answers.give("minimisation", question, {"answer": "Needed."}, by="Olga Owner", dated=offices.TODAY)
    write(answer, answers.written(given))
    SshKeygen().sign(answer, key=keys["data owner"], namespace=NAMESPACE)
    evidence = evidence_of(places.evidence)
    rules = policy.read((places.compliance / "policy.yaml").read_text())
    for name, text in build(evidence, decide(rules, evidence)).items():
        write(places.card("twin", name), text)
    commit(places.root)
    return places


@pytest.fixture(scope="module")
def made(places, keys, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "bundle"
    key = str(keys["risk officer"])
    return bundle(
        places, DvcStore(places.root), SshKeygen(), MlflowProduction(places.root), into=str(folder), email=WHO, key=key
    ).folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """A copy, on another machine."""
    return Path(shutil.copytree(made, tmp_path / "elsewhere"))


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=folder, env=PLAIN, capture_output=True, text=True, check=False)


def commands(folder: Path) -> list[str]:
    """What VERIFY.md tells to run, but for the time stamp of an authority outside."""
    blocks = re.findall(r"```\n(.*?)```", (folder / "VERIFY.md").read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if not line.startswith("openssl")]


def test_every_command_of_the_page_passes_with_standard_tools(folder):
    asked = commands(folder)
    assert [c.split()[0] for c in asked] == ["sha256sum", "!", "!", "python3", "!", "ssh-keygen", "ssh-keygen"]
    for command in asked:
        done = shell(folder, command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert f"risk-officer:{WHO}" in shell(folder, asked[-2]).stdout
    assert "data-owner:olga@shop.example" in shell(folder, asked[-1]).stdout


def test_a_changed_byte_anywhere_is_found(folder):
    checked = commands(folder)[0]
    for path in [p for p in folder.rglob("*") if p.is_file() and p.name not in ("SHA256SUMS", "SHA256SUMS.sig")]:
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert shell(folder, checked).returncode != 0, path.name
        path.write_bytes(content)
    assert shell(folder, checked).returncode == 0


def test_a_missing_file_is_found(folder):
    (folder / "decision.json").unlink()
    assert shell(folder, commands(folder)[0]).returncode != 0


def test_sums_mended_after_a_change_no_longer_fit_their_signature(folder):
    decision = folder / "decision.json"
    decision.write_text(decision.read_text().replace("refused", "promotable"))
    sums = folder / "SHA256SUMS"
    changed = hashlib.sha256(decision.read_bytes()).hexdigest()
    sums.write_text(re.sub(r"[0-9a-f]{64}(?=  decision\.json)", changed, sums.read_text()))
    check, *_, sign, _answer = commands(folder)
    assert shell(folder, check).returncode == 0
    assert shell(folder, sign).returncode != 0


def test_a_signature_by_another_key_is_no_signature(folder, keys):
    SshKeygen().sign(folder / "SHA256SUMS", key=keys["data protection officer"], namespace="twinops-bundle")
    assert shell(folder, commands(folder)[-2]).returncode != 0


@pytest.mark.parametrize(
    ("change", "at", "told"),
    [
        (lambda f: write(f / "model" / "other.json", "{}"), 2, "model/other.json"),
        (lambda f: write(f / ".hidden", ""), 2, ".hidden"),
        (lambda f: write(f / "model" / ".artifact.uploading.1", ""), 2, ".artifact.uploading.1"),
        (lambda f: write(f / "SHA256SUMS.tsx.txt", ""), 2, "SHA256SUMS.tsx.txt"),
        (lambda f: write(f / "x\n..x", ""), 1, "x"),
        (lambda f: linked(f, "model"), 1, "./model"),
        (lambda f: linked(f, "decision.json"), 1, "./decision.json"),
        (lambda f: os.link(f / "decision.json", f.parent / "second-name"), 1, "./decision.json"),
    ],
)
def test_what_was_added_or_lies_behind_a_link_is_found(folder, change, at, told):
    assert shell(folder, commands(folder)[at]).returncode == 0
    change(folder)
    done = shell(folder, commands(folder)[at])
    assert (done.returncode, told in done.stdout) == (1, True)


def linked(folder: Path, name: str) -> None:
    """Moved away, with a link in its place."""
    (folder / name).rename(folder.parent / f"moved-{name}")
    (folder / name).symlink_to(folder.parent / f"moved-{name}")


@pytest.mark.parametrize(
    ("name", "text", "at"),
    [
        ("decision.json", '{"decision": "refused", "decision": "promotable"}', 3),
        ("documents/dpia.json", '{"a": [{"b": 1, "b": 2}]}', 3),
        ("evidence.json", "[" * 100_000, 3),
        ("compliance/dpia/minimisation.yaml", "by: Olga Owner\nanswer: {}\nby: Rita Risk\n", 4),
    ],
)
def test_a_key_that_stands_twice_is_found_whoever_made_the_sums(folder, name, text, at):
    (folder / name).write_text(text)
    assert shell(folder, commands(folder)[at]).returncode != 0


def test_a_decision_signed_by_another_office_or_person_is_no_decision(places, keys, tmp_path):
    """The wrong person's signature is found by the page's own lines, for every kind of file that people sign."""
    from twinops.governance.assessment import answers
    from twinops.governance.assessment import questions as dpia
    from twinops.workflows.compliance_files import expected_signers, offices_of

    asked = dpia.read((places.compliance / "dpia.yaml").read_text()).human.decision
    copy = Places(Path(shutil.copytree(places.root, tmp_path / "project")))
    decision, by = copy.compliance / "dpia" / "decision.yaml", offices.PEOPLE["risk officer"][0]
    given = answers.give(
        "decision", asked.question, {"answer": "approve", "reasons": "Fine."}, by=by, dated=offices.TODAY
    )
    write(decision, answers.written(given))
    for signer, fits in (("data owner", False), ("data protection officer", False), ("risk officer", True)):
        SshKeygen().sign(decision, key=keys[signer], namespace=NAMESPACE)
        made = bundle(copy, DvcStore(copy.root), SshKeygen(), MlflowProduction(copy.root), into=str(tmp_path / signer))
        line = next(c for c in commands(made.folder) if "dpia/decision.yaml" in c)
        assert (shell(made.folder, line).returncode == 0) is fits, signer
    impostor = answers.give(
        "decision", asked.question, {"answer": "approve", "reasons": "Fine."}, by="Olga Owner", dated=offices.TODAY
    )
    write(decision, answers.written(impostor))
    assert expected_signers(copy, offices_of(copy))["compliance/dpia/decision.yaml"].principal == "nobody"


def test_every_file_stands_in_the_sums_and_all_that_an_auditor_asks_is_there(folder):
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there - listed == {"SHA256SUMS", "SHA256SUMS.sig"}
    assert listed >= {
        "VERIFY.md", "allowed_signers", "evidence.json", "judged-evidence.json", "decision.json", "cnil-pia.json",
        "provenance.intoto.json", "dvc.lock", "params.yaml", "model/twin.json", "documents/README.md",
        "brief.txt", "brief.pdf", "documents/dpia.html",
        "documents/bom.cdx.json", "documents/dpia.json", "documents/ropa.csv", "documents/model_card.html",
        "compliance/policy.yaml", "compliance/dpia/minimisation.yaml", "figures/accuracy.png",
    }  # fmt: skip


def test_the_decision_follows_from_the_evidence_and_policy_in_the_bundle(folder):
    rules = policy.read((folder / "compliance" / "policy.yaml").read_text())
    again = decide(rules, evidence_of(folder / "judged-evidence.json"))
    told = json.loads((folder / "decision.json").read_text())
    assert again.to_dict()["blocking"] == tuple(told["blocking"])
    assert (again.policy_digest, again.evidence_digest) == (told["policy_digest"], told["evidence_digest"])


def test_the_provenance_names_the_model_and_what_it_was_made_from(folder, places):
    told = json.loads((folder / "provenance.intoto.json").read_text())
    assert (told["_type"], told["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    model = (folder / "model" / "twin.json").read_bytes()
    assert told["subject"] == [{"name": "models/twin.json", "digest": {"sha256": hashlib.sha256(model).hexdigest()}}]
    built = told["predicate"]["buildDefinition"]
    assert built["externalParameters"] == {"stage": "train", "command": "twinops notebook train"}
    assert built["internalParameters"]["params"]["params.yaml"]["train"]["activity_c"] == 0.2
    assert {d["uri"] for d in built["resolvedDependencies"]} == {"git:HEAD", "file:src"}


def test_the_same_candidate_gives_the_same_bundle_but_for_signatures(places, made, keys, tmp_path):
    key = str(keys["risk officer"])
    again = bundle(
        places,
        DvcStore(places.root),
        SshKeygen(),
        MlflowProduction(places.root),
        into=str(tmp_path / "b"),
        email=WHO,
        key=key,
    )
    assert (again.folder / "SHA256SUMS").read_bytes() == (made / "SHA256SUMS").read_bytes()


def test_an_unsigned_bundle_says_so_and_needs_nobody(places, tmp_path):
    done = bundle(places, DvcStore(places.root), SshKeygen(), MlflowProduction(places.root), into=str(tmp_path / "b"))
    assert "Nobody signed this bundle" in (done.folder / "VERIFY.md").read_text()
    assert shell(done.folder, commands(done.folder)[0]).returncode == 0


def test_somebody_elses_folder_is_left_alone(places, tmp_path):
    write(tmp_path / "mine" / "thesis.txt", "years of work")
    with pytest.raises(DataError, match="something else"):
        bundle(places, DvcStore(places.root), SshKeygen(), MlflowProduction(places.root), into=str(tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_nobody_signs_under_another_name(places, keys, tmp_path):
    with pytest.raises(ParamsError, match=r"offices\.yaml"):
        bundle(
            places,
            DvcStore(places.root),
            SshKeygen(),
            MlflowProduction(places.root),
            into=str(tmp_path / "b"),
            email="eve@shop.example",
        )
    key = str(keys["data owner"])
    with pytest.raises(IntegrityError, match="signed by Olga Owner"):
        bundle(
            places,
            DvcStore(places.root),
            SshKeygen(),
            MlflowProduction(places.root),
            into=str(tmp_path / "c"),
            email=WHO,
            key=key,
        )
    assert not (tmp_path / "c" / "SHA256SUMS.sig").exists()


def test_provenance_of_a_model_that_no_stage_made_says_so():
    told = statement(Made("models/x.json", "a" * 64, "b" * 64, None, {}))
    assert told["predicate"]["buildDefinition"]["externalParameters"]["stage"] == "none recorded"


def test_a_time_stamp_from_outside_verifies_as_the_page_says(folder, tmp_path):
    """With an authority made for the test; a real one is somebody else's."""
    if shutil.which("openssl", path=PLAIN["PATH"]) is None:
        pytest.skip("there is no openssl")
    authority(tmp_path)
    asked = [line for line in (folder / "VERIFY.md").read_text().splitlines() if line.startswith("openssl")]
    assert shell(folder, asked[0]).returncode == 0
    reply = f"openssl ts -reply -config {tmp_path}/tsa.cnf -queryfile SHA256SUMS.tsq -out SHA256SUMS.tsr"
    assert shell(folder, reply).returncode == 0
    shutil.copy(tmp_path / "tsa.pem", folder / "authority.pem")
    assert shell(folder, asked[1]).returncode == 0
    (folder / "SHA256SUMS").write_text("changed\n")
    assert shell(folder, asked[1]).returncode != 0


def authority(home: Path) -> None:
    write(
        home / "tsa.cnf",
        f"""[req]
distinguished_name=dn
x509_extensions=ext
prompt=no
[dn]
CN=Test time stamps
[ext]
extendedKeyUsage=critical,timeStamping
[tsa]
default_tsa=one
[one]
serial={home}/serial
signer_cert={home}/tsa.pem
signer_key={home}/tsa.key
signer_digest=sha256
default_policy=1.2.3.4
digests=sha256
certs={home}/tsa.pem
""",
    )
    write(home / "serial", "01\n")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    made = shell(home, f"openssl req -x509 {curve} -keyout tsa.key -out tsa.pem -days 30 -config tsa.cnf")
    assert made.returncode == 0, made.stderr


def test_the_technical_file_is_written_on_demand(places, tmp_path):
    path = annex_iv(places, DvcStore(places.root), into=str(tmp_path / "annex.md"))
    assert "## 2g." in path.read_text()
    assert "To be written by a person" in path.read_text()
