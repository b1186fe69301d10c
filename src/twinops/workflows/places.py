"""Where everything of a project lies. The only module that spells a path of the pipeline."""

from dataclasses import dataclass
from pathlib import Path

from twinops.entities.findings import Findings
from twinops.entities.wording import Wording
from twinops.errors import DataError
from twinops.whole_files import write

MOST_BYTES = 2**20
"""No findings file is longer; what lies behind is not read."""


@dataclass(frozen=True)
class Places:
    """Paths below one project folder: `data/` and `models/` belong to DVC, measures and `model_cards/` to git."""

    root: Path

    def raw(self, source: str, batch: str) -> Path:
        """One sealed batch of one source."""
        return self.root / "data" / "raw" / source / f"{batch}.parquet"

    def raw_batches(self, source: str) -> list[Path]:
        """Every sealed batch of a source, in order."""
        return sorted((self.root / "data" / "raw" / source).glob("*.parquet"))

    def quarantine(self, source: str, batch: str) -> Path:
        """Rows of a batch that break its schema, sealed under the batch key."""
        return self.root / "data" / "quarantine" / source / f"{batch}.parquet"

    def replaying(self, source: str, batch: str) -> Path:
        """Where the files of a replay wait until all of them can be put into place."""
        return self.root / "data" / ".replay" / f"{source}-{batch}"

    def counts(self, source: str, batch: str) -> Path:
        """How many rows of a batch came, were taken, were quarantined and why."""
        return self.root / "data" / "counts" / source / f"{batch}.json"

    @property
    def all_counts(self) -> list[Path]:
        """Every counts file, in order."""
        return sorted((self.root / "data" / "counts").glob("*/*.json"))

    @property
    def params(self) -> Path:
        """What data scientists may turn."""
        return self.root / "params.yaml"

    @property
    def births(self) -> Path:
        """Sealed birthdays of subjects, where a source or the linkage knows them; need not be there."""
        return self.root / "data" / "births" / "births.parquet"

    def truth(self, name: str) -> Path:
        """Sealed: what a generator knows of what it made. Evaluation alone reads it."""
        return self.root / "data" / "truth" / f"{name}.parquet"

    @property
    def blendable(self) -> Path:
        """Sealed: which records the law allows to be linked (`sid, allowed`); decided before linking."""
        return self.root / "data" / "lawful" / "blendable.parquet"

    @property
    def links(self) -> Path:
        """Sealed: which record of another source belongs to which household, and how sure that is."""
        return self.root / "data" / "twin" / "links.parquet"

    @property
    def review(self) -> Path:
        """Sealed: pairs of records that a person must look at before they are linked."""
        return self.root / "data" / "twin" / "review.parquet"

    @property
    def persons(self) -> Path:
        """Sealed by record: whose it is, by the person's id, and whether what is compared of it changed."""
        return self.root / "data" / "twin" / "persons.parquet"

    @property
    def blend(self) -> Path:
        """Sealed: one row per consumer and as-of day, with what every source tells of it by then."""
        return self.root / "data" / "twin" / "blend.parquet"

    @property
    def linkage_model(self) -> Path:
        """Weights of agreement as JSON text; no person is in it."""
        return self.root / "models" / "linkage.json"

    @property
    def panel(self) -> Path:
        """Sealed features: one row per subject and as-of day."""
        return self.root / "data" / "features" / "panel.parquet"

    @property
    def labels(self) -> Path:
        """Sealed labels: what the subject did in the horizon from the as-of day on."""
        return self.root / "data" / "features" / "labels.parquet"

    def apart(self, path: Path) -> Path:
        """The part of a sealed table about the final hold-out; only the stage `holdout` reads outcomes there."""
        return self.root / "data" / "holdout" / path.name

    def both(self, path: Path) -> tuple[Path, Path]:
        """A sealed table and its part that is about the final hold-out: everybody's rows, to serve them."""
        return path, self.apart(path)

    def taste(self, name: str) -> Path:
        """Sealed: `categories`, `category_labels`, `coupons` or `coupon_consent`, which the taste heads learn from."""
        return self.root / "data" / "tastes" / f"{name}.parquet"

    @property
    def products(self) -> Path:
        """What articles are of: category and type, in the open, for nobody is in it."""
        return self.root / "data" / "products" / "all.parquet"

    @property
    def taste_categories(self) -> Path:
        """Names of the chosen product categories; nobody is in it."""
        return self.root / "data" / "tastes" / "categories.json"

    @property
    def tastes_model(self) -> Path:
        """Heads for categories, coupons and social interaction as JSON text; no subject is in it."""
        return self.root / "models" / "tastes.json"

    @property
    def predictions(self) -> Path:
        """Sealed held-out predictions."""
        return self.root / "data" / "predictions" / "holdout.parquet"

    @property
    def held_out_trees(self) -> Path:
        """The challenger's trees for the last held-out day; no subject is in them."""
        return self.root / "data" / "trained" / "held_out_trees.json"

    @property
    def trained_subjects(self) -> Path:
        """Sealed list of the subjects the shipped model was trained on."""
        return self.root / "data" / "trained" / "subjects.parquet"

    @property
    def model(self) -> Path:
        """Heads and priors as JSON text; no subject is in it."""
        return self.root / "models" / "twin.json"

    @property
    def penalties(self) -> Path:
        """What its regressions were held back by."""
        return self.root / "models" / "penalties.json"

    @property
    def recipe(self) -> Path:
        """How the model that ships was made, so that it is measured as it is made; no subject is in it."""
        return self.root / "models" / "recipe.json"

    @property
    def support(self) -> Path:
        """Where the data can answer a what-if, as aggregates; beside the model."""
        return self.root / "models" / "support.json"

    def measures(self, name: str) -> Path:
        """Findings of one stage."""
        return self.root / "reports" / "measures" / f"{name}.json"

    def keep(self, stage: str, findings: Findings, words: Wording) -> None:
        """Write the findings of one stage, in the declared words."""
        write(self.measures(stage), words.told(findings).to_json())

    def kept(self, stage: str) -> Findings:
        """The findings of one stage.

        Raises:
            DataError: it did not run yet, or its file holds something else.
        """
        path = self.measures(stage)
        try:
            with path.open("rb") as file:
                return Findings.from_json(file.read(MOST_BYTES).decode())
        except FileNotFoundError:
            raise DataError(f"There are no findings of {stage}.", hint="Run `dvc repro`.") from None
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise DataError(f"{path.name} holds no findings: {problem}", hint=f"Run `dvc repro {stage}`.") from None

    @property
    def all_measures(self) -> list[Path]:
        """Every findings file, in order."""
        return sorted((self.root / "reports" / "measures").glob("*.json"))

    def figure(self, name: str) -> Path:
        """One picture."""
        return self.root / "reports" / "figures" / f"{name}.png"

    def notebook(self, name: str) -> Path:
        """The source of a notebook, in percent format."""
        return self.root / "notebooks" / f"{name}.py"

    def executed(self, name: str) -> Path:
        """The executed notebook."""
        return self.root / "reports" / "notebooks" / f"{name}.ipynb"

    @property
    def evidence(self) -> Path:
        """The one file that is judged."""
        return self.root / "reports" / "evidence.json"

    @property
    def compliance(self) -> Path:
        """What humans declare and sign."""
        return self.root / "compliance"

    @property
    def epoch(self) -> Path:
        """The erasure epoch the project was last built for."""
        return self.root / "epoch.json"

    def certificate(self, name: str) -> Path:
        """The certificate of an erasure: JSON, beside it a page to read and a signature; nobody is named in it."""
        return self.root / "erasures" / f"{name}.json"

    @property
    def retained(self) -> Path:
        """Since which day the rows of each source are kept, as far as a retention run cut any."""
        return self.root / "retained.json"

    @property
    def keystore(self) -> Path:
        """Keys of your own data, where TWINOPS_KEYSTORE names no other folder; git and DVC never see it."""
        return self.root / "keystore"

    @property
    def pipeline(self) -> Path:
        """The stages, as DVC reads them."""
        return self.root / "dvc.yaml"

    @property
    def sources_lock(self) -> Path:
        """What your own sources held when they were last fingerprinted."""
        return self.root / "sources.lock.json"

    def live(self, name: str) -> Path:
        """What updates keep of the living twins, sealed, and of what they did: neither git nor DVC sees it."""
        return self.root / "live" / name

    @property
    def arrivals(self) -> Path:
        """Digests of every part of every source, as last taken in."""
        return self.live("arrivals.json")

    @property
    def states(self) -> Path:
        """Sealed: the sums of every subject's state."""
        return self.live("states.parquet")

    def expected(self, day: int) -> Path:
        """Sealed: what was expected of every subject from this day on, before anything of it was known."""
        return self.live("expected") / f"{day:06}.parquet"

    @property
    def expectations(self) -> list[Path]:
        """Every such file, in order of the day."""
        return sorted(self.live("expected").glob("*.parquet"))

    @property
    def updates(self) -> Path:
        """The ledger of updates: what came, what was measured and what was asked of an officer; aggregates alone."""
        return self.root / "reports" / "updates.json"

    def monitoring(self, name: str) -> Path:
        """A picture of the monitoring report."""
        return self.root / "reports" / "monitoring" / name

    def monitoring_report(self, kind: str) -> Path:
        """The monitoring report: `html` for people, `json` for machines."""
        return self.root / "reports" / f"monitoring.{kind}"

    @property
    def releases(self) -> Path:
        """The ledger of tables that left, and the privacy loss each spent; no person is in it."""
        return self.root / "reports" / "releases.json"

    @property
    def looks(self) -> Path:
        """The ledger of looks at held-out figures; no consumer is in it."""
        return self.root / "reports" / "looks.jsonl"

    def released(self, kind: str) -> Path:
        """The folder of a table that may leave."""
        return self.root / "data" / "releases" / kind

    def card(self, model: str, name: str) -> Path:
        """One document of the candidate."""
        return self.root / "model_cards" / model / name

    def remembered(self, stage: str) -> Path:
        """Figures that a stage made, for its next run; it may be deleted."""
        return self.scratch / "remembered" / f"{stage}.json"

    @property
    def scratch(self) -> Path:
        """Half-run notebooks, stamps and other things that may be deleted."""
        return self.root / ".twinops"
