"""An entry of a number list (号码队列), as a value: docs/redis-contract.rst."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class NumberEntry:
    """A number to call and the channel variables that came with it.

    ``timezone``: where the callee is (IANA), if the entry says so.
    """

    number: str
    variables: Mapping[str, str] = field(factory=dict)
    timezone: str | None = None
