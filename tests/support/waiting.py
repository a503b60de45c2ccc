"""Numbers that wait, as a daemon leaves them in Redis."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.store.link import Link
from ctidialer.store.store import Store
from ctidialer.store.waiting import Waiting

T = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
DUE = 4_000_000_000.0
"""When the first number is due (unix seconds), and each of the others a second later."""


async def let_wait(
    link: Link,
    *entries: bytes,
    where: Waiting = T,
    reason: WaitReason = WaitReason.RETRY,
    tried: int = 1,
    due: float = DUE,
) -> list[str]:
    """Let entries wait; return their ids.  No daemon may be there meanwhile."""
    store = Store(link, "fs1", "daemon", 1000)
    await store.acquire_lease()
    await link.call("RPUSH", "way", *entries)
    claimed = await store.claim("way", Side.LEFT, len(entries), task=where.name)
    for index, one in enumerate(claimed):
        carried = Carried(one.id, one.taken_at, one.taken_at, reason, tried, queue="q")
        await store.wait(one.id, where, carried, due + index)
    await store.release_lease()
    return [one.id for one in claimed]


async def put_record(link: Link, number: str, outcome: Outcome, **fields: object) -> Record:
    """Write a record of the task ``t`` into the stream of its host (fs1)."""
    usual: dict[str, object] = {
        "id": f"id of {number}",
        "kind": Kind.QUEUE,
        "task": "t",
        "number": number,
        "entry": number.encode(),
        "outcome": outcome,
        "taken_at": 1000.0,
        "ended_at": 2000.0,
        "host": "fs1",
    }
    record = Record(**{**usual, **fields})  # type: ignore[arg-type]
    await link.call("XADD", keys.records(record.host), "*", "record", encode_record(record))
    return record
