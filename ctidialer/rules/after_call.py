"""What the channel variables of an ended call mean: for its record, and for its outcome."""

from __future__ import annotations

from collections.abc import Mapping

from ctidialer.contract.after_call import AfterCall
from ctidialer.contract.record import Outcome

MAX_VALUE = 1024
"""Bytes of a value (UTF-8) that a record carries."""

QUEUE_AGENT = "cc_agent"
"""The agent whom mod_callcenter connected; docs/freeswitch.rst."""


def carried(wanted: AfterCall, said: Mapping[str, str]) -> dict[str, str | float]:
    """Return the record's ``variables``; ``said`` has those of the call that were set.

    A value that is not a number stays text, even if a number was wanted.
    """
    return {
        one.name: _as_number(said[one.variable]) if one.as_number else said[one.variable]
        for one in wanted.variables
        if one.variable in said
    }


def ruled(wanted: AfterCall, said: Mapping[str, str]) -> Outcome | None:
    """Return the outcome that the first matching rule gives; None if none matches."""
    for rule in wanted.rules:
        if rule.variable in said and rule.matches(said[rule.variable]):
            return rule.outcome
    return None


def agent(wanted: AfterCall, said: Mapping[str, str]) -> str | None:
    """Return the agent who talked to the callee; None = none is named."""
    named = said.get(wanted.agent_variable) if wanted.agent_variable else None
    return said.get(QUEUE_AGENT) or named or None


def cut(value: str) -> str:
    """Return as much of ``value`` as a record carries."""
    raw = value.encode("utf-8", "surrogateescape")
    if len(raw) <= MAX_VALUE:
        return value
    return raw[:MAX_VALUE].decode("utf-8", "ignore")


def _as_number(text: str) -> str | float:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) <= 1e300 else text  # neither infinite nor "nan"
