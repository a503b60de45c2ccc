"""Looks at what would become of the numbers of a file if they were called now."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import evolve

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.task import Task
from ctidialer.nodes.callee_facts import CountedCalls, counted_calls, listed_numbers
from ctidialer.rules.calling_hours import stops_at
from ctidialer.rules.compliance import obeying
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.prospects import CalleeNow, Prospects
from ctidialer.settings import Settings
from ctidialer.store.link import Link


class Outlook:
    """Counts numbers of a task by what holds them back at ``now`` (unix seconds)."""

    def __init__(self, link: Link, settings: Settings, task: Task, now: float) -> None:
        self._link = link
        self._task = task.name
        self._pattern = re.compile(settings.node.number_pattern)
        last = LastMoments(stops_at(task.hours, settings.node.timezone))
        self.prospects = Prospects(_rules(task.callee, settings.compliance.dnc), last, now)

    async def look_at(self, batch: Sequence[bytes]) -> None:
        """Count the entries of a batch, which are sound; raises StoreError."""
        found, rules = self.prospects, self.prospects.rules
        numbers = [decode_number(entry, self._pattern) for entry in batch]
        callees = list(dict.fromkeys(one.number for one in numbers))
        listed = await listed_numbers(self._link, rules, callees, found.now)
        counted = await counted_calls(self._link, rules, self._task, callees)
        for one in numbers:
            calls = counted.get(one.number, _NO_CALLS)
            found.add(CalleeNow(one, one.number in listed, calls.calls, calls.talks))


_NO_CALLS = CountedCalls()


def _rules(callee: CalleeRules, of_settings: Sequence[str]) -> CalleeRules:
    """Return the rules of a task with those of its rule files, and the lists of the settings."""
    lists = tuple(dict.fromkeys((*callee.dnc, *of_settings)))
    return evolve(obeying(callee), dnc=lists)
