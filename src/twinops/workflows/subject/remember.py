"""Keep, beside the keys, which consumers a registered version learned from: access and erasure ask for it."""

from twinops.data.vault.sealed_file import subjects_in
from twinops.entities.rights import LearnedVersion
from twinops.ports import LearnedFrom
from twinops.workflows.places import Places


def remember(places: Places, learned: LearnedFrom, *, version: LearnedVersion) -> int:
    """How many consumers the version learned from; what lies here is the version's own list, as it was just made."""
    path = places.trained_subjects
    sids = subjects_in([path] if path.is_file() else [])
    learned.remember(version, sids)
    return len(sids)
