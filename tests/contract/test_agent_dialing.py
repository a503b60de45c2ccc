"""What documents say of agents and of callees who wait for one."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AbandonFrom, AbandonPeriod, AgentDialing, DialMode
from ctidialer.contract.document import FaultList
from ctidialer.contract.schedule_document import (
    decode_schedule_config,
    read_config,
    warnings_of_config,
)
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.task_warnings import task_warnings
from tests.contract.documents import as_json, faults_of, params, task, task_with


def agents(**changed: object) -> AgentDialing:
    found = task_with(changed).agents
    assert found is not None
    return found


def faults(**changed: object) -> list[tuple[str, str, str]]:
    """Return path and problem, in both languages, of every fault."""
    document = as_json({"params": params(changed)})
    found = faults_of(decode_task, "t", template=document, host=None, host_name="fs1")
    return [(fault.path, fault.problem_in("en"), fault.problem_in("zh")) for fault in found]


def warnings(changed: Mapping[str, object]) -> list[tuple[str, str]]:
    document = as_json({"params": params(changed)})
    found = task_warnings("t", template=document, host=None, host_name="fs1")
    return [(fault.path, fault.problem) for fault in found]


class AgentDialingTests(SynchronousTestCase):
    def test_a_task_that_says_nothing_has_none(self) -> None:
        self.assertIsNone(task_with({}).agents)
        self.assertIsNone(task_with({"agent_queue": "", "dial_mode": None}).agents)

    def test_agents_without_a_mode_are_progressive(self) -> None:
        for key, value in (("agent_queue", "sales@default"), ("agent_group", "sales")):
            found = agents(**{key: value})
            self.assertIs(found.mode, DialMode.PROGRESSIVE)
            self.assertTrue(found.is_paced)
            self.assertTrue(found.has_agents)

    def test_batch_with_agents_only_judges(self) -> None:
        self.assertFalse(agents(agent_queue="q", dial_mode="batch").is_paced)

    def test_abandon_time_alone_only_judges(self) -> None:
        found = agents(abandon_time="1.5")
        self.assertEqual(found, AgentDialing(abandon_time=1.5))
        self.assertFalse(found.has_agents)

    def test_everything(self) -> None:
        found = agents(
            dial_mode="Ratio",
            service_line_group=["sales"],
            agent_ratio="1.5",
            agent_busy_ratio=0.25,
            abandon_time=2,
            abandon_from="greeting",
            abandon_extension=8999,
            abandon_rate="0.05",
            abandon_period="24h",
            ring_min=20,
            ring_release="yes",
        )
        expected = AgentDialing(
            mode=DialMode.RATIO,
            group="sales",
            ratio=1.5,
            busy_ratio=0.25,
            abandon_time=2.0,
            abandon_from=AbandonFrom.GREETING,
            abandon_extension="8999",
            abandon_rate=0.05,
            abandon_period=AbandonPeriod.DAY,
            ring_min=20.0,
            ring_release=True,
        )
        self.assertEqual(found, expected)

    def test_the_hosts_own_group_counts_however_it_is_spelt(self) -> None:
        template = {"params": params({"agent_group": "sales"})}
        found = task(template, {"params": {"service_line_group": "fs1"}}).agents
        assert found is not None
        self.assertEqual(found.group, "fs1")

    def test_a_mode_that_needs_agents_is_a_fault_without_them(self) -> None:
        for mode in ("progressive", "ratio", "predictive"):
            ((path, english, chinese),) = faults(dial_mode=mode)
            self.assertEqual(path, "$.params.dial_mode")
            self.assertIn("name them by agent_queue or agent_group", english)
            self.assertIn("需要坐席", chinese)

    def test_a_fault_in_the_name_of_the_agents_is_one_fault(self) -> None:
        found = faults(agent_queue=["q"], dial_mode="predictive")
        self.assertEqual([path for path, _, _ in found], ["$.params.agent_queue"])

    def test_what_is_at_fault_has_its_path(self) -> None:
        for key, bad in (
            ("agent_group", ["a", "b"]),
            ("agent_group", []),
            ("agent_ratio", -1),
            ("agent_busy_ratio", 101),
            ("abandon_time", 0),
            ("abandon_from", "hello"),
            ("abandon_extension", "-both"),
            ("abandon_extension", "a b"),
            ("abandon_extension", "undef"),
            ("abandon_extension", "8999\nfsctl"),
            ("abandon_rate", 3),
            ("abandon_period", "7d"),
            ("ring_min", 121),
            ("ring_release", "maybe"),
        ):
            ((path, english, chinese),) = faults(**{key: bad})
            self.assertEqual(path, f"$.params.{key}", bad)
            self.assertNotEqual(english, chinese)

    def test_two_kinds_of_agents_are_a_fault(self) -> None:
        found = faults(agent_queue="q", service_line_group="g")
        self.assertEqual([path for path, _, _ in found], ["$.params.service_line_group"])

    def test_what_is_hardly_meant(self) -> None:
        both = {"agent_group": "a", "service_line_group": "b"}
        ((path, _),) = warnings(both)
        self.assertEqual(path, "$.params.service_line_group")
        ((path, problem),) = warnings({"agent_queue": "q", "agent_ratio": 2})
        self.assertEqual(path, "$.params.agent_ratio")
        self.assertIn("progressive", problem)

    def test_near_misses(self) -> None:
        for written, meant in (
            ("dialmode", "dial_mode"),
            ("mode", "dial_mode"),
            ("agent_groups", "agent_group"),
            ("cc_queue", "agent_queue"),
            ("abandon_rates", "abandon_rate"),
            ("ring_mim", "ring_min"),
            ("abandonTime", "abandon_time"),
        ):
            ((path, problem),) = warnings({written: 1})
            self.assertEqual(path, f"$.params.{written}")
            self.assertIn(f"did you mean `{meant}`?", problem)


class ConfigTests(SynchronousTestCase):
    def config(self, **changed: object) -> bytes:
        config = {"line_group": ["g"], "destination_extension": "8888"}
        return as_json({"params": {**config, **changed}})

    def test_a_schedule_configuration_judges(self) -> None:
        found = decode_schedule_config("c", self.config(abandon_time=3, abandon_extension="8999"))
        self.assertEqual(found.agents, AgentDialing(abandon_time=3.0, abandon_extension="8999"))
        self.assertIsNone(decode_schedule_config("c", self.config()).agents)

    def test_modes_are_for_tasks_alone(self) -> None:
        document = read_config(self.config(dial_mode="predictive", agent_queue="q"), FaultList())
        found = warnings_of_config(document)
        self.assertEqual(
            [fault.path for fault in found], ["$.params.dial_mode", "$.params.agent_queue"]
        )
        self.assertIn("only a task", found[0].problem)
