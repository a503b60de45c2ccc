"""Tables and entries as web forms, PHP and Java write them are dialed as they are meant."""

from __future__ import annotations

import base64
import json
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST

ENTRIES = {
    b'"13800000001"': "13800000001",
    b'"{\\"params\\":{\\"number\\":\\"+8613800000002\\"}}"': "+8613800000002",
    b'{"params":{"number":1.3800000003E10}}': "13800000003",
    b'{"params":{"number":13800000004.0},"variables":""}': "13800000004",
    b"\xef\xbb\xbf013800000005\xe2\x80\x8b": "013800000005",
    "\u202d１３８０００００００６\u202c\r\n".encode(): "13800000006",
}


class KindInputTests(SwitchTestCase):
    async def test_a_form_that_leaves_everything_empty(self) -> None:
        blank = dict.fromkeys(
            ("start_time", "stop_time", "timezone", "destination_context", "cps", "holiday"), ""
        )
        form = {
            **blank,
            "enable": "on",
            "line_group": {"0": "", "2": "g"},
            "limit": "2",
            "work_hour": [{"begin": "", "end": "", "wday": ""}],
            "work_week": "0,1,2,3,4,5,6",
            "number_queue": "q",
            "destination_extension": 8888.0,
        }
        await self.put(keys.at(keys.LINE, HOST), {"l": {"params": {"dialstring": "null/1"}}})
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"g": {"enable": 1, "line": "l"}})
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), {"t": {"params": form}})
        await self.put_numbers(ENTRIES)
        self.start_dialer()
        records = await self.records_of(len(ENTRIES))
        for record in records:
            self.assertIs(record.outcome, Outcome.ANSWERED, record.reason)
            self.assertEqual(record.number, ENTRIES[record.entry])

    async def test_bytes_that_are_no_utf8_stand_in_the_record_exactly(self) -> None:
        raw = b"\xac\xed\x00\x05t\x00\x0b13800138000"
        await self.usual_tables()
        await self.put_numbers([raw])
        self.start_dialer()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual(record.entry, raw)
        answer: Any = await self.call("XRANGE", keys.records(HOST), "-", "+")
        ((_, (_, written)),) = answer
        written = json.loads(written)
        self.assertEqual(base64.b64decode(written["entry_base64"]), raw)
        self.assertEqual(written["entry"], "\\xac\\xed\x00\x05t\x00\x0b13800138000")
