"""Read the one decision that is judged, and which groups it is assessed for, from `compliance/intended_use.yaml`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from twinops.errors import ParamsError

Text = Annotated[str, Field(min_length=1, max_length=4000)]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class AssessedAttribute(_Declared):
    """How the small levels of one attribute are merged: with their neighbours in this order, or into each other."""

    ordered: Annotated[tuple[Text, ...], Field(min_length=2)] | None

    @field_validator("ordered")
    @classmethod
    def _each_once(cls, levels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = sorted({x for x in levels or () if (levels or ()).count(x) > 1})
        if twice:
            raise ValueError(f"level given twice: {', '.join(twice)}")
        return levels


class Assessed(_Declared):
    """Whom the decision is assessed for, and by which rule."""

    attributes: Annotated[dict[Text, AssessedAttribute], Field(min_length=1)]
    min_group: Annotated[int, Field(ge=10)]
    min_expected_selections: Annotated[int, Field(ge=1)]
    ratio_limit: Annotated[float, Field(gt=0, lt=1)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]


class DeclaredDecision(BaseModel):
    """The top `share` of the population by `score` are selected; what else the file says about it is for the cards."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    name: Text
    score: Literal["expected_spend"]
    share: Annotated[float, Field(gt=0, lt=1)]
    population: Text
    effect: Text


class Declaration(BaseModel):
    """The part of `intended_use.yaml` that fairness needs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    decision: DeclaredDecision
    fairness: Assessed


def read_decision(path: Path) -> Declaration:
    """What the controller's data owner declared; every mistake at once.

    Raises:
        ParamsError: the file is missing, is not YAML, or does not say what is judged and for whom.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Declaration.model_validate(_tuples(raw))
    except FileNotFoundError:
        hint = "Fairness judges the decision that is declared in it."
        raise ParamsError(f"There is no {path.name}.", hint=hint) from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ParamsError(f"{path.name} is not readable YAML: {problem}", hint="Mend the file.") from None
    except ValidationError as problem:
        wrong = problem.errors()
        lines = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']} (got {e['input']!r:.60})" for e in wrong]
        what = f"{path.name} has {len(lines)} mistake(s) about the judged decision:\n  " + "\n  ".join(lines)
        raise ParamsError(what, hint="Mend them all, then run again.") from None


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, so that strict validation takes them into frozen records."""
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
