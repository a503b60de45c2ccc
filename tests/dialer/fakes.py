"""Small stand-ins for what the dialer talks to: FreeSWITCH and Redis in memory, on a task.Clock.

The real ones run in the end-to-end tests; these give every order of events that those cannot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, evolve
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock, deferLater

from ctidialer.contract.counted import Counted
from ctidialer.contract.record import Kind, Record
from ctidialer.contract.record_document import decode_record
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried
from ctidialer.esl.errors import ConnectionGone, EslError
from ctidialer.esl.events import Event, make_event
from ctidialer.esl.jobs import JobResult, Jobs
from ctidialer.store.due import DueLook, DueQuestion
from ctidialer.store.errors import Denied, LeaseLost, NotInFlight, NotReturned, StoreError
from ctidialer.store.in_flight import NO_CALL, Claimed, Dialing, InFlight
from ctidialer.store.permit import Permit
from ctidialer.store.place_answers import Seen, Taken
from ctidialer.store.places import NO_NOTE, Asking, Note, Owned, Places, Righted
from ctidialer.store.store import Store
from ctidialer.store.taking import NamedMember
from ctidialer.store.waiting import Waiting

Answer = TypeVar("Answer")

ZSET = "cti_schedule_dialer_number@fs1"
NOW = 1_700_000_000.0
ROUND_TRIP = 0.001
"""Seconds after which the store in memory answers."""


def clock() -> Clock:
    """Return a clock that stands at some moment of our time."""
    found = Clock()
    found.advance(NOW)
    return found


def let_run(clock: Clock, seconds: float, step: float = 0.01) -> None:
    """Let so many seconds pass, a little at a time."""
    for _ in range(round(seconds / step)):
        clock.advance(step)


@define(eq=False)
class Placed:
    """One originate that the switch was asked for."""

    job_id: str
    command: str

    @property
    def uuid(self) -> str:
        """The UUID that was asked for."""
        found = re.search(r"origination_uuid=([^,}]+)", self.command)
        assert found is not None, self.command
        return found[1]

    @property
    def number(self) -> str:
        """The number that was dialed."""
        found = re.search(r"cti_dial_number=([^,}]+)", self.command)
        assert found is not None, self.command
        return found[1]


class FakeSwitch:
    """A FreeSWITCH that does what a test says; ``existing`` are the calls that it knows."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.placed: list[Placed] = []
        self.existing: set[str] = set()
        self.asked: list[str] = []
        self.forgotten: list[str] = []
        self.error: EslError | None = None
        self.silent = False
        self._unanswered: list[Deferred[str]] = []

    def api(self, command: str, timeout: float = 10.0) -> Deferred[str]:
        if self.error is not None:
            return fail(self.error)
        verb, _, uuid = command.partition(" ")
        assert verb == "uuid_exists", command
        self.asked.append(uuid)
        if self.silent:
            self._unanswered.append(Deferred())
            return self._unanswered[-1]
        return succeed("true" if uuid in self.existing else "false")

    def background(self, job_id: str, command: str) -> Deferred[JobResult]:
        if self.error is not None:
            return fail(self.error)
        verb, _, originate = command.partition(" ")
        assert verb == "originate", command
        self.placed.append(Placed(job_id, originate))
        return self.jobs.register(job_id)

    def forget(self, job_id: str) -> None:
        self.forgotten.append(job_id)
        self.jobs.forget(job_id)

    # --- what a test makes it do ---

    @property
    def last(self) -> Placed:
        return self.placed[-1]

    def job(self, text: str, placed: Placed | None = None) -> bool:
        """Report the end of a job; False when nobody waits for it."""
        headers = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": (placed or self.last).job_id}
        return self.jobs.finish(make_event(headers, text + "\n"))

    def goes_away(self, why: str = "cut") -> None:
        """Cut the connection: what is under way may have been executed, nothing more is sent."""
        self.error = ConnectionGone(why, may_have_been_executed=False)
        unanswered, self._unanswered = self._unanswered, []
        for answer in unanswered:
            answer.errback(ConnectionGone(why, may_have_been_executed=True))
        self.jobs.fail_all(why)

    def comes_back(self) -> None:
        self.error = None

    def answers(self, text: str) -> None:
        """Answer every question that is open."""
        unanswered, self._unanswered = self._unanswered, []
        for answer in unanswered:
            answer.callback(text)


def answer_event(uuid: str, sent_at: float | None = None) -> Event:
    """Return the answer of a call; ``sent_at`` (unix seconds) = its stamp."""
    return make_event({"Event-Name": "CHANNEL_ANSWER", "Unique-ID": uuid, **stamp(sent_at)})


