"""Where a callee is, by his number: time zones, and one spelling for every way to write it.

The library phonenumbers knows the numbering plans; it is imported when the first number needs it,
never before (13 MB).  Its geocoder and its carrier data are not used.  A number that was ported to
another place is where its code says: a zone given with the number wins over what is found here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ctidialer.contract.plain_numbers import PlainNumbers, plain_numbers

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

MAX_REMEMBERED = 16_384
"""Numbers whose zones are remembered; one is asked for with each of its calls."""

UNKNOWN_ZONE = "Etc/Unknown"

SAME_PLACE = {"364": "270", "448": "850", "930": "812"}
"""Newer area codes of North America that the library misses: each lies over an older one."""

TWO_ZONES = {"807": ("America/Toronto", "America/Winnipeg")}
"""Area codes that the library misses, and their zones: northwestern Ontario has two."""

NORTH_AMERICA = 1
"""Its country code."""

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_NORTH_AMERICAN = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})")


@lru_cache(maxsize=MAX_REMEMBERED)
def zones_of(number: str, region: str | None) -> tuple[str, ...]:
    """Return the IANA zones in which the callee of a number may be; empty = nobody knows.

    ``region`` ("CN") says how a national number is read; None = only those with ``+`` are known.
    """
    if region is None and not _INTERNATIONAL.fullmatch(number):
        return ()
    phone = _plain_phone(number, region) or _parsed(number, region)
    if phone is None:
        return ()
    digits = str(phone.national_number)
    if phone.country_code == NORTH_AMERICA and len(digits) == len("2125550100"):
        if digits[:3] in TWO_ZONES:
            return TWO_ZONES[digits[:3]]
        phone.national_number = int(SAME_PLACE.get(digits[:3], digits[:3]) + digits[3:])
    return _zones(phone)


def _plain_phone(number: str, region: str | None) -> PhoneNumber | None:
    """Return a plain number without the library's parser: half of the time; None = ask it."""
    import phonenumbers

    if region is None:
        region = _region_of(number)
    international = None if region is None else _quick(number, region)
    if international is None or region is None:
        return None
    code = phonenumbers.country_code_for_region(region)
    digits = international[1 + len(str(code)) :]
    return phonenumbers.PhoneNumber(country_code=code, national_number=int(digits))


def _region_of(number: str) -> str | None:
    """Return the first region that has the country code of an international number."""
    import phonenumbers

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    codes = (int(number[1:end]) for end in (2, 3, 4))
    return next((regions[code][0] for code in codes if code in regions), None)


def e164(number: str, region: str | None) -> str | None:
    """Return a number as ``+8613800138000``; None = it cannot be told which one it is."""
    if _INTERNATIONAL.fullmatch(number):
        return number
    return None if region is None else _national_as_e164(number, region)


@lru_cache(maxsize=MAX_REMEMBERED)
def _national_as_e164(number: str, region: str) -> str | None:
    quick = _quick(number, region)
    if quick is not None:
        return quick
    parsed = _parsed(number, region)
    return None if parsed is None else _international(parsed)


def spellings(number: str, region: str | None) -> tuple[str, ...]:
    """Return every way in which a list may have this number, as it was written first.

    Without a region only the number as it was written, and without its ``+``.
    """
    international = e164(number, region)
    if international is None:
        return (number,)
    digits = international[1:]
    if region is None:
        return number, digits
    national = _national(international, region)
    return tuple(dict.fromkeys((number, international, digits, "00" + digits, *national)))


def _quick(number: str, region: str) -> str | None:
    """Return what `e164` does of most numbers, in a tenth of the time; None = ask the library."""
    if _is_north_american(region):
        found = _NORTH_AMERICAN.fullmatch(number)
        return f"+1{found[1]}" if found else None
    plain = _plain(region)
    return None if plain is None else plain.e164(number)


@lru_cache
def _plain(region: str) -> PlainNumbers | None:
    """Return the plain numbers of a region; None = others have its country code too."""
    import phonenumbers

    code = phonenumbers.country_code_for_region(region)
    if len(phonenumbers.region_codes_for_country_code(code)) != 1:
        return None
    return plain_numbers(phonenumbers.PhoneMetadata.metadata_for_region(region))


@lru_cache
def _is_north_american(region: str) -> bool:
    import phonenumbers

    return phonenumbers.country_code_for_region(region) == 1


def is_region(region: str) -> bool:
    """Whether numbering plans are known for this region."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


@lru_cache
def zones_of_region(region: str) -> tuple[str, ...]:
    """Return the IANA zones in which the numbers of a region may be; empty = it is no region."""
    import phonenumbers

    code = phonenumbers.country_code_for_region(region)
    toll_free = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.TOLL_FREE)
    example = toll_free or phonenumbers.example_number(region)
    return () if not code or example is None else _zones(example)


def _zones(phone: PhoneNumber) -> tuple[str, ...]:
    from phonenumbers import timezone

    found = timezone.time_zones_for_number(phone)
    return tuple(zone for zone in found if zone != UNKNOWN_ZONE)


def _parsed(number: str, region: str | None) -> PhoneNumber | None:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None


def _national(international: str, region: str) -> tuple[str, ...]:
    """Return how a number is written inside its own country; nothing for that of another one."""
    if _is_north_american(region) and _NORTH_AMERICAN.fullmatch(international):
        return (international[2:],)
    plain = _plain(region)
    if plain is not None and international.startswith(plain.code, 1):
        significant = international[1 + len(plain.code) :]
        return significant, plain.trunk + significant
    return _national_by_library(international, region)


@lru_cache(maxsize=MAX_REMEMBERED)
def _national_by_library(international: str, region: str) -> tuple[str, ...]:
    import phonenumbers

    parsed = _parsed(international, None)
    if parsed is None or parsed.country_code != phonenumbers.country_code_for_region(region):
        return ()
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    with_trunk_prefix = "".join(mark for mark in written if mark.isdigit())
    return phonenumbers.national_significant_number(parsed), with_trunk_prefix


def _international(parsed: PhoneNumber) -> str:
    import phonenumbers

    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
