"""The records of numbers that a person ends, or queues anew, before they were called (again)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Protocol
from uuid import uuid4

from attrs import frozen

from ctidialer.contract.control import Order
from ctidialer.contract.faults import EntryError
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.contract.schedule_document import decode_scheduled_number
from ctidialer.contract.variables import requested_uuid
from ctidialer.contract.waiting import Carried
from ctidialer.nodes.number_owner import Owner
from ctidialer.settings import Node
from ctidialer.store.oversize import MAX_KEPT_BYTES


@frozen
class ReadNumber:
    """What can be read of an entry; None = it does not say, or cannot be read."""

    number: str | None
    requested_uuid: str | None


class NumberReader(Protocol):
    """Reads entries."""

    def __call__(self, entry: bytes) -> ReadNumber:
        """Return what can be read of one."""


def number_reader(kind: Kind, node: Node) -> NumberReader:
    """Return what reads the entries of a list, or the members of a schedule, as this node does."""
    decode = decode_number if kind is Kind.QUEUE else decode_scheduled_number
    pattern = re.compile(node.number_pattern)

    def read(entry: bytes) -> ReadNumber:
        try:
            found = decode(entry, pattern)
        except EntryError as error:
            return ReadNumber(error.number, error.requested_uuid)
        return ReadNumber(found.number, requested_uuid(found.variables))

    return read


@frozen
class OrderRecords:
    """Makes these records: they say in ``reason`` what was ordered, by whom, and why.

    ``what`` goes on with "by …".
    """

    owner: Owner
    node: Node
    read: NumberReader
    order: Order
    what: str

    def record(self, entry: bytes, carried: Carried | None, now: float) -> bytes:
        """Return the last record of a number, as JSON; ``now`` is unix seconds.

        ``carried``: what it has kept of its tries, None = it was never taken.
        """
        found, is_long = self.read(entry), len(entry) > self.node.max_entry
        return encode_record(
            Record(
                id=uuid4().hex,
                kind=self.owner.kind,
                task=self.owner.name,
                number=found.number,
                entry=entry[:MAX_KEPT_BYTES] if is_long else entry,
                outcome=Outcome.CANCELED,
                taken_at=carried.taken_at if carried else now,
                ended_at=now,
                host=self.node.host,
                requested_uuid=found.requested_uuid,
                reason=self.reason,
                entry_length=len(entry) if is_long else None,
                entry_sha256=sha256(entry).hexdigest() if is_long else None,
                entry_id=carried.entry_id if carried else "",
                try_number=carried.tried + 1 if carried else 1,
            )
        )

    @property
    def reason(self) -> str:
        """The reason in the records."""
        by = self.order.by or "somebody"
        return f"{self.what} by {by}" + (f": {self.order.why}" if self.order.why else "")
