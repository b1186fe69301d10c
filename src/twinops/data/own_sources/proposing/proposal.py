"""Look at a shop's files and propose how to declare them: each choice with its reason, and what only people know asked.

Nothing is guessed of the law: what is not said stays `open`. Of cells only shapes and aggregates are told, never ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.files.opening import within
from twinops.data.own_sources.proposing import customer_numbers, more_files
from twinops.data.own_sources.proposing.addresses import addresses_of
from twinops.data.own_sources.proposing.addressing import addressed, unlike
from twinops.data.own_sources.proposing.around_customers import AroundCustomers
from twinops.data.own_sources.proposing.asking import Question, questions
from twinops.data.own_sources.proposing.drafting import (
    NOTHING_SAID,
    TWIN,
    Choice,
    Draft,
    Said,
    Trouble,
    Troubled,
    draft_of,
    legal_facts,
    refusal,
    take_said,
    trouble,
)
from twinops.data.own_sources.proposing.sales_columns import sales_draft
from twinops.data.own_sources.proposing.sales_declared import dates_of, last_day, transactions
from twinops.data.own_sources.proposing.sampling import beside_months, months_in
from twinops.entities.consent import LegalBasis, Purpose
from twinops.errors import DataError
from twinops.own_sections import OPEN


@dataclass(frozen=True)
class ShopFiles:
    """What a shop hands over."""

    sales: Path
    customers: Path | None = None
    opt_ins: Path | None = None
    opt_outs: Path | None = None
    more: tuple[str, ...] = field(default=(), kw_only=True)
    """Files around them, told apart by their columns, or said as KIND=FILE; see `more_files`."""


@dataclass(frozen=True)
class Proposal:
    """The section `own` of `params.yaml`, why it is so, what is to be asked, and what should be known beside it."""

    own: dict[str, dict[str, Any]]
    choices: tuple[Choice, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    left_out: tuple[Trouble, ...] = ()
    """Files around the sales that cannot be declared: all else goes on without them."""
    open: dict[str, str] = field(default_factory=dict)
    """What only people can look after, by source."""


def look(files: ShopFiles, said: Said = NOTHING_SAID) -> Proposal:
    """Propose declarations for the files. The same files and answers give the same proposal.

    Raises:
        DataError: a file cannot be read, or holds no customers, days or amounts that can be told.
        ParamsError: a column that was named is not there.
    """
    said, wrong = addressed(said, [*_named_sources(files), *more_files.kinds_of(files.more)])
    sales, troubles = _attempt(files.sales, lambda: sales_draft(files.sales, said))
    troubles = [*wrong, *unlike(said), *troubles]
    if sales is None:
        troubles += _within(files.sales, said) if files.sales.is_dir() else []
        raise refusal([*troubles, *_unopened(files, said)])
    told = [c.strip() for c in sales.file.told(sales.columns["household_id"])]
    numbers = customer_numbers.form_in(told)
    ids = frozenset(map(numbers.alike, told))
    mails = addresses_of(files.customers)
    others = AroundCustomers(said, ids, last_day(sales, said), numbers, mails)
    made, found = _around(files, others)
    troubles += [*found, *_unnamed(files, others)]
    opt_ins = made.get("optins")
    bases = _bases(said, opt_ins[0].answered if opt_ins else ())
    drafts, own = [sales], {"sales": transactions(sales, said)}
    own["sales"]["legal"] = legal_facts(sales, said, bases, _sales_purposes(sales, bases))
    for draft, body in made.values():
        drafts.append(draft)
        own[draft.name] = body | {"legal": legal_facts(draft, said, bases, _own_purposes(draft, bases))}
    if len(numbers.digits) == 1:
        sales.choices.append(Choice("sales", "digits", *customer_numbers.told(numbers, told)))
    currency = own["sales"]["money"]["currency"]
    around = more_files.Shop(said, ids, _articles(sales), currency, others.last, numbers, mails)
    more, found = _more(files, around)
    troubles += found
    for draft, body in more:
        if draft.name in own:
            troubles.append(_second(draft, next(d for d in drafts if d.name == draft.name), around))
            continue
        drafts.append(draft)
        mine = more_files.bases_of(draft, bases, said)
        own[draft.name] = body | {"legal": legal_facts(draft, said, mine, more_files.purposes(draft, bases))}
    prefixes = {"prefixes": [*numbers.prefixes]} if numbers.prefixes else {}
    for body in own.values():
        several = body["kind"] == "optouts"
        by_number = "household_id" in body.get("columns", {}) and ("known_by" not in body or "addresses" in body)
        if numbers.digits and (len(numbers.digits) == 1 or several) and by_number:
            body.update({"digits": list(numbers.digits)} | prefixes)
    lists = (files.opt_ins, files.opt_outs, *more_files.lists_in(files.more))
    said_no = {path.name for path in lists if path is not None}
    if any(t.mine or t.file in said_no for t in troubles):  # without them somebody who said no would be learned from
        raise refusal(troubles)
    return Proposal(
        own,
        tuple(c for d in drafts for c in d.choices),
        tuple(questions(sales, own, said, dates_of(sales))),
        (
            *(n for d in drafts for n in d.notes),
            *_asked_for(opt_ins[0].answered if opt_ins else (), bases),
            *_to_sign(own),
            *_without_answers(opt_ins[0].answered if opt_ins else (), bases),
            *_unlike_encodings(drafts),
        ),
        tuple(troubles),
        {d.name: " ".join(d.open) for d in drafts if d.open},
    )


Declared = tuple[Draft, dict[str, Any]]


def _unlike_encodings(drafts: Sequence[Draft]) -> Iterator[str]:
    """Files of one shop mostly come from one tool: where their encodings were told otherwise, a person should look."""
    told = {d.file.path.name: d.file.encoding for d in drafts if d.file.encoding.startswith(("windows-", "iso-"))}
    if len({*told.values()}) > 1:
        listed = ", ".join(f"{name} {encoding}" for name, encoding in told.items())
        yield f"The files look differently encoded: {listed}. Say the right one as `encoding` where letters look wrong."


def _named_sources(files: ShopFiles) -> list[str]:
    there = {"customers": files.customers, "optins": files.opt_ins, "optouts": files.opt_outs}
    return ["sales", *(name for name, path in there.items() if path is not None)]


_T = TypeVar("_T")


def _attempt(path: Path, make: Callable[[], _T]) -> tuple[_T | None, list[Trouble]]:
    """What is made of a file, or what stands in its way."""
    try:
        return make(), []
    except Troubled as found:
        return None, list(found.found)
    except DataError as found:
        return None, [Trouble(path.name, f"{found.what} {found.hint}")]


def _within(folder: Path, said: Said) -> Iterator[Trouble]:
    """Of a folder whose files are no one table: which of them are read as sales by themselves, and which are not."""
    inside = [p for p in within(folder) if p.parent == folder][:_MOST_TRIED]
    alone = [p for p in inside if _attempt(p, partial(sales_draft, p, said))[0] is not None]
    if len(inside) < 2 or not alone:
        return
    others = ", ".join(printable(p.name) for p in inside if p not in alone) or "nothing else"
    what = (
        f"its files are no one table. By themselves {', '.join(printable(p.name) for p in alone)} would be read as "
        f"sales. Name one, or a folder with these alone; {others}: --customers, --opt-ins, --opt-outs or --also FILE."
    )
    yield Trouble(folder.name, what)


_MOST_TRIED = 40


def _unnamed(files: ShopFiles, others: AroundCustomers) -> Iterator[Trouble]:
    """Files beside the months that are about their customers, and that nobody named: one may say who objected."""
    months = months_in(files.sales) if files.sales.is_dir() else None
    named = {p.resolve() for p in (files.customers, files.opt_ins, files.opt_outs) if p is not None}
    named |= {more_files.path_of(told).resolve() for told in files.more}
    for path in beside_months(files.sales, months) if months else ():
        if path.parent == files.sales and path.resolve() not in named and (option := others.option_for(path)):
            what = "it lies beside the months and is about their customers. Say what it is, or move it elsewhere."
            yield Trouble(path.name, what, (), (f"{option} {quote(str(path))}",), mine=True)


def _unopened(files: ShopFiles, said: Said) -> Iterator[Trouble]:
    """What is wrong with the files around, as far as it can be told without the sales."""
    for name, path in (("customers", files.customers), ("optins", files.opt_ins), ("optouts", files.opt_outs)):
        if path is not None:
            yield from _attempt(path, partial(lambda n, p: take_said(draft_of(n, p), said), name, path))[1]
    for told in files.more:
        path = more_files.path_of(told)
        if not path.is_dir():
            yield from _attempt(path, partial(draft_of, "file", path))[1]


def _around(files: ShopFiles, others: AroundCustomers) -> tuple[dict[str, Declared], list[Trouble]]:
    """The files with options of their own, by source."""
    made: dict[str, Declared] = {}
    troubles: list[Trouble] = []
    readers = {"customers": others.customers, "optins": others.opt_ins, "optouts": others.opt_outs}
    paths = {"customers": files.customers, "optins": files.opt_ins, "optouts": files.opt_outs}
    for name, path in paths.items():
        if path is not None:
            declared, found = _attempt(path, partial(readers[name], path))
            made |= {name: declared} if declared else {}
            troubles += found
    for n, path in enumerate(more_files.lists_in(files.more), 2):
        declared, found = _attempt(path, partial(others.opt_outs, path))
        if declared:
            declared[0].called(f"optouts_{n}")
            made[declared[0].name] = declared
        troubles += found
    if "customers" in made and files.customers is not None:
        listed, found = _attempt(files.customers, partial(others.in_their_file, files.customers))
        made |= {draft.name: (draft, body) for draft, body in listed or ()}
        troubles += found
    return made, troubles


def _more(files: ShopFiles, shop: more_files.Shop) -> tuple[list[Declared], list[Trouble]]:
    """The files around, in the light of the sales."""
    made: list[Declared] = []
    troubles: list[Trouble] = []
    lists = more_files.lists_in(files.more)
    for name in (n for n in more_files.once(files.more) if more_files.path_of(n) not in lists):
        declared, found = _attempt(more_files.path_of(name), partial(more_files.proposed, name, shop))
        accounts = more_files.beside(declared[0], shop) if declared else None
        made += [one for one in (declared, accounts) if one]
        troubles += found
    names = {draft.name for draft, _ in made}
    if "accounts" in names and "registrations" not in names and files.customers is not None:
        again = more_files.found_again(files.customers, shop)
        made += [again] if again else []
    return made, troubles


def _articles(sales: Draft) -> frozenset[str]:
    there = sales.columns.get("product_id")
    return frozenset() if there is None else frozenset(c.strip() for c in sales.file.told(there))


def _second(draft: Draft, first: Draft, shop: more_files.Shop) -> Trouble:
    """Two files of one kind: alike they go into one; otherwise one of them is likely something else."""
    if set(draft.file.names) == set(first.file.names):
        return trouble(draft, f"two of the files hold {draft.name.replace('_', ' ')}; put them into one.")
    return more_files.second_of(draft, first, shop)


def _to_sign(own: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What lets nobody in before a person has signed for it (GDPR art. 6(1)(f))."""
    interest = LegalBasis.LEGITIMATE_INTEREST.value
    legal = {name: body["legal"]["bases"] for name, body in own.items() if isinstance(body["legal"]["bases"], Mapping)}
    named = [name for name, bases in legal.items() if interest in bases.values()]
    if named:
        yield (
            f"{', '.join(named)} rests on a legitimate interest, which lets nobody in before somebody weighed it and "
            "signed in compliance/interests.yaml (an entry stands there as an example); "
            "`twinops status --open` lists each. Until then `make run` ends where a twin would learn. A signature of "
            "today counts, whatever day the files end on."
        )


