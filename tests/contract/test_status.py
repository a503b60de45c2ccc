from __future__ import annotations

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.status import (
    BusyLine,
    Explained,
    LineStatus,
    Missing,
    NodeStatus,
    TaskStatus,
    decode_status,
    encode_status,
)

STATUS = NodeStatus(
    version=1,
    program="0.1.0",
    host="fs1",
    domain="fs1",
    timezone="Asia/Shanghai",
    hostname="pbx1",
    pid=7,
    started=1.5,
    at=2.5,
    ready=False,
    missing=(Missing("freeswitch_away", "FreeSWITCH is away"),),
    drain=Order(1.0, "ann"),
    freeswitch_up=False,
    freeswitch_trouble="connection refused",
    calls=3,
    numbers=4,
    max_calls=0,
    max_cps=0.0,
    cps=0.5,
    placed=9,
    unwritten=0,
    refused_until=None,
    outcomes={"busy": 2},
    task_count=4,
    tasks=(
        TaskStatus(
            "催收",
            1,
            5,
            "q",
            Explained(
                "no_free_line",
                "no line is free",
                9.0,
                (Fault("$", "x", "k"),),
                (BusyLine("l", "g", "resting", "it rests", 9.0),),
                1,
            ),
            0.5,
        ),
    ),
    closed={"disabled": 3},
    line_count=2,
    lines_in_use=1,
    lines=(LineStatus("l", "resting", 1, None, 2, 9.0),),
    line_states={"free": 1, "resting": 1},
)


class StatusTests(SynchronousTestCase):
    def test_what_is_written_is_read(self) -> None:
        self.assertEqual(decode_status(encode_status(STATUS)), STATUS)

    def test_its_shape(self) -> None:
        document = json.loads(encode_status(STATUS))
        self.assertEqual(document["missing"][0]["condition"], "freeswitch_away")
        (task,) = document["tasks"]
        self.assertEqual(task["explained"]["lines"][0]["why"], "resting")
        self.assertEqual(document["drain"], {"since": 1.0, "by": "ann", "why": ""})

    def test_a_later_version_may_say_more(self) -> None:
        document = {**json.loads(encode_status(STATUS)), "more": 1}
        self.assertEqual(decode_status(json.dumps(document).encode()), STATUS)

    def test_what_is_none(self) -> None:
        other = encode_status(evolve(STATUS, version=2))
        for raw in (b"", b"{}", b"[]", b"\xff", b"[" * 9999, b'{"version":1}', other):
            with self.assertRaises(ValueError):
                decode_status(raw)
