"""What a shop would do without a linkage model: the same e-mail, or a weighted similarity of all fields."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from twinops.evaluation.linkage.measures import Counted


def joined(left: np.ndarray, right: np.ndarray, records: int) -> np.ndarray:
    """Groups of records that pairs hold together, directly or through others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ties = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(records, records))
    return np.asarray(connected_components(ties, directed=False)[1])


def exact_email(records: pa.Table, candidates: pa.Table, person: np.ndarray) -> Counted:
    """The matcher that most shops have: the same e-mail is the same person."""
    left, right = candidates["left_id"].to_numpy(), candidates["right_id"].to_numpy()
    email = records["email"].to_numpy(zero_copy_only=False).astype(object)
    same = np.array([a is not None and a == b for a, b in zip(email[left], email[right], strict=True)], dtype=bool)
    return Counted.of_pairs(left[same], right[same], person)


WEIGHTS = {"given": 2, "surname": 3, "email": 4, "phone": 3, "born": 3, "address": 3, "city": 1, "card": 4}
LEAST_ALIKE = 0.7
"""Fields less alike count as different."""
CUTS = tuple(np.round(np.arange(0.2, 1.0, 0.02), 2).tolist())


def fuzzy(fields: dict[str, list[str | None]], candidates: pa.Table, person: np.ndarray) -> tuple[Counted, float]:
    """A weighted rapidfuzz matcher on the same candidate pairs, at the threshold the truth says is best for it.

    Pairs and groups of pairs are both tried at every threshold; the better of all is returned with its threshold. No
    matcher could be tuned so in earnest, as nobody knows the truth.
    """
    return best(fuzzy_scores(fields, candidates), candidates, person)


def fuzzy_scores(fields: dict[str, list[str | None]], candidates: pa.Table) -> np.ndarray:
    """Per candidate pair the weighted mean similarity over the fields both records have."""
    left, right = candidates["left_id"].to_numpy(), candidates["right_id"].to_numpy()
    score, known = np.zeros(len(left)), np.zeros(len(left))
    for name, weight in WEIGHTS.items():
        alike = _alike(fields[name], left, right, _similarity(name))
        there = ~np.isnan(alike)
        score[there] += weight * np.where(alike[there] < LEAST_ALIKE, 0.0, alike[there])
        known += weight * there
    return np.asarray(score / np.maximum(known, 1))


def best(score: np.ndarray, candidates: pa.Table, person: np.ndarray) -> tuple[Counted, float]:
    """What the scores are worth at the threshold that suits them best, taken as pairs or as groups."""
    left, right = candidates["left_id"].to_numpy(), candidates["right_id"].to_numpy()
    tried = []
    for cut in CUTS:
        at = score >= cut
        tried.append((Counted.of_pairs(left[at], right[at], person), cut))
        tried.append((Counted.of_groups(joined(left[at], right[at], len(person)), person), cut))
    return max(tried, key=lambda t: t[0].f1)


def _similarity(name: str) -> Callable[[str, str], float]:
    """Names by Jaro-Winkler, addresses by their words, a card by equality, the rest by edits."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import JaroWinkler

    if name in ("given", "surname", "city"):
        return JaroWinkler.similarity
    if name == "address":
        return lambda a, b: fuzz.token_sort_ratio(a, b) / 100
    if name == "card":
        return lambda a, b: float(a == b)
    return lambda a, b: fuzz.ratio(a, b) / 100


def _alike(
    values: list[str | None], left: np.ndarray, right: np.ndarray, similarity: Callable[[str, str], float]
) -> np.ndarray:
    """Similarity of every pair; NaN where one side has nothing."""
    out = np.full(len(left), np.nan)
    for i, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        one, other = values[a], values[b]
        if one is not None and other is not None:
            out[i] = similarity(one, other)
    return out


def plain_fields(raw: pa.Table) -> dict[str, list[str | None]]:
    """The fields as they came, lower-cased, without signs; names from one field split at the last space.

    `raw` in the shape of `data.linkage.normalise.RAW`, in the order of the records.
    """
    from rapidfuzz.utils import default_process

    def clean(name: str) -> list[str | None]:
        return [(default_process(v) or None) if v is not None else None for v in raw[name].to_pylist()]

    whole = clean("name")
    first = [(w.rpartition(" ")[0] or w) if w else None for w in whole]
    last = [w.rpartition(" ")[2] if w and " " in w else None for w in whole]
    places = zip(clean("street"), clean("postcode"), strict=True)
    return {
        "given": [own or taken for own, taken in zip(clean("given"), first, strict=True)],
        "surname": [own or taken for own, taken in zip(clean("surname"), last, strict=True)],
        "address": [" ".join(p for p in (street, code) if p) if street else None for street, code in places],
        **{c: clean(c) for c in ("city", "born", "card")},
        "email": [v.strip().lower() if v else None for v in raw["email"].to_pylist()],
        "phone": ["".join(c for c in v if c.isdigit())[-9:] if v else None for v in raw["phone"].to_pylist()],
    }


def our_fields(records: pa.Table) -> dict[str, list[str | None]]:
    """The same matcher on our normalised fields: how much of the lead is normalisation alone."""
    places = zip(*(records[c].to_pylist() for c in ("street", "door", "postcode")), strict=True)
    return {
        "given": records["root"].to_pylist(),
        "address": [f"{s} {d or ''} {p or ''}" if s else None for s, d, p in places],
        **{c: records[c].to_pylist() for c in ("surname", "email", "phone", "born", "city", "card")},
    }
