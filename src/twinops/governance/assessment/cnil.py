"""Write the impact assessment for the CNIL's PIA tool (version 4.1), and read what a finished file says.

The shape is that of `law/cnil_pia.schema.json`, found by running the tool's own import. The draft carries status 0, no
evaluation and no opinion, because a file with status 2 imports as validated. `reference_to` is a whole number, or the
answer is lost silently; every value is escaped, because the tool shows HTML as it is. The tool drops keys it does not
know, so the digest stands in the category, which survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from twinops.entities.canonical import digest
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.markdown import plain
from twinops.governance.words import entries, words

TAG = "twinops sha256:"
INCIDENTS = {32: "incident_access", 33: "incident_change", 34: "incident_loss"}
RISKS = ("risk_discrimination", "risk_manipulation", "risk_inference", "risk_autonomy", "risk_disadvantage")
MEASURED = "measured"
_TEXT: dict[int, tuple[str, ...]] = {
    111: ("intended_use.about", "dpia.declared.description", "intended_use.decision", "model.family"),
    112: ("intended_use.controller", "dpia.declared.actors"),
    113: ("dpia.declared.standards_codes",),
    121: ("dpia.declared.data_inventory", "source."),
    122: ("dpia.declared.description",),
    123: ("dpia.declared.assets",),
    211: ("intended_use.purposes", "intended_use.not_for", "dpia.declared.secondary_use"),
    212: ("dpia.declared.legal_basis", "rows_without_valid_basis"),
    213: ("dpia.declared.minimisation", "dpia.declared.by_design"),
    215: ("dpia.declared.retention", "retention"),
    221: ("dpia.declared.notice",),
    222: ("excluded",),
    223: ("rights.access",),
    224: ("rights.erasure",),
    225: ("excluded", "rows_without_valid_basis"),
    226: ("dpia.declared.actors",),
    227: ("dpia.declared.transfers",),
}
_MEASURES: dict[int, tuple[str, ...]] = {
    214: ("active_auc", "spend_mae", "linkage_precision", "linkage_recall", "drift_share"),
    222: ("consent_coverage",),
}
_PARTS = {1: "impacts", 2: "threats", 3: "sources"}
_RATED = {5: "severity", 6: "likelihood"}
_EVALUATED = re.compile(r"^(1\.[12]|2\.1\.21[1-5]|2\.2\.22[1-7]|3\.[234])$")
DONE = 3
"""An evaluation of the tool: acceptable. 2 is improvable and needs a plan of action."""


def export(evidence: Evidence) -> dict[str, Any]:
    """The draft, to be finished by people in the tool. An answer that nobody gave is left out, never made up."""
    measures = list(_measures(evidence))
    answers = [*_declared(evidence), *_incidents(evidence)]
    answers.sort(key=lambda a: a["reference_to"])
    stamp = f"{evidence.as_of.isoformat()}T00:00:00.000Z"
    made = digest({"answers": answers, "measures": measures})
    opinions = dict.fromkeys(
        (
            "author_name", "evaluator_name", "validator_name", "dpos_names", "dpo_status", "dpo_opinion",
            "concerned_people_searched_opinion", "concerned_people_searched_content", "people_names",
            "concerned_people_status", "concerned_people_opinion", "rejection_reason", "applied_adjustments",
        )
    )  # fmt: skip
    return {
        "pia": {
            **opinions,
            "id": 1,
            "name": f"{_safe(_title(evidence))} ({_safe(evidence.model)})",
            "category": f"{TAG}{made}",
            "status": 0,
            "is_example": 0,
            "is_archive": 0,
            "progress": 0,
            "structure_id": None,
            "created_at": stamp,
            "updated_at": stamp,
        },
        "answers": answers,
        "measures": measures,
        "evaluations": [],
        "comments": [],
    }


@dataclass(frozen=True)
class Finished:
    """What a file from the tool says. Nothing in it is an approval: only signatures are (`twinops dpia sign`)."""

    digest_fits: bool
    changed: tuple[int, ...]
    """Questions whose answer is not the one that was exported."""
    unevaluated: tuple[str, ...]
    lacking: tuple[str, ...]
    """What the officer's page of the tool still lacks."""
    said: Mapping[str, Mapping[str, Any]]
    """What people wrote there, by the field of the assessment that it answers."""

    @property
    def complete(self) -> bool:
        """Every section evaluated, the officer's page complete, and nothing of the draft changed."""
        return self.digest_fits and not (self.changed or self.unevaluated or self.lacking)


