from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys


class KeyTests(SynchronousTestCase):
    """The names that back ends know (docs/redis-contract.rst)."""

    def test_tables(self) -> None:
        for key, expected in [
            (keys.at(keys.TASK, keys.TEMPLATE), "cti_queue_dialer_task@template"),
            (keys.at(keys.TASK, "example.com"), "cti_queue_dialer_task@example.com"),
            (keys.at(keys.LINE, "域"), "cti_line@域"),
            (keys.at(keys.LINE_GROUP, "d"), "cti_line_group@d"),
            (keys.at(keys.SCHEDULE_CONFIG, "d"), "cti_schedule_dialer_config@d"),
            (keys.at(keys.SCHEDULE_NUMBER, "d"), "cti_schedule_dialer_number@d"),
            (keys.at(keys.CHANGE_CHANNEL, keys.EVERY_HOST), "config@all"),
            (keys.records("fs1"), "cti_dialer_record@fs1"),
            (keys.control("fs1"), "cti_dialer_control@fs1"),
            (keys.status("fs1"), "cti_dialer_status@fs1"),
            (keys.pacing("template", "t"), "cti_dialer_pacing@template:t"),
        ]:
            self.assertEqual(key, expected)

    def test_what_is_a_key_of_ctidialers_own(self) -> None:
        texts = ((name, value) for name, value in vars(keys).items() if isinstance(value, str))
        tables = [text for name, text in texts if text.startswith("cti_") and name[0] != "_"]
        self.assertGreater(len(tables), 10)
        for table in tables:
            self.assertTrue(keys.is_own_key(keys.at(table, "d")), table)
        for key in (
            keys.HOSTS,
            keys.in_flight("fs1"),
            keys.waiting("fs1", "queue", "t"),
            keys.callee_calls("1"),
            keys.pacing("template", "t"),
            keys.counted_calls("d", "line", "l"),
        ):
            self.assertTrue(keys.is_own_key(key), key)

    def test_what_back_ends_may_call_a_list(self) -> None:
        for name in (
            "q",
            "queue:cti_line@d",
            "dnc:us",
            "cti_queue:spring",
            "cti_lines@d",
            "cti_line",
        ):
            self.assertFalse(keys.is_own_key(name), name)
        self.assertFalse(keys.is_own_key("cti_dialer_cdr@fs1"))  # etc/redis/users.acl

    def test_the_keys_of_a_host_are_its_own(self) -> None:
        own = [keys.records, keys.in_flight, keys.lease, keys.status, keys.control]
        self.assertEqual(len({key("fs1") for key in own} | {key("fs2") for key in own}), 10)
