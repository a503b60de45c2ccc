"""The tests' own decoder against the recorded experiments with a real FreeSWITCH."""

from __future__ import annotations

import json
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.esl.recordings import DIRECTORY
from tests.rules.freeswitch_reading import read

ORIGINATE = re.compile(r"^bgapi originate (.*)$", re.MULTILINE)
VALUE = re.compile(r'"variable_v":("(?:[^"\\]|\\.)*")')


def experiments() -> list[tuple[str, str | None]]:
    """Return each command, and the value that FreeSWITCH gave the variable ``v`` (None: -ERR)."""
    text = (DIRECTORY / "50_quoting_experiments.txt").read_text(encoding="utf-8")
    found = list(ORIGINATE.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        (match[1], created(text[match.end() : end])) for match, end in zip(found, ends, strict=True)
    ]


def created(text: str) -> str | None:
    value = VALUE.search(text)
    return json.loads(value[1]) if value else None


class DecoderTests(SynchronousTestCase):
    def test_it_reads_the_recorded_experiments_as_freeswitch_did(self) -> None:
        self.assertEqual(len(experiments()), 17)
        for command, value in experiments():
            result = read(command)
            if value is None:
                self.assertIsNone(result, command)
            else:
                assert result is not None, command
                self.assertEqual(result.variables, {"v": value, "w": "1"}, command)
                self.assertEqual((result.legs, result.words), (["null/1"], ["&park"]))
