"""The simulated switch: its calls, limits, listeners, and the events between them."""

from __future__ import annotations

import time
import uuid as uuids
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.switchsim.behaviour import Script
from ctidialer.switchsim.call import Call
from ctidialer.switchsim.callcenter.center import Callcenter
from ctidialer.switchsim.calllog import CallLogWriter
from ctidialer.switchsim.encoding import to_bytes
from ctidialer.switchsim.events import Channel, Event, EventWriter
from ctidialer.switchsim.identity import Identity
from ctidialer.switchsim.limits import SessionLimits
from ctidialer.switchsim.subscription import LOG_LEVELS
from ctidialer.switchsim.templates import Fields, Source


class Listener(Protocol):
    """A client's connection, as the switch sees it."""

    number: int

    def wants(self, name: str) -> bool:
        """Say whether events of this name were asked for."""

    def wants_json(self) -> bool:
        """Say whether this listener takes JSON."""

    def take(self, event: Event) -> None:
        """Deliver an event, if the filters let it through."""

    def take_log(self, level: int, header: bytes, text: bytes) -> None:
        """Deliver a log line, if the level was asked for."""

    def close(self, how: str) -> None:
        """End the connection: ``fin``, ``rst``, or ``notice`` for FreeSWITCH's farewell."""


class Switch:
    """Everything but the sockets.

    ``clock`` gives time and timers; ``wall`` is its offset to unix time, so that a test's clock may
    begin at 0.  ``end_process`` is called with an exit status, or with a negative signal number
    where the real FreeSWITCH would die of that signal.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        password: str = "ClueCon",
        script: Script | None = None,
        log: CallLogWriter | None = None,
        identity: Identity | None = None,
        end_process: Callable[[int], None] = lambda status: None,
        wall: float = 0.0,
    ) -> None:
        self.clock = clock
        self.password = password
        self.script = script or Script()
        self.log = log or CallLogWriter(None)
        self.identity = identity or Identity()
        self.end_process = end_process
        self.limits = SessionLimits()
        self.gateways = self.script.known_gateways
        self.calls: dict[str, Call] = {}
        self.listeners: list[Listener] = []
        self.counts: Counter[str] = Counter()
        self.originates = 0
        self.shutting_down = False
        self.acl_refuses = False
        self.reply_delay = 0.0
        self.events_paused = False
        self.show_delay = 0.2
        self.logs_answers = False
        self._wall = wall
        self._ended: deque[tuple[float, Call]] = deque()
        self._writer = EventWriter(self.identity.fields())
        self._takers: dict[str, tuple[Listener, ...]] = {}
        self.started_at = self.now()
        self.callcenter = Callcenter(self)

    def now(self) -> float:
        """Give unix seconds."""
        return self.clock.seconds() + self._wall

    def new_uuid(self) -> str:
        """Give a fresh random UUID."""
        return str(uuids.uuid4())

    # Listeners -----------------------------------------------------------------------------------

    def add_listener(self, listener: Listener) -> None:
        """Let a connection take events."""
        self.listeners.append(listener)
        self.subscriptions_changed()

    def remove_listener(self, listener: Listener) -> None:
        """Forget a connection; harmless when it is not known."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        self.subscriptions_changed()

    def subscriptions_changed(self) -> None:
        """Note that a listener came or went, or wants other events or another format."""
        self._takers.clear()
        self._writer.exact = any(listener.wants_json() for listener in self.listeners)

    # Events --------------------------------------------------------------------------------------

    def fire_channel(
        self,
        name: str,
        path: tuple[str, ...],
        tags: frozenset[str],
        fields: Fields,
        variables: Mapping[str, str],
    ) -> None:
        """Send a channel's event to whoever wants it."""
        takers = self._takers_of(name)
        if not takers:
            self._writer.skip()
            return
        event = self._writer.channel_event(name, path, tags, fields, variables, self.now())
        for listener in takers:
            listener.take(event)

    def channel_data(self, call: Call) -> Event:
        """Render what ``uuid_dump`` shows of a call."""
        exact, self._writer.exact = self._writer.exact, True
        event = self._writer.channel_event(
            "CHANNEL_DATA",
            call.path,
            call.tags,
            _fields_now(call),
            call.request.variables,
            self.now(),
        )
        self._writer.exact = exact
        return event

    def fire_module(
        self,
        source: Source,
        headers: list[tuple[str, str]],
        call: Call | None,
    ) -> None:
        """Send ``callcenter::info``, with a channel's data where ``call`` is one."""
        takers = self._takers_of("CUSTOM")
        if not takers:
            self._writer.skip()
            return
        channel = None
        if call is not None:
            channel = Channel(call.path, call.tags, _fields_now(call), call.request.variables)
        event = self._writer.module_event("callcenter::info", source, headers, self.now(), channel)
        for listener in takers:
            listener.take(event)

    def fire(self, name: str, headers: list[tuple[str, str]], body: bytes | None = None) -> None:
        """Send an event that is no channel's."""
        self._deliver(self._writer.event(name, headers, self.now(), body))

    def fire_custom(
        self, subclass: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> None:
        """Send a CUSTOM event."""
        self._deliver(self._writer.custom_event(headers, self.now(), body, subclass))

    def fire_job(self, job: str, command: str, argument: str, text: str, *, by_api: bool) -> None:
        """Send a BACKGROUND_JOB; a job without output has no body (recording 83)."""
        headers = [("Job-UUID", job), ("Job-Command", command)]
        headers += [("Job-Command-Arg", argument)] if argument else []
        body = to_bytes(text) or None
        event = self._writer.event("BACKGROUND_JOB", headers, self.now(), body, by_api=by_api)
        self._deliver(event)

    def _deliver(self, event: Event) -> None:
        for listener in self._takers_of(event.name):
            listener.take(event)

    def _takers_of(self, name: str) -> tuple[Listener, ...]:
        """Give who wants events of a name; found once for each change of a subscription."""
        takers = self._takers.get(name)
        if takers is None:
            takers = tuple(listener for listener in self.listeners if listener.wants(name))
            self._takers[name] = takers
        return takers

    def write_log(self, level: int, file: str, function: str, line: int, text: str) -> None:
        """Send a log line to the listeners that asked for its level."""
        moment = self.now()
        stamp = _log_stamp(moment)
        whole = f"{stamp} 94.77% [{LOG_LEVELS[level]}] {file}:{line} {text}\n".encode()
        header = (
            f"Content-Type: log/data\nContent-Length: {len(whole)}\nLog-Level: {level}\n"
            f"Text-Channel: 0\nLog-File: {file}\nLog-Func: {function}\nLog-Line: {line}\n"
            "User-Data: \n\n"
        ).encode()
        for listener in list(self.listeners):
            listener.take_log(level, header, whole)

    # Calls ---------------------------------------------------------------------------------------

    def call_over(self, call: Call) -> None:
        """Take the call out of the table and log how it ended."""
        if self.calls.get(call.uuid) is call:
            del self.calls[call.uuid]
        self._ended.append((self.now(), call))
        self._forget_ended()
        self.log_end(call.serial, call.uuid, call.request.number, call.answered, call.cause)

    def _forget_ended(self) -> None:
        oldest = self.now() - self.show_delay
        while self._ended and self._ended[0][0] < oldest:
            self._ended.popleft()

    def shown_calls(self) -> list[Call]:
        """Give the calls that ``show`` tells of: FreeSWITCH writes its table every 200 ms only.

        Until then a new call is missing there (``uuid_exists`` knows it), an ended one is not.
        """
        written = self.now() - self.now() % self.show_delay if self.show_delay else self.now()
        known = [*(call for at, call in self._ended if at > written), *self.calls.values()]
        return [call for call in known if call.started_at <= written]

    def has_call(self, uuid: str) -> bool:
        """Say whether there is a call."""
        return uuid in self.calls

    def log_queue(self, kind: str, call: Call, queue: str, **more: str) -> None:
        """Log what becomes of a call in a queue: ``queued``, ``bridged``, ``left``."""
        values = {"time": self.now(), "call": call.serial, "uuid": call.uuid, "queue": queue}
        self.log.write(kind, {**values, **more})

    def log_answer(self, call: Call) -> None:
        """Note when a call was answered, if that is wanted."""
        if self.logs_answers:
            values = {"time": self.now(), "call": call.serial, "uuid": call.uuid}
            self.log.write("answer", values)

    def log_end(self, serial: int, uuid: str, number: str, answered: bool, cause: str) -> None:
        """Write an originate's last log line."""
        values = {"time": self.now(), "call": serial, "uuid": uuid, "number": number}
        self.log.write("end", {**values, "answered": answered, "cause": cause})

    def hang_up_all(self, cause: str, having: dict[str, str] | None = None) -> None:
        """Hang up every call, or those that have all these variables."""
        for call in list(self.calls.values()):
            request = call.request
            if all(request.variable(name) == text for name, text in (having or {}).items()):
                call.kill(cause)
        self.callcenter.kill_legs(having or {}, cause)

    def shut_down(self, notice_after: float = 0.3) -> Deferred[None]:
        """End as on SIGTERM (recording 91, in short): SHUTDOWN, hang-ups, notice, the end."""
        done: Deferred[None] = Deferred()
        if not self.shutting_down:
            self.shutting_down = True
            self.fire("SHUTDOWN", [("Event-Info", "System Shutting Down")])
            self.hang_up_all("SYSTEM_SHUTDOWN")
        self.clock.callLater(notice_after, self._say_farewell, done)
        return done

    def _say_farewell(self, done: Deferred[None]) -> None:
        for listener in list(self.listeners):
            listener.close("notice")
        done.callback(None)


def _fields_now(call: Call) -> Fields:
    state, number = (b"CS_EXECUTE", b"4") if call.routed else (b"CS_CONSUME_MEDIA", b"7")
    answer = b"hangup" if call.over else b"answered" if call.answered else b"ringing"
    return {
        **call.fields,
        b"state": state,
        b"state_number": number,
        b"call_state": call.call_state,
        b"answer_state": answer,
    }


def _log_stamp(moment: float) -> str:
    micros = int(moment * 1_000_000) % 1_000_000
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) + f".{micros:06d}"
