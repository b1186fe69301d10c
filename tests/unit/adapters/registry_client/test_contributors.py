"""Whoever took part in a commit is counted, however clone, mail map, dates or trailers were dressed up."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import date
from pathlib import Path

import candidate
import pytest

from twinops.adapters.memory.governance import MemorySigner
from twinops.adapters.registry_client import contributors
from twinops.adapters.registry_client.contributors import Bases, history_of, worked, writers
from twinops.entities.canonical import digest
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.assessment import answers
from twinops.governance.people import offices
from twinops.governance.policy import judge as judges
from twinops.governance.policy import resolution
from twinops.governance.policy.own_files import Known

RITA, OLGA, DORA = MemorySigner(), MemorySigner(), MemorySigner()
OFFICES = offices.read(f"""
version: "1"
gate_runners: [ci]
people:
  - {{name: Rita, account: rita, office: risk officer, emails: [rita@shop.example, r@bücher.example],
     key: {RITA.public}}}
  - {{name: Olga, account: olga, office: data owner, emails: [olga@shop.example], key: {OLGA.public}}}
  - {{name: Dora, account: dora, office: data protection officer, emails: [dora@shop.example], key: {DORA.public}}}
  - {{account: sam, emails: [sam@shop.example]}}
""")
KNOWN = Known(OFFICES)


class Clone:
    """A git repository made commit by commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, **more: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.root), *words],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **more},
        ).stdout.strip()

    def commit(self, message: str = "work", *, by: str, to: str | None = None, **files: str) -> str:
        """`by` writes it, `to` (the same person by default) commits it."""
        for name, text in files.items():
            candidate.write(self.root / name, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, **self.names(by, to or by))
        return self.git("rev-parse", "HEAD")

    def names(self, by: str, to: str) -> dict[str, str]:
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": by, "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": to}
        return {**who, "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}

    def people(self, *promoted: str, adopted: str | None = None, known: Known = KNOWN) -> set[str]:
        return set(worked(self.root, Bases(promoted, adopted), known=known).authors)

    def signed(self, path: str, text: str, signer: MemorySigner, namespace: str) -> None:
        candidate.write(self.root / path, text)
        signer.sign(self.root / path, key=Path("key"), namespace=namespace)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone")
    made.commit("first", by="up@stream.example", **{"a.txt": "1"})
    return made


def test_authors_committers_and_every_kind_of_co_author_count_since_the_base(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    message = (
        "more\n\nCO-AUTHORED-BY: X <X@One.example>, Y <y@one.example>\nnot a trailer\n\n"
        "co-developed-by: Z <z@one.example>\n  Signed-off-by: W <w@one.example>\nCo-authored-by: Nobody Known\n"
    )
    clone.commit(message, by="SAM@shop.EXAMPLE", to="ci@one.example", **{"a.txt": "2"})
    told = {"sam@shop.example", "ci@one.example", "x@one.example", "y@one.example", "z@one.example", "w@one.example"}
    assert clone.people(base) == {*told, "nobody known"}
    assert clone.people() == {*told, "nobody known", "up@stream.example"}
    assert worked(clone.root, Bases(("0" * 40, base)), known=KNOWN).base == base, "a commit of another history is none"


def test_dates_settings_and_encodings_hide_nobody(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("config", "trailer.separators", "#")
    clone.git("config", "i18n.commitEncoding", "ISO-8859-1")
    clone.git("config", "log.showSignature", "false")
    clone.commit("Grüße\n\nCo-authored-by: Zoë <zoe@one.example>", by="sam@shop.example")
    assert clone.people(base) == {"sam@shop.example", "zoe@one.example"}


def test_a_mail_map_adds_people_and_takes_none_away(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.commit(by="mole@one.example", **{".mailmap": "Sam <sam@shop.example> <mole@one.example>\n"})
    assert clone.people(base) == {"mole@one.example", "sam@shop.example"}


def test_who_merges_answers_for_both_sides_and_for_what_the_merge_itself_changes(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("switch", "-q", "-c", "side")
    clone.commit(by="side@one.example", **{"b.txt": "1"})
    clone.git("switch", "-q", "main")
    clone.commit(by="sam@shop.example", **{"a.txt": "2"})
    clone.git("merge", "-q", "--no-commit", "side")
    clone.commit("merge", by="rita@shop.example", **{"a.txt": "slipped in"})
    assert clone.people(base) == {"side@one.example", "sam@shop.example", "rita@shop.example"}


def test_a_clean_merge_is_work_too(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.git("switch", "-q", "-c", "side")
    clone.commit(by="sam@shop.example", **{"b.txt": "1"})
    clone.git("switch", "-q", "main")
    clone.git("merge", "-q", "--no-ff", "-m", "m", "side", **clone.names("rita@shop.example", "rita@shop.example"))
    assert clone.people(base) == {"sam@shop.example", "rita@shop.example"}


def shallow(clone: Clone, to: Path) -> None:
    subprocess.run(["git", "clone", "-q", "--depth", "1", clone.root.as_uri(), str(to)], check=True)


def partial(clone: Clone, to: Path) -> None:
    clone.git("config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", clone.root.as_uri(), str(to)], check=True)


def partial_untold(clone: Clone, to: Path) -> None:
    partial(clone, to)
    for name in ("remote.origin.promisor", "remote.origin.partialclonefilter"):
        subprocess.run(["git", "-C", str(to), "config", "--unset", name], check=True)


def grafted(clone: Clone, to: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(clone.root), str(to)], check=True)
    candidate.write(to / ".git" / "info" / "grafts", clone.git("rev-parse", "HEAD") + "\n")


def replaced(clone: Clone, to: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(clone.root), str(to)], check=True)
    candidate.git(to, "-c", "user.name=x", "-c", "user.email=x@y", "replace", "--graft", "HEAD")


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (shallow, "shallow"),
        (partial, "partial"),
        (partial_untold, "partial"),
        (grafted, "grafts"),
        (replaced, "replaces commits"),
    ],
)
def test_a_clone_that_is_cut_off_or_dressed_up_is_refused_with_what_to_do(
    clone: Clone, tmp_path: Path, cut: object, said: str
) -> None:
    clone.commit(by="hidden@one.example", **{"a.txt": "2"})
    clone.commit(by="sam@shop.example", **{"a.txt": "3"})
    cut(clone, tmp_path / "other")  # type: ignore[operator]
    with pytest.raises(IntegrityError, match=said) as told:
        worked(tmp_path / "other", Bases(), known=KNOWN)
    assert "git" in str(told.value.hint) or "rm " in str(told.value.hint)


def test_a_forged_history_behind_unchanged_settings_is_found_or_has_no_effect(clone: Clone) -> None:
    hidden = clone.commit(by="hidden@one.example", **{"a.txt": "2"})
    clone.commit(by="sam@shop.example", **{"a.txt": "3"})
    everybody = {"up@stream.example", "hidden@one.example", "sam@shop.example"}
    clone.git("commit-graph", "write", "--reachable")
    assert clone.people() == everybody
    # a shallow file that git no longer calls one, and an object under another's name
    first = clone.git("rev-parse", f"{hidden}^")
    loose = lambda name: clone.root / ".git" / "objects" / name[:2] / name[2:]  # noqa: E731
    content = loose(first).read_bytes()
    loose(hidden).chmod(0o644)
    loose(hidden).write_bytes(content)
    with pytest.raises(IntegrityError, match="was changed there"):
        clone.people()
    loose(hidden).unlink()
    with pytest.raises(IntegrityError, match="history ends"):
        clone.people()


def test_gits_own_variables_in_the_environment_are_not_asked(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    before = clone.people()
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "remote.x.promisor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert contributors.worked(clone.root, Bases(), known=KNOWN).authors == tuple(sorted(before))


def decision(clone: Clone, signer: MemorySigner = RITA) -> None:
    clone.signed("compliance/dpia/decision.yaml", "field: decision\n", signer, answers.NAMESPACE)


def test_an_office_that_only_signs_its_own_files_did_not_work_on_the_candidate(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    decision(clone)
    clone.signed("compliance/rulings/use.yaml", "gate: use\n", RITA, resolution.NAMESPACE)
    clone.commit(by="R@xn--bcher-kva.example")
    clone.signed("compliance/dpia/minimisation.yaml", "field: minimisation\n", OLGA, answers.NAMESPACE)
    clone.commit(by="olga@shop.example")
    assert clone.people(base) == set()
    decision(clone)
    clone.commit(by="sam@shop.example", **{"compliance/dpia/decision.yaml": "field: decision \n"})
    assert clone.people(base) == {"sam@shop.example"}, "who holds no office worked, whatever the file"


@pytest.mark.parametrize(
    "what", ["unsigned", "another's key", "another purpose", "not her file", "beside it", "gone", "mode"]
)
def test_what_she_did_not_sign_or_may_not_write_is_work(clone: Clone, what: str) -> None:
    decision(clone)
    base = clone.commit(by="sam@shop.example")
    if what == "unsigned":
        candidate.write(clone.root / "compliance/dpia/decision.yaml", "field: decision\nchanged: after\n")
    elif what == "another's key":
        decision(clone, MemorySigner())
    elif what == "another purpose":
        clone.signed("compliance/dpia/decision.yaml", "field: decision\n", RITA, resolution.NAMESPACE)
    elif what == "not her file":
        clone.signed("compliance/dpia/minimisation.yaml", "field: minimisation\n", RITA, answers.NAMESPACE)
    elif what == "beside it":
        clone.signed("compliance/dpia/decision.yaml", "field: other\n", RITA, answers.NAMESPACE)
        candidate.write(clone.root / "src" / "decision.yaml", "x: 1\n")
    elif what == "gone":
        (clone.root / "compliance/dpia/decision.yaml").unlink()
    else:
        clone.signed("compliance/dpia/decision.yaml.sig.yaml", "x: 1\n", RITA, answers.NAMESPACE)
    clone.commit(by="rita@shop.example")
    assert clone.people(base) == {"rita@shop.example"}


def test_rules_she_activated_and_the_description_she_advised_on_are_an_offices_own(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    text, described = "version: '2'\n", {"what": "is assessed"}
    clone.commit(by="rita@shop.example", **{"compliance/policy.yaml": text})
    assert clone.people(base) == {"rita@shop.example"}, "she never activated it"
    activated = frozenset({(hashlib.sha256(text.encode()).hexdigest(), "rita")})
    assert clone.people(base, known=Known(OFFICES, activated)) == set()
    given = answers.GivenFor(assessed=digest(described), answers={})
    made = answers.give("dpo_advice", "q", {}, by="Dora", dated=date(2026, 11, 28), given_for=given)
    clone.signed("compliance/dpia/dpo_advice.yaml", answers.written(made), DORA, answers.NAMESPACE)
    clone.commit(by="dora@shop.example", **{"compliance/dpia/assessed.json": json.dumps(described)})
    assert clone.people(base, known=Known(OFFICES, activated)) == set()
    clone.commit(by="dora@shop.example", **{"compliance/dpia/assessed.json": json.dumps({"what": "is not"})})
    assert clone.people(base, known=Known(OFFICES, activated)) == {"dora@shop.example"}


def test_before_an_adopted_base_people_are_upstreams_and_told_apart(clone: Clone) -> None:
    mine = clone.commit(by="sam@shop.example", **{"a.txt": "2"})
    clone.commit(by="rita@shop.example", **{"a.txt": "3"})
    found = worked(clone.root, Bases((), mine), known=KNOWN)
    assert (found.base, found.authors) == (mine, ("rita@shop.example",))
    assert found.upstream == ("sam@shop.example", "up@stream.example")
    promoted = clone.git("rev-parse", f"{mine}^")
    assert worked(clone.root, Bases((promoted,), mine), known=KNOWN).upstream == (), (
        "what was in production comes first"
    )
    assert len(history_of(clone.root, mine)[1]) == 2


def test_a_base_is_any_name_that_git_has_for_a_commit_and_is_handed_in_by_its_whole_id(clone: Clone) -> None:
    mine = clone.commit(by="sam@shop.example", **{"a.txt": "2"})
    clone.git("tag", "released")
    clone.commit(by="rita@shop.example", **{"a.txt": "3"})
    for said in ("released", "HEAD~1", mine[:10], mine):
        base, before = history_of(clone.root, said)
        assert base == mine
        assert mine in before
    for said in ("0" * 40, "nowhere", "--all", "HEAD:a.txt"):
        with pytest.raises(ParamsError, match="Git knows no commit"):
            history_of(clone.root, said)
    clone.git("checkout", "-q", "-b", "aside", "HEAD~1")
    apart = clone.commit(by="rita@shop.example", **{"b.txt": "1"})
    clone.git("checkout", "-q", "-")
    with pytest.raises(IntegrityError, match="not in the history"):
        history_of(clone.root, apart)


def test_who_wrote_the_judge_is_whoever_a_commit_names_that_changes_it_against_any_parent(clone: Clone) -> None:
    base = clone.git("rev-parse", "HEAD")
    clone.commit(by="sam@shop.example", **{"a.txt": "2"})
    clone.commit("more\n\nco-authored-by: <mole@one.example>", by="rita@shop.example", **{"src/twinops/x.py": "1"})
    assert set(writers(clone.root, base, of=judges.belongs)) == {"rita@shop.example", "mole@one.example"}
    assert set(writers(clone.root, "0" * 40, of=judges.belongs)) >= {"rita@shop.example"}, "since ever, where unknown"
