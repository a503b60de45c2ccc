"""The plain ones among a region's numbers, known without a parser: most of all numbers.

The library's own patterns decide, so that what a new version of it learns holds here.  What it
could take apart in more than one way is left to it: that takes ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen

NEVER = re.compile(r"(?!)")


@frozen
class NumberKind:
    """Numbers of one kind: how many digits they have (empty = any), and which."""

    lengths: frozenset[int]
    pattern: re.Pattern[str]

    def has(self, digits: str) -> bool:
        """Say whether a national number is of this kind."""
        has_length = not self.lengths or len(digits) in self.lengths
        return has_length and self.pattern.fullmatch(digits) is not None


@frozen
class PlainNumbers:
    """The numbers of a region that are its digits and nothing else, behind ``+`` and the country
    code, behind the trunk prefix, or behind nothing.

    ``taken_off`` is what the library takes off a national number, ``abroad`` what it takes for a
    call to another country; a number is of the region if it is among ``every`` and of one kind.
    """

    code: str
    trunk: str
    taken_off: re.Pattern[str]
    abroad: re.Pattern[str]
    every: NumberKind
    kinds: Sequence[NumberKind]

    def e164(self, number: str) -> str | None:
        """Return ``number`` as E.164; None = the library must be asked."""
        digits = self._significant(number) if number.isascii() else None
        if digits is None or digits.startswith("0") or not self.every.has(digits):
            return None
        for kind in self.kinds:
            if kind.has(digits):
                return f"+{self.code}{digits}"
        return None

    def _significant(self, number: str) -> str | None:
        """Return the national number; None = there is more than one way to see it."""
        if number.startswith("+"):
            digits = number[len(self.code) + 1 :]
            is_plain = number.startswith(self.code, 1) and not self.taken_off.match(digits)
            return digits if is_plain else None
        if number.startswith(self.code) or self.abroad.match(number):
            return None
        taken = self.taken_off.match(number)
        if taken is None:
            return number
        return number[len(self.trunk) :] if self.trunk and taken[0] == self.trunk else None


def plain_numbers(metadata: Any) -> PlainNumbers:
    """Return the plain numbers of a region whose country code is no other's.

    ``metadata`` is what phonenumbers knows of the region.
    """
    changes = metadata.national_prefix_transform_rule is not None
    return PlainNumbers(
        code=str(metadata.country_code),
        trunk="" if changes else metadata.national_prefix or "",
        taken_off=_pattern(metadata.national_prefix_for_parsing),
        abroad=_pattern(metadata.international_prefix),
        every=_kind(metadata.general_desc),
        kinds=[_kind(one) for one in (metadata.mobile, metadata.fixed_line) if one is not None],
    )


def _kind(description: Any) -> NumberKind:
    lengths = frozenset(description.possible_length)
    return NumberKind(lengths, _pattern(description.national_number_pattern))


def _pattern(text: str | None) -> re.Pattern[str]:
    return re.compile(text) if text else NEVER
