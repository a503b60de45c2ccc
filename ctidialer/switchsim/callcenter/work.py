"""How agents work: how soon they answer, how long a call takes them."""

from __future__ import annotations

import re

from attrs import define

from ctidialer.switchsim.behaviour import chance
from ctidialer.switchsim.callcenter.tables import Agent, Member
from ctidialer.switchsim.spans import Span, draw

_ERROR = "error/"
_ANSWER_DELAY = re.compile(r"null_auto_answer_delay=(\d+)")


@define
class Work:
    """``handle``: seconds from a connection to its end; ``ring``: from an offer to the answer.

    ``no_answer``: the share of offers that a callback agent lets ring until ``ring_timeout``.  A
    contact ``error/CAUSE`` fails at once, and ``{null_auto_answer_delay=700}null/…`` answers after
    so many milliseconds, as in FreeSWITCH.
    """

    handle: Span = 60.0
    ring: Span = 2.0
    no_answer: float = 0.0
    ring_timeout: float = 60.0
    seed: int = 0

    def handle_seconds(self, member: Member, age: float) -> float:
        """Give how long a call lasts once it is connected; ``age`` of the switch in seconds."""
        return draw(self.handle, lambda: self._chance(member, "handle"), age)

    def answer(self, agent: Agent, member: Member, age: float) -> tuple[float, str]:
        """Give in how many seconds a rung agent answers, and the cause if he does not."""
        if agent.contact.startswith(_ERROR):
            return 0.0, agent.contact.removeprefix(_ERROR)
        delay = _ANSWER_DELAY.search(agent.contact)
        if delay:
            return int(delay[1]) / 1000, ""
        if self.no_answer and self._chance(member, agent.name, "answers") < self.no_answer:
            return self.ring_timeout, "NO_ANSWER"
        return draw(self.ring, lambda: self._chance(member, agent.name, "ring"), age), ""

    def _chance(self, member: Member, *what: object) -> float:
        serial = member.call.serial if member.call is not None else 0
        return chance(self.seed, member.cid_number, serial, *what)
