"""The pure connection: what may come when, and that nothing else is believed."""

from __future__ import annotations

import subprocess
import sys
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.connection import (
    Accepted,
    ApiResponse,
    AuthRequest,
    CommandReply,
    Connection,
    DeniedNotice,
    DisconnectNotice,
    LogData,
    OtherFrame,
    Received,
    Refused,
    SocketState,
)
from ctidialer.esl.events import Event
from tests.esl.recordings import load
from tests.esl.scripted import DENIED, NOTICE, plain, reply, response

GREETING = b"Content-Type: auth/request\n\n"
LOGIN = GREETING + reply("+OK accepted")
KILLED = (
    b"Content-Type: text/disconnect-notice\nContent-Length: 39\n\n"
    b"killed listener because of lost events\n"
)


def read(
    stream: bytes, state: SocketState = SocketState.UNGREETED
) -> tuple[list[Received], Connection]:
    connection = Connection(state)
    return connection.receive(stream), connection


PURE = ("framing", "events", "json_events", "commands", "connection", "errors")


class Purity(SynchronousTestCase):
    def test_the_protocol_is_read_without_twisted(self) -> None:
        script = "import sys\nfrom ctidialer.esl import " + ", ".join(PURE)
        script += "\nsys.exit(any(name.startswith('twisted') for name in sys.modules))"
        self.assertEqual(subprocess.run([sys.executable, "-c", script], check=False).returncode, 0)


class States(SynchronousTestCase):
    def test_a_login(self) -> None:
        connection = Connection()
        self.assertIs(connection.state, SocketState.UNGREETED)
        self.assertEqual(connection.receive(GREETING), [AuthRequest()])
        self.assertIs(connection.state, SocketState.CHALLENGED)
        self.assertEqual(connection.receive(reply("+OK accepted")), [Accepted()])
        self.assertIs(connection.state, SocketState.OPEN)
        self.assertEqual(connection.finish(), [])
        self.assertIs(connection.state, SocketState.CLOSED)

    def test_a_wrong_password(self) -> None:
        received, connection = read(GREETING + reply("-ERR invalid") + NOTICE)
        self.assertEqual(received[1], Refused("-ERR invalid"))
        self.assertIsInstance(received[2], DisconnectNotice)
        self.assertIs(connection.state, SocketState.CLOSING)

    def test_a_refused_address(self) -> None:
        received, connection = read(DENIED)
        self.assertEqual(received[0], DeniedNotice("Access Denied, go away."))
        self.assertIs(connection.state, SocketState.CLOSING)

    def test_exit_before_authentication(self) -> None:
        received, _ = read(GREETING + reply("+OK bye") + NOTICE)
        self.assertEqual(received[1], CommandReply("+OK bye"))

    def test_nothing_is_read_after_the_goodbye(self) -> None:
        received, connection = read(LOGIN + NOTICE + plain("A") + b"Content-Length: x\n\n")
        self.assertEqual(len(received), 3)
        self.assertIsNone(connection.fault)
        self.assertEqual(connection.receive(plain("A")), [])

    def test_replies_and_responses(self) -> None:
        stream = reply("+OK Job-UUID: j1", "Job-UUID: j1") + response("a\n\nb") + reply("-ERR no")
        received, _ = read(LOGIN + stream)
        job, refused = CommandReply("+OK Job-UUID: j1", "j1"), CommandReply("-ERR no")
        self.assertEqual(received[2:], [job, ApiResponse("a\n\nb"), refused])
        self.assertEqual((job.refused, refused.refused), (False, True))

    def test_log_lines_and_unknown_frames(self) -> None:
        log = b"Content-Type: log/data\nContent-Length: 3\nLog-Level: 4\n\nx\ny"
        received, _ = read(LOGIN + log + b"Content-Type: text/event-xml\n\n" + plain("A"))
        self.assertEqual(received[2], LogData("x\ny", 4))
        self.assertEqual(received[3], OtherFrame("'text/event-xml'"))
        self.assertIsInstance(received[4], Event)


