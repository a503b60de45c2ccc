"""What is told of a call while it is up: the events of one call, for the stream of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace
from twisted.logger import Logger

from ctidialer.contract import causes
from ctidialer.contract.call_event import CallEvent, EventKind
from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import in_microseconds
from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.again import Again
from ctidialer.dialer.life.number_in_hand import NumberInHand
from ctidialer.esl.events import Event
from ctidialer.rules import after_call, verdict
from ctidialer.rules import attempt as rules
from ctidialer.rules.after_call import QUEUE_AGENT
from ctidialer.rules.attempt import Attempt

Tell = Callable[[CallEvent], None]

# Tuples of happenings, not sets: the hash of an enum is computed in Python, which is slow.
ONCE = (EventKind.RINGING, EventKind.ANSWERED)
"""What is told once a call; BRIDGED may come several times, for one leg after another."""


class Story:
    """Tells of the ``count``-th call of ``number``; an error in telling harms no call."""

    __slots__ = ("_agent", "_blank", "_number", "_tell", "_told")

    log = Logger()

    def __init__(self, tell: Tell, host: str, number: NumberInHand, count: int) -> None:
        self._tell = tell
        self._number = number
        self._blank = _blank(host, number, count)
        self._told: tuple[EventKind, ...] = ()
        self._agent: str | None = None

    def dialing(self, attempt: Attempt, variables: Mapping[str, str]) -> None:
        """The call is about to be placed with these variables; placeholders are not told yet."""
        self._safely(self._dialing, attempt, variables)

    def heard(self, event: Event, attempt: Attempt, at: float) -> None:
        """FreeSWITCH told of the call; ``attempt`` has the news in it already."""
        self._safely(self._heard, event, attempt, at)

    def ended(self, attempt: Attempt) -> None:
        """The call is over."""
        self._safely(self._ended, attempt)

    def _dialing(self, attempt: Attempt, variables: Mapping[str, str]) -> None:
        said = {
            name: variables[name]
            for name in self._number.after_call.names
            if name in variables and not isinstance(variables[name], Fillable)
        }
        self._tell(self._event(EventKind.DIALING, attempt, attempt.dialed_at, said))

    def _heard(self, event: Event, attempt: Attempt, at: float) -> None:
        happening = channel_events.HAPPENINGS.get(event.name)
        if happening is None:
            self._agent = channel_events.agent_to_come(event) or self._agent
            return
        if happening in ONCE and happening in self._told:
            return
        if happening is EventKind.RINGING and attempt.was_answered:
            return
        self._told += (happening,)
        said = channel_events.said(event, self._number.after_call, attempt.uuid)
        if happening is EventKind.BRIDGED and self._agent is not None:
            said[QUEUE_AGENT] = self._agent
            self._agent = None  # before the next bridge mod_callcenter names the agent again
        self._tell(self._event(happening, attempt, at, said))

    def _ended(self, attempt: Attempt) -> None:
        ended_at = attempt.dialed_at if attempt.ended_at is None else attempt.ended_at
        event = replace(
            self._event(EventKind.ENDED, attempt, ended_at, attempt.said),
            outcome=self._outcome(attempt),
            answered=attempt.was_answered,
            hangup_cause=attempt.cause,
            q850=causes.q850(attempt.cause),
            sip_code=attempt.sip_code,
        )
        self._tell(event)

    def _outcome(self, attempt: Attempt) -> Outcome | None:
        """Return what the record will say if no further call follows; None = no verdict."""
        if rules.never_left(attempt) is not None or rules.is_refusal(attempt):
            return None
        return verdict.of_call(self._number.after_call, attempt)

    def _event(
        self, happening: EventKind, attempt: Attempt, at: float, said: Mapping[str, str]
    ) -> CallEvent:
        wanted = self._number.after_call
        return replace(
            self._blank,
            event=happening,
            time=in_microseconds(at),
            uuid=attempt.uuid,
            line=attempt.line,
            line_group=attempt.group,
            agent=after_call.agent(wanted, said) if said else None,
            variables=after_call.carried(wanted, said) if said else {},
        )

    def _safely(self, say: Callable[..., None], *arguments: Any) -> None:
        try:
            say(*arguments)
        except Exception:  # noqa: BLE001 - a fault in telling must not end a number's life
            self.log.failure("A call could not be told of")


class CalledOff:
    """A reader of the journal that tells of numbers that ended without a call."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader: the story of the call has told it."""

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        if not record.attempts:
            self._tell(
                CallEvent(
                    event=EventKind.ENDED,
                    time=in_microseconds(record.ended_at),
                    id=record.id,
                    kind=record.kind,
                    number=record.number,
                    uuid=None,
                    attempt=0,
                    line=None,
                    line_group=None,
                    host=record.host,
                    outcome=record.outcome,
                    answered=False,
                    hangup_cause=None,
                    q850=None,
                    sip_code=None,
                    **_named(record.kind, record.task),
                )
            )


def waiting_event(host: str, again: Again, entry_id: str, number: str | None) -> CallEvent:
    """Return what is told of a number that waits for a later call."""
    carried, where = again.carried, again.where
    return CallEvent(
        event=EventKind.WAITING,
        time=in_microseconds(carried.since),
        id=entry_id,
        kind=where.kind,
        number=number,
        uuid=None,
        attempt=0,
        line=None,
        line_group=None,
        host=host,
        reason=carried.reason,
        due=in_microseconds(again.due),
        **_named(where.kind, where.name),
    )


class Stories:
    """Makes the stories of the calls of ``host``; without ``tell`` there are none."""

    def __init__(self, host: str, tell: Tell | None = None) -> None:
        self._host = host
        self._tell = tell

    def of(self, number: NumberInHand | None, count: int) -> Story | None:
        """Return the story of the ``count``-th call of a number; None = nobody is told."""
        if self._tell is None or number is None:
            return None
        return Story(self._tell, self._host, number, count)


def _blank(host: str, number: NumberInHand, count: int) -> CallEvent:
    """Return what all events of a call have in common; the rest is filled in."""
    return CallEvent(
        event=EventKind.DIALING,
        time=0.0,
        id=number.claim.id,
        kind=number.kind,
        number=number.number,
        uuid=None,
        attempt=count,
        line=None,
        line_group=None,
        host=host,
        **_named(number.kind, number.name),
    )


def _named(kind: Kind, name: str | None) -> dict[str, Any]:
    """Return the task, or the schedule configuration, as a field of an event."""
    return {"task" if kind is Kind.QUEUE else "config": name}
