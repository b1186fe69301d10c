"""Score every twin that may serve a purpose, as of now: answers of the twin's own model, through its own doors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from twinops.data.consent.rights import without
from twinops.data.own_sources.customer_number import as_filed
from twinops.entities.canonical import to_json
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.small_cells import shown
from twinops.errors import DataError, ParamsError
from twinops.governance.people.offices import DATA_OWNER, line_for
from twinops.twin.model import model_file
from twinops.whole_files import write
from twinops.workflows.policy_file import policy_of
from twinops.workflows.scoring.admitted import Admitted, admitted, stopped_since
from twinops.workflows.scoring.offered import Offered, against_contact, candidates, offered
from twinops.workflows.scoring.outlets import Outlet, outlet
from twinops.workflows.scoring.rows import (
    Answering,
    Block,
    ScoreRows,
    among,
    said_of_all,
    schema,
    with_choice,
    with_ids,
)
from twinops.workflows.scoring.scored import APPROVED, CANDIDATE, ModelGiven, ModelTold, Scored, Wanted
from twinops.workflows.subject.desk import Desk
from twinops.workflows.twin.open import SERVES, Opener, shipped
from twinops.workflows.twin.tastes import UNSEEN, told_tastes

NOT_OWNER = (
    f"A list of persons in the open is the {DATA_OWNER}'s to answer for, and nobody of that name holds this office. "
    f"{line_for(DATA_OWNER)}; then give that e-mail with --by."
)
NOT_NAMED = (
    f"A list of persons in the open is the {DATA_OWNER}'s to answer for, by name: in compliance/offices.yaml this "
    f"office has no person with a name and an e-mail. {line_for(DATA_OWNER)}; then give that e-mail with --by."
)
NOBODY_NAMED = "Say who answers for a list of persons in the open: --by with a name, address or account."
Heard = Callable[[int, int], None]
"""Told how many twins are done, and of how many."""


def score(
    wanted: Wanted, model: ModelGiven | None = None, heard: Heard | None = None, *, opener: Opener, desk: Desk
) -> Scored:
    """Write the table and what stands beside it, and into the ledger of rights that it was written.

    Raises:
        DataError: there is no model, or nobody may be scored.
        ParamsError: what is asked for is not understood, or a declaration holds mistakes.
        ServiceError: the database of `out` cannot be written.
    """
    out, asked = outlet(wanted.out), _Asked(wanted, opener, desk)
    told = Scored(wanted.purpose, opener.receipts.as_of.isoformat(), out.named, not wanted.opened)
    refused = tuple(asked.against(out))
    if refused:
        return opener.words.told(replace(told, refused=refused))
    answering, everybody = asked.answering(model), admitted(opener.receipts, wanted.purpose)
    who, names = asked.narrowed(everybody)
    if not who.sids:
        hint = "Somebody has to allow it first: see `twinops data map`, and the consent ledger."
        raise DataError(f"No twin may be scored for {wanted.purpose} today.", hint=hint)
    told = replace(told, horizon_days=answering.model.horizon_days, model=answering.told, left_out=who.told)
    # a rank is one among everybody: of a list alone others would be selected, and of one person whoever it is
    ranked = everybody if wanted.decide else who
    return opener.words.told(_Run(asked, ranked, names, ScoreRows(opener, answering), heard).into(out, told))


@dataclass(frozen=True)
class _Asked:
    """What is asked of a project."""

    wanted: Wanted
    opener: Opener
    desk: Desk

    def against(self, out: Outlet) -> Iterator[str]:
        """Every reason why nothing is written."""
        purpose, served = self.wanted.purpose, [p.value for p in SERVES]
        if purpose not in served:
            yield f"{purpose!r:.60} is no purpose a twin is opened for; declared are {', '.join(served)}."
            return
        for needed in dict.fromkeys((purpose, Purpose.SCORING.value)):
            if self._basis(needed) is None:
                yield self.opener.receipts.unserved(needed)
        yield from against_contact(policy_of(self.opener.places), purpose) if self.wanted.decide else ()
        yield from self._against_open(out) if self.wanted.opened else ()

    def _against_open(self, out: Outlet) -> Iterator[str]:
        if not self.wanted.by.strip():
            raise ParamsError(NOBODY_NAMED, hint=f"It is the {DATA_OWNER}'s to answer for. {line_for(DATA_OWNER)}.")
        officer = self.desk.officer(self.wanted.by)
        if officer is None or officer.office != DATA_OWNER:
            yield NOT_OWNER
        elif not officer.reached:
            yield NOT_NAMED
        if self._basis(self.wanted.purpose) is LegalBasis.OPEN:
            # nobody has said yet what it rests on: that serves a trial, and a trial needs no list in the open
            yield f"On which basis {self.wanted.purpose} rests is still open, so nothing of it leaves the vault."
        if out.within(self.opener.places.root):
            yield "A list of persons in the open does not lie in the project's folder, where git and DVC work."

    def _basis(self, purpose: str) -> LegalBasis | None:
        return self.opener.receipts.standing.bases.get(Purpose(purpose))

    def answering(self, given: ModelGiven | None) -> Answering:
        """The project's own candidate, or a verified model; what was measured of the one is not said of another."""
        places, tastes = self.opener.places, told_tastes(self.opener.receipts)
        looked_at = ModelTold("", CANDIDATE)
        if self.opener.receipts.own.unseen_products:
            looked_at = replace(looked_at, tastes=f"none: {UNSEEN}")
        if given is None:
            mine = shipped(places)
            told = replace(looked_at, file_sha256=_sha(places.model.read_bytes()))
            return Answering(mine.model, mine.support, tastes, told)
        sha = _sha(given.text.encode())
        told = ModelTold(sha, APPROVED, given.name, given.version, given.digest, tastes=looked_at.tastes)
        if places.model.is_file() and _sha(places.model.read_bytes()) == sha:
            return Answering(model_file.from_text(given.text), shipped(places).support, tastes, told)
        told = replace(told, newcomers="as the model says: what was seen of newcomers here is of another model")
        return Answering(model_file.from_text(given.text), None, tastes, told)

    def narrowed(self, who: Admitted) -> tuple[Admitted, Mapping[str, str] | None]:
        """Those whose ids were given, and sid -> id; None: everybody was asked for."""
        if self.wanted.only is None:
            return who, None
        keys, own = self.opener.receipts.plane.keys, self.opener.receipts.own
        filed = {said: as_filed(said, own) for said in self.wanted.only}
        known = keys.known_sids(dict.fromkeys(form for forms in filed.values() for form in forms))
        found = {said: next((known[f] for f in forms if f in known), None) for said, forms in filed.items()}
        names = {sid: said for said, sid in found.items() if sid is not None}
        kept = tuple(sid for sid in who.sids if sid in names)
        left = {"not_held_or_not_allowed": len(self.wanted.only) - len(kept)}
        return replace(who, sids=kept, left_out=left), names


