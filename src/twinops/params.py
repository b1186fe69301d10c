"""`params.yaml`, read once into frozen records: one class per section, every mistake reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, RootModel, ValidationError, model_validator

from twinops import plugins
from twinops.entities.day_count import DayCount
from twinops.entities.demographics import CODES, SHOPPING
from twinops.entities.wording import WORD
from twinops.errors import ParamsError
from twinops.ideas import NO_IDEAS, IdeasParams
from twinops.own_params import NOTHING_OWN, OwnParams, shown
from twinops.own_sections import Section
from twinops.own_words import long_keys

Share = Annotated[float, Field(gt=0, lt=1)]
Day = Annotated[int, Field(ge=1, le=36_500)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Date = Annotated[date, BeforeValidator(lambda said: date.fromisoformat(said) if isinstance(said, str) else said)]
"""A day in quotes: DVC, which reads the same file, refuses YAML's own days."""
NEVER_OFF = ("transactions", "consent")
"""Without receipt lines and consent there is no twin."""


_SPARK_MASTER = r"local\[(\*|[0-9]{1,3})\]|spark://\S{1,200}|yarn|k8s://\S{1,200}"


class ComputeParams(Section):
    """How, never what: results are the same bytes whatever stands here."""

    threads: Annotated[int, Field(ge=1, le=256)] = 2
    memory: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(MB|GB)$")] = "2GB"
    """What table work may hold here before it goes on on disk."""
    engine: Literal["duckdb", "spark"] = "duckdb"
    master: Annotated[str, Field(pattern=rf"^({_SPARK_MASTER})$")] = "local[2]"
    """Where the Spark cluster is."""


class VaultParams(Section):
    """Which keys seal what the pipeline holds about subjects."""

    keys: Literal["demo", "store"] = "demo"


class SourcesParams(Section):
    """Where the first-party tables come from."""

    folder: str | None = None
    sample: Annotated[int, Field(ge=1)] | None = None
    max_rows: Annotated[int, Field(ge=1)] = 100_000_000


class ConsentParams(Section):
    """The synthetic consent ledger around the real households."""

    seed: Seed
    excluded_share: Share


class AgesParams(Section):
    """From which age a subject may be in a twin, and what becomes of those whose birthday is not known."""

    adult_years: Annotated[int, Field(ge=13, le=25)] = 18
    unknown: Literal["admitted", "refused"] = "admitted"


class RightsParams(Section):
    """How many days the ledger of rights may go without being brought up to date before nobody is served by it."""

    max_age_days: Annotated[int, Field(ge=0, le=366)] | None = None


class IdentitiesParams(Section):
    """The synthetic people around the households: their registrations, CRM profiles and social accounts."""

    seed: Seed = 20170601


class LinkParams(Section):
    """When two records are joined into one person, and when a person has to look."""

    merge_at: Annotated[float, Field(ge=0.9, lt=1)] = 0.99
    review_from: Annotated[float, Field(ge=0, lt=1)] = 0.5
    most_records: Annotated[int, Field(ge=2, le=100)] = 8
    most_share_a_key: Annotated[int, Field(ge=2, le=10_000)] = 100
    relearn_from: Annotated[float, Field(ge=0, le=1)] = 0.2
    u_pairs: Annotated[int, Field(ge=10_000, le=1_000_000_000)] = 1_000_000
    em_pairs: Annotated[int, Field(ge=10_000, le=1_000_000_000)] = 500_000
    draws: Annotated[int, Field(ge=50, le=100_000)] = 400
    seed: Seed = 17

    @model_validator(mode="after")
    def _review_below_merge(self) -> Self:
        if self.review_from >= self.merge_at:
            raise ValueError("review_from must be below merge_at")
        return self


class SyntheticParams(Section):
    """The synthetic posts, comments, cases and panel around the households and their made-up identities."""

    seed: Seed = 20170701
    panelists: Annotated[int, Field(ge=100, le=100_000)] = 2_000


