"""One question, one answer: the guards in their order, then the twin, then one line in the log of decisions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from starlette.concurrency import run_in_threadpool

from twinops.errors import DataError, ParamsError
from twinops.service.bodies import Ask, EventsAsk, ScoreAsk, SimulateAsk
from twinops.service.clients import Client
from twinops.service.decisions import DecisionLog
from twinops.service.guards import Guards
from twinops.service.intake import MADE_ANEW, Judge, Writer
from twinops.service.journal import Written
from twinops.service.production import Live, Production
from twinops.service.refusals import AskRefusedError, Refusal
from twinops.service.watch import Watch
from twinops.twin.answers.forecast import Forecast, forecast
from twinops.twin.answers.portrait import average_spend
from twinops.twin.answers.theme_facts import reasons
from twinops.twin.answers.what_if import Action
from twinops.twin.state.streaming import rows
from twinops.workflows.serving.live import LiveTwins
from twinops.workflows.twin.open import Opened
from twinops.workflows.twin.show import changes_of
from twinops.workflows.twin.simulate import guarded, told
from twinops.workflows.update import answered

MOST_SPOKEN = 50_000
"""Answers that are remembered as long as their state is the same."""
AT_ONCE = 256
"""Twins that are foretold in one go."""
AT_HAND = 16
"""Events that are judged sooner than a thread would take over."""
FIGURES = ("horizon_days", *answered.FIGURES, "basis")
"""Of a forecast, what the log keeps: enough to hold it against what came."""
NOTHING_KNOWN = "Nothing is known of this consumer yet, so no what-if can start from it."


@dataclass(frozen=True)
class Asking:
    """Who asks for what, and what for."""

    client: Client
    act: str
    purpose: str


@dataclass(frozen=True)
class Service:
    """Everything an answer needs."""

    twins: LiveTwins
    guards: Guards
    production: Production
    writer: Writer
    watch: Watch
    log: DecisionLog

    def ready(self) -> Live:
        """The version that may answer.

        Raises:
            AskRefusedError: none is vouched for, or what is known of permissions is too old.
        """
        live = self.production.live
        if live is None:
            raise AskRefusedError(Refusal.MODEL_CUT, self.production.why, retry_s=1)
        if not self.watch.fresh:
            raise AskRefusedError(Refusal.BEING_READ, "Keys and rights were last seen too long ago.", retry_s=1)
        return live

    def warmed(self) -> None:
        """Foretell as many as are remembered, by the version that answers."""
        if self.production.now is not None:
            self.warm(self.production.now, list(islice(list(self.twins.states), MOST_SPOKEN)))

    def renew(self, sids: frozenset[str]) -> None:
        """Foretell those anew whose state an event changed, together, before somebody asks for one."""
        if (live := self.production.live) is not None:
            self.warm(live, sids)

    def warm(self, live: Live, sids: Iterable[str]) -> None:
        """Foretell many at once, so that nobody waits for theirs: each as if it were asked alone."""
        asked = iter([sid for sid in sids if sid not in self.twins.spoken])
        # features of the project's own are opened one by one, when asked for
        while not live.shipped.model.own_columns and (some := list(islice(asked, AT_ONCE))):
            stood, days = {}, []
            for sid in some:
                with self.twins.lock:  # one by one: whoever asks meanwhile waits for one of them at most
                    if sid in self.twins.states:
                        stood[sid] = self.twins.stand(sid)
                        days.append(self.twins.states[sid].at(self.twins.day(sid)))
            if not stood:
                continue
            found = live.shipped.forecasts(rows(days))
            for place, (sid, stand) in enumerate(stood.items()):
                made = self._made(found.row(place))
                with self.twins.lock:
                    if self.production.now is live and self.twins.stand(sid) == stand:
                        self._remember(sid, made)

    def predict(self, client: Client, who: str, ask: Ask) -> str:
        """The forecast of one consumer, as JSON."""
        asking = Asking(client, "predict", ask.purpose)
        live, sid = self._open(asking, who)
        with self.twins.lock:
            expected = self._expected(sid, live)
            day = self.twins.day(sid)
        self._tell(asking, sid, live, expected[1])
        return f'{{{self._head(live, ask.purpose, day)},"expected":{expected[0]}}}'

    def explain(self, client: Client, who: str, ask: Ask) -> str:
        """The same with what multiplies it and what would change it."""
        asking = Asking(client, "explain", ask.purpose)
        live, sid = self._open(asking, who)
        words = self.twins.ground.opener.words
        with self.twins.lock:
            expected, day = self._expected(sid, live), self.twins.day(sid)
            twin = self.twins.opening(sid, live.shipped)
            why = [asdict(words.told(r)) for r in reasons(twin, forecast(twin))]
            changes = [words.told(c) for c in changes_of(twin)]
        self._tell(asking, sid, live, expected[1])
        average = json.dumps(round(average_spend(twin.model), 4))
        more = f'"average_spend":{average},"reasons":{json.dumps(why)},"changes":{json.dumps(changes)}'
        return f'{{{self._head(live, ask.purpose, day)},"expected":{expected[0]},{more}}}'

    def simulate(self, client: Client, who: str, ask: SimulateAsk) -> str:
        """What would come if; opens the consumer's own sealed records, so it takes longer."""
        asking, action = Asking(client, "simulate", ask.purpose), self._action(ask.action)
        live, sid = self._open(asking, who, action)
        self._whole()
        places, consumer = self.twins.ground.opener.places, self.twins.consumer(sid)
        self._whole()
        limits = guarded(consumer, action, ask.purpose, places)
        if limits:
            raise AskRefusedError(Refusal.INFLUENCE, " ".join(limits))
        opened = Opened(consumer, live.shipped.twin(consumer))
        with self.twins.one_by_one:
            found = None if opened.twin.state.empty else told(opened, action, places)
        if found is None or found.refused:
            why = (NOTHING_KNOWN,) if found is None else found.refused
            raise AskRefusedError(Refusal.NO_ANSWER, " ".join(self.twins.ground.opener.words.told(w) for w in why))
        shown = asdict(self.twins.ground.opener.words.told(found))
        shown.pop("refused")
        self._tell(asking, sid, live, {"action": action.kind})
        return f'{{{self._head(live, ask.purpose, consumer.day)},"simulated":{json.dumps(shown)}}}'

    def score(self, client: Client, ask: ScoreAsk) -> str:
        """One result for each of many."""
        live = self.ready()
        self.guards.purpose(client, "score", ask.purpose)
        self.guards.automated()
        self.guards.rate(client, len(ask.consumers))
        asking = Asking(client, "score", ask.purpose)
        self.warm(live, [sid for who in ask.consumers if (sid := self.twins.names.get(who)) is not None])
        found = [self._scored(asking, who, live) for who in ask.consumers]
        self.ready()  # looking them up may have taken longer than what is known of permissions lasts
        told = json.dumps({"model": _model(live), "purpose": ask.purpose})
        return f'{told[:-1]},"results":[{",".join(found)}]}}'

    async def events(self, client: Client, ask: EventsAsk) -> dict[str, Any]:
        """Take events in; what is answered here is on the disk."""
        if not self.watch.fresh:
            raise AskRefusedError(Refusal.BEING_READ, "Keys and rights were last seen too long ago.", retry_s=1)
        if "events" not in client.acts:
            raise AskRefusedError(Refusal.NOT_YOURS, "This client may not tell of events.")
        self.guards.rate(client, len(ask.events))
        today = self.twins.ground.rights.now().date()
        judge = Judge(self.guards, self.watch.applied, today)
        # of many, or where files or the key store are asked, nobody else waits for the judging
        at_hand = len(ask.events) <= AT_HAND and judge.at_once(ask.events)
        asked = client, ask.events
        found = judge.judged(*asked) if at_hand else await run_in_threadpool(judge.judged, *asked)
        written = await self.writer.write(found.entries) if found.entries else []
        wrong = dict(found.refused)
        used = [p for p, w in zip(found.places, written, strict=True) if w is Written.OTHER]
        wrong |= {place: AskRefusedError(Refusal.EVENT_ID_USED) for place in used}
        told = [{"index": place, **wrong[place].problem.body()} for place in sorted(wrong)]
        return {"accepted": written.count(Written.ACCEPTED), "duplicates": written.count(Written.DUPLICATE),
                "refused": told}  # fmt: skip

    def refused(self, client: Client | None, act: str, problem: AskRefusedError) -> None:
        """Keep that nothing was answered, and why."""
        self.log.tell(
            None, {"client": client.name if client else "", "act": act, "refused": problem.problem.refusal.code}
        )

    def _open(self, asking: Asking, who: str, action: Action | None = None) -> tuple[Live, str]:
        """Whom it is about, once nothing stands against it but contact limits, for which sealed files are opened."""
        self.ready()
        self.guards.purpose(asking.client, asking.act, asking.purpose)
        sid = self.guards.consumer(asking.client, who)
        self.guards.allowed(sid, asking.purpose)
        if action is not None:
            self.guards.action(action)
        self.guards.automated()
        self.guards.rate(asking.client, 1)
        return self.ready(), sid  # whoever had to be looked up may have waited long for the key store

    def _whole(self) -> None:
        """What is read from sealed files goes with what is in memory."""
        if not self.watch.applied.files.stand():
            raise AskRefusedError(Refusal.BEING_READ, MADE_ANEW, retry_s=5)

    def _action(self, said: str) -> Action:
        try:
            return Action.parse(said)
        except ParamsError as problem:
            raise AskRefusedError(Refusal.MALFORMED, f"{problem.what} {problem.hint}") from None

    def _scored(self, asking: Asking, who: str, live: Live) -> str:
        name = json.dumps(who)
        try:
            sid = self.guards.consumer(asking.client, who)
            self.guards.allowed(sid, asking.purpose)
            with self.twins.lock:
                expected = self._expected(sid, live)
        except AskRefusedError as problem:
            self.refused(asking.client, "score", problem)
            return f'{{"consumer":{name},"refused":{json.dumps(problem.problem.body())}}}'
        self._tell(asking, sid, live, expected[1])
        return f'{{"consumer":{name},"expected":{expected[0]}}}'

    def _expected(self, sid: str, live: Live) -> tuple[str, Mapping[str, Any]]:
        """The forecast as JSON and its figures: the same state gets the same answer, so it is made once."""
        known = self.twins.spoken.get(sid)
        if known is not None:
            return known
        if live.shipped.model.own_columns and sid not in self.twins.own:
            self._whole()
        try:
            expected = forecast(self.twins.opening(sid, live.shipped))
        except DataError as problem:
            raise AskRefusedError(Refusal.NO_ANSWER, problem.what) from None
        return self._remember(sid, self._made(expected))

    def _made(self, expected: Forecast) -> tuple[str, Mapping[str, Any]]:
        # as `asdict` has it, which copies every figure first
        found = vars(self.twins.ground.opener.words.told(expected))
        return json.dumps(found), {name: found[name] for name in FIGURES}

    def _remember(self, sid: str, made: tuple[str, Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
        if len(self.twins.spoken) >= MOST_SPOKEN:
            self.twins.spoken.pop(next(iter(self.twins.spoken)))
        self.twins.spoken[sid] = made
        return made

    def _head(self, live: Live, purpose: str, day: int) -> str:
        as_of = self.twins.ground.opener.receipts.days.date_of(day).isoformat()
        return json.dumps({"model": _model(live), "purpose": purpose, "as_of": as_of})[1:-1]

    def _tell(self, asking: Asking, sid: str, live: Live, figures: Mapping[str, Any]) -> None:
        line = {"client": asking.client.name, "act": asking.act, "purpose": asking.purpose, "day": self.twins.day(sid)}
        self.log.tell(sid, {**line, **_model(live), **figures})


def _model(live: Live) -> dict[str, Any]:
    return {"name": live.name, "version": live.version, "digest": live.digest}