@dataclass(frozen=True)
class _Run:
    """One pass over everybody who is scored; of them those with `names` are written, where there are such."""

    asked: _Asked
    who: Admitted
    names: Mapping[str, str] | None
    rows: ScoreRows
    heard: Heard | None

    def into(self, out: Outlet, told: Scored) -> Scored:
        """Block after block; with a decision once everybody is ranked. The file is there when it is logged, or not."""
        wanted, opener, desk = self.asked.wanted, self.asked.opener, self.asked.desk
        blocks: Iterable[Block] = self._blocks()
        if wanted.decide:
            all_of_them = list(blocks)  # a rank asks for everybody's score
            choice = self._chosen(all_of_them)
            blocks, told = with_choice(all_of_them, choice), replace(told, decision=choice.told)
        columns = schema(
            sid=told.sealed or self.names is None, named=self.names is not None, decided=told.decision is not None
        )
        keys, money = opener.receipts.plane.keys, opener.words.wording.currency
        place = out.sealed(columns, keys) if told.sealed else out.opened(columns, told.about(money=money))
        rows = unknown = 0
        with place as put:
            for block in blocks if self.names is None else map(partial(among, self.names), blocks):
                # who said no since the ledger was read is out, and an id beside a sid would undo the pseudonym
                table = without(block.table, stopped_since(opener.receipts, wanted.purpose))
                table = table if self.names is None else with_ids(table, self.names)
                if table.num_rows:
                    put(table.select(columns.names).cast(columns))
                rows, unknown = rows + table.num_rows, unknown + block.table.num_rows - len(block.known)
            told = replace(told, rows=rows, nothing_known=shown(unknown))
            by = desk.officer(wanted.by) if wanted.opened else None
            desk.rights.append(told.act(out.kind, by, of_all=wanted.only is None))
        if out.kind != "sql":
            write(Path(f"{out.at}.json"), to_json(told.about(money=money), indent=1) + "\n")
        return told

    def _blocks(self) -> Iterator[Block]:
        done = 0
        for block in self.rows.blocks(self.who.sids):
            yield block
            done += len(block.known)
            if self.heard is not None:
                self.heard(done, len(self.who.sids))

    def _chosen(self, blocks: list[Block]) -> Offered:
        receipts = self.asked.opener.receipts
        sids = [sid for block in blocks for sid in block.known]
        asked = candidates(sids, said_of_all(blocks), receipts.today, self.who.assessable)
        return offered(receipts, asked, self.asked.wanted.purpose)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
