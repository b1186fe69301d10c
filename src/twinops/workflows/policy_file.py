"""Read single files of `compliance/` that stages of the pipeline go by: the policy, and the signed interests."""

import re
from datetime import date, datetime, timedelta, timezone

from twinops.entities.consent import Purpose
from twinops.errors import ParamsError
from twinops.governance.assessment import legitimate_interests
from twinops.governance.open_fields import MARK
from twinops.governance.policy import limits as policy
from twinops.governance.policy.limits import Policy
from twinops.whole_files import write
from twinops.workflows.places import Places

EASTERNMOST = timezone(timedelta(hours=14))


def policy_of(places: Places) -> Policy:
    """The project's policy; without one nothing passes, and nothing that it limits is measured.

    Raises:
        ParamsError: there is none, or it holds mistakes.
    """
    path = places.compliance / "policy.yaml"
    try:
        return policy.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Restore it from git; nothing passes without a policy."
        raise ParamsError("There is no compliance/policy.yaml.", hint=hint) from None
    except UnicodeDecodeError:
        raise ParamsError("compliance/policy.yaml is no UTF-8 text.", hint="Mend the file.") from None


_WINDOW = re.compile(r"(?m)^(influence:\n(?:(?:  .*|#.*)?\n)*?  window_days: )[0-9]+")
_NOT_ADOPTED = re.compile(rf'(?m)^version: "?{re.escape(MARK)}')


def count_contacts_in(places: Places, days: int) -> None:
    """Let the proposed limit of contacts count in the shop's horizon; what a risk officer adopted stays."""
    path = places.compliance / "policy.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if _NOT_ADOPTED.search(text):
        write(path, _WINDOW.sub(rf"\g<1>{days}", text))


def assessments(places: Places, *, on: date) -> frozenset[tuple[str, Purpose]]:
    """Sources, each with a purpose for which somebody signed that an interest outweighs, as it stands on a day.

    Without the file nobody signed, so nothing may rest on an interest (GDPR art. 6(1)(f)).

    Raises:
        ParamsError: it holds mistakes, or is signed on a day that has not come.
    """
    path = places.compliance / "interests.yaml"
    if not path.is_file():
        return frozenset()
    found = legitimate_interests.read(path.read_text(encoding="utf-8"))
    # the newest day that it is anywhere: who signs far in the east has tomorrow's date
    if ahead := legitimate_interests.not_signed_yet(found, today=datetime.now(EASTERNMOST).date()):
        raise ParamsError(
            f"{legitimate_interests.SOURCE} is signed on a day that has not come ({'; '.join(ahead)}).",
            hint="Write the day on which it was signed.",
        )
    return legitimate_interests.standing(found, on=on)
