"""The progress of a number, as it stands in its in-flight entry."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import AttemptRecord
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.rules.itinerary import Itinerary

ATTEMPT = AttemptRecord("u", None, "g", 1.0, hangup_cause="USER_BUSY", sip_code=486)
PROGRESS = Progress(Itinerary(("a", "b"), 1, 2), (ATTEMPT,), 7.5)


class DecodingTests(SynchronousTestCase):
    def changed(self, **values: object) -> bytes:
        return json.dumps({**json.loads(PROGRESS.encode()), **values}).encode()

    def test_what_was_written(self) -> None:
        self.assertEqual(Progress.decode(self.changed()), PROGRESS)

    def test_values_of_another_kind_get_no_further(self) -> None:
        for itinerary in ({"groups": [None]}, {"groups": "ab"}, {"groups": [], "position": "1"}):
            self.assertRaises(ValueError, Progress.decode, self.changed(itinerary=itinerary))
        attempt = {**json.loads(PROGRESS.encode())["attempts"][0], "uuid": 1}
        broken: list[list[object]] = [[1], [{}], [attempt]]
        for attempts in broken:
            self.assertRaises(ValueError, Progress.decode, self.changed(attempts=attempts))
        self.assertRaises(ValueError, Progress.decode, self.changed(dialed_at="soon"))

    def test_what_is_nested_too_deeply(self) -> None:
        for deep in (b"[" * 100_000, b'{"x":' * 100_000, b'{"itinerary":' * 100_000):
            self.assertRaises(ValueError, Progress.decode, deep)
