"""How tasks are paced, as the nodes have written it to Redis."""

from __future__ import annotations

import msgspec
from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingReport, PacingStatus
from ctidialer.rules.prediction.figures import figures
from ctidialer.rules.prediction.keeping import decode
from ctidialer.rules.prediction.pacer import Learnt
from ctidialer.store.errors import WrongType
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

LEARNT = "learnt"
STATUS = "status:"
"""Fields of the hash that the daemons keep: see `ctidialer.dialer.agents.memory`."""

_DECODER = msgspec.json.Decoder(PacingStatus)


@frozen
class PacingKept:
    """What the nodes keep of a task: its pacing by host, as each said last, and what was learnt."""

    hosts: dict[str, PacingStatus]
    learnt: Learnt | None


async def read_kept(link: Link, host: str, task: str) -> PacingKept | None:
    """Return what is kept of a task; None = nothing.  Fails with StoreError."""
    fields: dict[str, bytes] = {}
    for scope in (keys.TEMPLATE, host):
        try:
            fields |= await NodeReading(link, host).read_table(keys.pacing(scope, task))
        except WrongType:
            continue  # nothing of ours
    if not fields:
        return None
    hosts = {
        name.removeprefix(STATUS): status
        for name, raw in fields.items()
        if name.startswith(STATUS) and (status := _status(raw)) is not None
    }
    return PacingKept(hosts, _learnt(fields.get(LEARNT)))


async def read_pacing(link: Link, host: str, task: str) -> PacingReport | None:
    """Return how a task is paced, by what its nodes said last; None = none has said anything.

    Fails with StoreError.
    """
    kept = await read_kept(link, host, task)
    if kept is None:
        return None
    known = None if kept.learnt is None else figures(kept.learnt)
    return PacingReport(task, host, kept.hosts.get(host), kept.hosts, known)


def _learnt(raw: bytes | None) -> Learnt | None:
    try:
        return None if raw is None else decode(raw)
    except ValueError:
        return None


def _status(raw: bytes) -> PacingStatus | None:
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
