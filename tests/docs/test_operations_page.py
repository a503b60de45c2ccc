"""The page on operations names what the code has."""

from __future__ import annotations

import json
import re

from attrs import asdict, fields
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.control import decode_control
from ctidialer.contract.notice import ConfigChange, decode_notice
from ctidialer.contract.status import NodeStatus
from tests.docs.test_documents import DOCS, redis_commands

PAGE = DOCS / "operations.rst"


def first_cells(heading: str) -> list[str]:
    """Return what the first column of the table below a heading names, in its order."""
    text = PAGE.read_text(encoding="utf-8").partition(heading)[2].partition(".. list-table::")[2]
    table = re.split(r"\n(?=\S)", text)[0]
    cells = re.findall(r"(?m)^   \* - (.*)$", table)
    return [name for cell in cells for name in re.findall(r"``([^`]+)``", cell)]


class OperationsTests(SynchronousTestCase):
    def test_every_key_of_the_status_is_explained(self) -> None:
        named = first_cells("What a daemon says of itself\n")
        self.assertEqual(sorted(named), sorted(field.name for field in fields(NodeStatus)))

    def test_the_commands_are_heeded(self) -> None:
        drain, publish, undo = redis_commands(PAGE)
        self.assertEqual(drain[:2], ["HSET", keys.control("fs1")])
        self.assertIsNotNone(decode_control({drain[2]: drain[3].encode()}).drain)
        self.assertEqual(publish[:2], ["PUBLISH", "config@fs1"])
        change = decode_notice(publish[2].encode())
        self.assertEqual(change, ConfigChange(keys.CONTROL, "drain"))
        self.assertEqual(undo, ["HDEL", keys.control("fs1"), "drain"])

    def test_the_order_shown_can_be_read(self) -> None:
        (shown,) = re.findall(r"``(\{\"since\".*?\})``", PAGE.read_text(encoding="utf-8"))
        order = decode_control({"drain": shown.encode()}).drain
        assert order is not None
        self.assertEqual(json.loads(shown), asdict(order))
