"""Who the simulated switch says it is."""

from __future__ import annotations

import uuid as uuids

from attrs import field, frozen

from ctidialer.switchsim.encoding import percent_encode, to_bytes
from ctidialer.switchsim.templates import Fields

VERSION = "1.11.3-dev"
VERSION_FULL = "1.11.3-dev+git~20260821T141014Z~cc93a683ca~64bit"
VERSION_HUMAN = "1.11.3-dev git cc93a68 2026-08-21 14:10:14Z 64bit"


@frozen
class Identity:
    """Who the switch says it is."""

    hostname: str = "vm"
    switchname: str = "fslab"
    ipv4: str = "192.0.2.2"
    ipv6: str = "fd00::2"
    core_uuid: str = field(factory=lambda: str(uuids.uuid4()))

    def fields(self) -> Fields:
        """Give the identity as event fields."""
        texts = {
            b"core_uuid": self.core_uuid,
            b"hostname": self.hostname,
            b"switchname": self.switchname,
            b"ipv4": self.ipv4,
            b"ipv6": self.ipv6,
        }
        return {name: percent_encode(to_bytes(text)) for name, text in texts.items()}
