"""National numbers made international, by the library phonenumbers, which is loaded only here."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.contract.document import shown
from ctidialer.contract.plain_numbers import PlainNumbers, plain_numbers
from ctidialer.files.rows import FileUnusable

ToE164 = Callable[[str], str]
"""Returns a number as ``+8613800138000``; raises NotOfRegion."""


class NotOfRegion(ValueError):
    """The number is none of its region; the message says why."""


def to_e164(region: str) -> ToE164:
    """Return what makes national numbers of a region ("CN") international.

    Raises FileUnusable where no such region is known.
    """
    import phonenumbers

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise FileUnusable(f"--region: {shown(region)} is no region; two letters are, as CN or US")

    plain = _plain(region)

    def convert(number: str) -> str:
        international = plain.e164(number) if plain else None
        return international or parse(number)

    def parse(number: str) -> str:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException as error:
            raise NotOfRegion(f"is no number of {region}: {shown(number)}") from error
        if not phonenumbers.is_valid_number(parsed):
            why = _reason(phonenumbers.is_possible_number_with_reason(parsed))
            raise NotOfRegion(f"is no number of {region} ({why}): {shown(number)}")
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

    return convert


def _plain(region: str) -> PlainNumbers | None:
    """Return the plain numbers of a region; None = others have its country code too."""
    import phonenumbers

    code = phonenumbers.country_code_for_region(region)
    if len(phonenumbers.region_codes_for_country_code(code)) > 1:
        return None
    return plain_numbers(phonenumbers.PhoneMetadata.metadata_for_region(region))


def _reason(why: int) -> str:
    from phonenumbers import ValidationResult

    return {
        ValidationResult.IS_POSSIBLE: "it is not in the numbering plan",
        ValidationResult.TOO_SHORT: "too short",
        ValidationResult.TOO_LONG: "too long",
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "without its area code",
        ValidationResult.INVALID_COUNTRY_CODE: "unknown country code",
    }.get(why, "a wrong length")