def _asked_for(answered: Iterable[str], bases: Mapping[str, str]) -> Iterator[str]:
    """What rests on people's answers, and what was asked and rests on another basis by the owner's word."""
    by: dict[str, list[str]] = {}
    for purpose in answered:
        by.setdefault(bases.get(purpose, OPEN), []).append(purpose.replace("_", " "))
    for basis, purposes in by.items():
        asked = f"People were asked for {', '.join(purposes)}"
        if basis == LegalBasis.CONSENT.value:
            yield f"{asked}: that rests on their consent, and who did not answer is out."
        elif basis == OPEN:
            yield f"{asked}, and what that rests on is left open: who refused is out all the same."
        else:
            yield f"{asked}, and it is said to rest on {basis.replace('_', ' ')}."


def _without_answers(answered: Iterable[str], bases: Mapping[str, str]) -> Iterator[str]:
    """What is said to rest on consent, and no file tells who gave it."""
    unasked = [p.replace("_", " ") for p, b in bases.items() if b == LegalBasis.CONSENT.value and p not in {*answered}]
    if unasked:
        yield (
            f"No file tells who agreed to {', '.join(unasked)}, said to rest on consent: nobody is in until one does "
            "(--opt-ins)."
        )


def _bases(said: Said, answers: Iterable[str]) -> dict[str, str]:
    """What people were asked rests on their consent, unless the owner says otherwise; for the rest it is open."""
    asked = dict.fromkeys(answers, LegalBasis.CONSENT.value)
    twin = {p: said.basis or asked.get(p, OPEN) for p in TWIN}
    told = {Purpose.OFFERS.value: said.offers_basis, Purpose.BIAS_ASSESSMENT.value: said.groups_basis}
    others = asked | {p: basis for p, basis in told.items() if basis and (basis != OPEN or p in asked)}
    return twin | {p: basis for p, basis in others.items() if p not in TWIN}


def _sales_purposes(draft: Draft, bases: Mapping[str, str]) -> dict[str, list[str]]:
    serves = {ours: list(TWIN) for ours in draft.columns}
    return serves | {"household_id": _served(bases)}


def _own_purposes(draft: Draft, bases: Mapping[str, str]) -> dict[str, list[str]]:
    """Profiles are for assessing groups; what people answered is for all that they were asked about."""
    if draft.name == "customers":
        return {ours: [Purpose.BIAS_ASSESSMENT.value] for ours in draft.columns}
    return {ours: _served(bases) for ours in draft.columns}


def _served(bases: Mapping[str, str]) -> list[str]:
    return [*TWIN, *(p for p in bases if p not in TWIN)]
