"""How late the event loop is, by a clock that is set by hand."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.service import DialerService
from ctidialer.settings import Node, Settings
from ctidialer.web.metrics import MIN_LOOK_INTERVAL, Metrics
from tests.web.test_metrics import samples_of, value


class LagTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000.1)
        settings = Settings(node=Node(host="h", domain="h", timezone="UTC"))
        parts = DialerService(settings, self.clock, refuse=self.fail).parts
        self.metrics = Metrics(parts.shown, parts.link, self.clock)
        self.metrics.start()
        self.addCleanup(self.metrics.stop)

    def lags_after(self, *steps: float) -> list[float]:
        """Return the lag after each of these steps of the clock, in seconds."""
        lags = []
        for step in steps:
            self.clock.advance(step)
            lags.append(round(self.metrics.lag, 3))
        return lags

    def test_in_time(self) -> None:
        self.assertEqual(
            self.lags_after(MIN_LOOK_INTERVAL, MIN_LOOK_INTERVAL, MIN_LOOK_INTERVAL), [0, 0, 0]
        )

    def test_late_once(self) -> None:
        self.assertEqual(self.lags_after(0.8, 0.2, 0.5), [0.3, 0, 0])

    def test_late_each_time(self) -> None:
        """The next look is due when it would have been, had this one come in time."""
        self.assertEqual(self.lags_after(0.8, 0.5, 0.5, 0.5), [0.3] * 4)

    def test_late_by_several_looks(self) -> None:
        self.assertEqual(self.lags_after(2.7, 0.3), [2.2, 0])

    def test_no_look_between(self) -> None:
        self.assertEqual(self.lags_after(0.8, 0.1), [0.3, 0.3])

    def test_a_stopped_one_looks_no_more(self) -> None:
        self.metrics.stop()
        self.metrics.stop()
        self.assertEqual(self.lags_after(10), [0])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_each_look_is_counted(self) -> None:
        self.lags_after(0.8, 0.5)
        samples = samples_of(self.successResultOf(self.metrics.render()).decode())
        self.assertEqual(value(samples, "ctidialer_event_loop_lag_seconds_count"), 2)
        self.assertAlmostEqual(value(samples, "ctidialer_event_loop_lag_seconds_sum"), 0.6, 3)
