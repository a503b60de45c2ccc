"""What Prometheus is told: its figures agree with the records, and nobody's names break it."""

from __future__ import annotations

from pathlib import Path
from re import findall

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.attempt import Attempt, Phase
from ctidialer.web.metrics import MAX_NAMES, Counted
from ctidialer.web.task_times import OTHER
from tests.web.web_case import WebTestCase

DOCS = Path(__file__).parents[2] / "docs" / "http.rst"
HOSTILE = 'a"} 1\n# TYPE x counter\nx_total 9\\ 任务 {}'
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(text: str) -> Samples:
    """Return every sample of a page of metrics."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples of one name that have these labels."""
    wanted = set(labels.items())
    found = [number for (own, have), number in samples.items() if own == name and wanted <= have]
    return sum(found) if found else float("nan")


class MetricsTests(WebTestCase):
    script = {  # noqa: RUF012 - read only
        "default": {"result": "answer", "talk": 0.02},
        "numbers": {"1002": {"result": "busy"}},
    }

    async def samples(self) -> Samples:
        reply = await self.ask("GET", "/metrics")
        self.assertEqual((reply.status, reply.headers["content-type"][:10]), (200, "text/plain"))
        return samples_of(reply.body.decode())

    async def test_the_figures_agree_with_the_records(self) -> None:
        await self.usual_tables()
        await self.put_task("later", enable=False)
        self.start_web()
        await self.put_numbers(["1001", "1002", "1003", "not a number"])
        records = await self.records_of(4)
        await self.nothing_in_flight()
        samples = await self.samples()
        for outcome in ("answered", "busy", "invalid"):
            count = sum(record.outcome.value == outcome for record in records)
            told = value(samples, "ctidialer_numbers_total", task="t", outcome=outcome)
            self.assertEqual((outcome, told), (outcome, count))
        calls = {"line": "l", "line_group": "g"}
        self.assertEqual(value(samples, "ctidialer_calls_total", **calls), 3)
        self.assertEqual(value(samples, "ctidialer_calls_total", sip_code="486", **calls), 1)
        self.assertEqual(value(samples, "ctidialer_calls_total", answered="yes", **calls), 2)
        self.assertEqual(value(samples, "ctidialer_originates_total"), 3)
        self.assertEqual(value(samples, "ctidialer_answer_seconds_count"), 2)
        talked = sum(
            attempt.ended_at - attempt.answered_at
            for record in records
            for attempt in record.attempts
            if attempt.answered_at is not None and attempt.ended_at is not None
        )
        self.assertAlmostEqual(value(samples, "ctidialer_bill_seconds_sum"), talked, places=3)
        self.assertEqual(value(samples, "ctidialer_calls_in_progress"), 0)
        self.assertEqual(value(samples, "ctidialer_tasks", reason="disabled"), 1)
        for name in ("ready", "freeswitch_up", "redis_up", "lease_held"):
            self.assertEqual((name, value(samples, f"ctidialer_{name}")), (name, 1))

    async def test_queues_that_wait(self) -> None:
        await self.usual_tables(limit=0, number_queue=["q", "later"])
        self.start_web()
        await self.put_numbers(["1", "2", "3"])
        await self.put_numbers(["4"], "later")
        await self.until("told", self.is_waiting)

    async def is_waiting(self) -> bool:
        samples = await self.samples()
        lengths = [
            value(samples, "ctidialer_queue_length", task="t", queue=one) for one in ("q", "later")
        ]
        return lengths == [3, 1]

    async def test_freeswitch_away(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_up)
        await self.switch.kill()

        async def is_away() -> bool:
            return value(await self.samples(), "ctidialer_freeswitch_up") == 0

        await self.until("away", is_away)
        samples = await self.samples()
        self.assertEqual(value(samples, "ctidialer_ready"), 0)
        self.assertEqual(value(samples, "ctidialer_condition", condition="freeswitch"), 0)
        self.assertEqual(value(samples, "ctidialer_freeswitch_disconnects_total"), 1)

    async def is_up(self) -> bool:
        return value(await self.samples(), "ctidialer_ready") == 1

    async def test_odd_names(self) -> None:
        name, queue = 'a"b 任务/1', 'q"} 1 \\ 任务 {}'
        await self.usual_tables(limit=0)
        await self.put_task(name, number_queue=queue)
        self.start_web()
        await self.put_numbers(["1001"], queue)
        await self.records_of(1)
        samples = await self.samples()
        self.assertEqual(value(samples, "ctidialer_numbers_total", task=name), 1)
        self.assertEqual(value(samples, "ctidialer_queue_length", task=name, queue=queue), 0)
        self.assertNotIn("x_total", {one for one, _ in samples})

    async def test_the_page_lists_every_metric(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.put_numbers(["1001"])
        await self.records_of(1)
        text = (await self.ask("GET", "/metrics")).body.decode()
        families = list(text_string_to_metric_families(text))
        exported = {
            one.name + ("_total" if one.type == "counter" else "")
            for one in families
            if one.name.startswith("ctidialer_") and not one.name.endswith("_created")
        }
        rows = findall(r"(?m)^   \* - (``ctidialer_.*)$", DOCS.read_text("utf-8"))
        listed = [name for row in rows for name in findall(r"``(ctidialer_\w+)``", row)]
        self.assertEqual(sorted(listed), sorted(exported))
        self.assertEqual([one.name for one in families if not one.documentation], [])


class CountedTests(SynchronousTestCase):
    """The counters of their own."""

    def setUp(self) -> None:
        self.registry = CollectorRegistry()
        self.counted = Counted(self.registry)

    def ended(self, line: str = "l", answered_at: float | None = None) -> Attempt:
        return Attempt(
            uuid="u", line=line, group="g", dialed_at=10.0, phase=Phase.ENDED, had_channel=True,
            answered_at=answered_at, ended_at=12.0, cause="NO_ANSWER",
        )  # fmt: skip

    def calls(self, line: str) -> float | None:
        labels = {"line_group": "g", "line": line, "cause": "NO_ANSWER", "sip_code": ""}
        return self.registry.get_sample_value("ctidialer_calls_total", labels | {"answered": "no"})

    def test_beyond_the_bound_all_are_one(self) -> None:
        for number in range(MAX_NAMES + 50):
            self.counted.call_ended(self.ended(f"l{number}"))
        self.assertEqual((self.calls("l0"), self.calls(f"l{MAX_NAMES}")), (1, None))
        other = {"line_group": OTHER, "line": OTHER, "cause": "NO_ANSWER", "sip_code": ""}
        other["answered"] = "no"  # what is no name of anybody's is told all the same
        self.assertEqual(self.registry.get_sample_value("ctidialer_calls_total", other), 50)

    def test_a_hostile_name(self) -> None:
        self.counted.call_ended(self.ended(HOSTILE))
        samples = samples_of(generate_latest(self.registry).decode())
        self.assertEqual(value(samples, "ctidialer_calls_total", line=HOSTILE), 1)
        self.assertNotIn("x_total", {name for name, _ in samples})

    def test_half_a_surrogate_pair(self) -> None:
        self.counted.call_ended(self.ended("\ud800"))
        self.assertEqual(self.calls("?"), 1)

    def test_a_clock_that_was_set_back(self) -> None:
        self.counted.call_ended(self.ended(answered_at=9.0))
        self.assertEqual(self.registry.get_sample_value("ctidialer_answer_seconds_sum"), 0)