class SwitchesParams(RootModel[dict[str, bool]]):
    """Which sources are taken beside receipt lines and consent, by name, on unless said; one that is off is empty."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="after")
    def _sources_that_may_be_off(self) -> Self:
        known = self.known()
        wrong = sorted({*self.root} - {*known})
        if wrong:
            raise ValueError(f"no switch {', '.join(wrong)}; there are {', '.join(known)}")
        return self

    @staticmethod
    def known() -> tuple[str, ...]:
        """Sources that may be off."""
        return tuple(n for n in plugins.names("twinops.data.sources") if n not in NEVER_OFF)

    def off(self, source: str) -> bool:
        """It is switched off."""
        return not self.root.get(source, True)


ALL_ON = SwitchesParams({})


class SignalsParams(Section):
    """How far back texts count, the bootstrap over posts, and the seed."""

    window_days: Day = 365
    draws: Annotated[int, Field(ge=50, le=100_000)] = 1_000
    seed: Seed = 19


class FusionParams(Section):
    """What is matched on, how often, among how many donors; the smallest cell shown; how fidelity is measured."""

    shared: tuple[str, ...] = Field(min_length=1, default=(*CODES, *SHOPPING))
    draws: Annotated[int, Field(ge=5, le=200)] = 20
    donors: Annotated[int, Field(ge=1, le=100)] = 10
    smallest_cell: Annotated[int, Field(ge=10)] = 10
    halvings: Annotated[int, Field(ge=10, le=1_000)] = 40
    seed: Seed = 23


class FeaturesParams(Section):
    """The grid of as-of days. Days count from `first_day`, in the time zone of the shops."""

    first_day: Date
    first_cutoff: Day
    last_cutoff: Day
    step_days: Day
    horizon_days: Day
    decay_days: tuple[Day, Day, Day]

    @property
    def days(self) -> DayCount:
        """How the project counts its days."""
        return DayCount(self.first_day)

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """All as-of days, in order."""
        return tuple(range(self.first_cutoff, self.last_cutoff + 1, self.step_days))

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.first_cutoff > self.last_cutoff:
            raise ValueError("first_cutoff must not come after last_cutoff")
        if not self.decay_days[0] < self.decay_days[1] < self.decay_days[2]:
            raise ValueError("decay_days must rise: quick, steady, slow")
        return self


class HoldoutParams(Section):
    """The share of households that stand apart until a release, and the salt of the draw.

    Another share or salt is another split: it needs an event in the ledger of looks (`twinops holdout split`).
    """

    share: Annotated[float, Field(ge=0.1, le=0.5)] = 0.2
    salt: Annotated[int, Field(ge=1, le=1_000_000)] = 1


APART = HoldoutParams()


class TrainParams(Section):
    """Strength of the heads' L2 penalties."""

    activity_c: Annotated[float, Field(gt=0)]
    spend_alpha: Annotated[float, Field(ge=0)]


class ChallengerParams(Section):
    """Boosted trees beside the heads: kept small, on half of the rows each, so that they cannot remember anyone."""

    leaves: Annotated[int, Field(ge=2, le=64)] = 7
    least_rows: Annotated[int, Field(ge=1)] = 80
    share: Share = 0.5
    l2: Annotated[float, Field(ge=0)] = 10.0
    rate: Share = 0.04
    activity_trees: Annotated[int, Field(ge=1, le=2_000)] = 150
    rate_trees: Annotated[int, Field(ge=1, le=2_000)] = 400
    seed: Seed = 31


class ChooseParams(Section):
    """The as-of days the model is chosen on, before any held-out one; several, a horizon apart: months differ."""

    cutoffs: tuple[Day, ...] = Field(min_length=1, default=(141, 169, 197, 225))
    draws: Annotated[int, Field(ge=50, le=100_000)] = 400
    seed: Seed = 29


class EvaluateParams(Section):
    """The held-out as-of days and the bootstrap over households."""

    cutoffs: tuple[Day, ...] = Field(min_length=1)
    draws: Annotated[int, Field(ge=50, le=100_000)]
    seed: Seed


class FairnessParams(Section):
    """The day the judged decision is replayed for, and the draws of households."""

    cutoff: Day
    draws: Annotated[int, Field(ge=100, le=1_000_000)]
    seed: Seed


class DriftParams(Section):
    """The two as-of days compared; how many days after each as-of day are watched early, and from which one on."""

    reference_cutoff: Day
    current_cutoff: Day
    draws: Annotated[int, Field(ge=20, le=100_000)]
    seed: Seed
    early_days: Annotated[int, Field(ge=1, le=364)] = 7
    early_from: Day = 113
    early_draws: Annotated[int, Field(ge=50, le=100_000)] = 400


