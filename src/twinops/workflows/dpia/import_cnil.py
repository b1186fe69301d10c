"""Read a file that people finished in the CNIL's PIA tool; it informs answers and is never an approval."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.errors import DataError
from twinops.governance.assessment import cnil
from twinops.governance.assessment.cnil import Finished
from twinops.plugins import text_beside
from twinops.workflows.dpia.export_cnil import draft
from twinops.workflows.evidence import CandidateFolder

MOST_BYTES = 4 * 2**20


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
    """Check shape and digest, and tell what people wrote there and who must now say and sign it here.

    Raises:
        DataError: no such file, or none that the tool writes.

    """
    found = _read(Path(file))
    done = cnil.finished(found, draft(candidate))
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
    wrong = [f"{'/'.join(map(str, e.path))}: {e.message:.120}" for e in Draft202012Validator(schema()).iter_errors(raw)]
    if wrong:
        raise DataError(
            f"{path.name} is not what the PIA tool writes:\n  " + "\n  ".join(sorted(wrong)[:8]),
            hint="Export it from the tool again.",
        )
    return dict(raw)


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
    yield "The file approves nothing, whatever its status: the decision is answered and signed here."
