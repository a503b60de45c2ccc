"""The declaration by which ``twistd`` and ``twist`` find the command ``ctidialer``."""

from twisted.application.service import ServiceMaker

ctidialer = ServiceMaker(
    "ctidialer",
    "ctidialer.tap",
    "An outbound dialer for FreeSWITCH, configured entirely through Redis.",
    "ctidialer",
)
