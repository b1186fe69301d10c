"""Measure the scorer of texts: on posts labelled by hand, and on what the generator truly meant, where there is one."""

from dataclasses import dataclass

import pyarrow as pa

from twinops.data.blend import TEXTS
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.texts import measures as measured
from twinops.evaluation.texts.labelled_posts import labelled
from twinops.evaluation.texts.picture import sentiment_picture
from twinops.own_params import OwnParams
from twinops.params import SignalsParams
from twinops.ports import KeyStore
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places

TRUTH = ("event_id", "account", "language", "sentiment", "special")


@dataclass(frozen=True)
class Felt:
    """What was found, and how many texts of made-up people it rests on beside those labelled by hand."""

    texts: int
    findings: Findings


def sentiment(places: Places, *, keys: KeyStore, texts: SignalsParams, words: DeclaredWords = UNDECLARED) -> Felt:
    """Write `reports/measures/sentiment.json` and a picture."""
    draws = measured.Draws(texts.draws, texts.seed)
    by_hand = measured.by_hand(labelled(), params=draws)
    tables = SealedTables(places.raw_batches, keys)
    events, truth = _events(tables), _truth(places, tables)
    findings = by_hand.findings
    if _scored(events, truth):
        findings += measured.by_truth(events, truth, error=by_hand.error, params=draws)
    findings += Findings((), (unread(words.own),))
    places.keep("sentiment", findings, words.wording)
    save(sentiment_picture(findings), places.figure("sentiment"), words.wording)
    return Felt(events.num_rows, findings)


def unread(own: OwnParams) -> Fact:
    """Sources whose texts are declared to be of a language that the scorer does not read: no mood is told of them."""
    why = f"not applicable: declared as {{}}, and the scorer reads {measured.SCORED} only"
    found = {
        source: why.format(", ".join(sorted(languages)))
        for source in TEXTS
        if (languages := {own.root[n].language or measured.SCORED for n in own.all_staged_as(source)})
        and measured.SCORED not in languages
    }
    return Fact("sentiment_not_applicable", found, Kind.DECLARED, "params.yaml, own")


def _scored(events: pa.Table, truth: pa.Table) -> bool:
    known = set(truth["event_id"].to_pylist())
    pairs = zip(events["event_id"].to_pylist(), events["label"].to_pylist(), strict=True)
    return any(label is not None and event in known for event, label in pairs)


def _events(tables: SealedTables) -> pa.Table:
    """Every text's `event_id` and label."""
    parts = [pa.table({"event_id": pa.array([], pa.string()), "label": pa.array([], pa.string())})]
    for name in TEXTS:
        if tables.collected(name):
            rows = tables.source(name)
            parts.append(pa.table({c: rows[c].cast(pa.string()) for c in ("event_id", "label")}))
    return pa.concat_tables(parts)


def _truth(places: Places, tables: SealedTables) -> pa.Table:
    """What was meant by every text that entered, by account."""
    kinds = {c: pa.bool_() if c == "special" else pa.string() for c in TRUTH}
    parts = [pa.schema(list(kinds.items())).empty_table()]
    for name in TEXTS:
        if places.truth(name).is_file():
            rows = tables.table(places.truth(name), dataset=f"truth_{name}")
            parts.append(pa.table({c: rows["sid" if c == "account" else c].cast(kinds[c]) for c in TRUTH}))
    return pa.concat_tables(parts)
