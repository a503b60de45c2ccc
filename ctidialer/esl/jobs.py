"""Background jobs: who waits for which BACKGROUND_JOB event."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.defer import Deferred

from ctidialer.esl.errors import CommandRefused, ConnectionGone, EslError
from ctidialer.esl.events import Event
from ctidialer.esl.replies import Reply
from ctidialer.esl.verbs import refusal

BACKGROUND_JOB = "BACKGROUND_JOB"
NOT_FOUND = ": Command not found!"


@frozen
class JobResult:
    """What a background job printed: ``text`` without ``+OK``, ``-ERR`` and the line end.

    ``ok`` is False for ``-ERR USER_BUSY`` (text ``USER_BUSY``), for ``-USAGE: …`` (text with the
    word) and for ``originate: Command not found!``, as ``api bgapi`` reports a command whose module
    is not loaded.  Other output is ok: ``bgapi version`` prints the version.
    """

    ok: bool
    text: str


@frozen
class BackgroundJob:
    """A job under way: FreeSWITCH's acceptance of the command, and the job's own end.

    When the command is not accepted both fail, with the same error.
    """

    job_id: str
    accepted: Deferred[None]
    result: Deferred[JobResult]


def job_result(event: Event) -> JobResult:
    """Read the result out of a BACKGROUND_JOB event."""
    text = event.body.rstrip("\r\n")
    word, _, rest = text.partition(" ")
    if word in ("+OK", "-ERR"):
        return JobResult(word == "+OK", rest)
    return JobResult(not (text.startswith("-") or text.endswith(NOT_FOUND)), text)


class Jobs:
    """The jobs whose end somebody waits for, by Job-UUID."""

    def __init__(self) -> None:
        self._waiting: dict[str, Deferred[JobResult]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._waiting

    def register(self, job_id: str) -> Deferred[JobResult]:
        """Wait for a job; do it before its command is written, so that nothing can race.

        Cancelling the Deferred forgets the job.  ValueError when its id is waited for already.
        """
        if job_id in self._waiting:
            raise ValueError(f"A background job {job_id} is waited for already")

        def stop_waiting(cancelled: Deferred[JobResult]) -> None:
            self._waiting.pop(job_id, None)

        result = self._waiting[job_id] = Deferred(stop_waiting)
        return result

    def finish(self, event: Event) -> bool:
        """Give a BACKGROUND_JOB event to the Deferred that waits for it; False = there is none."""
        waiting = self._waiting.pop(event.get("Job-UUID", ""), None)
        if waiting is None:
            return False
        waiting.callback(job_result(event))
        return True

    def fail(self, job_id: str, error: EslError) -> None:
        """End the wait for a job whose command was not accepted; nothing if it has ended."""
        waiting = self._waiting.pop(job_id, None)
        if waiting is not None:
            waiting.errback(error)

    def forget(self, job_id: str) -> None:
        """Stop waiting: the job's Deferred fails with CancelledError; nothing if it has ended."""
        waiting = self._waiting.get(job_id)
        if waiting is not None:
            waiting.cancel()

    def fail_all(self, why: str) -> None:
        """End every wait: the events that would have ended them may be lost."""
        waiting, self._waiting = self._waiting, {}
        for result in waiting.values():
            result.errback(ConnectionGone(why, may_have_been_executed=True))


class Submission:
    """Takes the reply to a job's command: if it is not accepted, the wait for the job ends.

    It has no Deferred of its own: nearly every command is accepted, and then there is nothing to
    do.
    """

    __slots__ = ("_job_id", "_jobs")

    def __init__(self, jobs: Jobs, job_id: str) -> None:
        self._jobs = jobs
        self._job_id = job_id

    def answered(self, reply: Reply) -> None:
        """Take the reply."""
        if reply.text.startswith("-"):
            self.failed(CommandRefused("bgapi", refusal(reply)))

    def failed(self, error: EslError) -> None:
        """End the wait."""
        self._jobs.fail(self._job_id, error)


class AwaitedSubmission(Submission):
    """The same, with a Deferred for the acceptance too."""

    __slots__ = ("accepted",)

    def __init__(self, jobs: Jobs, job_id: str) -> None:
        super().__init__(jobs, job_id)
        self.accepted: Deferred[None] = Deferred()

    def answered(self, reply: Reply) -> None:
        """Take the reply."""
        super().answered(reply)
        if not reply.text.startswith("-"):
            self.accepted.callback(None)

    def failed(self, error: EslError) -> None:
        """End both waits."""
        super().failed(error)
        self.accepted.errback(error)
