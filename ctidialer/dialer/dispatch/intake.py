"""Where numbers are taken from, and who follows them then."""

from __future__ import annotations

from attrs import frozen

from ctidialer.dialer.life.numbers import Numbers
from ctidialer.glue import Gate
from ctidialer.store.store import Store


@frozen(eq=False)
class Intake:
    """Numbers are claimed from ``store`` for ``numbers`` while ``ready`` is open, that is while
    calls can be placed and recorded."""

    store: Store
    numbers: Numbers
    ready: Gate

    @property
    def is_open(self) -> bool:
        """Whether numbers may be taken."""
        return self.ready.is_open
