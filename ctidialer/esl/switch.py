"""FreeSWITCH as the dialer sees it: commands go in, the events of its calls come out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from twisted.application.service import MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from ctidialer.esl.client import COMMAND_TIMEOUT
from ctidialer.esl.connection import CommandReply
from ctidialer.esl.errors import ConnectionGone, EslError
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import BACKGROUND_JOB, JobResult, Jobs, Submission
from ctidialer.esl.link import DEFAULT_TIMINGS, Credentials, SwitchLink, Timings
from ctidialer.esl.replies import Reply
from ctidialer.esl.subscription import HEARTBEAT, More, Subscription, Wishes
from ctidialer.reconnection import ConnectionState

__all__ = ["Credentials", "More", "Subscription", "Switch", "SwitchListener", "Timings"]


class SwitchListener(Protocol):
    """Is told of what happens; what it raises is logged and changes nothing else."""

    def switch_up(self) -> None:
        """Both connections are authenticated, and the subscription is in place."""

    def switch_down(self, reason: str) -> None:
        """One of them has gone; once for each `switch_up`, before the pending Deferreds fail."""

    def switch_event(self, event: Event) -> None:
        """Take an event, except a BACKGROUND_JOB that `Switch.background` waits for.

        Events come whenever the events connection exists, so also before `switch_up` and after
        `switch_down`, and jobs that nobody waits for (any more) are among them.
        """


class _Offer(Submission):
    """A job started with ``api bgapi``: ``refused`` is told if this user may not do that."""

    __slots__ = ("_command", "_refused")

    def __init__(
        self, jobs: Jobs, job_id: str, command: str, refused: Callable[[str, str], None]
    ) -> None:
        super().__init__(jobs, job_id)
        self._command = command
        self._refused = refused

    def answered(self, reply: Reply) -> None:
        """Take the reply; to ``api`` a reply that is no response is a refusal."""
        if isinstance(reply, CommandReply):
            self._refused(self._job_id, self._command)
        else:
            super().answered(reply)


class Switch(MultiService):
    """One FreeSWITCH, through two connections that are made again whenever they go.

    Commands go through one connection and events come through the other, because FreeSWITCH serves
    a connection with one thread: a burst of commands would hold up the events of that connection
    for seconds, and an unfinished command line would stop them.  A background job is started on the
    one and reported on the other, so its id is chosen, and waited for, before the command is
    written: the report may overtake the reply, and nothing is lost by that.

    ``up`` is true while both are ready; else ``trouble`` says why not, for people.  A wrong
    password or a refused address is tried again for ever, slowly; nothing here ends the process.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        credentials: Credentials,
        subscription: Subscription,
        listener: SwitchListener,
        *,
        timings: Timings = DEFAULT_TIMINGS,
        jobs_by_api: bool = False,
        jitter: Callable[[], float] = random.random,
        where: str = "",
    ) -> None:
        """``where`` is FreeSWITCH's address, for people.

        ``jobs_by_api``: start jobs with ``api bgapi``, which is faster than ``bgapi``.

        FreeSWITCH refuses ``api bgapi`` to a user of the directory with a list of allowed API
        commands, even if ``bgapi`` is in it, because it looks for the ``uuid:…`` there as well.  A
        refused command was not run, so these jobs are then started with ``bgapi``.
        """
        MultiService.__init__(self)
        self.up = False
        self._listener = listener
        self._wanted = frozenset(subscription.events)
        self._wishes = Wishes(subscription)
        self._jobs_by_api = jobs_by_api
        self._api_refused = False  # on the present connection
        self._jobs = Jobs()
        name = f"FreeSWITCH at {where}" if where else "FreeSWITCH"
        self._commands = SwitchLink(
            clock,
            endpoint,
            f"{name} (commands)",
            credentials,
            self._changed,
            timings=timings,
            jitter=jitter,
        )
        self._events = SwitchLink(
            clock,
            endpoint,
            f"{name} (events)",
            credentials,
            self._changed,
            set_up=self._wishes.set_up,
            receive_event=self._event,
            timings=timings,
            jitter=jitter,
        )
        for link in (self._commands, self._events):
            MultiService.addService(self, link)

    @property
    def trouble(self) -> str | None:
        """Why the switch is down, for people; None while it is up."""
        troubles = {link.trouble for link in (self._commands, self._events) if link.trouble}
        return "; ".join(sorted(troubles)) or None

    @property
    def states(self) -> tuple[ConnectionState, ConnectionState]:
        """How the connections for commands and for events stand."""
        return self._commands.state, self._events.state

    def told(self, now: float) -> str:
        """Return `trouble` and when it is tried again, for people; empty while it is up."""
        told = {state.problem: state.told(now) for state in self.states if state.problem}
        return "; ".join(told[problem] for problem in sorted(told))

    @property
    def jobs_waiting(self) -> int:
        """How many background jobs are waited for."""
        return len(self._jobs)

    def api(self, command: str, timeout: float = COMMAND_TIMEOUT) -> Deferred[str]:
        """Run an API command; fires with exactly what it printed, ``-ERR …`` and line end included.

        Fails with `CommandTimeout` after ``timeout`` seconds, `CommandRefused` (no permission),
        `UnsafeCommand`, or `ConnectionGone`, at once while the switch is down.  FreeSWITCH answers
        nothing else on that connection meanwhile, so what takes longer than a connection may be
        silent (`Timings`) belongs into `background`.
        """
        protocol = self._commands.protocol
        if not self.up or protocol is None:
            return defer.fail(self._down_error())
        return protocol.api(command, timeout)

    def background(self, job_id: str, command: str) -> Deferred[JobResult]:
        """Run an API command as a background job; fires with the job's own result.

        Fails as `api` does if the command is not accepted, with `ConnectionGone` (it may have been
        executed) if a connection goes before the result has come, and with ValueError if a job of
        that id is waited for already.  The result itself has no time limit; see `forget`.
        """
        if not self.up:
            return defer.fail(self._down_error())
        try:
            result = self._jobs.register(job_id)
        except ValueError:
            return defer.fail()
        if self._jobs_by_api and not self._api_refused:
            self._start(job_id, command, _Offer(self._jobs, job_id, command, self._offer_refused))
        else:
            self._start(job_id, command, Submission(self._jobs, job_id))
        return result

    def hear(self, *more: More) -> None:
        """Subscribe to these events too, now and on every connection to come."""
        self._wishes.hear(more)
        self._wishes.adjust(self._events.protocol)

    def hear_no_more(self, *more: More) -> None:
        """Take that back."""
        self._wishes.hear_no_more(more)
        self._wishes.adjust(self._events.protocol)

    def _start(self, job_id: str, command: str, submission: Submission) -> None:
        protocol = self._commands.protocol
        try:
            if not self.up or protocol is None:
                raise self._down_error()
            protocol.start_job(job_id, command, submission, by_api=isinstance(submission, _Offer))
        except EslError as error:
            submission.failed(error)

    def _offer_refused(self, job_id: str, command: str) -> None:
        """Start a job again, with ``bgapi``, unless nobody waits for it any more."""
        if not self._api_refused:
            self._api_refused = True
            self.log.info(
                "FreeSWITCH refuses 'api bgapi' to this user; jobs are started with bgapi"
            )
        if job_id in self._jobs:
            self._start(job_id, command, Submission(self._jobs, job_id))

    def forget(self, job_id: str) -> None:
        """Stop waiting for a job: its Deferred fails with CancelledError.  Unknown ids are fine."""
        self._jobs.forget(job_id)

    def _down_error(self) -> ConnectionGone:
        return ConnectionGone(self.trouble or "not connected", may_have_been_executed=False)

    def _changed(self) -> None:
        self._wishes.adjust(self._events.protocol)
        ready = self._commands.protocol is not None and self._events.protocol is not None
        if ready:
            self._go_up()
        elif self.up:
            self._go_down(self.trouble or "a connection is gone")

    def _go_up(self) -> None:
        self.up = True
        self._api_refused = False
        self.log.info("FreeSWITCH is connected")
        with self.log.failuresHandled("The listener failed on {event}", event="switch_up"):
            self._listener.switch_up()

    def _go_down(self, reason: str) -> None:
        self.up = False
        with self.log.failuresHandled("The listener failed on {event}", event="switch_down"):
            self._listener.switch_down(reason)
        self._jobs.fail_all(reason)

    def _event(self, event: Event) -> None:
        name = event.name
        if name == BACKGROUND_JOB and self._jobs.finish(event):
            return
        if name != HEARTBEAT or HEARTBEAT in self._wanted:
            self._listener.switch_event(event)
