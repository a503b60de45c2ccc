"""The switch: going down, being found dead, coming back for ever, and stopping."""

from __future__ import annotations

from functools import partial
from typing import cast

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ctidialer.esl.errors import (
    ConnectionGone,
)
from tests.esl.scripted import plain
from tests.esl.switch_case import BYE, SUBSCRIBED, SwitchTest


class GoingDown(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_either_connection_takes_it_down_once(self) -> None:
        for which in (self.script.commanded, self.script.subscribed):
            self.heard.told.clear()
            which().hang_up()
            self.network.flush()
            self.assertEqual(len(self.heard.told), 1)
            self.assertTrue(self.heard.told[0].startswith("down: "))
            self.assertFalse(self.switch.up)
            self.network.advance(1)
            self.assertEqual(self.heard.told[1:], ["up"])
            self.assertEqual(len(self.script.live), 2)

    def test_both_at_once_is_one_down_and_one_up(self) -> None:
        for connection in self.script.live:
            connection.hang_up()
        self.network.flush()
        self.network.advance(2)
        self.assertEqual([text[:4] for text in self.heard.told], ["up", "down", "up"])

    def test_the_subscription_is_renewed(self) -> None:
        self.script.subscribed().hang_up()
        self.network.flush()
        self.network.advance(1)
        self.assertEqual(self.script.subscribed().commands[1:], SUBSCRIBED)

    def test_jobs_and_commands_fail_after_the_listener_knows(self) -> None:
        known: list[tuple[bool, list[str]]] = []

        def note(failure: Failure) -> None:
            assert isinstance(failure.value, ConnectionGone)
            known.append((failure.value.may_have_been_executed, list(self.heard.told)))

        self.script.commanded().hold()
        self.switch.background("j1", "a").addErrback(note)
        self.switch.api("b").addErrback(note)
        self.script.commanded().hang_up()
        self.network.flush()
        self.assertEqual(len(known), 2)
        for executed, told in known:
            self.assertTrue(executed)
            self.assertEqual([text[:4] for text in told], ["up", "down"])

    def test_a_job_fails_with_the_events_connection_too(self) -> None:
        done = self.switch.background("j1", "a")
        self.network.flush()
        self.script.subscribed().hang_up()
        self.network.flush()
        error = self.error(done, ConnectionGone)
        assert isinstance(error, ConnectionGone)
        self.assertTrue(error.may_have_been_executed)
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_events_come_while_only_the_commands_connection_is_gone(self) -> None:
        self.script.commanded().hang_up()
        self.network.flush()
        self.script.subscribed().send(plain("CHANNEL_ANSWER"))
        self.network.flush()
        self.assertFalse(self.switch.up)
        self.assertEqual(len(self.heard.events), 1)

    def test_a_protocol_fault_reconnects(self) -> None:
        self.script.subscribed().send(b"rubbish\n\n")
        self.network.flush()
        self.assertIn("without Content-Type", self.heard.told[-1])
        self.network.advance(1)
        self.assertTrue(self.switch.up)

    def test_the_reason_freeswitch_gave(self) -> None:
        self.script.subscribed().send(BYE)
        self.network.flush()
        self.assertEqual(self.heard.told[-1], "down: FreeSWITCH said: bye")


class Liveness(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_an_idle_connection_is_asked_and_stays(self) -> None:
        self.network.advance(60)
        self.assertEqual(self.heard.told, ["up"])
        for connection in (self.script.commanded(), self.script.subscribed()):
            self.assertGreater(connection.commands.count("api hostname"), 5)

    def test_a_busy_connection_is_not_asked(self) -> None:
        events = self.script.subscribed()
        for _ in range(30):
            events.send(plain("CHANNEL_ANSWER"))
            self.network.advance(1)
        self.assertNotIn("api hostname", events.commands)

    def test_being_refused_is_a_sign_of_life(self) -> None:
        self.script.refuse = lambda command: command == "api hostname"
        self.network.advance(60)
        self.assertEqual(self.heard.told, ["up"])

    def test_a_dead_connection_is_found_and_made_again(self) -> None:
        for which in (self.script.commanded, self.script.subscribed):
            self.heard.told.clear()
            dead = which()
            dead.hold()
            self.network.advance(21)
            self.assertEqual(self.heard.told[0], "down: nothing was received for 15 s")
            self.network.advance(2)
            self.assertTrue(self.switch.up)
            self.assertTrue(dead.gone)


class Retrying(SwitchTest):
    def test_back_off_grows_to_its_bound(self) -> None:
        self.network.reachable = False
        self.start()
        self.assertEqual(self.network.attempts, 2)
        told = self.switch.told(self.clock.seconds())
        self.assertRegex(told, r"^Connection was refused.*; next try in 0\.2 s$")
        self.network.advance(60)
        # 0.25, 0.5, 1, 2, 4, 8, then 10 s each: eleven more tries of each connection in 60 s
        self.assertEqual(self.network.attempts, 2 * (1 + 6 + 4))
        self.assertIn("Connection was refused", self.switch.trouble or "")
        self.network.reachable = True
        self.network.advance(10)
        self.assertTrue(self.switch.up)

    def test_a_connection_that_does_not_last_is_not_tried_all_the_time(self) -> None:
        self.start()
        for _ in range(1200):
            for connection in self.script.live:
                connection.hang_up()
            self.network.flush()
            self.network.advance(0.05)
        self.assertLess(self.network.attempts, 30)

    def test_a_wrong_password_slowly_and_for_ever(self) -> None:
        self.script.password = "another"
        self.start()
        self.assertEqual(self.script.logins, 2)
        self.network.advance(29)
        self.assertEqual(self.script.logins, 2)
        self.network.advance(5)
        self.assertEqual(self.script.logins, 4)
        self.assertIn("refused the password", self.switch.trouble or "")
        self.assertEqual(len([line for line in self.lines if "refused the password" in line]), 4)
        self.assertNotIn("ClueCon", "".join(self.lines))
        self.script.password = "ClueCon"
        self.network.advance(34)
        self.assertTrue(self.switch.up)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_after_a_wrong_password_the_usual_back_off_returns(self) -> None:
        self.script.password = "another"
        self.start()
        self.script.password = "ClueCon"
        self.network.advance(34)
        self.script.subscribed().hang_up()
        self.network.advance(2)
        self.assertTrue(self.switch.up)

    def test_a_refused_address_slowly(self) -> None:
        self.script.denied = True
        self.start()
        self.assertIn("denies access", self.switch.trouble or "")
        attempts = self.network.attempts
        self.network.advance(29)
        self.assertEqual(self.network.attempts, attempts)
        self.script.denied = False
        self.network.advance(5)
        self.assertTrue(self.switch.up)

    def test_a_server_that_does_not_greet(self) -> None:
        self.script.greets = False
        self.start()
        self.network.advance(10.1)
        self.assertIn("within 10 s", self.switch.trouble or "")
        self.assertEqual(len([each for each in self.script.connections if each.gone]), 2)
        self.script.greets = True
        self.network.advance(11)
        self.assertTrue(self.switch.up)

    def test_a_server_that_is_something_else(self) -> None:
        self.script.greets = False
        self.start()
        for connection in self.script.live:
            connection.send(b"220 mail.example.com ESMTP\r\n\n\n")
        self.network.flush()
        self.assertIn("without Content-Type", self.switch.trouble or "")


class Stopping(SwitchTest):
    def test_while_up(self) -> None:
        self.start()
        done = self.switch.background("j1", "x")
        stopped = self.switch.stopService()
        self.network.flush()
        self.successResultOf(stopped)
        self.error(done, ConnectionGone)
        self.assertEqual(self.heard.told, ["up", "down: stopped"])
        self.assertEqual(self.script.live, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_while_logging_in(self) -> None:
        self.script.greets = False
        self.start()
        stopped = self.switch.stopService()
        self.assertNoResult(stopped)  # for there are connections to end yet
        self.network.flush()
        self.successResultOf(stopped)
        self.assertEqual(self.script.live, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.heard.told, [])

    def test_while_waiting_for_the_next_try(self) -> None:
        self.network.reachable = False
        self.start()
        self.successResultOf(self.switch.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_started_again(self) -> None:
        self.start()
        stopped = self.switch.stopService()
        self.network.flush()
        self.successResultOf(stopped)
        self.start()
        self.assertEqual(self.heard.told, ["up", "down: stopped", "up"])

    def test_by_the_listener_itself(self) -> None:
        """At every word it hears; nothing is left, and it can be started again."""
        for word in ("up", "CHANNEL_ANSWER", "down: FreeSWITCH said: bye"):
            self.setUp()
            stopped: list[Deferred[None]] = []
            self.heard.then = partial(self._stop_at, word, stopped)
            self.start()
            if word != "up":
                self.script.subscribed().send(plain("CHANNEL_ANSWER") + BYE)
                self.network.flush()
            self.network.advance(1)
            self.successResultOf(stopped[0])
            self.assertEqual(self.script.live, [], word)
            self.assertEqual(self.clock.getDelayedCalls(), [], word)
            self.heard.then = lambda told: None
            self.start()
            self.assertTrue(self.switch.up, word)

    def _stop_at(self, word: str, stopped: list[Deferred[None]], told: str) -> None:
        if told == word:
            stopped.append(cast(Deferred[None], self.switch.stopService()))

    def test_twice(self) -> None:
        self.start()
        both = [self.switch.stopService(), self.switch.stopService()]
        self.network.flush()
        for stopped in both:
            self.successResultOf(stopped)

    def test_started_again_before_it_has_stopped(self) -> None:
        self.start()
        self.switch.stopService()
        self.switch.startService()
        self.network.advance(1)
        self.assertTrue(self.switch.up)
        self.assertEqual(len(self.script.live), 2)