def bridge_event(uuid: str, agent_leg: str = "agent-leg", *, sent_at: float | None = None) -> Event:
    """Return the bridge of a call, told as an event of the other leg, as FreeSWITCH may do it."""
    return make_event(
        {
            "Event-Name": "CHANNEL_BRIDGE",
            "Unique-ID": agent_leg,
            "Bridge-A-Unique-ID": uuid,
            "Bridge-B-Unique-ID": agent_leg,
            **stamp(sent_at),
        }
    )


def stamp(sent_at: float | None) -> dict[str, str]:
    """Return the header that says when FreeSWITCH made an event."""
    return {} if sent_at is None else {"Event-Date-Timestamp": str(round(sent_at * 1e6))}


def hang_up_event(
    uuid: str,
    cause: str = "NORMAL_CLEARING",
    sip_code: int | None = None,
    *,
    talked: float | None = None,
    more: dict[str, str] | None = None,
) -> Event:
    """Return a CHANNEL_HANGUP_COMPLETE; ``talked``: seconds since the answer, None = no answer."""
    ended = 1_600_000_000_000_000
    answered = 0 if talked is None else ended - round(talked * 1e6)
    headers = {
        "Event-Name": "CHANNEL_HANGUP_COMPLETE",
        "Unique-ID": uuid,
        "Hangup-Cause": cause,
        "Caller-Channel-Hangup-Time": str(ended),
        "Caller-Channel-Answered-Time": str(answered),
        "Caller-Channel-Progress-Time": "0",
    }
    if sip_code is not None:
        headers["variable_sip_term_status"] = str(sip_code)
    return make_event({**headers, **(more or {})})


class MemoryPlaces(Places):
    """Places in memory; ``taken`` are those of all hosts by key, ``me`` is this one.

    ``start_in``: seconds until the next call may start; ``round_trip``: seconds until the answer to
    who takes a place, ``righting``: to who sets places right.
    """

    sweep_interval = 60.0

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.taken: dict[str, list[tuple[str, str]]] = {}
        self.asked: list[tuple[Asking, str]] = []
        self.is_displaced = False
        self.start_in = 0.0
        self.round_trip = ROUND_TRIP
        self.righting = 0.0
        self.given_back: list[int] = []
        self.left: list[tuple[str, bool]] = []
        self.takes: list[str] = []
        self.waiting: dict[str, int] = {}
        """How many other hosts wait, by key."""

    def others_take(self, key: str, *names: str) -> None:
        """Let another host have these places."""
        self.taken.setdefault(key, []).extend(("other", name) for name in names)

    def others_leave(self, key: str) -> None:
        """Let another host leave all its places."""
        self.taken[key] = [one for one in self.taken[key] if one[0] == "me"]

    def take(self, name: str, counted: Sequence[Counted], note: Note = NO_NOTE) -> Deferred[Taken]:
        self.takes.append(name)
        full = [at for at, one in enumerate(counted) if self._room(one) <= 0]
        for one in () if full else counted:
            if one.count is not None:
                self.taken.setdefault(one.key, []).append(("me", name))
        start = round((self.clock.seconds() + self.start_in) * 1e6)
        answer = Taken(full[0] if full else None, self.start_in, None, self._seen(counted), start)
        return deferLater(self.clock, self.round_trip, lambda: answer)

    def leave(
        self, name: str, counted: Sequence[Counted], *, can_wait: bool = False
    ) -> Deferred[tuple[Seen, ...]]:
        self.left.append((name, can_wait))
        for one in counted:
            if ("me", name) in self.taken.get(one.key, ()):
                self.taken[one.key].remove(("me", name))
        answer = self._seen(counted)
        return deferLater(self.clock, self.round_trip, lambda: answer)

    def give_back(self, start: int, counted: Sequence[Counted]) -> Deferred[tuple[Seen, ...]]:
        self.given_back.append(start)
        answer = self._seen(counted)
        return deferLater(self.clock, ROUND_TRIP, lambda: answer)

    def ask(self, asking: Asking, counted: Counted) -> Deferred[Seen]:
        self.asked.append((asking, counted.key))
        (answer,) = self._seen([counted])
        return deferLater(self.clock, ROUND_TRIP, lambda: answer)

    def check_lease(self) -> None:
        if self.is_displaced:
            raise LeaseLost("fs1")

    async def set_right(self, own: Mapping[str, Owned]) -> dict[str, Righted]:
        righted = {}
        for key, one in own.items():
            before = self.taken.get(key, ())
            others = [place for place in before if place[0] != "me"]
            kept = [name for name in one.doubtful if ("me", name) in before]
            self.taken[key] = others + [("me", name) for name in (*one.names, *kept)]
            righted[key] = Righted(0, tuple(kept))
        if self.righting:
            await deferLater(self.clock, self.righting)
        return righted

    def _room(self, one: Counted) -> float:
        count = float("inf") if one.count is None else one.count
        return count - len(self.taken.get(one.key, ()))

    def _seen(self, counted: Sequence[Counted]) -> tuple[Seen, ...]:
        return tuple(
            Seen(len(self.taken.get(one.key, ())), 0.0, 1 + self.waiting.get(one.key, 0))
            for one in counted
        )


