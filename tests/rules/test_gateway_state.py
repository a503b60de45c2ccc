"""Which gateways the calls of a node go through."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import Line, LineGroup
from ctidialer.rules.gateway_state import gateways_named
from ctidialer.rules.ways import Routes
from tests.rules.test_routing import line

TO_GROUP = "sofia/gateway/${line_group}/${destination_number}"


def named(dialed: tuple[str, ...] = (), most: int = 9, **dialstrings: str) -> list[str]:
    lines: dict[str, Line] = {
        name: evolve(line(name), dialstring=text) for name, text in dialstrings.items()
    }
    groups = {"g1": LineGroup("g1", (("a", "b"),)), "g2": LineGroup("g2", (("b", "gone"),))}
    return sorted(gateways_named(Routes(lines, groups, TO_GROUP), dialed, most))


class NamedTests(SynchronousTestCase):
    def test_each_once(self) -> None:
        way = "sofia/gateway/c1/${destination_number}"
        self.assertEqual(named(a=way, b=way), ["c1"])

    def test_by_the_names_of_the_groups(self) -> None:
        self.assertEqual(named(a=TO_GROUP), ["g1"])
        self.assertEqual(named(b=TO_GROUP), ["g1", "g2"])

    def test_a_line_that_is_dialed_by_its_own_name(self) -> None:
        self.assertEqual(named(("b",), b=TO_GROUP), ["b", "g1", "g2"])

    def test_what_is_neither_group_nor_line_is_a_gateway(self) -> None:
        self.assertEqual(named(("g1", "carrier")), ["carrier"])

    def test_no_gateway(self) -> None:
        self.assertEqual(named(a="user/${destination_number}", b="null/1"), [])

    def test_no_more_than_so_many(self) -> None:
        self.assertEqual(len(named(tuple(f"c{one}" for one in range(20)), most=7)), 7)
