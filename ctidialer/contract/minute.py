"""What a host did in one minute: the JSON in the stream ``cti_dialer_minute@<host>``.

For charts of more than the last ten minutes, also of hosts whose daemon is gone.  A minute that is
not there is one in which no daemon ran, or Redis did not take it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

FIELD = "minute"
"""The one field of each entry of the stream."""

MINUTE = 60.0
"""Seconds."""

MAX_MINUTES = 3 * 24 * 60
"""About so many minutes stay in the stream."""


class Minute(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One minute that ended ``at`` (unix seconds, of the daemon's clock).

    ``started`` calls were placed, at most ``calls`` were up at once, numbers ended with
    ``outcomes``.  ``talks`` calls were conversations, of ``talk_seconds`` together.
    """

    at: float
    started: int = 0
    calls: int = 0
    outcomes: Mapping[str, int] = {}
    talks: int = 0
    talk_seconds: float = 0.0


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Minute)


def encode_minute(minute: Minute) -> bytes:
    """Return the minute as it stands in Redis."""
    return _ENCODER.encode(minute)


def decode_minute(raw: bytes) -> Minute:
    """Read what ``encode_minute`` wrote, also by a later version; raises ValueError for anything
    else."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a minute of a host: {error}") from error
