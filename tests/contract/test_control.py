from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.control import (
    Control,
    Edited,
    LineOff,
    Order,
    decode_control,
    decode_order,
    edit_field,
    pause_field,
    resume_field,
)


class ControlTests(SynchronousTestCase):
    def test_nothing_is_ordered(self) -> None:
        self.assertEqual(decode_control({}), Control())

    def test_orders(self) -> None:
        by_ann = Order(1700000000.5, "ann@pbx1")
        documents = {
            "drain": by_ann.encode(),
            pause_field("催收"): b'{"since":17,"by":"bob"}',
            pause_field("a:b"): b"1",
            "pause": b"1",
            "undrain": b'{"by":"bob","why":"done"}',
            resume_field("c"): b'{"by":"eve"}',
            "other": b"{}",
        }
        paused = {"催收": Order(17.0, "bob"), "a:b": Order()}
        self.assertEqual(
            decode_control(documents),
            Control(by_ann, paused, Order(by="bob", why="done"), {"c": Order(by="eve")}),
        )

    def test_a_schedule_configuration_is_no_task(self) -> None:
        fields = [pause_field("a"), pause_field("schedule:a"), pause_field("a", is_schedule=True)]
        found = decode_control(dict.fromkeys(fields, b"1"))
        self.assertEqual(found.paused, {"a": Order(), "schedule:a": Order()})
        self.assertEqual(found.paused_schedules, {"a": Order()})
        taken_back = decode_control({resume_field("a", is_schedule=True): b'{"by":"eve"}'})
        self.assertEqual(taken_back.resumed_schedules, {"a": Order(by="eve")})
        self.assertEqual(taken_back.resumed, {})

    def test_what_was_edited(self) -> None:
        edited = Edited(Order(17.5, "ann", "why not"), "limit 1 -> 2")
        found = decode_control({edit_field("t"): edited.encode(), edit_field("u"): b"{"})
        self.assertEqual(found, Control(edited={"t": edited, "u": Edited(Order())}))

    def test_lines_that_are_taken_out_put_back_and_tried(self) -> None:
        by_ann = Order(17.5, "ann", "noise")
        off = LineOff(by_ann, 77.5)
        documents = {
            "line_off:a": off.encode(),
            "line_off:b": LineOff(by_ann).encode(),
            "line_off:c": b'{"until":"soon"}',
            "line_on:a:b": by_ann.encode(),
            "line_try:d": b"1",
        }
        found = decode_control(documents)
        out = {"a": off, "b": LineOff(by_ann), "c": LineOff(Order())}
        self.assertEqual(found.lines_off, out)
        self.assertEqual(found.lines_on, {"a:b": by_ann})
        self.assertEqual(found.lines_tried, {"d": Order()})
        self.assertEqual([off.holds(now) for now in (77.4, 77.5)], [True, False])
        self.assertTrue(LineOff(Order()).holds(1e12))

    def test_an_order_that_says_nothing_of_itself_is_one_all_the_same(self) -> None:
        rubbish = [b"", b"1", b"{", b"[]", b"null", b"\xff", b'{"since":true,"by":7}', b'"x"']
        for raw in (
            *rubbish,
            b'{"since":"x"}',
            b'{"since":[1]}',
            b'{"since":1' + b"0" * 400 + b"}",
        ):
            self.assertEqual(decode_control({"drain": raw}).drain, Order(), raw)

    @given(st.floats(0, 4e9), st.text())
    def test_what_is_written_is_read(self, since: float, by: str) -> None:
        order = Order(since, by.encode("utf-8", "replace").decode())
        self.assertEqual(decode_order(order.encode()), order)
