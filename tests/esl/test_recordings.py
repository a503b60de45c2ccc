"""Every recording of a real FreeSWITCH is read, and read the same however its bytes are cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.connection import (
    Accepted,
    ApiResponse,
    CommandReply,
    Connection,
    DeniedNotice,
    DisconnectNotice,
    LogData,
    Received,
    SocketState,
)
from ctidialer.esl.events import Event
from ctidialer.esl.framing import Framer
from ctidialer.esl.replies import Reply
from tests.esl import recordings
from tests.esl.recordings import EXCERPTS

WHOLE = recordings.whole_connections()
MID_STREAM = ["86_unicode_array_multiline_plain", "87_unicode_array_multiline_json"]
READABLE = WHOLE + MID_STREAM
cuts = st.lists(st.integers(1, 6000), min_size=1, max_size=12)


def pieces(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """Cut bytes into pieces of these sizes, over and over again."""
    sizes = list(sizes)
    position = turn = 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        yield data[position : position + size]
        position, turn = position + size, turn + 1


def first_state(name: str) -> SocketState:
    return SocketState.OPEN if name in EXCERPTS else SocketState.UNGREETED


def read(name: str, sizes: Iterable[int] | None = None) -> tuple[list[Received], Connection]:
    data = recordings.load(name).received
    connection = Connection(first_state(name))
    received: list[Received] = []
    for piece in pieces(data, sizes or [len(data)]):
        received += connection.receive(piece)
    return received + connection.finish(), connection


def events_of(name: str) -> list[Event]:
    return [each for each in read(name)[0] if isinstance(each, Event)]


def event_called(name: str, event: str) -> Event:
    return next(each for each in events_of(name) if each.name == event)


class TheLoader(SynchronousTestCase):
    def test_all_are_there(self) -> None:
        self.assertEqual(len(recordings.names()), 79)

    def test_content_lengths_agree_with_the_chunks(self) -> None:
        for name in READABLE:
            data = recordings.load(name).received
            position = 0
            while position < len(data):
                blank = data.index(b"\n\n", position)
                found = re.search(rb"^Content-Length: (\d+)", data[position:blank], re.M)
                position = blank + 2 + (int(found[1]) if found else 0)
            self.assertEqual(position, len(data), name)

    def test_elided_bytes_are_not_made_up(self) -> None:
        recording = recordings.load("82_big_command_1MB")
        self.assertRaises(ValueError, lambda: recording.received)
        elided = sum(chunk.elided for chunk in recording.chunks if chunk.direction == "<")
        head = b"Content-Type: api/response\nContent-Length: 1000000\n\n"
        self.assertEqual(elided, len(head) + 1_000_000)


class EveryRecording(SynchronousTestCase):
    def test_is_read_without_a_fault(self) -> None:
        for name in READABLE:
            received, connection = read(name)
            self.assertIsNone(connection.fault, name)
            self.assertTrue(received, name)

    def test_has_the_events_that_stand_in_it(self) -> None:
        pattern = re.compile(rb'(?:^Event-Name: |"Event-Name":")([A-Z_]+)', re.M)
        dumped = "70_channel_mgmt_api"  # uuid_dump prints what looks like an event
        for name in (each for each in READABLE if each != dumped):
            expected = Counter(
                found.decode() for found in pattern.findall(recordings.load(name).received)
            )
            self.assertEqual(Counter(event.name for event in events_of(name)), expected, name)

    def test_is_the_same_in_pieces_of_any_one_size(self) -> None:
        for name in READABLE:
            whole = read(name)[0]
            for size in (1, 7, 4096):
                self.assertEqual(read(name, [size])[0], whole, (name, size))

    @settings(deadline=None, max_examples=120)
    @given(name=st.sampled_from(READABLE), sizes=cuts)
    def test_is_the_same_however_it_is_cut(self, name: str, sizes: list[int]) -> None:
        self.assertEqual(read(name, sizes)[0], read(name)[0])

    def test_has_a_reply_to_each_command(self) -> None:
        exceptions = {
            "92_fsctl_shutdown_now": 1,
            "93_fsctl_shutdown_elegant": 4,  # it waits for the calls, and answers nothing meanwhile
            "97_undef_extension_aborts_freeswitch": 1,  # it aborted
            "05_userauth_limited": 1,  # the connection was reset before it was read to its end
        }
        for name in WHOLE:
            received, _ = read(name)
            replies = sum(isinstance(each, CommandReply | ApiResponse) for each in received)
            sent = len([c for c in _commands(name) if not c.startswith((b"auth ", b"userauth "))])
            self.assertIn(sent - replies, range(exceptions.get(name, 0) + 1), name)


class ThroughTwisted(SynchronousTestCase):
    """The recorded commands are written through the protocol, then all that came is fed to it."""

    @settings(deadline=None, max_examples=60)
    @given(name=st.sampled_from(WHOLE), sizes=cuts)
    def test_is_the_same_however_it_is_cut(self, name: str, sizes: list[int]) -> None:
        self.assertEqual(_replay(name, sizes), _replay(name, [1 << 30]))

    def test_events_and_replies_are_those_of_the_pure_connection(self) -> None:
        for name in WHOLE:
            received, _ = read(name)
            events, outcomes, _ = _replay(name, [1 << 30])
            own_jobs = Counter(e for e in received if isinstance(e, Event))
            self.assertEqual(Counter(events), own_jobs, name)
            replies = [r for r in received if isinstance(r, CommandReply | ApiResponse)]
            self.assertEqual([o for o in outcomes if not isinstance(o, str)], replies, name)


def _commands(name: str) -> list[bytes]:
    sent = recordings.load(name).sent
    commands = []
    while sent:
        command, _, sent = sent.partition(b"\n\n")
        length = re.search(rb"^Content-Length: (\d+)", command, re.M)
        sent = sent[int(length[1]) :] if length else sent
        if command.strip():
            commands.append(command)
    return commands


def _replay(name: str, sizes: list[int]) -> tuple[list[Event], list[Reply | str], str | None]:
    events: list[Event] = []
    clock, transport = Clock(), StringTransport()
    protocol = EventSocketProtocol(clock, events.append)
    protocol.makeConnection(transport)
    waiting: list[Deferred[Reply | str]] = []
    for command in _commands(name):
        verb, _, rest = command.decode().partition(" ")
        if verb == "auth":
            protocol.auth(rest).addErrback(_name_of)
        elif verb == "userauth":
            user, _, password = rest.partition(":")
            protocol.userauth(user, password).addErrback(_name_of)
        else:
            waiting.append(protocol.written(command + b"\n\n").addErrback(_name_of))
    for piece in pieces(recordings.load(name).received, sizes):
        protocol.dataReceived(piece)
    protocol.connectionLost(Failure(ConnectionError("end of the recording")))
    outcomes: list[Reply | str] = []
    for answer in waiting:
        answer.addCallback(outcomes.append)
    assert not clock.getDelayedCalls(), clock.getDelayedCalls()
    return events, outcomes, protocol.ending


def _name_of(failure: Failure) -> str:
    return failure.type.__name__ if failure.type else ""


class WhatTheySay(SynchronousTestCase):
    def test_wrong_password_then_goodbye(self) -> None:
        received, connection = read("02_auth_wrong_password")
        self.assertEqual(
            [type(each).__name__ for each in received[1:]], ["Refused", "DisconnectNotice"]
        )
        self.assertIs(connection.state, SocketState.CLOSING)

    def test_a_command_before_authentication_spoils_nothing(self) -> None:
        names = [type(each).__name__ for each in read("03_unauthenticated_command")[0]]
        self.assertEqual(names, ["AuthRequest", "CommandReply", "Accepted", "ApiResponse"])

    def test_acl(self) -> None:
        received, _ = read("04_acl_rude_rejection")
        self.assertEqual(received[0], DeniedNotice("Access Denied, go away."))

    def test_a_limited_user(self) -> None:
        accepted = read("05_userauth_limited")[0][1]
        assert isinstance(accepted, Accepted)
        self.assertEqual(accepted.apis, {"status", "originate", "uuid_kill", "uuid_exists", "show"})
        self.assertTrue(accepted.allows_event("HEARTBEAT"))
        self.assertFalse(accepted.allows_event("CHANNEL_CREATE"))

    def test_log_lines(self) -> None:
        lines = [each for each in read("85_log_events")[0] if isinstance(each, LogData)]
        self.assertEqual(len(lines), 71)
        self.assertIn("New Channel null/1", lines[1].text)
        self.assertEqual(lines[1].level, 5)

    def test_lists_unicode_and_line_breaks(self) -> None:
        for name in MID_STREAM:
            hangup = event_called(name, "CHANNEL_HANGUP_COMPLETE")
            self.assertEqual(hangup.values("variable_v"), ["a", "b", "c"])
            self.assertEqual(hangup["variable_uni"], "žluť 日本")
            self.assertEqual(hangup["variable_nl"], "a\nb")
            self.assertEqual(hangup["variable_q"], '"x"')
            two = next(e for e in events_of(name) if e.subclass == "test::two")
            self.assertEqual(two.body, "hello\nworld")

    def test_plain_and_json_differ_where_a_value_was_encoded_already(self) -> None:
        plain, exact = (events_of(name)[0]["X-Uni"] for name in MID_STREAM)
        self.assertEqual(exact, "žluť 日本 \"q\" 's' a%20b, c")
        self.assertEqual(plain, exact.replace("%20", " "))

    def test_a_header_that_appears_twice(self) -> None:
        hangup = event_called("10_event_plain_null_answer_hangup", "CHANNEL_HANGUP_COMPLETE")
        self.assertEqual(hangup.all("Hangup-Cause"), ["NORMAL_CLEARING"] * 2)

    def test_a_killed_listener(self) -> None:
        tail = recordings.killed_listener_tail()
        # The beginning of that frame was not kept: any event frame that is long enough will do.
        begun = b"Content-Length: 9000\nContent-Type: text/event-plain\n\nEvent-Name: CREATED\nX: "
        for size in (1, 10, 10_000):
            connection = Connection(SocketState.OPEN)
            for piece in pieces(begun + tail, [size]):
                self.assertEqual(connection.receive(piece), [])
            self.assertEqual(
                connection.finish(),
                [DisconnectNotice("killed listener because of lost events", torn=True)],
            )

    def test_a_megabyte_of_answer(self) -> None:
        # What was elided is filled with the letter that surrounds it; the lengths are recorded.
        stream = b"Content-Type: api/response\nContent-Length: 1000000\n\n" + b"x" * 1_000_000
        sizes = [
            c.elided
            for c in recordings.load("82_big_command_1MB").chunks
            if c.elided and c.direction == "<"
        ]
        self.assertEqual(sum(sizes), len(stream))
        framer = Framer()
        frames = [frame for piece in pieces(stream, sizes) for frame in framer.feed(piece)]
        self.assertEqual([len(tail) - 1 for _, tail in frames], [1_000_000])
