"""The tables of a node, decoded."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.rules.line_reasons import Why
from ctidialer.rules.routing import NoLine, choose
from ctidialer.rules.tables import Tables

TEMPLATE, HOST = "cti_queue_dialer_task@template", "cti_queue_dialer_task@fs1"
LINE, GROUP, GATEWAY = "cti_line@d", "cti_line_group@d", "cti_gateway@d"
SCHEDULE = "cti_schedule_dialer_config@d"
CONTROL = "cti_dialer_control@fs1"
DIALSTRING = "sofia/gateway/${line_group}/${destination_number}"


def document(**params: object) -> bytes:
    return json.dumps({"params": params}).encode()


FULL = document(
    enable=True, line_group=["g"], limit=3, number_queue="q", destination_extension="8888"
)


class TablesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = Tables("fs1", "d", DIALSTRING)


class KeyTests(TablesCase):
    def test_the_keys_of_a_node(self) -> None:
        self.assertEqual(
            self.tables.keys_of(), (TEMPLATE, HOST, LINE, GROUP, GATEWAY, SCHEDULE, CONTROL)
        )
        self.assertEqual(self.tables.keys_of(keys.TASK), (TEMPLATE, HOST))
        self.assertEqual(self.tables.keys_of(keys.LINE), (LINE,))
        self.assertEqual(self.tables.keys_of("cti_other"), ())


class TaskTests(TablesCase):
    def test_the_host_says_more_than_the_template(self) -> None:
        self.tables.put(TEMPLATE, "t", FULL)
        self.tables.put(HOST, "t", document(limit=9))
        task = self.tables.tasks["t"]
        self.assertEqual((task.limit, task.number_queue), (9, "q"))
        self.tables.put(HOST, "t", None)
        self.assertEqual(self.tables.tasks["t"].limit, 3)
        self.tables.put(TEMPLATE, "t", None)
        self.assertEqual(self.tables.tasks, {})

    def test_a_host_opts_out(self) -> None:
        self.tables.put(TEMPLATE, "t", FULL)
        self.tables.put(HOST, "t", document(enable=False))
        self.assertFalse(self.tables.tasks["t"].enabled)

    def test_a_fault_of_either_is_a_fault_of_the_task(self) -> None:
        self.tables.put(TEMPLATE, "t", FULL)
        self.tables.put(HOST, "t", b"[")
        self.assertEqual(self.tables.tasks, {})
        (fault, *_) = self.tables.faults[keys.TASK, "t"]
        self.assertEqual(fault.key, HOST)
        self.tables.put(HOST, "t", None)
        self.assertEqual(self.tables.faults, {})

    def test_what_did_not_change_is_no_change(self) -> None:
        self.assertTrue(self.tables.put(HOST, "t", FULL))
        before = self.tables.tasks["t"]
        self.assertFalse(self.tables.put(HOST, "t", FULL))
        self.assertFalse(self.tables.put(HOST, "other", None))
        self.assertFalse(self.tables.replace(HOST, {"t": FULL}))
        self.assertIs(self.tables.tasks["t"], before)


class LineTests(TablesCase):
    def test_routes_are_new_values_with_every_change(self) -> None:
        before = self.tables.routes
        self.tables.put(LINE, "gw1", document(dialstring="user/1"))
        self.assertEqual(before.lines, {})
        self.assertIn("gw1", self.tables.routes.lines)
        self.tables.put(GROUP, "g", b'{"line":[["gw1"]]}')
        self.assertIn("g", self.tables.routes.groups)
        self.assertEqual(self.tables.routes.default_dialstring, DIALSTRING)

    def test_a_broken_line_is_no_unknown_name(self) -> None:
        """Were it unknown, the fallback would dial its name."""
        self.tables.put(LINE, "gw1", b"nonsense")
        found = choose(self.tables.routes, {}, "gw1", 0)
        assert isinstance(found, NoLine)
        (busy,) = found.reasons
        self.assertEqual((busy.why, busy.until), (Why.MALFORMED, None))
        self.assertIn(f"it is malformed: {LINE} $: ", busy.text)
        self.tables.put(LINE, "gw1", None)
        self.assertNotIsInstance(choose(self.tables.routes, {}, "gw1", 0), NoLine)

    def test_a_broken_group_is_no_unknown_name(self) -> None:
        self.tables.put(GROUP, "g", b"nonsense")
        found = choose(self.tables.routes, {}, "g", 0)
        assert isinstance(found, NoLine)
        (busy,) = found.reasons
        self.assertEqual((busy.name, busy.why), ("g", Why.MALFORMED))
        self.assertIn(f"it is malformed: {GROUP} $: ", busy.text)

    def test_a_broken_schedule_configuration_is_none(self) -> None:
        self.tables.put(SCHEDULE, "s", document(line_group=["g"], destination_extension="1"))
        self.assertIn("s", self.tables.schedules)
        self.tables.put(SCHEDULE, "s", b"nonsense")
        self.assertEqual(self.tables.schedules, {})
        self.assertIn((keys.SCHEDULE_CONFIG, "s"), self.tables.faults)


class AnyHistoryTests(SynchronousTestCase):
    documents = st.sampled_from(
        [
            None,
            FULL,
            document(limit=5),
            document(dialstring="user/1", count=3),
            b'{"line":[["a","b"]]}',
            b"nonsense",
            b"",
        ]
    )
    names = st.sampled_from(["a", "b", "c"])

    @settings(deadline=None, max_examples=150)
    @given(
        st.lists(
            st.tuples(st.sampled_from(Tables("fs1", "d", "x").keys_of()), names, documents),
            max_size=25,
        )
    )
    def test_changes_lead_where_a_full_read_leads(
        self, history: list[tuple[str, str, bytes | None]]
    ) -> None:
        step_by_step, whole = Tables("fs1", "d", DIALSTRING), Tables("fs1", "d", DIALSTRING)
        raw: dict[str, dict[str, bytes]] = {key: {} for key in whole.keys_of()}
        for key, name, value in history:
            step_by_step.put(key, name, value)
            if value is None:
                raw[key].pop(name, None)
            else:
                raw[key][name] = value
        for key, documents in raw.items():
            whole.replace(key, documents)
        for found in ("tasks", "schedules", "faults", "routes"):
            self.assertEqual(getattr(step_by_step, found), getattr(whole, found))