class MemoryStore(Store):
    """The documented behaviour of the store, in memory; ``error`` is how every call fails.

    ``unreturnable`` are the ids of entries that cannot go back, ``digests`` those of long entries,
    ``apart`` the ids that were settled as such.
    What a call does is done at once; its answer comes ``ROUND_TRIP`` seconds later.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.error: StoreError | None = None
        self.queues: dict[str, list[bytes]] = {}
        self.due: dict[str, dict[bytes, float]] = {}
        self.flying: dict[str, InFlight] = {}
        self.records: list[Record] = []
        self.asked_for: list[int] = []
        self.notes: list[Dialing] = []
        self.returned: list[list[str]] = []
        self.unreturnable: set[str] = set()
        self.digests: dict[str, str] = {}
        self.apart: list[str] = []
        self.looks: list[DueQuestion] = []
        self.permits: list[Permit] = []
        self.denials: list[Denied] = []
        self.slow_notes: list[float] = []
        """Seconds that the next notes of a call take."""
        self.uncounted: list[str] = []
        self.waiting: dict[Waiting, list[tuple[float, Carried, bytes]]] = {}
        self._numbered = 0
        self.places = MemoryPlaces(clock)

    async def overdue(self, places: Sequence[Waiting], now: float) -> dict[Waiting, int]:
        there = {where: self.waiting.get(where, []) for where in places}
        return {where: sum(due <= now for due, *_ in some) for where, some in there.items()}

    @property
    def token(self) -> str:
        return "me"

    def _done(self, value: Answer) -> Deferred[Answer]:
        return deferLater(self.clock, ROUND_TRIP, lambda: value)

    def _failed(self, error: Exception) -> Deferred[Any]:
        def fails() -> None:
            raise error

        return deferLater(self.clock, ROUND_TRIP, fails)

    def _take(self, kind: Kind, key: str, entry: bytes, **more: Any) -> Claimed:
        self._numbered += 1
        taken = InFlight(
            f"me-1-{self._numbered}", entry, self.clock.seconds(), kind=kind, key=key, **more
        )
        self.flying[taken.id] = taken
        return taken.claimed

    def claim(self, queue: str, side: Side, count: int, *, task: str) -> Deferred[list[Claimed]]:
        self.asked_for.append(count)
        if self.error is not None:
            return self._failed(self.error)
        entries = self.queues.setdefault(queue, [])
        taken, self.queues[queue] = entries[:count], entries[count:]
        return self._done([self._take(Kind.QUEUE, queue, e, side=side, task=task) for e in taken])

    def filled(self, queues: Sequence[str]) -> Deferred[list[int]]:
        if self.error is not None:
            return self._failed(self.error)
        return self._done([at for at, queue in enumerate(queues) if self.queues.get(queue)])

    def claim_due(self, key: str, count: int, now: float) -> Deferred[list[Claimed]]:
        self.asked_for.append(count)
        if self.error is not None:
            return self._failed(self.error)
        members = self.due.setdefault(key, {})
        ripe = sorted((score, entry) for entry, score in members.items() if score <= now)[:count]
        for _, entry in ripe:
            del members[entry]
        return self._done([self._take(Kind.SCHEDULE, key, e, score=score) for score, e in ripe])

    def look_at_due(self, key: str, look: DueQuestion) -> Deferred[DueLook]:
        if self.error is not None:
            return self._failed(self.error)
        self.looks.append(look)
        ranked = sorted((score, entry) for entry, score in self.due.get(key, {}).items())
        if look.witness is not None:
            place, member = look.witness
            if ranked[place : place + 1] == [] or ranked[place][1] != member:
                return self._done(DueLook(False, False, ()))
        due = [entry for score, entry in ranked if score <= look.now]
        read = due[look.first : look.first + look.many]
        is_end = len(due) < look.first + look.many
        return self._done(DueLook(True, is_end, tuple((one, len(one)) for one in read)))

    def claim_members(
        self, key: str, members: Sequence[NamedMember], now: float
    ) -> Deferred[list[Claimed]]:
        self.asked_for.append(len(members))
        if self.error is not None:
            return self._failed(self.error)
        due = self.due.setdefault(key, {})
        found = [(due.pop(one), one) for one, _ in members if due.get(one, now + 1) <= now]
        return self._done([self._take(Kind.SCHEDULE, key, e, score=score) for score, e in found])

    def claim_waiting(
        self, where: Waiting, count: int, task: str | None
    ) -> Deferred[list[Claimed]]:
        self.asked_for.append(count)
        if self.error is not None:
            return self._failed(self.error)
        there = sorted(self.waiting.setdefault(where, []), key=lambda one: one[0])
        due = [one for one in there if one[0] <= self.clock.seconds()][:count]
        self.waiting[where] = [one for one in there if one not in due]
        return self._done(
            [
                self._take(
                    where.kind,
                    where.key,
                    entry,
                    task=task,
                    score=score,
                    where=where,
                    carried=carried,
                )
                for score, carried, entry in due
            ]
        )

    def due_waiting(
        self, scopes: Sequence[str], now: float = math.inf
    ) -> Deferred[dict[Waiting, float]]:
        if self.error is not None:
            return self._failed(self.error)
        earliest = {
            where: min(one[0] for one in there)
            for where, there in self.waiting.items()
            if there and where.scope in scopes
        }
        return self._done({where: due for where, due in earliest.items() if due <= now})

    def wait(
        self,
        entry_id: str,
        where: Waiting,
        carried: Carried,
        due: float,
        record: bytes | None = None,
        **_: object,
    ) -> Deferred[bool]:
        if self.error is not None:
            return self._failed(self.error)
        entry = self.flying.pop(entry_id, None)
        if entry is None:
            return self._done(False)
        self.waiting.setdefault(where, []).append((due, carried, entry.entry))
        self.records += [] if record is None else [decode_record(record)]
        return self._done(True)

    def note_dialing(
        self, entry_id: str, dialing: Dialing, permit: Permit | None = None
    ) -> Deferred[None]:
        if self.error is not None:
            return self._failed(self.error)
        if entry_id not in self.flying:
            return self._failed(NotInFlight(entry_id))
        if permit is not None and dialing.uuid != NO_CALL:
            self.permits.append(permit)
            if self.denials:
                return self._failed(self.denials.pop(0))
        self.notes.append(dialing)
        self.flying[entry_id] = evolve(self.flying[entry_id], dialing=dialing)
        takes = self.slow_notes.pop(0) if self.slow_notes else ROUND_TRIP
        return deferLater(self.clock, takes, lambda: None)

    def uncount(self, permit: Permit, uuid: str) -> Deferred[bool]:
        self.uncounted.append(uuid)
        return self._done(True)

    def note_answered(
        self, entry_id: str, uuid: str, answered_at: float, permit: Permit | None = None
    ) -> Deferred[bool]:
        if self.error is not None:
            return self._failed(self.error)
        entry = self.flying.get(entry_id)
        if entry is None or entry.dialing is None or entry.dialing.uuid != uuid:
            return self._done(False)
        noted = evolve(entry.dialing, answered_at=answered_at)
        self.flying[entry_id] = evolve(entry, dialing=noted)
        return self._done(True)

    def settle(
        self,
        entry_id: str,
        record: bytes,
        *,
        is_apart: bool = False,
        dnc_add: tuple[str, str] | None = None,
    ) -> Deferred[bool]:
        if self.error is not None:
            return self._failed(self.error)
        if self.flying.pop(entry_id, None) is None:
            return self._done(False)
        self.records.append(decode_record(record))
        self.apart += [entry_id] if is_apart else []
        return self._done(True)

    def digest(self, claim: Claimed) -> Deferred[str | None]:
        return self._done(self.digests.get(claim.id))

    def give_back(self, entry_ids: Sequence[str]) -> Deferred[int]:
        if self.error is not None:
            return self._failed(self.error)
        self.returned.append(list(entry_ids))
        left = [one for one in entry_ids if one in self.unreturnable]
        entry_ids = [one for one in entry_ids if one not in left]
        back = [self.flying.pop(one) for one in entry_ids if one in self.flying]
        for entry in sorted(back, key=lambda entry: entry.order, reverse=True):
            if entry.where is not None:
                assert entry.score is not None
                assert entry.carried is not None
                there = self.waiting.setdefault(entry.where, [])
                there.append((entry.score, entry.carried, entry.entry))
            elif entry.side is None:
                assert entry.score is not None
                self.due.setdefault(entry.key, {}).setdefault(entry.entry, entry.score)
            else:
                self.queues.setdefault(entry.key, []).insert(0, entry.entry)
        if left:
            return self._failed(NotReturned(left, StoreError("the key 'q' holds a string")))
        return self._done(len(back))

    def write_back(self, entry_id: str, score: float) -> Deferred[bool]:
        if self.error is not None:
            return self._failed(self.error)
        entry = self.flying.pop(entry_id, None)
        if entry is not None:
            self.due.setdefault(entry.key, {})[entry.entry] = score
        return self._done(entry is not None)

    def in_flight(self) -> Deferred[list[InFlight]]:
        if self.error is not None:
            return self._failed(self.error)
        return self._done(list(self.flying.values()))
