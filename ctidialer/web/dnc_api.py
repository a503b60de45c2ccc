"""The JSON API: lists of numbers that are not called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from time import time

from twisted.logger import Logger

from ctidialer.contract.faults import ContractError
from ctidialer.contract.number_document import decode_number
from ctidialer.nodes.daemon import DaemonView
from ctidialer.rules.callee_zone import e164, is_region, spellings
from ctidialer.settings import Node
from ctidialer.store.dnc import DoNotCall, Entry
from ctidialer.store.link import Link
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.number_documents import DncAnswer, DncBody, DncChanged, DncEntry
from ctidialer.web.queries import DncQuery
from ctidialer.web.routes import get, post

NO_LIST = {404: "no task, configuration or setting of this host names such a list", **NO_REDIS}


class DncApi:
    """Answers for the lists that this host's tasks, configurations or settings name.

    No other key can be reached: a hash of something else is not written to.
    """

    log = Logger()

    def __init__(
        self, node: Node, daemon: DaemonView, link: Link, now: Callable[[], float] = time
    ) -> None:
        self._pattern = re.compile(node.number_pattern)
        self._daemon = daemon
        self._link = link
        self._now = now

    @get(
        "/api/dnc/{key}/{number}",
        "Whether a list keeps a number from being called now",
        others=NO_LIST,
    )
    async def check(self, key: str, number: str, query: DncQuery) -> DncAnswer:
        """Look for a number, with a region in whichever way it is written."""
        found = self._list(key)
        (written,) = self._read([number])
        known = await found.find(spellings(written, _region(query.region)))
        now = self._now()
        entries = [DncEntry(one.spelling, one.reason, one.until) for one in known]
        listed = any(one.until is None or one.until > now for one in entries)
        return DncAnswer(key, written, listed, entries)

    @post(
        "/api/dnc/{key}/add",
        "Put numbers on a list",
        others={**NO_LIST, 409: "the list is a set, which keeps no reason and no until"},
    )
    async def add(self, asked: Asked, key: str, body: DncBody) -> DncChanged:
        """Put numbers on a list; with a region they are written international."""
        found, region = self._list(key), _region(body.region)
        if body.until is not None and body.until <= self._now():
            raise Refusal(400, "until is over already: unix seconds of a time to come")
        read = dict.fromkeys(self._read(body.numbers))
        numbers = dict.fromkeys(e164(one, region) or one for one in read)
        entries = [Entry(one, body.reason, body.until) for one in numbers]
        is_hash = await found.is_hash()
        if is_hash is False and entries[0].says_more:
            raise Refusal(409, "the list is a set, which keeps no reason and no until")
        as_hash = entries[0].says_more if is_hash is None else is_hash
        known = await found.find([*numbers])
        if body.dry_run:
            return DncChanged(key, True, len(known), 0)
        added = await found.add(entries, as_hash=as_hash)
        self._log(asked, f"put {added} numbers on the list {key!r}")
        return DncChanged(key, False, len(known), added)

    @post("/api/dnc/{key}/remove", "Take numbers off a list", others=NO_LIST)
    async def remove(self, asked: Asked, key: str, body: DncBody) -> DncChanged:
        """Take numbers off a list, with a region in whichever way they are written."""
        found, region = self._list(key), _region(body.region)
        read = self._read(body.numbers)
        ways = [*dict.fromkeys(way for one in read for way in spellings(one, region))]
        known = len(await found.find(ways))
        if body.dry_run:
            return DncChanged(key, True, known, 0)
        removed = await found.remove(ways)
        self._log(asked, f"taken {removed} numbers off the list {key!r}")
        return DncChanged(key, False, known, removed)

    def _list(self, name: str) -> DoNotCall:
        if name not in self._daemon.dnc_lists():
            raise Refusal(404, f"no task here names a list {name[:80]!r} in dnc or dnc_add")
        return DoNotCall(self._link, name)

    def _read(self, numbers: Sequence[str]) -> list[str]:
        """Return the numbers as they would be dialed."""
        found = []
        for number in numbers:
            try:
                found.append(decode_number(number.encode(), self._pattern).number)
            except (ContractError, UnicodeEncodeError) as error:
                raise Refusal(400, f"{number[:40]!r}: {error}") from None
        return found

    def _log(self, asked: Asked, what: str) -> None:
        self.log.info("{by} has {what}", by=asked.by, what=what)


def _region(text: str) -> str | None:
    if text and not is_region(text.upper()):
        raise Refusal(400, f"{text[:40]!r} is no region; two letters are, as CN or US")
    return text.upper() or None
