"""What an entry in flight tells of its number when the daemon that had it is gone."""

from __future__ import annotations

from attrs import frozen
from twisted.logger import Logger

from ctidialer.rules.attempt import Attempt, answered
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.progress import Progress
from ctidialer.store.in_flight import NO_CALL, Dialing, InFlight

log = Logger()


@frozen
class LeftOver:
    """How far a number was that may have been called.

    ``under_way``: its call that may be up, None = the number was between two calls.
    ``is_whole``: what was before it could be read.
    """

    progress: Progress
    under_way: Attempt | None
    is_whole: bool = True

    @property
    def never_called(self) -> bool:
        """Whether no call of the number was ever placed: it only waited for its first one."""
        return self.is_whole and self.under_way is None and not self.progress.attempts


def left_over(entry: InFlight, dialing: Dialing) -> LeftOver:
    """Return what the entry says; ``dialing`` is the call that stands there."""
    told = _progress(entry, dialing)
    progress = told or Progress(Itinerary(groups=(dialing.group,)))
    if dialing.uuid == NO_CALL:
        return LeftOver(progress, None, told is not None)
    dialed_at = entry.taken_at if progress.dialed_at is None else progress.dialed_at
    sent = Attempt(dialing.uuid, dialing.line, dialing.group, dialed_at=dialed_at)
    up = sent if dialing.answered_at is None else answered(sent, dialing.answered_at)
    return LeftOver(progress, up, told is not None)


def _progress(entry: InFlight, dialing: Dialing) -> Progress | None:
    try:
        return Progress.decode(dialing.progress)
    except ValueError as error:
        # The attempts before it are lost, but the call is not: it is followed all the same.
        log.warn(
            "What was before call {call_uuid} cannot be read: {error}",
            call_uuid=dialing.uuid,
            error=str(error),
            entry_id=entry.id,
            task=entry.task,
        )
        return None
