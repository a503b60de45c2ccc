"""What is told of calls and numbers as they end: the metrics and the dashboard read along."""

from __future__ import annotations

from twisted.logger import Logger

from ctidialer.contract.record import Record
from ctidialer.nodes.daemon import JournalReader
from ctidialer.rules.attempt import Attempt


class Journal:
    """Tells its readers of every end; a reader that fails harms neither calls nor other readers."""

    log = Logger()

    def __init__(self) -> None:
        self._readers: list[JournalReader] = []

    def add_reader(self, reader: JournalReader) -> None:
        """Tell ``reader`` of all that ends from now on."""
        self._readers.append(reader)

    def call_ended(self, attempt: Attempt) -> None:
        """Tell of a call that has ended."""
        for reader in self._readers:
            try:
                reader.call_ended(attempt)
            except Exception:  # noqa: BLE001 - a fault in the metrics must not end a number's life
                self.log.failure("A reader of the journal failed")

    def number_ended(self, record: Record) -> None:
        """Tell of a number whose record was written."""
        for reader in self._readers:
            try:
                reader.number_ended(record)
            except Exception:  # noqa: BLE001 - nor must it lose a record
                self.log.failure("A reader of the journal failed")
