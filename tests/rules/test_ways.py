"""Names and numbers that no call could carry: they take no number, or are known beforehand."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.task import Destination
from ctidialer.rules.originate import Call, Uncarriable, originate_command
from ctidialer.rules.routing import Choice, NoLine, Routes, Why, choose, free_room
from ctidialer.rules.soundness import (
    number_faults,
    sound_line,
    sound_line_group,
    sound_task,
    way_problem,
)

DEFAULT = "sofia/gateway/${line_group}/${destination_number}"
NAMED = Line("named", DEFAULT, count=5)
PLAIN = Line("plain", "user/${destination_number}", count=5)
UNFIT = "移动 1"
TASK = {"line_group": ["g"], "limit": 1, "number_queue": "q", "destination_extension": "1"}
HOSTILE_NAMES = ("{", "${x}", "a:_:b", "ARRAY::a")


class WaysTests(SynchronousTestCase):
    """A line group whose name cannot stand in the dial string."""

    def routes(self, *tiers: tuple[str, ...]) -> Routes:
        groups = {UNFIT: LineGroup(UNFIT, tiers)} if tiers else {}
        return Routes({"named": NAMED, "plain": PLAIN}, groups, DEFAULT)

    def why(self, routes: Routes, name: str = UNFIT) -> list[Why]:
        found = choose(routes, {}, name, 0.0)
        assert isinstance(found, NoLine), found
        return [reason.why for reason in found.reasons]

    def test_a_name_that_fits_is_dialed_by_default(self) -> None:
        self.assertEqual(choose(self.routes(), {}, "移动1", 0.0), Choice("移动1", None, DEFAULT))

    def test_a_name_that_does_not_takes_no_number(self) -> None:
        self.assertEqual(self.why(self.routes()), [Why.UNFIT_NAME])
        self.assertEqual(free_room(self.routes(), {}, [UNFIT], 0.0, 10), 0)

    def test_a_default_that_does_not_name_the_group_takes_any(self) -> None:
        routes = Routes({}, {}, "user/${destination_number}")
        self.assertIsInstance(choose(routes, {}, UNFIT, 0.0), Choice)

    def test_the_lines_that_do_not_name_the_group_are_left(self) -> None:
        found = choose(self.routes(("named",), ("gone", "plain")), {}, UNFIT, 0.0)
        assert isinstance(found, Choice)
        self.assertEqual(found.line, PLAIN)
        self.assertEqual(free_room(self.routes(("named", "plain")), {}, [UNFIT], 0.0, 10), 5)

    def test_a_group_of_lines_that_all_name_it(self) -> None:
        self.assertEqual(self.why(self.routes(("named",))), [Why.UNFIT_NAME])

    def test_a_line_as_a_group(self) -> None:
        routes = Routes({UNFIT: Line(UNFIT, DEFAULT)}, {}, DEFAULT)
        self.assertEqual(self.why(routes), [Why.UNFIT_NAME])

    def test_why_not(self) -> None:
        self.assertIsNone(way_problem(DEFAULT, "carrier"))
        self.assertIn("cannot stand in a dial string", str(way_problem(DEFAULT, UNFIT)))
        self.assertIn("white space", str(way_problem("user/a b", "carrier")))


class NameTests(SynchronousTestCase):
    """Names that each call would carry in a variable."""

    def faults(self, read: object, *arguments: object, **documents: object) -> list[Fault]:
        assert callable(read)
        with self.assertRaises(ContractError) as caught:
            read(*arguments, **documents)
        return list(caught.exception.faults)

    def test_names_that_cannot_be_carried(self) -> None:
        task = json.dumps({"params": TASK}).encode()
        for name in HOSTILE_NAMES:
            for found in (
                self.faults(sound_task, name, template=task, host=None, host_name="fs1"),
                self.faults(sound_line, name, b'{"params":{"dialstring":"user/1"}}'),
                self.faults(sound_line_group, name, b'{"line":[["l"]]}'),
            ):
                self.assertEqual([fault.path for fault in found], ["$"])
                self.assertIn("has a name that no call can carry", found[0].problem)

    def test_the_place_of_a_dial_string_is_where_it_stands(self) -> None:
        (fault,) = self.faults(sound_line, "l", b'{"dialstring":"a b"}')
        self.assertEqual(fault.path, "$.dialstring")

    def test_too_many_variables_together(self) -> None:
        variables = {f"v{index}": "x" for index in range(1001)}
        raw = json.dumps({"params": {"dialstring": "user/1"}, "variables": variables}).encode()
        (fault,) = self.faults(sound_line, "l", raw)
        self.assertEqual(fault.path, "$.variables")


class NumberFaultsTests(SynchronousTestCase):
    """A number with its variables, before it is taken."""

    def test_a_number_that_can_be_carried(self) -> None:
        self.assertEqual(number_faults("+8613800138000", {"a": "it's, {x}"}), ())

    def test_every_fault_has_its_path(self) -> None:
        faults = number_faults("138;x", {"a": "}", "b": "x", "c": "${y}"})
        paths = [fault.path for fault in faults]
        self.assertEqual(paths, ["$.params.number", "$.variables.a", "$.variables.c"])

    @settings(deadline=None, max_examples=300)
    @given(
        st.text("0123456789+*#;_:ax", min_size=1, max_size=6),
        st.dictionaries(
            st.text("abAB_-.x1", min_size=1, max_size=3),
            st.text("{}$:_aAR Y\\',\x00\ud800\n", max_size=8) | st.just("ARRAY::x"),
            max_size=3,
        ),
    )
    def test_it_agrees_with_the_call_itself(self, number: str, variables: dict[str, str]) -> None:
        call = Call(
            "0", "null/${destination_number}", number, "g", Destination("1"), "h", variables
        )
        try:
            originate_command(call)
        except Uncarriable:
            self.assertNotEqual(number_faults(number, variables), ())
        else:
            self.assertEqual(number_faults(number, variables), ())

    def test_the_longest_that_are_taken_as_harmless(self) -> None:
        variables = {f"v{index}": "'" * 4096 for index in range(50)}
        originate_command(Call("0", "null/1", "1" * 64, "g", Destination("1"), "h", variables))
        self.assertEqual(number_faults("1" * 64, variables), ())