class ProxiesParams(Section):
    """The day and the draws of the proxy test; a member of a category bought of it on at least `least_days` days."""

    cutoff: Day = 337
    least_days: Annotated[int, Field(ge=1)] = 3
    draws: Annotated[int, Field(ge=50, le=100_000)] = 200
    shuffles: Annotated[int, Field(ge=5, le=1_000)] = 20
    seed: Seed = 17


class TastesParams(Section):
    """Which product categories are told apart, memories of a taste in days, and the heads' factors and penalty.

    Categories are chosen, and all of this was, before the first held-out as-of day.
    """

    categories: Annotated[int, Field(ge=2, le=200)] = 40
    not_goods: tuple[str, ...] = ("COUPON/MISC ITEMS",)
    decay_days: tuple[Day, Day, Day, Day] = (10, 30, 90, 200)
    factors: Annotated[int, Field(ge=1, le=50)] = 8
    penalty_c: Annotated[float, Field(gt=0)] = 0.01
    new_after_days: Day = 84
    draws: Annotated[int, Field(ge=50, le=100_000)] = 400
    seed: Seed = 29

    @model_validator(mode="after")
    def _memories_rise(self) -> Self:
        if list(self.decay_days) != sorted(set(self.decay_days)):
            raise ValueError("decay_days must rise: quick, steady, slow, lasting")
        return self


class CouponsParams(Section):
    """From which day on campaigns are held out, who counts as captured, and the head's penalty."""

    held_out_from: Annotated[int, Field(ge=0, le=36_500)] = 246
    penalty_c: Annotated[float, Field(gt=0)] = 0.1
    top_share: Share = 0.2
    draws: Annotated[int, Field(ge=50, le=100_000)] = 400
    seed: Seed = 31


class ScorecardParams(Section):
    """The first as-of day of the rolling origin; ages of state and heads in days; the bootstrap over households."""

    first_origin: Day = 127
    state_ages: tuple[Day, ...] = (14, 28, 56, 84)
    head_ages: tuple[Day, ...] = (28, 56, 84, 112)
    draws: Annotated[int, Field(ge=50, le=100_000)] = 200
    seed: Seed = 29


class MinimisationParams(Section):
    """What a personal attribute or source must save to be called necessary, and how that is tested.

    `margin_spend` of spend error per horizon, `margin_auc` of telling who comes back; `histories`: days that are known
    of a new consumer; `learn_until`: the last as-of day whose rows are learned from, always before the held-out ones.
    """

    margin_spend: Annotated[float, Field(gt=0)] = 1.0
    margin_auc: Annotated[float, Field(gt=0)] = 0.002
    histories: tuple[Annotated[int, Field(ge=0, le=365)], ...] = Field(min_length=1, default=(0, 7, 14, 28, 56))
    learn_until: Day = 225
    alpha: Annotated[float, Field(ge=0)] = 0.001
    activity_c: Annotated[float, Field(gt=0)] = 1.0
    shuffles: Annotated[int, Field(ge=2, le=1_000)] = 5
    draws: Annotated[int, Field(ge=50, le=100_000)] = 400
    seed: Seed = 37


class PrivacyParams(Section):
    """The attacks: the day of the tables, how many models, draws of their intervals, attacks on each table."""

    cutoff: Day = 337
    models: Annotated[int, Field(ge=4, le=64, multiple_of=2)] = 8
    draws: Annotated[int, Field(ge=50, le=100_000)] = 200
    tries: Annotated[int, Field(ge=50, le=100_000)] = 1000
    seed: Seed = 29


class ReleaseParams(Section):
    """What a generalised table must hold: classes of `k` households, `l` sensitive bands in each, within `t`."""

    k: Annotated[int, Field(ge=5, le=1_000)] = 20
    l: Annotated[int, Field(ge=2, le=20)] = 3  # noqa: E741 - the name the literature gives it
    t: Annotated[float, Field(gt=0, le=0.5)] = 0.3
    control_share: Annotated[float, Field(ge=0.1, le=0.5)] = 0.5
    seed: Seed = 31


class DocumentsParams(Section):
    """The registered model's name."""

    model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]


