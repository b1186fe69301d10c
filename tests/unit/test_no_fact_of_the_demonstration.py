"""The package knows none of the demonstration's facts: what a text says of people, money and data is declared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import governed
import pytest
import typer
from candidate import ROOT
from governed import candidate
from living_world import AS_OF, GRID, PENALTIES, RULE, living_project, natural
from matplotlib.figure import Figure
from matplotlib.text import Text
from own_world import LEGAL, RETAIL, but, params
from supplying import supplied

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.cli._door import app
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.legal import DataSheet
from twinops.entities.wording import MANY, MANY_FIRST, MONEY, ONE, Wording
from twinops.governance.policy.decide import decide
from twinops.governance.policy.limits import Policy
from twinops.own_params import OwnParams
from twinops.params import ChooseParams, DriftParams, EvaluateParams, SubjectParams, read
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.pipeline.choose import choose
from twinops.workflows.pipeline.documents import build
from twinops.workflows.pipeline.drift import drift
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.train import train
from twinops.workflows.pipeline.twin import twin
from twinops.workflows.twin import predict, show, simulate

SRC = ROOT / "src" / "twinops"
DEMONSTRATION = re.compile(
    r"(?i:household|grocer|\busd\b|dollar|complete\W?journey|dunnhumby|84\.51|imputed by|demo panel)|"
    r"\$\s?\d|\d\s?\$|\bUS\b|\bU\.S\.|United States|\b2017\b"
)
"""Plurals and compounds too: only `US` is told from `us` by its case."""
DECLARES = ("demo/", "data/sources/", "data/journey.py", "data/consent/special_categories.yaml")
"""Where the demonstration itself is declared."""
LOOKS_FOR = (
    "data/texts/",
    "data/linkage/",
    "data/own_sources/column_words.yaml",
    "data/own_sources/recognising.py",
    "data/own_sources/cell_values.py",
    "data/own_sources/cell_words.yaml",
    "workflows/project/opened.py",
)
"""Words that are looked for in the files of others, not said."""
MACHINE = re.compile(
    r"household[_ ](?:ids?|key|size|comp)\b|\bhouseholds_(?:to_settle|in_sources|reference|current|by_contacts)\b|"
    r"\b(?:fewest|linkage)_households\b|\blinkage_wrong_household_rate\b|pd#Household\b"
)
"""Names of columns, fields and measures (`contract.md`): they are looked up, not read."""
KEYS = frozenset({"household", "households", "HOUSEHOLDS", "usd"})
"""The same where they are the whole of a literal."""


def found(text: str) -> list[str]:
    return [m.group() for m in DEMONSTRATION.finditer(MACHINE.sub("", text))]


# ---- what the package holds


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module that can reach a reader; of docstrings only those of commands, which are their help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = path.parent.name == "cli"
    notes = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and not told}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):  # with a figure for what is filled in, so that a sign before it is seen
            yield node.lineno, "".join(str(v.value) if isinstance(v, ast.Constant) else "0" for v in node.values)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.lineno, node.value


def command(text: str) -> bool:
    return text.lstrip().startswith(("SELECT", "WITH", "CREATE", "! find"))


def test_no_string_of_the_package_names_what_only_the_demonstration_declares() -> None:
    wrong = []
    for path in sorted(SRC.rglob("*.py")):
        where = path.relative_to(SRC).as_posix()
        if not where.startswith((*DECLARES, *LOOKS_FOR)):
            wrong += [
                f"{where}:{line}: {text!r:.80}"
                for line, text in literals(path)
                if text not in KEYS and not command(text) and found(text)
            ]
    assert wrong == []


def test_no_template_and_no_list_of_the_package_does() -> None:
    kinds = ("*.j2", "*.yaml", "*.json", "*.html", "*.css")
    wrong = []
    for path in sorted(p for kind in kinds for p in SRC.rglob(kind)):
        where = path.relative_to(SRC).as_posix()
        if not where.startswith((*DECLARES, *LOOKS_FOR)):
            lines = path.read_text(encoding="utf-8").splitlines()
            wrong += [
                f"{where}:{n}: {line:.80}"
                for n, line in enumerate(lines, 1)
                if found(re.sub(r"\{[{%].*?[%}]\}|#.*| household: https", "", line))
            ]
    assert wrong == []


def test_the_search_finds_plurals_cases_and_signs_and_leaves_other_words_alone() -> None:
    told = ("12 Households", "household-days", "Grocers", "5 USD", "$5", "US shoppers", "The Complete Journey")
    for text in told:
        assert found(text), text
    for text in ("tell us", "household_id", "use it", "a journey"):
        assert not found(text), text


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_a_notebook_says_nothing_of_the_data_and_prints_what_is_declared(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    spoken = re.sub(r"\{[^{}]*\}", "", text)  # what is filled in comes from the declarations
    assert found(spoken) == []
    assert not re.search(r"(?i)\bEU\b|consent is synthetic|imputed", text)
    assert "Markdown(home.about)" in text or "\nwork.about\n" in text


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_what_a_notebook_prints_from_a_record_is_told_in_the_declared_words(notebook: Path) -> None:
    calls = [n for n in ast.walk(ast.parse(notebook.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    printed = [n.args[0] for n in calls if called(n) == "Markdown"]
    assert printed or any(called(n) == "work.told" for n in calls)
    untold = [ast.unparse(what) for what in printed if called(what) != "home.told" and not spelled_out(what)]
    assert untold == []


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def spelled_out(node: ast.AST) -> bool:
    """Whether the notebook itself spells this text, whose records fill in numbers and names only."""
    return ast.unparse(node) == "home.about" or isinstance(node, ast.JoinedStr)


def helps() -> Iterator[tuple[str, str]]:
    group = typer.main.get_command(app)
    context = typer.Context(group, info_name="twinops")
    for name in group.list_commands(context):  # type: ignore[attr-defined]
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        yield name, command.get_help(typer.Context(command, info_name=name, parent=context))
        for more, inner in getattr(command, "commands", {}).items():
            yield f"{name} {more}", inner.get_help(typer.Context(inner, info_name=more, parent=context))


def test_no_command_explains_itself_by_the_demonstration() -> None:
    told = dict(helps())
    assert len(told) > 30
    assert {name: words for name, text in told.items() if (words := found(text))} == {}


# ---- a project of another shop

MEMBER = SubjectParams(one="member", many="members")
CLUB = "Harbour Music Club"
OWN: OwnParams = params(
    shop=but(
        RETAIL,
        money={"currency": "KWD", "minor_units": 3, "rounded_to": "hundredths"},
        legal=RETAIL["legal"]
        | {"controller": CLUB, "provenance": "The tills of the club.", "synthetic": False}
        | {"dataset": "Receipts of the club", "country": "Kuwait"},
    )
).own
WORDS = DeclaredWords(OWN, MEMBER)
MARK = re.compile(r"⟨\w*⟩?")


def foreign(text: str) -> list[str]:
    """What a text of the club must not say; its made-up receipts lie in 2017, so years are left out."""
    return [*(w for w in found(text) if w != "2017"), *MARK.findall(text)]


TEX = re.compile(r"^\$.*\$$")
"""How an axis writes numbers."""


class Drawn:
    """Every text of every picture that is saved, by the picture's name."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.texts: dict[str, list[str]] = {}
        save = Figure.savefig

        def listening(figure: Figure, path: Path, **look: Any) -> None:
            save(figure, path, **look)
            said = (t.get_text() for t in figure.findobj(Text))
            self.texts[path.name.removesuffix(".half").removeprefix(".").removesuffix(".png")] = [
                t for t in said if not TEX.search(t)
            ]

        patch.setattr(Figure, "savefig", listening)


