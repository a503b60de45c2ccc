"""What to do about FreeSWITCH's words for a call that never left (docs/freeswitch.rst)."""

from __future__ import annotations

ADVICE = {
    "INVALID_GATEWAY": "define the gateway that its dial string names, then "
    "'sofia profile NAME rescan'; 'sofia status' lists those that are loaded",
    "GATEWAY_DOWN": "look at 'sofia status gateway NAME': its registration or its ping fails",
    "INVALID_PROFILE": "start the SIP profile that its dial string names; 'sofia status' lists "
    "those that run",
    "INVALID_URL": "correct its dial string: FreeSWITCH cannot read the address in it",
    "CHAN_NOT_IMPLEMENTED": "correct the beginning of its dial string, or load the module that "
    "serves it; 'show endpoint' lists what is loaded",
}

ANY = "look at its dial string, and at FreeSWITCH's log"


def advice(word: str) -> str:
    """Return what an operator can do about a line of which FreeSWITCH says ``word``."""
    return ADVICE.get(word, ANY)
