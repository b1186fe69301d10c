"""Read and keep a file that people filled in the CNIL's PIA tool; it informs answers and is never an approval."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.errors import DataError
from twinops.governance.assessment import cnil, cnil_kept
from twinops.governance.assessment.cnil import Finished
from twinops.plugins import text_beside
from twinops.whole_files import write
from twinops.workflows.dpia.export_cnil import draft
from twinops.workflows.evidence import CandidateFolder

MOST_BYTES = 4 * 2**20
STRICT = frozenset({"additionalProperties", "allOf", "const", "minItems", "minLength"})
"""Words of the schema that say what the tool imports cleanly; what it writes may be emptier or fuller."""


@dataclass(frozen=True)
class Imported:
    """What the file says, and what remains to be done with it."""

    finished: Finished
    next: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        done = self.finished
        return {
            "approval": False,
            "complete": done.complete,
            "digest_fits": done.digest_fits,
            "changed": list(done.changed),
            "unevaluated": list(done.unevaluated),
            "lacking": list(done.lacking),
            "said": {name: dict(said) for name, said in done.said.items()},
            "next": list(self.next),
        }


def import_cnil(candidate: CandidateFolder, *, file: str) -> Imported:
    """Check shape and digest, keep the whole file for the next export, and tell who must now say and sign it here.

    Raises:
        DataError: no such file, or none that the tool writes.

    """
    found, now = _read(Path(file)), draft(candidate)
    done = cnil.finished(found, now)
    write(candidate.places.root / cnil_kept.PLACE, to_json(cnil_kept.kept(found, now), indent=1) + "\n")
    return Imported(done, tuple(_next(done)))


def schema() -> Any:
    """What the tool imports cleanly."""
    return json.loads(text_beside("twinops.governance", "law", "cnil_pia.schema.json"))


def _read(path: Path) -> dict[str, Any]:
    from jsonschema import Draft202012Validator

    try:
        with path.open("rb") as file:
            raw = json.loads(file.read(MOST_BYTES + 1)[:MOST_BYTES])
    except FileNotFoundError:
        raise DataError(f"There is no {path.name}.", hint="Give the file that the tool exported.") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path.name} is not readable JSON.", hint="Export it from the tool again.") from None
    errors = Draft202012Validator(_unfinished(schema())).iter_errors(raw)
    wrong = [f"{'/'.join(map(str, e.path))}: {e.message:.120}" for e in errors]
    if wrong:
        raise DataError(
            f"{path.name} is not what the PIA tool writes:\n  " + "\n  ".join(sorted(wrong)[:8]),
            hint="Export it from the tool again.",
        )
    return dict(raw)


def _unfinished(told: Any) -> Any:
    """The same shape for what people are not done with: empty texts, comments on measures, fields not known here."""
    if isinstance(told, dict):
        return {key: _unfinished(value) for key, value in told.items() if key not in STRICT}
    return [_unfinished(item) for item in told] if isinstance(told, list) else told


def _next(done: Finished) -> Iterator[str]:
    if not done.digest_fits or done.changed:
        yield (
            f"The draft has changed since it was exported (questions {', '.join(map(str, done.changed)) or 'none'}): "
            "export it anew, or take the changes over here."
        )
    if done.unevaluated or done.lacking:
        yield f"Not finished in the tool: {', '.join([*done.unevaluated, *done.lacking])}."
    for name in done.said:
        yield f"Whoever is asked gives it here too: `twinops dpia answer {name}`, then `twinops dpia sign`."
    yield f"The whole file is kept in {cnil_kept.PLACE}; the next export has every field of it."
    yield "The file approves nothing, whatever its status: the decision is answered and signed here."