class Club:
    """A living project that declares members and dinars, with what its stages wrote, drew and answered."""

    def __init__(self, root: Path, drawn: Drawn) -> None:
        self.places, self.keys = living_project(root, households=450)
        self.drawn = drawn
        self.results = {work.__name__: self.run(work, **given) for work, given in STAGES.items()}

    def run(self, work: Any, *first: Any, **given: Any) -> Any:
        around = {"engine": DuckDBEngine(threads=1), "keys": self.keys, "grid": GRID, "as_of": AS_OF, "rule": RULE}
        return supplied(work, *first, self.places, **around, subject=MEMBER, own=OWN, **given)


@cache
def shipped() -> Any:
    return read(ROOT / "params.yaml")


RECIPE = {"train": PENALTIES, "challenger": shipped().challenger}
STAGES: dict[Any, dict[str, Any]] = {
    features: {},
    choose: {**RECIPE, "margins": ChooseParams(cutoffs=(113,), draws=50)},
    train: RECIPE,
    evaluate: {**RECIPE, "held_out": EvaluateParams(cutoffs=(141,), draws=50, seed=1)},
    twin: {"penalties": PENALTIES},
    drift: {
        "penalties": PENALTIES,
        "drift_when": DriftParams(
            reference_cutoff=113, current_cutoff=141, draws=20, seed=1, early_from=85, early_draws=50
        ),
    },
}


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    with pytest.MonkeyPatch.context() as patch:
        yield Club(tmp_path_factory.mktemp("club"), Drawn(patch))


