"""The documents of the original description must be taken as they stand."""

from __future__ import annotations

import re
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.hours import CallingHours, Span, Window
from ctidialer.contract.notice import ConfigChange, decode_notice
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.task_warnings import task_warnings
from tests.contract import seed_examples
from tests.contract.documents import paths_of

HOUR = 3600
GROUPS = ("外呼使用的线路组",)
VARIABLES = {
    "origination_caller_id_number": "主叫号码",
    "absolute_codec_string": "pcma,pcmu,g729",
}
ANYTHING = re.compile(".+")  # the examples say "the called number" where a number belongs


class SeedExampleTests(SynchronousTestCase):
    def test_the_task(self) -> None:
        expected = Task(
            name="test",
            enabled=True,
            line_groups=GROUPS,
            limit=100,
            number_queue="号码队列",
            destination=Destination("8888", "XML", "default"),
            hours=CallingHours(
                start=datetime(2020, 1, 20, 12),
                stop=datetime(2020, 1, 22, 12),
                windows=(Window(8 * HOUR, 12 * HOUR), Window(14 * HOUR, 18 * HOUR)),
                weekdays=frozenset({1, 2, 3, 4, 5}),
                holidays=(
                    Span(datetime(2020, 1, 20, 12), datetime(2020, 1, 21, 12)),
                    Span(datetime(2020, 1, 21, 12), datetime(2020, 1, 22, 8)),
                ),
            ),
            template_variables=VARIABLES,
        )
        found = decode_task("test", template=seed_examples.TASK, host=None, host_name="fs1")
        self.assertEqual(found, expected)

    def test_the_task_has_nothing_to_warn_of(self) -> None:
        found = task_warnings("test", template=seed_examples.TASK, host=None, host_name="fs1")
        self.assertEqual(found, ())

    def test_the_number(self) -> None:
        found = decode_number(seed_examples.NUMBER, ANYTHING)
        self.assertEqual(found, NumberEntry("被叫号码", VARIABLES))

    def test_the_number_is_none_that_a_node_dials(self) -> None:
        pattern = re.compile(r"\+?[0-9*#]{1,32}")
        self.assertEqual(
            paths_of(decode_number, seed_examples.NUMBER, pattern), ["$.params.number"]
        )

    def test_the_schedule_configuration(self) -> None:
        self.assertEqual(
            decode_schedule_config("回访", seed_examples.SCHEDULE_CONFIG),
            ScheduleConfig("回访", GROUPS, Destination("8888", "XML", "default"), VARIABLES),
        )

    def test_the_scheduled_number(self) -> None:
        self.assertEqual(
            decode_scheduled_number(seed_examples.SCHEDULED_NUMBER, ANYTHING),
            ScheduledNumber(
                number="被叫号码",
                config="cti_schedule_dialer_config@domain里面的任务名字",
                expires=None,
                variables={**VARIABLES, "origination_caller_id_number": "被叫号码"},
            ),
        )

    def test_the_notice(self) -> None:
        self.assertEqual(
            decode_notice(seed_examples.NOTICE), ConfigChange("cti_queue_dialer_task", "test")
        )