class UpdatesParams(Section):
    """By which share a month that is held may become shorter, and how many times as large or small its middle quantity
    and amount and its rows a day may be, before a person must say that it is right.
    """

    gone_share: Share = 0.2
    unlike_factor: Annotated[float, Field(ge=2, le=1_000_000)] = 20


class SubjectParams(Section):
    """The word for one of those whom the data are about, and for several; texts, axes and documents say it."""

    one: Annotated[str, Field(pattern=WORD)] = "consumer"
    many: Annotated[str, Field(pattern=WORD)] = "consumers"


ANY_CONSUMER = SubjectParams()


class Params(Section):
    """The whole of `params.yaml`."""

    as_of: Date
    months: tuple[Month, ...] | tuple[Literal["all"]] = Field(min_length=1)
    subject: SubjectParams = ANY_CONSUMER
    compute: ComputeParams
    vault: VaultParams
    sources: SourcesParams
    own: OwnParams = NOTHING_OWN
    ideas: IdeasParams = NO_IDEAS
    consent: ConsentParams
    ages: AgesParams = AgesParams()
    updates: UpdatesParams = UpdatesParams()
    rights: RightsParams = RightsParams()
    identities: IdentitiesParams = IdentitiesParams()
    synthetic: SyntheticParams = SyntheticParams()
    switches: SwitchesParams = ALL_ON
    link: LinkParams = LinkParams()
    signals: SignalsParams = SignalsParams()
    fusion: FusionParams = FusionParams()
    features: FeaturesParams
    holdout: HoldoutParams = HoldoutParams()
    train: TrainParams
    challenger: ChallengerParams = ChallengerParams()
    choose: ChooseParams = ChooseParams()
    evaluate: EvaluateParams
    fairness: FairnessParams
    drift: DriftParams
    proxies: ProxiesParams = ProxiesParams()
    scorecard: ScorecardParams = ScorecardParams()
    minimisation: MinimisationParams = MinimisationParams()
    tastes: TastesParams = TastesParams()
    coupons: CouponsParams = CouponsParams()
    privacy: PrivacyParams = PrivacyParams()
    release: ReleaseParams = ReleaseParams()
    documents: DocumentsParams

    @model_validator(mode="after")
    def _months_in_order(self) -> Self:
        if list(self.months) != sorted(set(self.months)):
            raise ValueError("months must be in order, each once")
        return self

    @model_validator(mode="after")
    def _months_are_files(self) -> Self:
        sales = self.own.root.get(self.own.of_kind("transactions") or "")
        if self.months == ("all",) and (sales is None or sales.reads == "folder"):
            raise ValueError("months: `all` is for transactions of your own in one file or query; else name the months")
        return self

    @model_validator(mode="after")
    def _own_data_come_whole(self) -> Self:
        if self.own.root and self.sources.sample is not None:
            raise ValueError("sources.sample is for the shipped data; sources of your own are taken whole")
        return self

    @model_validator(mode="after")
    def _cutoffs_exist(self) -> Self:
        grid = set(self.features.cutoffs)
        asked = {
            "evaluate.cutoffs": self.evaluate.cutoffs,
            "fairness.cutoff": (self.fairness.cutoff,),
            "drift.reference_cutoff": (self.drift.reference_cutoff,),
            "drift.current_cutoff": (self.drift.current_cutoff,),
            "proxies.cutoff": (self.proxies.cutoff,) if "proxies" in self.model_fields_set else (),
            "choose.cutoffs": self.choose.cutoffs if "choose" in self.model_fields_set else (),
            "privacy.cutoff": (self.privacy.cutoff,) if "privacy" in self.model_fields_set else (),
        }
        wrong = [f"{name} {c}" for name, cutoffs in asked.items() for c in cutoffs if c not in grid]
        if self.fairness.cutoff not in self.evaluate.cutoffs:
            wrong.append(f"fairness.cutoff {self.fairness.cutoff} (must be one of evaluate.cutoffs)")
        if wrong:
            raise ValueError(f"not an as-of day of the features grid {sorted(grid)}: {', '.join(wrong)}")
        return self

    @model_validator(mode="after")
    def _early_is_within_the_horizon(self) -> Self:
        if self.drift.early_days > self.features.horizon_days:
            raise ValueError(
                f"drift.early_days {self.drift.early_days} is longer than features.horizon_days "
                f"{self.features.horizon_days}: nothing would be known early"
            )
        return self

    @model_validator(mode="after")
    def _chosen_before_held_out(self) -> Self:
        closes = max(self.choose.cutoffs) + self.features.horizon_days
        if "choose" in self.model_fields_set and closes > min(self.evaluate.cutoffs):
            raise ValueError(
                f"the horizon of choose.cutoffs closes on day {closes}, after the first held-out day "
                f"{min(self.evaluate.cutoffs)}: the model would be chosen on what it is measured on"
            )
        return self