def test_pictures_of_another_shop_speak_in_its_words(club: Club) -> None:
    assert {"population", "coefficients", "accuracy", "calibration", "segments", "portrait"} <= set(club.drawn.texts)
    assert {n: w for n, texts in club.drawn.texts.items() if (w := foreign(" | ".join(texts)))} == {}
    said = " ".join(text for texts in club.drawn.texts.values() for text in texts)
    assert "members" in said
    assert "KWD" in said


def test_findings_of_another_shop_speak_in_its_words(club: Club) -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in club.places.all_measures}
    assert {"accuracy.json", "drift.json", "living.json", "population.json"} <= set(files)
    for name, text in files.items():
        assert re.findall(r'"(?!households?")[^"]*household(?!s?_|s?")[^"]*"', text) == [], name
        assert MARK.findall(text) == [], name
    assert '"unit": "KWD"' in files["accuracy.json"]
    assert '"unit_of_n": "members"' in files["accuracy.json"]


def test_what_notebooks_of_another_shop_print_is_in_its_words(club: Club) -> None:
    from twinops.evaluation.accuracy.conclusions import choice_conclusion
    from twinops.evaluation.accuracy.tables import accuracy_table, days_table, gains_table, priors_table
    from twinops.evaluation.segments.tables import segments_table, what_if_table

    r = club.results
    printed = [
        WORDS.about,
        r["train"].conclusion, priors_table(r["train"].model), choice_conclusion(r["train"].choice),
        r["evaluate"].conclusion, *(t(r["evaluate"].findings) for t in (accuracy_table, gains_table, days_table)),
        r["twin"].words, r["twin"].conclusion, what_if_table(r["twin"].simulated),
        segments_table(r["twin"].segments.segments), r["drift"].found, r["drift"].found_early,
    ]  # fmt: skip
    assert [text for text in map(WORDS.told, printed) if foreign(text)] == []
    assert CLUB in WORDS.about
    assert "**Members of Receipts of the club**, declared as not synthetic" in WORDS.about
    assert "in Kuwait" in WORDS.about


def test_answers_about_one_member_are_in_the_declared_words(club: Club) -> None:
    asked = {"who": natural(7), "purpose": "twin_scoring"}
    portrait, expected = club.run(show.show, **asked), club.run(predict.predict, **asked)
    told = [club.run(simulate.simulate, **asked, action=a) for a in ("basket:25", "silence:14", "basket:90000")]
    texts = [portrait.text(), expected.text(), *(str(asdict(t)) for t in told)]
    assert [text for text in texts if foreign(text.replace("'households'", ""))] == []
    assert "KWD" in portrait.text()
    assert "average member" in portrait.text()
    assert (expected.wording.currency, expected.wording.minor_units) == ("KWD", 3)


# ---- its documents


