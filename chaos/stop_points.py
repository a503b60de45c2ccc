"""The steps of a number's life at which the test build can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.caller import Caller
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.recovery import Recovery
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import Submission
from ctidialer.esl.replies import ReplyQueue
from ctidialer.esl.switch import Switch
from ctidialer.store.link import Link
from ctidialer.store.scripts import CLAIM, NOTE, PERMIT, RETURN, SETTLE, WAIT, Script

Die = Callable[[], None]
"""Counts; kills this process at the count that was asked for."""

Patch = Callable[[Die, str], None]
"""Patches the death in at one point; the text is the key that it is about, empty = any."""


def stop_at(point: str, count: int = 1) -> None:
    """Kill this process (SIGKILL) when it comes to ``point`` for the ``count``-th time.

    ``POINT of KEY`` is the point in what is done with one list or zset.
    """
    left = [count]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    step, _, key = point.partition(" of ")
    POINTS[step](die, key)


def around(owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put ``wrap`` of the method ``name`` of ``owner`` in that method's place."""
    setattr(owner, name, wrap(getattr(owner, name)))


def _around_script(script: Script, when: str) -> Patch:
    """Die ``before`` a script is sent, when it was ``sent`` (and is on its way), or ``after``."""

    def patch(die: Die, key: str) -> None:
        def wrap(whole: Any) -> Any:
            def run(self: Any, which: Script, names: Any, *rest: Any) -> Any:
                if which is not script or (key and key not in names):
                    return whole(self, which, names, *rest)
                if when == "before":
                    die()
                reply = whole(self, which, names, *rest)
                if when == "sent" and self._connection is not None:
                    _flush(self._connection.transport)
                    die()
                return reply.addCallback(_dying, die) if when == "after" else reply

            return run

        around(Link, "run", wrap)

    return patch


def _dying(result: Any, die: Die) -> Any:
    die()
    return result


def _flush(transport: Any) -> None:
    """Hand what is written to the kernel now, not in the reactor's next turn."""
    transport.doWrite()


def _originate_written(die: Die, key: str) -> None:
    def wrap(whole: Any) -> Any:
        def background(self: Any, job_id: str, command: str) -> Any:
            result = whole(self, job_id, command)
            if self._commands.protocol is not None:
                _flush(self._commands.protocol.transport)
            die()
            return result

        return background

    around(Switch, "background", wrap)


def _originate_accepted(die: Die, key: str) -> None:
    def wrap(whole: Any) -> Any:
        def answer(self: ReplyQueue, reply: Any) -> None:
            is_of_a_job = isinstance(self._written[0].asker, Submission)
            whole(self, reply)
            if is_of_a_job:
                die()

        return answer

    around(ReplyQueue, "answer", wrap)


def _after_event(name: str) -> Patch:
    def patch(die: Die, key: str) -> None:
        def wrap(whole: Any) -> Any:
            def event(self: Calls, what: Event) -> None:
                whole(self, what)
                if what.name == name:
                    die()

            return event

        around(Calls, "event", wrap)

    return patch


def _resting(die: Die, key: str) -> None:
    def wrap(whole: Any) -> Any:
        async def note_resting(*rest: Any) -> None:
            await whole(*rest)
            die()

        return note_resting

    around(Caller, "note_resting", wrap)


def _recovering(die: Die, key: str) -> None:
    def wrap(whole: Any) -> Any:
        def take_up(self: Recovery, entries: Any) -> Any:
            found = whole(self, entries)
            if found.given_back or found.followed:
                die()
            return found

        return take_up

    around(Recovery, "take_up", wrap)


POINTS: dict[str, Patch] = {
    "claim sent": _around_script(CLAIM, "sent"),
    "claimed": _around_script(CLAIM, "after"),
    "before the note": _around_script(NOTE, "before"),
    "note sent": _around_script(NOTE, "sent"),
    "noted": _around_script(NOTE, "after"),
    "before the permit": _around_script(PERMIT, "before"),
    "permit sent": _around_script(PERMIT, "sent"),
    "permitted": _around_script(PERMIT, "after"),
    "originate written": _originate_written,
    "originate accepted": _originate_accepted,
    "answered": _after_event(channel_events.ANSWER),
    "hung up": _after_event(channel_events.HANG_UP),
    "resting": _resting,
    "before the record": _around_script(SETTLE, "before"),
    "record sent": _around_script(SETTLE, "sent"),
    "recorded": _around_script(SETTLE, "after"),
    "before the wait": _around_script(WAIT, "before"),
    "wait sent": _around_script(WAIT, "sent"),
    "put to wait": _around_script(WAIT, "after"),
    "before giving back": _around_script(RETURN, "before"),
    "give-back sent": _around_script(RETURN, "sent"),
    "given back": _around_script(RETURN, "after"),
    "recovering": _recovering,
}
"""Each step of a number's life, in its order, and what patches the death there in."""