_IN_C: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SectionKind = TypeVar("SectionKind", bound=Section)


def changed(section: SectionKind, **said: Any) -> SectionKind:
    """A section with what a notebook says instead; None is what `params.yaml` says.

    Raises:
        ParamsError: the section has no such parameter, or it cannot have this value; all mistakes together.
    """
    told = {name: tuple(v) if isinstance(v, list) else v for name, v in said.items() if v is not None}
    try:
        return type(section).model_validate({**section.model_dump(), **told})
    except ValidationError as error:
        found = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}{shown(e)}" for e in error.errors()]
        hint = f"It has {', '.join(type(section).model_fields)}."
        raise ParamsError(
            f"{type(section).__name__.removesuffix('Params').lower()}: {'; '.join(found)}", hint=hint
        ) from None


def section_names() -> dict[type, str]:
    """Which class reads which section; `dvc.yaml` is tested against it."""
    return {f.annotation: name for name, f in Params.model_fields.items() if isinstance(f.annotation, type)}


def read(path: Path) -> Params:
    """Read and check `params.yaml`.

    Raises:
        ParamsError: the file is missing, is not YAML, or says something we cannot act on; all mistakes together.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw, twice = yaml.load(text, Loader=_IN_C), sorted(_said_twice(yaml.compose(text, _IN_C)))  # noqa: S506
    except FileNotFoundError:
        raise ParamsError(
            f"There is no {path.name} in {path.parent}.", hint="Run in the project's folder, or pass --project."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ParamsError(f"{path.name} is not readable YAML: {problem}", hint="Mend the file.") from None
    if twice:
        raise ParamsError(
            f"{path.name} says {len(twice)} thing(s) twice, and the last would win:\n  " + "\n  ".join(twice),
            hint="Keep one of each, then run again.",
        )
    try:
        return parse(raw, name=path.name)
    except RecursionError:
        raise ParamsError(f"{path.name} holds itself, or is nested too deeply.", hint="Write it out plainly.") from None


def _said_twice(root: yaml.Node | None) -> Iterator[str]:
    """Every key that stands twice in one mapping, with its lines; what an anchor holds is looked at once."""
    left: list[tuple[yaml.Node | None, tuple[str, ...]]] = [(root, ())]
    seen: set[int] = set()
    while left:
        node, at = left.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            left += [(item, at) for item in node.value]
            continue
        lines: dict[str, list[int]] = {}
        for key, value in node.value:
            lines.setdefault(str(key.value), []).append(key.start_mark.line + 1)
            left.append((value, (*at, str(key.value))))
        for name, places in lines.items():
            if len(places) > 1:
                yield f"{'.'.join((*at, name))} (lines {', '.join(map(str, places))})"


def parse(raw: Any, *, name: str = "params.yaml") -> Params:
    """Check a parsed `params.yaml`; see `read`."""
    if long := long_keys(raw.get("own") if isinstance(raw, dict) else None):
        raise ParamsError(
            f"{name}: in {', '.join(long)} a word of more than 50 signs is a key; DVC cannot read it again.",
            hint="Write it as a pair in a list: - [THE WORD, what it means].",
        )
    try:
        return Params.model_validate(_tuples(raw))
    except ValidationError as problem:
        lines = [f"{'.'.join(str(p) for p in e['loc']) or 'file'}: {e['msg']}{shown(e)}" for e in problem.errors()]
        raise ParamsError(
            f"{name} has {len(lines)} mistake(s):\n  " + "\n  ".join(lines), hint="Mend them all, then run again."
        ) from None


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, so that strict validation takes them into frozen records."""
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    return value
