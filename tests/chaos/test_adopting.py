"""When the places of a host that is gone come free, as the harness sees it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chaos.adopting import LeaseWatch


class LeaseWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.watch = LeaseWatch(4.0)
        self.lapsed: list[float] = []

    def saw(self, *looks: tuple[float, float]) -> list[float]:
        """Return when the places of a host came free: looks at its lease, each with its moment."""
        for now, until in looks:
            self.lapsed += self.watch.saw(now, {"fs1": until}).values()
        return self.watch.freed["fs1"]

    def test_one_that_holds_its_lease(self) -> None:
        self.assertEqual(self.saw((10.0, 12.0), (11.0, 13.0), (17.1, 19.0)), [17.0])
        self.assertEqual(self.saw((18.0, 20.0), (19.0, 21.0)), [17.0])

    def test_one_that_is_gone(self) -> None:
        self.assertEqual(self.saw((10.0, 12.0), (15.9, 12.0)), [])
        self.assertEqual(self.saw((16.1, 12.0), (17.0, 12.0)), [16.0])

    def test_each_lapse_is_seen_once(self) -> None:
        self.saw((10.0, 12.0), (11.9, 12.0), (12.1, 12.0), (12.3, 12.0), (13.0, 15.0), (14.0, 15.5))
        self.assertEqual(self.lapsed, [12.0])
        self.saw((20.0, 19.5), (20.2, 19.5), (20.4, 22.4), (21.0, 0.0), (30.0, 29.0))
        self.assertEqual(self.lapsed, [12.0, 19.5, 29.0])

    def test_one_that_was_adopted_sooner(self) -> None:
        self.assertEqual(self.saw((10.0, 12.0), (13.0, 15.0), (13.2, 0.0), (30.0, 0.0)), [13.0])
