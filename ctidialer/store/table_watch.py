"""Finds out whether tables have been touched since they were read, without reading them.

Note [Watched tables]: Redis is asked to WATCH the keys before they are read, on the very connection
that reads them, and marks that connection as soon as anybody touches one of them: a write, a
script, DEL, RENAME, FLUSHALL, an expiry, a replica that becomes a copy of another master.  CLIENT
INFO shows the mark (``flags=d``) and leaves the WATCH as it is, so there is no moment in which
nobody watches.  Without the mark at the end of the reading, too, all of it is of one moment: no
MULTI is needed.  EXISTS comes before each question, because an expired key is marked only when
somebody looks at it.

One change is not marked: a table that was not there before and comes with the whole data of another
master.  That happens only on a replica, where this daemon's writes fail, so that it gives the
connection up.

A new connection may lead to another server and watches nothing: what was read on the one before
does not count there.  An EXEC ends a WATCH, so nobody else may send one on this connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from ctidialer.store.connection import Argument, Reply, ResponseError
from ctidialer.store.link import Link

RIGHTS = "+watch +client|info"
TOUCHED = b"d"

MAX_LEFT_OUT = 64
"""Most readings without a WATCH in a row, after readings during which the tables were written."""


class TableWatch:
    """Watches the keys of the last reading over ``link``."""

    log = Logger()

    def __init__(self, link: Link) -> None:
        self._link = link
        self._watched: tuple[object, tuple[str, ...]] | None = None
        self._refused: object = None
        self._has_warned = False
        self._left_out = 0
        self._leave_out = 0

    async def read(
        self, keys: Sequence[str], commands: Sequence[Sequence[Argument]]
    ) -> Sequence[Reply | ResponseError] | None:
        """Return the answers to commands that read ``keys``, all of one moment, and watch the keys.

        None = that is not possible now, and nothing is watched.
        """
        self._watched = None
        session = self._link.session
        if session is self._refused or self._is_left_out():
            return None
        # An empty EXEC takes away the mark of the reading before.
        _, cleared, watching, *answers, info = await self._link.series(
            ("MULTI",), ("EXEC",), ("WATCH", *keys), *commands, ("CLIENT", "INFO")
        )
        if isinstance(cleared, ResponseError) or watching != b"OK" or not isinstance(info, bytes):
            self._refuse(session, watching, info)
            return None
        if _is_touched(info):
            self._left_out = self._leave_out = min(MAX_LEFT_OUT, 2 * self._leave_out + 1)
            return None
        self._leave_out = 0
        if not any(isinstance(answer, ResponseError) for answer in answers):
            self._watched = session, tuple(keys)
        return answers

    async def is_untouched(self, keys: Sequence[str]) -> bool:
        """Say whether nobody has touched ``keys`` since they were read; False = perhaps somebody.

        Raises StoreUnavailable if Redis does not answer.
        """
        watched = self._link.session, tuple(keys)
        if watched[0] is None or self._watched != watched:
            return False
        _, info = await self._link.series(("EXISTS", *keys), ("CLIENT", "INFO"))
        if isinstance(info, bytes) and not _is_touched(info):
            return self._watched == watched
        self._watched = None
        return False

    def _is_left_out(self) -> bool:
        """Whether this reading does without WATCH: if the tables are written all the time, each
        watched reading would have to be done twice."""
        self._left_out -= 1
        return self._left_out >= 0

    def _refuse(self, session: object, *answers: Reply | ResponseError) -> None:
        self._refused = session
        if self._has_warned:
            return
        self._has_warned = True
        problem = next((str(one) for one in answers if isinstance(one, ResponseError)), "no answer")
        self.log.info(
            "Tables that nobody has touched cannot be told from others, and are all read again and "
            "again ({rights} in the rights of the Redis user would help): {problem}",
            rights=RIGHTS,
            problem=problem,
        )


def _is_touched(info: bytes) -> bool:
    flags = next((word for word in info.split() if word.startswith(b"flags=")), b"flags=" + TOUCHED)
    return TOUCHED in flags.partition(b"=")[2]
