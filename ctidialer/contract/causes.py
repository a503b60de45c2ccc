"""Hang-up causes: the numbers of ITU-T Q.850 and FreeSWITCH's names for them.

Numbers up to 127 are Q.850's; those above are FreeSWITCH's own.
"""

from __future__ import annotations

MAX_Q850 = 127
_NORMAL_CLEARING = 16

NAMES: dict[int, str] = {
    0: "NONE",
    1: "UNALLOCATED_NUMBER",
    2: "NO_ROUTE_TRANSIT_NET",
    3: "NO_ROUTE_DESTINATION",
    6: "CHANNEL_UNACCEPTABLE",
    7: "CALL_AWARDED_DELIVERED",
    16: "NORMAL_CLEARING",
    17: "USER_BUSY",
    18: "NO_USER_RESPONSE",
    19: "NO_ANSWER",
    20: "SUBSCRIBER_ABSENT",
    21: "CALL_REJECTED",
    22: "NUMBER_CHANGED",
    23: "REDIRECTION_TO_NEW_DESTINATION",
    25: "EXCHANGE_ROUTING_ERROR",
    27: "DESTINATION_OUT_OF_ORDER",
    28: "INVALID_NUMBER_FORMAT",
    29: "FACILITY_REJECTED",
    30: "RESPONSE_TO_STATUS_ENQUIRY",
    31: "NORMAL_UNSPECIFIED",
    34: "NORMAL_CIRCUIT_CONGESTION",
    38: "NETWORK_OUT_OF_ORDER",
    41: "NORMAL_TEMPORARY_FAILURE",
    42: "SWITCH_CONGESTION",
    43: "ACCESS_INFO_DISCARDED",
    44: "REQUESTED_CHAN_UNAVAIL",
    45: "PRE_EMPTED",
    50: "FACILITY_NOT_SUBSCRIBED",
    52: "OUTGOING_CALL_BARRED",
    54: "INCOMING_CALL_BARRED",
    57: "BEARERCAPABILITY_NOTAUTH",
    58: "BEARERCAPABILITY_NOTAVAIL",
    63: "SERVICE_UNAVAILABLE",
    65: "BEARERCAPABILITY_NOTIMPL",
    66: "CHAN_NOT_IMPLEMENTED",
    69: "FACILITY_NOT_IMPLEMENTED",
    79: "SERVICE_NOT_IMPLEMENTED",
    81: "INVALID_CALL_REFERENCE",
    88: "INCOMPATIBLE_DESTINATION",
    95: "INVALID_MSG_UNSPECIFIED",
    96: "MANDATORY_IE_MISSING",
    97: "MESSAGE_TYPE_NONEXIST",
    98: "WRONG_MESSAGE",
    99: "IE_NONEXIST",
    100: "INVALID_IE_CONTENTS",
    101: "WRONG_CALL_STATE",
    102: "RECOVERY_ON_TIMER_EXPIRE",
    103: "MANDATORY_IE_LENGTH_ERROR",
    111: "PROTOCOL_ERROR",
    127: "INTERWORKING",
    142: "SUCCESS",
    487: "ORIGINATOR_CANCEL",
    700: "CRASH",
    701: "SYSTEM_SHUTDOWN",
    702: "LOSE_RACE",
    703: "MANAGER_REQUEST",
    800: "BLIND_TRANSFER",
    801: "ATTENDED_TRANSFER",
    802: "ALLOTTED_TIMEOUT",
    803: "USER_CHALLENGE",
    804: "MEDIA_TIMEOUT",
    805: "PICKED_OFF",
    806: "USER_NOT_REGISTERED",
    807: "PROGRESS_TIMEOUT",
    808: "INVALID_GATEWAY",
    809: "GATEWAY_DOWN",
    810: "INVALID_URL",
    811: "INVALID_PROFILE",
    812: "NO_PICKUP",
    813: "SRTP_READ_ERROR",
    814: "BOWOUT",
    815: "BUSY_EVERYWHERE",
    816: "DECLINE",
    817: "DOES_NOT_EXIST_ANYWHERE",
    818: "NOT_ACCEPTABLE",
    819: "UNWANTED",
    820: "NO_IDENTITY",
    821: "BAD_IDENTITY_INFO",
    822: "UNSUPPORTED_CERTIFICATE",
    823: "INVALID_IDENTITY",
    824: "STALE_DATE",
    825: "REJECT_ALL",
}
NUMBERS: dict[str, int] = {name: number for number, name in NAMES.items()}

# Up to FreeSWITCH 1.10.7 its own causes were numbered 200 lower, among the SIP status codes.
_RENUMBERED_FROM = 700
_RENUMBERED_TO = 819
EARLIER_NAMES: dict[int, str] = {
    number - 200: name
    for number, name in NAMES.items()
    if _RENUMBERED_FROM <= number <= _RENUMBERED_TO
}


def name_of(number: int) -> str | None:
    """Return FreeSWITCH's name for a cause number, of old versions too; None = it has none."""
    return NAMES.get(number) or EARLIER_NAMES.get(number)


def is_number(number: int) -> bool:
    """Return whether ``number`` is a cause: FreeSWITCH's, or Q.850's that FreeSWITCH has not."""
    return 1 <= number <= MAX_Q850 or name_of(number) is not None


def q850(name: str | None) -> int | None:
    """Return the Q.850 number that FreeSWITCH gives as ``hangup_cause_q850`` for a cause.

    For its own causes, which Q.850 does not have, that is 16 (normal clearing).  None = ``name``
    is no cause.
    """
    number = NUMBERS.get(name or "")
    if number is None or number <= MAX_Q850:
        return number
    return _NORMAL_CLEARING
