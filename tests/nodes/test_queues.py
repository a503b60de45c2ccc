"""The lists of tasks, and how many numbers they have."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.status import Explained, TaskStatus
from ctidialer.nodes.queues import QueueLength, all_queues, numbers_in, queue_lengths

DIALING = Explained("dialing", "calls are started; calls up: 0")
TWO = TaskStatus("two", 0, 5, "q", DIALING, further_queues=("later",))
ONE = TaskStatus("one", 0, 5, "q", DIALING)
NONE = TaskStatus("none", 0, 0, "", DIALING)


class QueuesTests(SynchronousTestCase):
    def test_each_list_once(self) -> None:
        self.assertEqual(all_queues([TWO, ONE, NONE]), ["later", "q"])

    def test_each_in_its_order_and_all_together(self) -> None:
        queues = queue_lengths(TWO, {"later": 2, "q": 3, "other": 9})
        self.assertEqual(queues, (QueueLength("q", 3), QueueLength("later", 2)))
        self.assertEqual(numbers_in(queues), 5)

    def test_what_cannot_be_read(self) -> None:
        queues = queue_lengths(TWO, {"later": 2})
        self.assertEqual(queues, (QueueLength("q", None), QueueLength("later", 2)))
        self.assertEqual(numbers_in(queues), 2)
        self.assertIsNone(numbers_in(queue_lengths(TWO, {})))

    def test_a_task_that_names_none(self) -> None:
        self.assertEqual(queue_lengths(NONE, {"q": 3}), ())
        self.assertIsNone(numbers_in(()))
