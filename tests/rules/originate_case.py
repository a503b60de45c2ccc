"""What the tests of the originate command share."""

from __future__ import annotations

import re

from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.task import Destination
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from tests.rules.freeswitch_reading import Reading, read

BASE = Call(
    uuid="3a3a6dee-7fc6-4121-b6bb-d7f059200001",
    dialstring="sofia/gateway/ims/${destination_number}",
    number="+8613800138000",
    group="外呼",
    destination=Destination("8888"),
    host="fs1",
    line="ims",
    task="spring",
)

HOSTILE = "\\'\",{}[]<>=|:_^$ \t\r\nsnrta0&;/"
text = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters(codec="utf-8")), max_size=40)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)


def reading(call: Call) -> Reading:
    """Return what FreeSWITCH makes of the command, which must be one line of four words."""
    command = originate_command(call)
    assert not re.search(r"[\r\n\x00]", command), command
    result = read(command)
    assert result is not None, command
    return result


class OriginateCase(SynchronousTestCase):
    """A test of one command."""

    def assert_refused(self, call: Call, part: Part, words: str = "") -> None:
        fault = self.assertRaises(Uncarriable, originate_command, call)
        self.assertIs(fault.part, part, str(fault))
        self.assertIn(words, str(fault))
