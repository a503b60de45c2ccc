"""From a hang-up cause to an outcome: the table of docs/redis-contract.rst."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ctidialer.contract.record import Outcome

REQUEST_TIMEOUT = 408

_CAUSES: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.BUSY: ("USER_BUSY",),
    Outcome.NO_ANSWER: (
        "NO_ANSWER",
        "NO_USER_RESPONSE",
        "SUBSCRIBER_ABSENT",
        "ALLOTTED_TIMEOUT",
        "PROGRESS_TIMEOUT",
        "ORIGINATOR_CANCEL",
    ),
    Outcome.REJECTED: ("CALL_REJECTED", "UNWANTED"),
    Outcome.UNALLOCATED: (
        "UNALLOCATED_NUMBER",
        "NO_ROUTE_DESTINATION",
        "INVALID_NUMBER_FORMAT",
        "NUMBER_CHANGED",
    ),
}
_SIP_CODES: Mapping[Outcome, tuple[int, ...]] = {
    Outcome.BUSY: (486, 600),
    Outcome.NO_ANSWER: (REQUEST_TIMEOUT, 480, 487),
    Outcome.REJECTED: (402, 403, 603, 607, 608),
    Outcome.UNALLOCATED: (404, 410, 484, 604),
}
_BY_CAUSE = MappingProxyType({cause: kind for kind, causes in _CAUSES.items() for cause in causes})
_BY_SIP_CODE = MappingProxyType(
    {code: kind for kind, codes in _SIP_CODES.items() for code in codes}
)


def outcome(*, answered: bool, cause: str | None, sip_code: int | None) -> Outcome:
    """Return how a call that was really placed ended (docs/redis-contract.rst).

    ``answered``: CHANNEL_ANSWER was seen; it decides, whatever came after.  ``cause`` is
    FreeSWITCH's name in capitals (``USER_BUSY``), ``sip_code`` the final SIP status; None = not
    known.  The cause decides before the status: if it is not the one of the status, it comes from
    the SIP Reason header of the callee's network.  Two exceptions: 408 is no answer whatever the
    cause, and without a cause the status decides.
    """
    if answered:
        return Outcome.ANSWERED
    if sip_code == REQUEST_TIMEOUT:
        return Outcome.NO_ANSWER
    if not cause:
        return _BY_SIP_CODE.get(sip_code or 0, Outcome.FAILED)
    return _BY_CAUSE.get(cause, Outcome.FAILED)
