"""The records, field by field, as a back end reads them (docs/redis-contract.rst)."""

from __future__ import annotations

import json
import time
from typing import Any

import hiredis
from msgspec.structs import replace
from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from ctidialer.contract import keys
from ctidialer.settings import Records
from ctidialer.store.address import parse_address
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST

FIELDS = {
    *("id", "uuid", "requested_uuid", "kind", "task", "number", "entry", "outcome", "answered"),
    *("hangup_cause", "q850", "sip_code", "line", "line_group", "attempts", "taken_at"),
    *("ended_at", "bill_seconds", "host", "reason"),
    *("connect_seconds", "talk_seconds", "agent", "variables", "abandoned"),
    *("entry_id", "try", "final", "next_at", "version"),
}
ATTEMPT_FIELDS = {
    *("uuid", "line", "line_group", "dialed_at", "progress_at", "answered_at", "ended_at"),
    *("hangup_cause", "sip_code", "bridged_at", "ring_seconds"),
}


class _Subscriber(Protocol):
    """Collects what is published on one channel."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._reader = hiredis.Reader()
        self.subscribed = False
        self.messages: list[bytes] = []

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(f"SUBSCRIBE {self._channel}\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            self.subscribed = True
            if reply[0] == b"message":
                self.messages.append(reply[2])


class RecordTests(SwitchTestCase):
    """One number each, and its record as JSON."""

    async def documents(self, count: int) -> list[dict[str, Any]]:
        """Wait for the records; return their JSON, oldest first."""
        await self.records_of(count)
        reply = await self.call("XRANGE", keys.records(HOST), "-", "+")
        assert isinstance(reply, list)
        documents = []
        for _, fields in reply:  # type: ignore[misc]  # an entry is a pair
            self.assertEqual(fields[0], b"record")  # type: ignore[index]
            documents.append(json.loads(fields[1]))  # type: ignore[index, arg-type]
        return documents

    async def document_of(self, entry: str | bytes, **behaviour: object) -> dict[str, Any]:
        """Dial one entry; return its record."""
        await self.usual_tables()
        await self.sim(default=behaviour or {"result": "answer", "talk": 0.02})
        await self.put_numbers([entry])
        self.began = time.time()
        self.start_dialer()
        (document,) = await self.documents(1)
        self.assertTrue(document["id"])
        self.assertTrue(
            self.began <= document["taken_at"] <= document["ended_at"] <= time.time(), document
        )
        return document

    def assert_fields(self, document: dict[str, Any], **expected: object) -> None:
        self.assertEqual({name: document[name] for name in expected}, expected)

    async def test_an_answered_number(self) -> None:
        entry = '{"params":{"number":"13800000001"},"variables":{"origination_uuid":"crm-1"}}'
        document = await self.document_of(
            entry, result="answer", progress="ringing", progress_after=0.1, ring=0.2, talk=1.5
        )
        self.assertEqual(set(document), FIELDS)
        self.assert_fields(
            document,
            uuid="crm-1",
            requested_uuid="crm-1",
            kind="queue",
            task="t",
            number="13800000001",
            entry=entry,
            outcome="answered",
            answered=True,
            hangup_cause="NORMAL_CLEARING",
            q850=16,
            sip_code=200,
            line="l",
            line_group="g",
            host=HOST,
            reason="",
            entry_id=document["id"],
            final=True,
            next_at=None,
        )
        self.assertEqual(document["try"], 1)
        self.assertGreaterEqual(document["bill_seconds"], 0.25)
        (attempt,) = document["attempts"]
        self.assertEqual(set(attempt), ATTEMPT_FIELDS)
        self.assert_attempt(attempt, "crm-1", "NORMAL_CLEARING", 200)
        self.assertGreaterEqual(attempt["progress_at"] - attempt["dialed_at"], 0.05)
        self.assertGreaterEqual(attempt["answered_at"] - attempt["dialed_at"], 0.15)
        self.assertGreaterEqual(attempt["ended_at"] - attempt["answered_at"], 0.25)
        self.assertLessEqual(document["taken_at"], attempt["dialed_at"])
        self.assertLessEqual(attempt["ended_at"], document["ended_at"])

    async def test_a_busy_number(self) -> None:
        document = await self.document_of("13800000001", result="busy", ring=0.1)
        self.assertEqual(set(document), FIELDS)
        (attempt,) = document["attempts"]
        self.assert_fields(
            document,
            uuid=attempt["uuid"],
            requested_uuid=None,
            number="13800000001",
            entry="13800000001",
            outcome="busy",
            answered=False,
            hangup_cause="USER_BUSY",
            q850=17,
            sip_code=486,
            bill_seconds=0,
            line="l",
            line_group="g",
            reason="",
        )
        self.assert_attempt(attempt, attempt["uuid"], "USER_BUSY", 486)
        self.assertIsNone(attempt["progress_at"])
        self.assertIsNone(attempt["answered_at"])

    def assert_attempt(self, attempt: dict[str, Any], uuid: str, cause: str, status: int) -> None:
        self.assert_fields(
            attempt, uuid=uuid, line="l", line_group="g", hangup_cause=cause, sip_code=status
        )
        self.assertLess(self.began, attempt["dialed_at"])
        self.assertLess(attempt["dialed_at"], attempt["ended_at"])

    async def test_an_invalid_entry(self) -> None:
        document = await self.document_of('{"params":{"number":"not a number"}}')
        self.assertEqual(set(document), FIELDS)
        self.assert_not_dialed(document)
        self.assertEqual(document["entry"], '{"params":{"number":"not a number"}}')
        self.assertIn("$.params.number", document["reason"])

    async def test_an_entry_that_is_no_text(self) -> None:
        document = await self.document_of(b"138\xff\x00")
        self.assertEqual(set(document), FIELDS | {"entry_base64"})
        self.assert_not_dialed(document)
        self.assertEqual(document["entry"], "138\\xff\0")
        self.assertEqual(document["entry_base64"], "MTM4/wA=")

    def assert_not_dialed(self, document: dict[str, Any]) -> None:
        self.assert_fields(
            document,
            kind="queue",
            task="t",
            outcome="invalid",
            answered=False,
            attempts=[],
            bill_seconds=0,
            host=HOST,
        )
        for name in ("uuid", "number", "hangup_cause", "q850", "sip_code", "line", "line_group"):
            self.assertIsNone(document[name], name)

    async def test_causes_become_outcomes(self) -> None:
        causes = {
            486: "busy",
            600: "busy",
            480: "no_answer",
            487: "no_answer",
            408: "no_answer",
            403: "rejected",
            603: "rejected",
            607: "rejected",
            404: "unallocated",
            484: "unallocated",
            410: "unallocated",
            604: "unallocated",
            503: "failed",
            500: "failed",
            504: "failed",
        }
        await self.usual_tables(limit=20)
        scripted = {f"138{code}": {"result": "sip", "status": code} for code in causes}
        await self.sim(number=scripted)
        await self.put_numbers(scripted)
        self.start_dialer()
        documents = await self.documents(len(causes))
        outcomes = {document["sip_code"]: document["outcome"] for document in documents}
        self.assertEqual(outcomes, causes)

    async def test_the_list_and_the_channel(self) -> None:
        await self.usual_tables()
        subscriber = await self.subscribe("cdr-news")
        await self.put_numbers(["13800000001", "13800000002", "nobody"])
        records = Records(list="cdr", channel="cdr-news")
        self.start_dialer(replace(self.settings(), records=records))
        documents = await self.documents(3)
        listed = await self.queue("cdr")
        self.assertEqual([json.loads(each) for each in listed], documents)

        async def all_heard() -> bool:
            return len(subscriber.messages) >= len(documents)

        await self.until("all records on the channel", all_heard)
        self.assertEqual(subscriber.messages, listed)

    async def subscribe(self, channel: str) -> _Subscriber:
        endpoint = UNIXClientEndpoint(reactor, parse_address(self.url).path)
        subscriber: _Subscriber = await connectProtocol(endpoint, _Subscriber(channel))
        assert subscriber.transport is not None
        self.addCleanup(subscriber.transport.loseConnection)

        async def is_subscribed() -> bool:
            return subscriber.subscribed

        await self.until("subscribed", is_subscribed)
        return subscriber

    async def test_without_list_and_channel_there_is_only_the_stream(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["13800000001"])
        self.start_dialer()
        await self.documents(1)
        self.assertEqual(await self.call("KEYS", "cdr*"), [])

    async def test_the_stream_is_trimmed(self) -> None:
        await self.usual_tables(limit=50, brake_after=0)
        await self.put_numbers(["nobody"] * 3000)
        dialer = self.start_dialer(replace(self.settings(), records=Records(max_records=500)))
        await self.nothing_in_flight()

        async def all_taken() -> bool:
            return await self.queue() == [] and len(dialer.parts.numbers) == 0

        await self.until("all entries taken", all_taken)
        length = await self.call("XLEN", keys.records(HOST))
        assert isinstance(length, int)
        self.assertTrue(500 <= length <= 700, length)
