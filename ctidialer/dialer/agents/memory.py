"""What pacers know, written to Redis every second, and read when a task is taken up."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import msgspec
from attrs import define, evolve, field
from twisted.logger import Logger

from ctidialer.contract.pacing import PacingStatus
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.dialer.agents.sharing import CALLS, PACES_FOR, PERMIT, CallPermit, HostCalls
from ctidialer.rules.prediction.feedback import Ledger
from ctidialer.rules.prediction.keeping import decode, encode
from ctidialer.store.pacing import Kept, PacingStore

LEARNT = "learnt"
LEDGER = "ledger:"
STATUS = "status:"
"""Fields of the hash; the last two are followed by the name of the host that wrote them."""

LEARNT_INTERVAL = 10.0
"""Seconds between two writes of the curves: they are some kilobytes."""


class _Counted(msgspec.Struct, frozen=True):
    """The answers that one host has counted in a period."""

    period: float
    answers: int
    abandoned: int


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Counted)


@define(eq=False)
class TaskMemory:
    """The memory of one pacer; ``is_loaded``: what Redis knew was taken over; ``is_last``: the
    next write is the last one, so it has all; ``was_elsewhere``: the task was moved, from the host
    to the template or back."""

    store: PacingStore
    host: str
    scope: str
    task: str
    is_loaded: bool = False
    is_last: bool = False
    was_elsewhere: bool = False
    _knows_others: bool = False
    _learnt_at: float = 0.0
    _written: dict[str, bytes] = field(factory=dict)
    log = Logger()

    async def exchange(
        self, pacer: TaskPacer, status: PacingStatus, now: float, calls: HostCalls | None = None
    ) -> Kept:
        """Write what is new and take over what other hosts wrote; fails with StoreError.

        ``calls``: those of this host, where it shares its agents with others.
        """
        if not self.is_loaded:
            self._load(pacer, await self.store.exchange(self.scope, self.task, {}))
            self.is_loaded = True
        fields = {**self._counted(pacer), f"{STATUS}{self.host}": _ENCODER.encode(status)}
        if calls is not None:
            fields[f"{CALLS}{self.host}"] = _ENCODER.encode(calls)
        is_due = self.is_last or not 0.0 <= now - self._learnt_at < LEARNT_INTERVAL
        if is_due and pacer.permitted is None:
            fields[LEARNT] = encode(pacer.learnt)
            self._learnt_at = now
        new = {name: value for name, value in fields.items() if self._written.get(name) != value}
        paces_for = 0.0 if calls is None else PACES_FOR
        kept = await self.store.exchange(self.scope, self.task, new, paces_for)
        self._written |= new
        others = self._others(pacer, kept.fields)
        if self._knows_others:
            pacer.counted_elsewhere(others)
        pacer.others, self._knows_others = others, True
        return kept

    async def permit(self, counts: Mapping[str, int], now: float) -> None:
        """Permit other hosts so many calls; fails with StoreError."""
        fields = {
            f"{PERMIT}{host}": _ENCODER.encode(CallPermit(now, count))
            for host, count in counts.items()
        }
        await self.store.exchange(self.scope, self.task, fields, PACES_FOR)

    def _counted(self, pacer: TaskPacer) -> dict[str, bytes]:
        own = pacer.own
        counted = _Counted(pacer.period_start, own.answers, own.abandoned)
        return {f"{LEDGER}{self.host}": _ENCODER.encode(counted)}

    def _load(self, pacer: TaskPacer, kept: Kept) -> None:
        """Take over what an earlier daemon of this host, or another host, has learnt.

        What was counted meanwhile, before Redis was asked, is kept; of a task that was moved, what
        was counted where it stood before.
        """
        own, there = pacer.own, self._ledger(pacer, kept.fields.get(f"{LEDGER}{self.host}"))
        both = max if self.was_elsewhere else operator.add
        pacer.own = Ledger(both(own.answers, there.answers), both(own.abandoned, there.abandoned))
        raw = kept.fields.get(LEARNT)
        if raw is None:
            return
        try:
            pacer.learnt = evolve(decode(raw), ledger=Ledger())
        except ValueError as error:
            self.log.warn(
                "What task {task} had learnt of its agents is begun anew: {problem}",
                task=self.task,
                problem=str(error),
            )

    def _others(self, pacer: TaskPacer, fields: Mapping[str, bytes]) -> Ledger:
        found = [
            self._ledger(pacer, raw)
            for name, raw in fields.items()
            if name.startswith(LEDGER) and name != f"{LEDGER}{self.host}"
        ]
        return Ledger(sum(one.answers for one in found), sum(one.abandoned for one in found))

    def _ledger(self, pacer: TaskPacer, raw: bytes | None) -> Ledger:
        """Return the answers of a host in the present period."""
        try:
            counted = _DECODER.decode(raw or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Ledger()
        if counted.period != pacer.period_start or counted.answers < 0 or counted.abandoned < 0:
            return Ledger()
        return Ledger(counted.answers, counted.abandoned)
