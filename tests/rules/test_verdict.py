"""How a call and its number ended: by the cause, by what is not known, by the task's rule."""

from __future__ import annotations

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.after_call import AfterCall, OutcomeRule
from ctidialer.contract.record import Outcome
from ctidialer.rules.attempt import Attempt, Phase, attempt_record, gone
from ctidialer.rules.verdict import by_cause, by_rule, of_call

MACHINE = AfterCall(rules=(OutcomeRule("heard", "beep", Outcome.MACHINE),))
BUSY = Attempt("u", "l", "g", 1.0, Phase.ENDED, ended_at=2.0, cause="USER_BUSY", had_channel=True)
ANSWERED = replace(BUSY, cause="NORMAL_CLEARING", answered_at=1.5)


class VerdictTests(SynchronousTestCase):
    def both(self, wanted: AfterCall, attempt: Attempt) -> Outcome:
        """Return what the story and the record say, which is the same."""
        record = attempt_record(attempt)
        found = by_rule(wanted, [record], by_cause(record, lost=attempt.lost))
        self.assertIs(of_call(wanted, attempt), found)
        return found

    def test_the_cause(self) -> None:
        self.assertIs(self.both(MACHINE, BUSY), Outcome.BUSY)
        self.assertIs(self.both(MACHINE, ANSWERED), Outcome.ANSWERED)

    def test_a_call_that_was_lost_is_unknown_unless_it_was_answered(self) -> None:
        sent = Attempt("u", "l", "g", 1.0)
        self.assertIs(self.both(MACHINE, gone(sent, 2.0)), Outcome.UNKNOWN)
        talking = replace(sent, answered_at=1.5)
        self.assertIs(self.both(MACHINE, gone(talking, 2.0)), Outcome.ANSWERED)

    def test_the_rule_counts_before_the_cause(self) -> None:
        heard = replace(ANSWERED, said={"heard": "beep"})
        self.assertIs(self.both(MACHINE, heard), Outcome.MACHINE)

    def test_a_number_without_a_call_has_nothing_to_ask_the_rule(self) -> None:
        self.assertIs(by_rule(MACHINE, [], Outcome.INVALID), Outcome.INVALID)
