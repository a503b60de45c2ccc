from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import causes


class CauseTests(SynchronousTestCase):
    def test_numbers_of_q850(self) -> None:
        for number, name in [
            (0, "NONE"),
            (1, "UNALLOCATED_NUMBER"),
            (16, "NORMAL_CLEARING"),
            (17, "USER_BUSY"),
            (18, "NO_USER_RESPONSE"),
            (19, "NO_ANSWER"),
            (21, "CALL_REJECTED"),
            (27, "DESTINATION_OUT_OF_ORDER"),
            (34, "NORMAL_CIRCUIT_CONGESTION"),
            (102, "RECOVERY_ON_TIMER_EXPIRE"),
            (127, "INTERWORKING"),
        ]:
            self.assertEqual(causes.name_of(number), name)
            self.assertEqual(causes.q850(name), number)

    def test_causes_of_freeswitch_itself(self) -> None:
        for number, name in [
            (487, "ORIGINATOR_CANCEL"),
            (700, "CRASH"),
            (703, "MANAGER_REQUEST"),
            (802, "ALLOTTED_TIMEOUT"),
            (807, "PROGRESS_TIMEOUT"),
            (808, "INVALID_GATEWAY"),
            (809, "GATEWAY_DOWN"),
            (819, "UNWANTED"),
            (825, "REJECT_ALL"),
        ]:
            self.assertEqual(causes.name_of(number), name)
            self.assertEqual(causes.q850(name), 16)

    def test_their_earlier_numbers(self) -> None:
        for number, name in [
            (500, "CRASH"),
            (503, "MANAGER_REQUEST"),
            (602, "ALLOTTED_TIMEOUT"),
            (607, "PROGRESS_TIMEOUT"),
            (619, "UNWANTED"),
        ]:
            self.assertEqual(causes.name_of(number), name)
        self.assertIsNone(causes.name_of(620))

    def test_each_name_has_one_number(self) -> None:
        self.assertEqual(len(causes.NUMBERS), len(causes.NAMES))
        self.assertFalse(causes.EARLIER_NAMES.keys() & causes.NAMES.keys())

    def test_numbers_that_freeswitch_does_not_name(self) -> None:
        self.assertTrue(causes.is_number(26))
        self.assertIsNone(causes.name_of(26))
        for number in (-1, 128, 486, 10**9):
            self.assertFalse(causes.is_number(number))

    def test_what_is_no_cause(self) -> None:
        for name in (None, "", "user_busy", "NOT_A_CAUSE"):
            self.assertIsNone(causes.q850(name))
