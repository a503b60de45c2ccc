from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.document import FaultList, Place, read_json
from ctidialer.contract.faults import Fault
from ctidialer.contract.placeholders import NAMES as PLACEHOLDERS
from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.variables import (
    merge_variables,
    read_configured_variables,
    read_variables,
    requested_uuid,
)
from tests.contract.documents import paths_of

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def decode_variables(value: object, path: str) -> dict[str, str]:
    """Return the variables in ``value`` that stands at ``path``; raises ContractError."""
    faults = FaultList()
    variables = read_variables(Place(value, path, faults))
    faults.settle()
    return variables


def exact(written: str) -> str:
    """Return the text that one JSON value becomes."""
    faults = FaultList()
    variables = read_variables(read_json(f'{{"a":{written}}}'.encode(), faults))
    faults.settle()
    return variables.get("a", "")


class ExactTextTests(SynchronousTestCase):
    def test_numbers_are_as_written(self) -> None:
        for written in ("0", "1", "-1", "1.10", "1e3", "1E+3", "-0.0", "0.1000", "9" * 40, "1e999"):
            self.assertEqual(exact(written), written)

    def test_booleans_and_strings(self) -> None:
        table = [
            ("true", "true"),
            ("false", "false"),
            ('"True"', "True"),
            ('" a "', " a "),
            ('"0010"', "0010"),
            ('"主叫\\u53f7\\n"', "主叫号\n"),
            ('"${x},\'{}"', "${x},'{}"),
        ]
        for written, expected in table:
            self.assertEqual(exact(written), expected)

    def test_no_opinion(self) -> None:
        for written in ("null", '""'):
            self.assertEqual(exact(written), "")
        self.assertEqual(read_variables(None), {})
        self.assertEqual(
            decode_variables({"a": None, "b": "", "c": "x"}, "$.variables"), {"c": "x"}
        )

    def test_values_that_no_json_wrote(self) -> None:
        self.assertEqual(decode_variables({"a": 1.5, "b": 7}, "$"), {"a": "1.5", "b": "7"})
        self.assertEqual(paths_of(decode_variables, {"a": float("nan")}, "$"), ["$.a"])

    @given(st.dictionaries(NAMES, TEXTS))
    def test_strings_pass_unchanged(self, variables: dict[str, str]) -> None:
        self.assertEqual(decode_variables(variables, "$.variables"), variables)


class FaultTests(SynchronousTestCase):
    def test_bad_values(self) -> None:
        for value in ([], [1], {}, {"b": 1}, "a\0b"):
            self.assertEqual(
                paths_of(decode_variables, {"a": value}, "$.variables"), ["$.variables.a"]
            )

    def test_bad_names(self) -> None:
        table = [
            ("", '$["'),
            ("1a", '$["1a'),
            ("a b", '$["a b'),
            ("a=b", '$["a=b'),
            ("名", '$["名'),
            ("a\n", '$["a\\n'),
            ('a"', '$["a\\"'),
            ("-a", '$["-a'),
            ("a[0]", '$["a[0]'),
        ]
        for name, path in table:
            self.assertEqual(paths_of(decode_variables, {name: "x"}, "$"), [path + '"]'], name)

    def test_a_long_name_is_cut_in_its_path(self) -> None:
        (path,) = paths_of(decode_variables, {"a" * 1000 + " ": "x"}, "$")
        self.assertEqual(path, '$["' + "a" * 40 + '…"]')

    def test_no_object(self) -> None:
        for value in (1, "a=b", [1], True):
            self.assertEqual(paths_of(decode_variables, value, "$.variables"), ["$.variables"])

    def test_all_at_once(self) -> None:
        variables = {"a": [], "b c": {}, "d": "ok"}
        self.assertEqual(
            paths_of(decode_variables, variables, "$"), ["$.a", '$["b c"]', '$["b c"]']
        )


class PlaceholderTests(SynchronousTestCase):
    """``${uuid}`` and the like, in what is configured."""

    def read(self, value: object) -> tuple[dict[str, str], tuple[Fault, ...]]:
        faults = FaultList()
        found = read_configured_variables(Place({"a": value, "b": "x"}, "$.variables", faults))
        return found, faults.all()

    def test_values_with_placeholders_are_told_from_others(self) -> None:
        for name in PLACEHOLDERS:
            found, faults = self.read(f"<${{{name}}}>")
            self.assertEqual((faults, type(found["a"]), type(found["b"])), ((), Fillable, str))
            self.assertEqual(found["a"], f"<${{{name}}}>")
        for value in ("x", "$", "{x}", "$x", "$ {uuid}", 1):
            found, faults = self.read(value)
            self.assertEqual((faults, type(found["a"])), ((), str))

    def test_any_other_is_a_fault_that_says_which_there_are(self) -> None:
        for value, named in (
            ("${caller_id_number}", "${caller_id_number}"),
            ("${uuid} ${x}", "${x}"),
            ("$${domain}", "${domain}"),
            ("$${uuid}", "${uuid}"),
            ("${UUID}", "${UUID}"),
            ("${uuid", "${uuid}"),
            ("${a${uuid}}", "${a}"),
        ):
            _, (fault,) = self.read(value)
            self.assertEqual(fault.path, "$.variables.a")
            self.assertIn(named, fault.problem)
            for name in PLACEHOLDERS:
                self.assertIn(f"${{{name}}}", fault.problem)

    def test_merging_keeps_them(self) -> None:
        found, _ = self.read("${uuid}")
        merged = merge_variables({"a": "${uuid}", "c": "${uuid}"}, found)
        self.assertEqual((type(merged["a"]), type(merged["c"])), (Fillable, str))


class RequestedUuidTests(SynchronousTestCase):
    def test_the_producers_own_uuid_is_found_however_it_is_spelt(self) -> None:
        self.assertIsNone(requested_uuid({"x": "1"}))
        self.assertEqual(requested_uuid({"origination_uuid": "a"}), "a")
        self.assertEqual(requested_uuid({"ORIGINATION_UUID": "a"}), "a")
        self.assertEqual(requested_uuid({"origination_uuid": "a", "Origination_UUID": "b"}), "b")


class MergeTests(SynchronousTestCase):
    def test_the_last_level_wins(self) -> None:
        merged = merge_variables({"a": "1", "b": "1"}, {"b": "2", "c": "2"}, {"c": "3"})
        self.assertEqual(merged, {"a": "1", "b": "2", "c": "3"})

    def test_a_level_without_an_opinion_changes_nothing(self) -> None:
        self.assertEqual(merge_variables({"a": "1"}, {"a": ""}, {}), {"a": "1"})

    def test_capitals_make_no_other_variable(self) -> None:
        merged = merge_variables({"CTI_Host": "forged", "x": "1"}, {"cti_host": "fs1"})
        self.assertEqual(merged, {"cti_host": "fs1", "x": "1"})

    def test_nothing(self) -> None:
        self.assertEqual(merge_variables(), {})

    @given(st.lists(st.dictionaries(NAMES, TEXTS), max_size=4))
    def test_each_name_has_the_value_of_its_highest_level(
        self, levels: list[dict[str, str]]
    ) -> None:
        merged = merge_variables(*levels)
        self.assertEqual(len({name.lower() for name in merged}), len(merged))
        for name, value in merged.items():
            said = [
                text
                for level in levels
                for other, text in level.items()
                if other.lower() == name.lower()
            ]
            self.assertEqual(said[-1], value)
