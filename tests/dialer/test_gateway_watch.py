"""The gateways of the lines are asked for, and what is not known is not told."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.gateway_watch import LOOK_INTERVAL, GatewayWatch
from ctidialer.esl.errors import CommandRefused, ConnectionGone, EslError
from ctidialer.rules.tables import Tables
from tests.dialer.fakes import FakeSwitch, clock

LINES = {
    name: b'{"params": {"count": 1, "dialstring": "sofia/gateway/%s/${destination_number}"}}'
    % name.encode()
    for name in ("up", "down", "none", "odd")
}
ANSWERS = {"up": "Name\tup\nStatus\tUP\n", "down": "Status \tDOWN\n", "none": "Invalid Gateway!\n"}


class Asked(FakeSwitch):
    """Answers for the gateways; ``error``: how every command fails."""

    error: EslError | None = None

    def api(self, command: str, timeout: float = 10.0) -> Deferred[str]:
        if self.error is not None:
            return fail(self.error)
        name = command.removeprefix("sofia status gateway ")
        if name == "odd":
            return fail(CommandRefused("api", "-ERR permission denied"))
        return succeed(ANSWERS[name])


class GatewayWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.switch = clock(), Asked()
        tables = Tables("fs1", "fs1", "x")
        tables.replace(keys.at(keys.LINE, "fs1"), LINES)
        self.watch = GatewayWatch(self.clock, self.switch, tables, TaskRuns("UTC"))
        self.watch.start()
        self.addCleanup(self.watch.stop)

    def test_what_each_is(self) -> None:
        self.assertEqual(self.watch.found, {})
        self.clock.advance(LOOK_INTERVAL)
        states = {"up": "up", "down": "down", "none": "unknown", "odd": "untold"}
        self.assertEqual(self.watch.found, states)

    def test_while_freeswitch_is_away(self) -> None:
        self.clock.advance(LOOK_INTERVAL)
        self.switch.error = ConnectionGone("away", may_have_been_executed=True)
        self.clock.advance(LOOK_INTERVAL)
        self.assertEqual(self.watch.found, {})