class Faults(SynchronousTestCase):
    def assert_fault(self, stream: bytes, words: str) -> None:
        connection = Connection()
        connection.receive(stream)
        self.assertIs(connection.state, SocketState.FAULTY)
        self.assertIn(words, str(connection.fault))
        self.assertEqual(connection.receive(LOGIN), [])
        self.assertEqual(connection.finish(), [])

    def test_something_else_than_an_event_socket(self) -> None:
        self.assert_fault(b"SSH-2.0-OpenSSH_9.6\r\n\n\n", "without Content-Type")
        http = b"HTTP/1.1 400 Bad Request\nContent-Type: text/html\nContent-Length: 2\n\nhi"
        self.assert_fault(http, "is this FreeSWITCH?")

    def test_what_cannot_come_before_authentication(self) -> None:
        self.assert_fault(GREETING + plain("CHANNEL_ANSWER"), "before the authentication")
        self.assert_fault(GREETING + response("x"), "before the authentication")

    def test_a_second_greeting(self) -> None:
        self.assert_fault(LOGIN + GREETING, "second greeting")

    def test_a_damaged_event(self) -> None:
        damaged = b"Content-Length: 4\nContent-Type: text/event-plain\n\nA: 1"
        self.assert_fault(LOGIN + damaged, "not hold one whole event")
        no_json = b"Content-Length: 4\nContent-Type: text/event-json\n\n[{}]"
        self.assert_fault(LOGIN + no_json, "no JSON object")

    def test_a_bad_length(self) -> None:
        self.assert_fault(LOGIN + b"Content-Length: -5\n\n", "no number")

    def test_what_came_before_the_fault_is_given(self) -> None:
        received, _ = read(LOGIN + plain("A") + b"nonsense\n\n" + plain("B"))
        self.assertEqual(len(received), 3)

    @settings(deadline=None, max_examples=300)
    @given(
        st.lists(
            st.binary(max_size=30)
            | st.sampled_from(
                [GREETING, LOGIN, NOTICE, DENIED, plain("A"), response("x"), reply("-ERR x"), b"\n"]
            ),
            max_size=12,
        ).map(b"".join),
        st.lists(st.integers(1, 80), min_size=1, max_size=5),
    )
    def test_no_bytes_make_it_raise(self, stream: bytes, sizes: list[int]) -> None:
        whole, at_once = read(stream)
        connection, got, position = Connection(), list[Received](), 0
        for turn in range(len(stream)):
            size = sizes[turn % len(sizes)]
            got += connection.receive(stream[position : position + size])
            position += size
        self.assertEqual(got, whole)
        self.assertIs(connection.state, at_once.state)
        self.assertEqual(connection.finish(), at_once.finish())


class AKilledListener(SynchronousTestCase):
    """FreeSWITCH writes its notice wherever the stream happened to be (recording 88)."""

    stream = load("10_event_plain_null_answer_hangup").received

    def test_at_any_place(self) -> None:
        """What comes besides the whole frames is the notice, or a fault; nothing made of two."""
        job = self.stream.index(b"+OK 3a3a6dee")
        in_a_job = range(job, job + 41)  # a body may hold anything, so there it cannot be told
        for cut in range(len(GREETING), len(self.stream)):
            before, _ = read(self.stream[:cut])
            connection = Connection()
            got = connection.receive(self.stream[:cut] + KILLED) + connection.finish()
            self.assertEqual(got[: len(before)], before)
            if cut not in in_a_job:
                kinds = [type(each) for each in got[len(before) :]]
                expected = [DisconnectNotice] if connection.fault is None else []
                self.assertEqual(kinds, expected, cut)

    def test_that_fills_up_the_frame_exactly(self) -> None:
        begun = b"Event-Name: CHANNEL_HANGUP\nUnique-ID: 7f9"
        frame = b"Content-Length: %d\nContent-Type: text/event-plain\n\n"
        frame %= len(begun) + len(KILLED)
        received, connection = read(LOGIN + frame + begun + KILLED)
        self.assertEqual(received[2:], [DisconnectNotice("killed listener", torn=True)])
        self.assertIs(connection.state, SocketState.CLOSING)

    @settings(deadline=None, max_examples=200)
    @given(st.integers(100, 20_000), st.lists(st.integers(1, 3000), min_size=1, max_size=4))
    def test_in_any_pieces(self, cut: int, sizes: list[int]) -> None:
        torn = self.stream[:cut] + KILLED
        connection, got, position = Connection(), list[Received](), 0
        for turn in range(len(torn)):
            size = sizes[turn % len(sizes)]
            got += connection.receive(torn[position : position + size])
            position += size
        whole, at_once = read(torn)
        self.assertEqual(got, whole)
        self.assertEqual(connection.finish(), at_once.finish())


class Time(SynchronousTestCase):
    """No header block takes long to read, whatever stands in it."""

    def test_spaces_within_a_value(self) -> None:
        spaces = b" " * 60_000
        for head in (b"Content-Type: a", b"Content-Type: api/response\nX: y\ncontent-length: 1"):
            connection = Connection(SocketState.OPEN)
            begun = process_time()
            connection.receive(head + spaces + b"b\n\n")
            self.assertLess(process_time() - begun, 0.5)  # it took 14 s once
            self.assertIs(connection.fault is None, head == b"Content-Type: a")

    def test_spaces_around_a_value(self) -> None:
        connection = Connection(SocketState.OPEN)
        stream = b"X: y\r\ncontent-type:\t Api/Response \r\ncontent-length :\t 2 \r\n\nok"
        self.assertEqual(connection.receive(stream), [ApiResponse("ok")])