def finished(file: Mapping[str, Any], draft: Mapping[str, Any]) -> Finished:
    """Compare a file from the tool with the draft as it would be exported now."""
    theirs = {a["reference_to"]: _content(a) for a in file["answers"]}
    ours = {a["reference_to"]: _content(a) for a in draft["answers"]}
    pia = file["pia"]
    done = {e["reference_to"] for e in file["evaluations"] if _settled(e)}
    return Finished(
        digest_fits=pia.get("category") == draft["pia"]["category"],
        changed=tuple(sorted(q for q in ours if theirs.get(q) != ours[q])),
        unevaluated=tuple(sorted(_expected() - done)),
        lacking=tuple(_lacking(pia)),
        said=dict(_said(file, theirs)),
    )


def _declared(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for question in sorted({*_TEXT, *_MEASURES}):
        told = [line for name in _TEXT.get(question, ()) for line in _lines(evidence, name)]
        found = [evidence.measure(name) for name in _MEASURES.get(question, ())]
        told += [f"<p>{_safe(str(m))}: {_safe(m.name)} [{m.id}]</p>" for m in found if m]
        told += list(_design_risks(evidence)) if question == 213 else []
        if told:
            yield _answer(question, text="".join(told))


def _lines(evidence: Evidence, name: str) -> Iterator[str]:
    facts = [f for f in evidence.facts if f.name == name or (name.endswith(".") and f.name.startswith(name))]
    for fact in facts:
        if fact.value is not None:
            label = fact.name.replace("_", " ").replace(".", ", ")
            items = "".join(f"<li>{_safe(line)}</li>" for line in entries(fact.value))
            yield f"<p><strong>{_safe(label)}</strong> [{fact.id}]</p><ul>{items}</ul>"


def _design_risks(evidence: Evidence) -> Iterator[str]:
    """The tool knows incidents only; risks with everything working as designed stand with necessity."""
    for name in RISKS:
        given = _given(evidence, name)
        if given:
            label = _safe(name.replace("_", " "))
            yield f"<p><strong>{label}</strong> [{given[0].id}]</p><p>{_safe(words(given[1]))}</p>"


def _incidents(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for tens, name in INCIDENTS.items():
        found = _given(evidence, name)
        if not found:
            continue
        value = found[1]
        for last, part in _PARTS.items():
            if value.get(part):
                yield _answer(tens * 10 + last, items=[_safe(value[part])])
        if value.get("measures"):
            yield _answer(tens * 10 + 4, items=[_against(name)])
        for last, part in _RATED.items():
            if isinstance(value.get(part), int) and value.get("justification"):
                yield _answer(tens * 10 + last, gauge=value[part], text=f"<p>{_safe(value['justification'])}</p>")


def _given(evidence: Evidence, name: str) -> tuple[Fact, dict[str, Any]] | None:
    """What a person answered; the question and empty parts are not theirs."""
    fact = evidence.fact(f"dpia.human.{name}")
    if fact is None or not isinstance(fact.value, dict) or fact.value.get("by") is None:
        return None
    return fact, {k: v for k, v in fact.value.items() if v is not None and k not in ("who", "question")}


def _measures(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Declared security measures, then what people named against each incident; titles are what answers refer to."""
    fact = evidence.fact("dpia.declared.security_measures")
    declared = fact.value if fact and isinstance(fact.value, (list, tuple)) else ()
    rows = [_declared_measure(m) for m in declared if isinstance(m, dict)]
    found = [(n, _given(evidence, n)) for n in INCIDENTS.values()]
    rows += [(_against(n), _safe(g[1]["measures"])) for n, g in found if g and g[1].get("measures")]
    for number, (title, content) in enumerate(rows, start=1):
        named = {"id": number, "title": title or f"Measure {number}", "content": f"<p>{content}</p>"}
        yield {**named, "placeholder": "", "pia_id": 1}


def _declared_measure(measure: Mapping[str, Any]) -> tuple[str, str]:
    return _safe(measure.get("title")), _safe(words({k: v for k, v in measure.items() if k != "title"}))


def _against(name: str) -> str:
    return f"Measures against: {name.removeprefix('incident_').replace('_', ' ')}"


def _answer(question: int, *, text: str = "", gauge: int | None = None, items: Sequence[str] = ()) -> dict[str, Any]:
    return {"reference_to": question, "data": {"text": text, "gauge": gauge, "list": list(items)}}


def _content(answer: Mapping[str, Any]) -> tuple[Any, ...]:
    data = answer["data"]
    return data.get("text") or "", data.get("gauge"), tuple(data.get("list") or ())


def _settled(evaluation: Mapping[str, Any]) -> bool:
    planned = evaluation["status"] == DONE - 1 and bool((evaluation.get("action_plan_comment") or "").strip())
    return bool(_EVALUATED.match(evaluation["reference_to"])) and (evaluation["status"] == DONE or planned)


def _expected() -> set[str]:
    principles = {f"2.1.{q}" for q in range(211, 216)} | {f"2.2.{q}" for q in range(221, 228)}
    return {"1.1", "1.2", "3.2", "3.3", "3.4"} | principles


def _lacking(pia: Mapping[str, Any]) -> Iterator[str]:
    if not pia.get("dpos_names"):
        yield "the officer's name"
    if pia.get("dpo_status") not in (0, 1) or not pia.get("dpo_opinion"):
        yield "the officer's opinion"
    asked = pia.get("concerned_people_searched_opinion")
    views = ("people_names", "concerned_people_opinion") if asked else ("concerned_people_searched_content",)
    if asked is None or not all(pia.get(v) for v in views):
        yield "the views of the persons concerned, or why they were not asked"


def _said(file: Mapping[str, Any], answers: Mapping[int, tuple[Any, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    pia = file["pia"]
    if pia.get("dpo_opinion"):
        yield "dpo_advice", {"by": _bare(pia.get("dpos_names")), "answer": _bare(pia["dpo_opinion"])}
    views = pia.get("concerned_people_opinion") or pia.get("concerned_people_searched_content")
    if views:
        yield "subjects_views", {"by": _bare(pia.get("people_names")), "answer": _bare(views)}
    for tens, name in INCIDENTS.items():
        told = {part: answers[tens * 10 + last] for last, part in _RATED.items() if tens * 10 + last in answers}
        listed = {p: answers.get(tens * 10 + last, ("", None, ()))[2] for last, p in (*_PARTS.items(), (4, "measures"))}
        said = {part: "; ".join(map(_bare, items)) for part, items in listed.items() if items}
        if told:
            why = "; ".join(_bare(t[0]) for t in told.values())
            said |= {**{p: t[1] for p, t in told.items()}, "justification": why}
        if said:
            yield name, said
    plans = [_plan(e) for e in file["evaluations"] if e.get("action_plan_comment")]
    if plans:
        yield "action_plan", {"answer": "; ".join(plans)}


def _plan(evaluation: Mapping[str, Any]) -> str:
    """The action with who does it until when, as far as the tool was told."""
    about = (evaluation.get(part) for part in ("person_in_charge", "estimated_implementation_date"))
    more = ", ".join(_bare(a) for a in about if a)
    return f"{_bare(evaluation['action_plan_comment'])}{f' ({more})' if more else ''}"


def _bare(value: Any) -> str:
    """Text of the tool without its tags, as one line."""
    from html import unescape

    return plain(unescape(re.sub(r"<[^>]*>", " ", str(value or ""))))


def _title(evidence: Evidence) -> str:
    fact = evidence.fact("intended_use.about")
    return str(fact.value.get("title")) if fact and isinstance(fact.value, dict) else "Not declared"


def _safe(value: Any) -> str:
    """One line in which nothing is markup."""
    return escape(plain("" if value is None else value), quote=True)
