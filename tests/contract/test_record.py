"""What is worked out of the moments of an attempt."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import AttemptRecord


class RingTests(SynchronousTestCase):
    def test_from_the_ringing_to_the_answer_or_the_end(self) -> None:
        for progress, answered, ended, seconds in (
            (None, None, None, None),
            (None, None, 12.0, 2.0),
            (11.5, None, 12.0, 0.5),
            (11.5, 15.0, 20.0, 3.5),
            (None, 15.0, None, 5.0),
            (21.0, None, 20.0, 0.0),
        ):
            one = AttemptRecord("u", None, "g", 10.0, progress, answered, ended)
            self.assertEqual(one.ring_seconds, seconds)
