"""Which numbers would be refused when they are taken: for ``ctidialer check`` and ``load``.

Pure: entries in, findings out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.sentences import Sentence
from ctidialer.contract import known_keys
from ctidialer.contract.document import MAX_FAULTS, FaultList, member_path, read_json, shown
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.known_keys import Ignored, Keys, ignored_keys
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import MAX_NUMBER_LENGTH, decode_number
from ctidialer.contract.problems import Problem
from ctidialer.contract.schedule import ScheduledNumber
from ctidialer.contract.schedule_document import decode_scheduled_number
from ctidialer.contract.variables import ORIGINATION_UUID, REQUESTED_UUID, requested_uuid
from ctidialer.rules.explaining import year_of
from ctidialer.rules.soundness import number_faults

Refuse = Callable[[bytes], tuple[Fault, ...]]
"""Returns why an entry would be refused; empty = it would be dialed."""

KeysIgnored = Callable[[bytes], Iterable[Ignored]]
"""Returns the keys of an entry that are ignored."""


def refusal(entry: bytes, pattern: re.Pattern[str]) -> tuple[Fault, ...]:
    """Return why an entry of a number list would end as ``invalid``; empty = it would be dialed."""
    try:
        number = decode_number(entry, pattern)
    except ContractError as error:
        return error.faults
    return _faults_of(number, "$.params.number" if b"{" in entry else "$")


def is_accepted(number: str, variables: Mapping[str, str], pattern: re.Pattern[str]) -> bool:
    """Say whether the entry of ``number`` and ``variables``, whose names can be variables, would
    be dialed, without making it: what takes half the time of a file of a million rows.

    Not all that would be are accepted so: of the others `refusal` says why, or nothing.
    """
    return (
        len(number) <= MAX_NUMBER_LENGTH
        and pattern.fullmatch(number) is not None
        and not any("\0" in value for value in variables.values())
        and requested_uuid(variables) is None
        and not number_faults(number, variables)
    )


def scheduled_refusal(
    member: bytes, pattern: re.Pattern[str], configs: Collection[str]
) -> tuple[Fault, ...]:
    """Return why a scheduled number would not be called; ``configs``: the valid ones."""
    try:
        number = decode_scheduled_number(member, pattern)
    except ContractError as error:
        return error.faults
    if number.config not in configs:
        problem = Sentence.NO_SUCH_CONFIG.of(name=shown(number.config))
        return (Fault.of("$.params.config", problem), *_faults_of(number))
    return _faults_of(number)


def check_numbers(
    key: str, entries: Iterable[tuple[int, bytes]], refuse: Refuse
) -> Iterator[Finding]:
    """Yield a finding for each fault of the entries, which come with their index in ``key``."""
    for index, entry in entries:
        for fault in refuse(entry):
            text = shown(entry.decode("utf-8", "replace"))
            quoted = None if text in fault.problem else text
            problem = Sentence.IN_ENTRY.of(problem=fault.told, entry=quoted)
            yield Finding.of(Severity.FAULT, key, f"[{index}]", fault.path, problem)


def ignored_in_entries(
    key: str, entries: Iterable[tuple[int, bytes]], ignored: KeysIgnored
) -> Iterator[Finding]:
    """Yield each key of the entries that is ignored once, with the first entry that has it."""
    said: set[str] = set()
    for index, entry in entries:
        for one in ignored(entry) if b"{" in entry else ():
            if one.fault.path not in said and len(said) < MAX_FAULTS:
                said.add(one.fault.path)
                severity = Severity.WARNING if one.doubtful else Severity.NOTICE
                yield Finding.of(severity, key, f"[{index}]", one.fault.path, one.fault.told)


def scores_in_milliseconds(key: str, count: int, first: float) -> Finding:
    """Return the warning that ``count`` scores, the least of them ``first``, are beyond all
    sense."""
    problem = Sentence.SCORES_IN_MILLISECONDS.of(
        count=count, first=f"{first:.0f}", year=year_of(first)
    )
    return Finding.of(Severity.WARNING, key, "", "$", problem)


def keys_ignored_in_number(entry: bytes) -> Iterator[Ignored]:
    """Yield the keys of an entry of a number list that are ignored."""
    return _ignored(entry, known_keys.NUMBER_DOCUMENT, known_keys.NUMBER)


def keys_ignored_in_scheduled(member: bytes) -> Iterator[Ignored]:
    """Yield the keys of a scheduled number that are ignored."""
    return _ignored(member, known_keys.SCHEDULED_DOCUMENT, known_keys.SCHEDULED)


def _ignored(raw: bytes, document: Keys, params: Keys) -> Iterator[Ignored]:
    root = read_json(raw, FaultList())
    yield from ignored_keys(root, document)
    if isinstance(root.value, dict):
        yield from ignored_keys(root.member("params", root.value.get("params")), params)


def _faults_of(
    number: NumberEntry | ScheduledNumber, path: str = "$.params.number"
) -> tuple[Fault, ...]:
    faults = number_faults(number.number, number.variables, path)
    return (*faults, *_uuid_faults(number.variables))


def _uuid_faults(variables: Mapping[str, str]) -> Iterator[Fault]:
    requested = requested_uuid(variables)
    if requested is not None and not REQUESTED_UUID.fullmatch(requested):
        place = member_path("$.variables", ORIGINATION_UUID)
        yield Fault.of(place, Problem.UNFIT_UUID.of())
