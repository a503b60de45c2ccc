"""Callees of a SIP trunk, by sipp: some answer after a while, some are busy, some let it ring.

Who answers talks until he is hung up.
"""

from __future__ import annotations

import random
import shutil
import socket
from pathlib import Path

from attrs import frozen
from twisted.internet.interfaces import IReactorProcess

from benchmarks.pacing_world import Conditions
from ctidialer.rules.forecast.actors import RingEnd
from ctidialer.stage.child_process import ChildProcess, dying_with_us, spawn
from ctidialer.stage.watching import StageFailed

BUSY_SHARE = 1 / 3
"""Of those who do not answer; the others let it ring until the trunk gives up."""

BUSY_FROM, BUSY_UNTIL = 1.0, 4.0
"""Seconds after which a busy callee is found to be busy."""


@frozen
class Callees(Conditions):
    """The same callees and agents in the laboratory.

    An agent talks as long as ``talk_from`` to ``talk_until`` seconds, evenly, and is free again
    ``wrap_up`` seconds later, or in the second after that: mod_callcenter counts whole ones.
    """

    talk_from: float = 12.0
    talk_until: float = 52.0
    wrap_up: float = 8.0

    def handle_time(self, chance: random.Random) -> float:
        """Draw how long an agent is busy."""
        return self.talk_time(chance) + self.wrap_up + chance.random()

    def talk_time(self, chance: random.Random) -> float:
        """Draw how long a callee talks."""
        return chance.uniform(self.talk_from, self.talk_until)

    def ring(self, chance: random.Random) -> tuple[RingEnd, float]:
        """Draw how a call ends to ring, and after how many seconds."""
        end, seconds = super().ring(chance)
        if end is RingEnd.UNANSWERED and chance.random() < BUSY_SHARE:
            return end, chance.uniform(BUSY_FROM, BUSY_UNTIL)
        return end, seconds


def start_callees(
    reactor: IReactorProcess, directory: Path, callees: Callees
) -> tuple[ChildProcess, int]:
    """Start sipp; return it, and its port on the loopback interface."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise StageFailed("sipp is not on this machine (Debian: the package sip-tester)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    scenario = directory / "callees.xml"
    scenario.write_text(scenario_of(callees), encoding="utf-8")
    child = ChildProcess(directory / "sipp.log")
    options = ["-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    spawn(reactor, child, dying_with_us([sipp, *options]), directory)
    return child, port


def scenario_of(callees: Callees) -> str:
    """Return the callees as a scenario of sipp."""
    busy = (1.0 - callees.answer_rate) * BUSY_SHARE
    ring_out = 1.0 - callees.answer_rate - busy
    # A chance is asked for where the ones before it did not go: so it is a share of what is left.
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="callees">
  <recv request="INVITE"/>
  {_send("180 Ringing")}
  <nop next="1" chance="{callees.answer_rate:.4f}"/>
  <nop next="2" chance="{ring_out / (ring_out + busy):.4f}"/>
  {_pause(BUSY_FROM, BUSY_UNTIL)}
  {_send("486 Busy Here", 'retrans="500"')}
  <recv request="ACK" next="9"/>
  <label id="2"/>
  <pause milliseconds="{callees.ring_out * 1000:.0f}"/>
  {_send("480 Temporarily Unavailable", 'retrans="500"')}
  <recv request="ACK" next="9"/>
  <label id="1"/>
  {_pause(callees.answer_from, callees.answer_until)}
  {_send("200 OK", 'retrans="500"', MEDIA)}
  <recv request="ACK"/>
  <recv request="BYE"/>
  {_send("200 OK", tag="")}
  <label id="9"/>
  <nop/>
</scenario>
"""


MEDIA = """v=0
o=callee 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""


def _pause(least: float, most: float) -> str:
    return f'<pause distribution="uniform" min="{least * 1000:.0f}" max="{most * 1000:.0f}"/>'


def _send(status: str, options: str = "", body: str = "", tag: str = ";tag=[call_number]") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return f"""<send {options}><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
{kind}Content-Length: [len]

{body}]]></send>"""
