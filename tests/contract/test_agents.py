"""The documents of agents and of counts, as back ends of all kinds write them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agents import (
    Agent,
    AgentCount,
    AgentState,
    agent_count_warnings,
    agent_warnings,
    decode_agent,
    decode_agent_count,
    keys_ignored_in_agent,
    keys_ignored_in_agent_count,
)
from ctidialer.contract.faults import ContractError
from tests.contract.documents import as_json

NOW = 1_795_377_596


def agent(**params: object) -> Agent:
    return decode_agent(
        "2001", as_json({"params": {"group": ["sales"], "state": "idle", **params}})
    )


class AgentTests(SynchronousTestCase):
    def test_as_the_contract_shows_it(self) -> None:
        raw = b'{"params": {"group": ["sales"], "state": "talk", "time": 1795377596}}'
        expected = Agent("2001", ("sales",), AgentState.TALK, 1795377596.0)
        self.assertEqual(decode_agent("2001", raw), expected)

    def test_without_params(self) -> None:
        raw = b'{"group": "sales", "state": "rest"}'
        self.assertEqual(decode_agent("7", raw), Agent("7", ("sales",), AgentState.REST))

    def test_params_count_where_a_key_stands_in_both(self) -> None:
        raw = b'{"group": "a", "state": "idle", "params": {"state": "out"}}'
        self.assertEqual(decode_agent("7", raw), Agent("7", ("a",), AgentState.OUT))

    def test_groups(self) -> None:
        for written, expected in [
            ("sales", ("sales",)),
            (["sales", "support", "sales"], ("sales", "support")),
            ({"0": "sales", "2": "support"}, ("sales", "support")),
            (7, ("7",)),
            ([" sales "], ("sales",)),
        ]:
            self.assertEqual(agent(group=written).groups, expected)

    def test_states(self) -> None:
        for state in AgentState:
            for written in (state.value, state.value.upper(), f" {state.value} "):
                self.assertIs(agent(state=written).state, state)

    def test_times(self) -> None:
        for written, expected in [
            (NOW, NOW),
            (str(NOW), NOW),
            (NOW + 0.25, NOW + 0.25),
            (NOW * 1000, NOW),
            (f"{NOW}000", NOW),
            ("2026-11-22T19:59:56Z", NOW),
            ("2026-11-23 03:59:56+08:00", NOW),
            (0, None),
            ("", None),
            (None, None),
        ]:
            self.assertEqual(agent(time=written).since, expected, written)

    def test_a_time_that_cannot_be_read_is_none_and_a_warning(self) -> None:
        unreadable: list[object] = ["yesterday", "2026-11-22 19:59:56", [], True, -1]
        for written in unreadable:
            params: dict[str, object] = {"group": "a", "state": "idle", "time": written}
            self.assertIsNone(agent(time=written).since)
            (fault,) = agent_warnings(as_json({"params": params}))
            self.assertEqual(fault.path, "$.params.time")

    def test_faults(self) -> None:
        for document, path, words in [
            ({}, "$.group", "is missing"),
            ({"params": {"state": "idle"}}, "$.params.group", "is missing"),
            ({"params": {"group": "a"}}, "$.params.state", "is missing"),
            ({"params": {"group": [], "state": "idle"}}, "$.params.group", "not be empty"),
            ({"group": "a", "state": "free"}, "$.state", "one of idle, ring, talk"),
            ({"group": "a", "state": 1}, "$.state", "not 1"),
        ]:
            error = self.assertRaises(ContractError, decode_agent, "x", as_json(document))
            self.assertEqual(error.faults[0].path, path, document)
            self.assertIn(words, error.faults[0].problem)

    def test_keys_that_are_ignored(self) -> None:
        raw = as_json({"params": {"groups": ["a"], "state": "idle", "name": "Ann"}})
        (fault,) = agent_warnings(raw)
        self.assertIn("group", fault.problem)
        paths = [one.fault.path for one in keys_ignored_in_agent(raw)]
        self.assertEqual(paths, ["$.params.groups", "$.params.name"])


class CountTests(SynchronousTestCase):
    def test_counts(self) -> None:
        for raw, expected in [
            (b'{"free": 5, "busy": 12}', AgentCount("sales", 5, 12)),
            (b'{"free": "5"}', AgentCount("sales", 5)),
            (b'{"params": {"free": 0, "busy": "3"}}', AgentCount("sales", 0, 3)),
            (b'{"free": 5.0, "busy": null}', AgentCount("sales", 5)),
        ]:
            self.assertEqual(decode_agent_count("sales", raw), expected)

    def test_faults(self) -> None:
        for raw, path in [
            (b'{"busy": 1}', "$.free"),
            (b'{"free": -1}', "$.free"),
            (b'{"free": 1.5}', "$.free"),
            (b'{"free": 1, "busy": "many"}', "$.busy"),
            (b"5", "$"),
        ]:
            error = self.assertRaises(ContractError, decode_agent_count, "sales", raw)
            self.assertEqual(error.faults[0].path, path)

    def test_keys_that_are_ignored(self) -> None:
        raw = b'{"free": 1, "talking": 3, "total": 4}'
        self.assertEqual([one.path for one in agent_count_warnings(raw)], ["$.talking"])
        paths = [one.fault.path for one in keys_ignored_in_agent_count(raw)]
        self.assertEqual(paths, ["$.talking", "$.total"])