def another_shop(text: str) -> str:
    """A declaration of the demonstration as the club would have written it."""
    for ours, theirs in (
        ("households", "members"), ("Households", "Members"), ("household", "member"), ("Household", "Member"),
        ("Demo Grocer", CLUB), ("grocery", "music"), ("groceries", "records"), ("grocer", "music shop"), ("USD", "KWD"),
    ):  # fmt: skip
        text = re.sub(rf"{ours}(?![s_]?_)", theirs, text)
    return text


def told_anew(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: told_anew(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [told_anew(item) for item in value]
    return another_shop(value) if isinstance(value, str) else value


def of_the_club() -> Evidence:
    """A whole candidate whose declarations and measurements come from the club."""
    evidence = candidate(WORDS.fact, *facts_of_the_club())
    facts = tuple(replace(f, value=told_anew(f.value), source=another_shop(f.source)) for f in evidence.facts)
    measures = tuple(
        replace(m, method=another_shop(m.method), unit=m.unit and "KWD", unit_of_n=another_shop(m.unit_of_n))
        for m in evidence.measures
    )
    return replace(evidence, facts=facts, measures=measures)


def facts_of_the_club() -> Iterator[Fact]:
    sheet = {**asdict(WORDS.told(DataSheet())), "caveats": list(DataSheet().caveats)}
    yield Fact("data_sheet", sheet, Kind.DECLARED, "params.yaml: own.shop")
    law = WORDS.law
    told = {"controller": law.controller, "provenance": law.provenance, "retention_days": 730, "synthetic": False}
    yield Fact("source.transactions", told, Kind.DECLARED, "params.yaml: own.shop")
    yield Fact("fairness_decision", {**governed.DECIDED, "provenance": DataSheet().people}, Kind.MEASURED, "test")


def documents_of(evidence: Evidence) -> dict[str, str]:
    rules: Policy = governed.shipped_policy()
    return build(evidence, decide(rules, evidence))


def test_documents_of_another_shop_say_nothing_of_the_demonstration() -> None:
    built = documents_of(of_the_club())
    assert {"README.md", "appendix.md", "bom.cdx.json", "dpia.md", "notices.md", "ropa.csv"} <= set(built)
    spoken = {name: re.sub(r'"households?"|data/sources/\w+\.py', "", text) for name, text in built.items()}
    assert {name: words for name, text in spoken.items() if (words := foreign(text))} == {}
    assert "members" in built["appendix.md"]
    assert "KWD" in built["README.md"] + built["appendix.md"]


def test_the_verdicts_of_another_shop_are_in_its_words() -> None:
    verdicts = decide(governed.shipped_policy(), Evidence("twin", "a" * 64, AS_OF, (), (WORDS.fact,))).verdicts
    texts = [f"{v.sentence} {v.next}" for v in verdicts]
    assert [text for text in texts if foreign(text)] == []
    assert any("members" in text for text in texts)


# ---- the words themselves


def test_the_demonstration_still_says_household_and_its_currency() -> None:
    words = DeclaredWords(shipped().own, shipped().subject)
    assert words.wording == Wording("household", "households", "USD", 2)
    assert (
        words.told(f"{MANY_FIRST}: 3 {MANY} of a {ONE} pay {MONEY}")
        == "Households: 3 households of a household pay USD"
    )
    assert "The Complete Journey" in words.about
    assert "their consent is synthetic" in words.about
    built = documents_of(candidate())
    assert "households" in built["appendix.md"]


@pytest.mark.parametrize(
    "said",
    [{"one": "<b>x</b>"}, {"many": "[a](b)"}, {"currency": "usd"}, {"minor_units": "3"}, {"more": 1}, {"one": None}, 7],
)
def test_words_that_could_be_markup_or_are_none_are_not_taken_from_evidence(said: Any) -> None:
    evidence = Evidence("twin", "a" * 64, AS_OF, (), (Fact("wording", said, Kind.DECLARED, "test"),))
    assert evidence.wording == Wording()


def test_a_word_is_told_in_records_and_keeps_what_has_no_mark() -> None:
    rows = LEGAL | {"x": (1, None, f"a {ONE}")}
    told = Wording("employee", "employees").told(rows)
    assert told["x"] == (1, None, "an employee")
    assert told["bases"] == LEGAL["bases"]
