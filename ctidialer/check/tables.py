"""What is wrong, or hardly meant, in the tables of one node: for ``ctidialer check``.

Pure: documents in, findings out.  The faults are the daemon's own (`Tables`); what is added here is
what shows only when all tables are seen together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from ctidialer.check.callees import callee_findings
from ctidialer.check.findings import Finding, Severity, finding_at, findings
from ctidialer.check.node_tables import NodeTables, texts_in
from ctidialer.check.sentences import Sentence
from ctidialer.check.shared import shared_findings
from ctidialer.contract import keys
from ctidialer.contract.document import Params, Place, member_path, shown
from ctidialer.contract.faults import Fault
from ctidialer.contract.line_document import places
from ctidialer.contract.problems import Problem
from ctidialer.rules.calling_hours import Closed, opening
from ctidialer.rules.soundness import way_problem

_PLACE_OF = {
    Closed.AFTER_STOP: "stop_time",
    Closed.BEFORE_START: "start_time",
    Closed.HOLIDAY: "holiday",
    Closed.NOT_A_WORKING_DAY: "work_week",
    Closed.OUTSIDE_HOURS: "work_hour",
}

_RIGHT = "sofia/gateway/carrier1/${destination_number}"
_LEADING_BRACKETS = re.compile(r"^(?:\{[^{}]*\}|\[[^\]]*\])+")
_EXPANDED = re.compile(r"\$\{(?!(?:destination_number|line_group)\})")


def check_tables(of: NodeTables, now: float) -> tuple[Finding, ...]:
    """Return everything there is to say about the tables, in their order; ``now``: unix seconds."""
    if not any(of.documents.values()):
        return (_nothing_there(of),)
    found = [
        *_faults(of),
        *_ignored(of),
        *_of_tasks(of, now),
        *_of_configs(of),
        *callee_findings(of, now),
        *_of_groups(of),
        *_of_lines(of),
        *shared_findings(of),
    ]
    order = {key: index for index, key in enumerate(of.tables.keys_of())}
    return tuple(sorted(found, key=lambda one: (order[one.key], one.name)))


def _nothing_there(of: NodeTables) -> Finding:
    node = of.settings
    problem = Sentence.NOTHING_THERE.of(
        host=shown(node.host), domain=shown(node.domain), keys=", ".join(of.tables.keys_of())
    )
    return Finding.of(Severity.WARNING, of.key(keys.TASK), "", "$", problem)


def _faults(of: NodeTables) -> Iterator[Finding]:
    for (table, name), faults in of.tables.faults.items():
        yield from findings(Severity.FAULT, of.key(table), name, faults)
    for (table, name), warnings in of.tables.warnings.items():
        yield from findings(Severity.WARNING, of.key(table), name, warnings)


def _ignored(of: NodeTables) -> Iterator[Finding]:
    """Yield the keys that are ignored and probably may be; the others are among the warnings."""
    for table, name, ignored in of.ignored_keys():
        faults = (one.fault for one in ignored if not one.doubtful)
        yield from findings(Severity.NOTICE, of.key(table), name, faults)


def _of_tasks(of: NodeTables, now: float) -> Iterator[Finding]:
    for name, task in of.tables.tasks.items():
        for key, variables in zip(
            of.tables.keys_of(keys.TASK),
            (task.template_variables, task.host_variables),
            strict=True,
        ):
            yield from findings(Severity.WARNING, key, name, _unheeded(variables))
        params = of.task_params(name)
        yield from _ways(of, keys.TASK, name, params)
        yield from _closed_for_ever(of, name, params, now)
        yield from _rings_too_shortly(of, name, params)


def _closed_for_ever(of: NodeTables, name: str, params: Params, now: float) -> Iterator[Finding]:
    """Yield what keeps a task closed for ever; that its time is over is no more than a notice."""
    state = opening(of.tables.tasks[name].hours, of.settings.timezone, now)
    if state.closed is None or state.changes_at is not None:
        return
    is_over = state.closed is Closed.AFTER_STOP
    severity = Severity.NOTICE if is_over else Severity.WARNING
    problem = Sentence.OVER if is_over else Sentence.CLOSED_FOR_EVER
    place = params.get(_PLACE_OF[state.closed])
    yield finding_at(place, severity, of.key(keys.TASK), name, problem.of())


def _rings_too_shortly(of: NodeTables, name: str, params: Params) -> Iterator[Finding]:
    """Yield that FreeSWITCH gives calls up sooner than a task wants; it does so up to one second
    before the time is over."""
    agents, timeout = of.tables.tasks[name].agents, of.settings.originate_timeout
    if agents is not None and params.get("ring_min") and timeout - 1 < agents.ring_min:
        problem = Sentence.GIVEN_UP_TOO_SOON.of(
            ring_min=f"{agents.ring_min:g}",
            timeout=timeout,
            least=timeout - 1,
            wanted=math.ceil(agents.ring_min) + 1,
        )
        yield finding_at(params.get("ring_min"), Severity.WARNING, of.key(keys.TASK), name, problem)


def _of_configs(of: NodeTables) -> Iterator[Finding]:
    key = of.key(keys.SCHEDULE_CONFIG)
    for name, config in of.tables.schedules.items():
        params, _ = of.config_params(name)
        yield from findings(Severity.WARNING, key, name, _unheeded(config.variables))
        yield from _ways(of, keys.SCHEDULE_CONFIG, name, params)


def _ways(of: NodeTables, table: str, name: str, params: Params) -> Iterator[Finding]:
    """Yield what is to be said of the names in a ``line_group``."""
    routes = of.tables.routes
    for place, group in texts_in(params.get("line_group")):
        if group in routes.groups:
            continue
        if group in routes.lines:
            yield from _unfit(of, table, name, place, group, group)
        else:
            yield _fallback(of, table, name, place, group)


def _fallback(of: NodeTables, table: str, name: str, place: Place, group: str) -> Finding:
    """Return the finding on a name that is neither group nor line: the default dials it."""
    dialstring = of.settings.default_dialstring
    where = {"groups": of.key(keys.LINE_GROUP), "lines": of.key(keys.LINE)}
    problem = way_problem(dialstring, group)
    if problem is not None:
        why = Sentence.NO_WAY_BY_DEFAULT.of(name=shown(group), problem=problem, **where)
        return finding_at(place, Severity.FAULT, of.key(table), name, why)
    dialed = dialstring.replace("${line_group}", group)
    why = Sentence.NO_GROUP_NOR_LINE.of(name=shown(group), dialed=dialed, **where)
    return finding_at(place, Severity.WARNING, of.key(table), name, why)


def _of_groups(of: NodeTables) -> Iterator[Finding]:
    key, used = of.key(keys.LINE_GROUP), of.groups_named()
    for name in of.raw(keys.LINE_GROUP):
        if (keys.LINE_GROUP, name) not in of.tables.faults:
            yield from _lines_listed(of, name)
        if name not in used and not _has_riddles(of):
            yield Finding.of(Severity.NOTICE, key, name, "$", Sentence.GROUP_UNUSED.of())


def _lines_listed(of: NodeTables, group: str) -> Iterator[Finding]:
    key, listed = of.key(keys.LINE_GROUP), of.lines_of_group(group)
    for place, line in listed:
        if line in of.tables.routes.lines:
            yield from _unfit(of, keys.LINE_GROUP, group, place, line, group)
        else:
            problem = Sentence.NO_SUCH_LINE.of(line=shown(line), key=of.key(keys.LINE))
            yield finding_at(place, Severity.WARNING, key, group, problem)
    if listed and not any(line in of.tables.routes.lines for _, line in listed):
        yield Finding.of(Severity.WARNING, key, group, "$", Sentence.NO_LINE_EXISTS.of())


def _unfit(
    of: NodeTables, table: str, name: str, place: Place, line: str, group: str
) -> Iterator[Finding]:
    """Yield the fault of a line whose dial string cannot take the name of the group."""
    if (keys.LINE, line) in of.tables.faults:
        return
    problem = way_problem(of.tables.routes.lines[line].dialstring, group)
    if problem is not None:
        why = Sentence.NO_WAY_BY_LINE.of(line=shown(line), problem=problem)
        yield finding_at(place, Severity.FAULT, of.key(table), name, why)


def _of_lines(of: NodeTables) -> Iterator[Finding]:
    key, reached = of.key(keys.LINE), _lines_reached(of)
    for name, raw in of.raw(keys.LINE).items():
        line = of.tables.routes.lines[name]
        yield from findings(Severity.WARNING, key, name, _unheeded(line.variables))
        is_sound = (keys.LINE, name) not in of.tables.faults
        if is_sound and _names_no_endpoint(line.dialstring):
            problem = Sentence.NO_ENDPOINT.of(dialstring=shown(line.dialstring), right=_RIGHT)
            yield Finding.of(Severity.FAULT, key, name, dialstring_path(raw), problem)
        if name not in reached and not _has_riddles(of):
            yield Finding.of(Severity.WARNING, key, name, "$", Sentence.LINE_UNUSED.of())


def dialstring_path(raw: bytes) -> str:
    """Return where the dial string of a line stands."""
    place = places(raw).get("dialstring")
    return "$.params.dialstring" if place is None else place.path


def _names_no_endpoint(dialstring: str) -> bool:
    """Say whether a dial string has no slash where FreeSWITCH looks for the endpoint's.

    What stands in ``${…}`` (``${sofia_contact(1000)}``, say) may bring one; what stands in leading
    brackets does not count.
    """
    bare = _LEADING_BRACKETS.sub("", dialstring)
    return "/" not in bare and not _EXPANDED.search(bare)


def _has_riddles(of: NodeTables) -> bool:
    """Say whether a document cannot be read at all: what it names, nobody knows."""
    faults = (fault for faults in of.tables.faults.values() for fault in faults)
    return any(fault.path == "$" for fault in faults)


def _lines_reached(of: NodeTables) -> set[str]:
    groups = of.raw(keys.LINE_GROUP)
    listed = {line for group in groups for _, line in of.lines_of_group(group)}
    return listed | (of.groups_named() - groups.keys())


def _unheeded(variables: Mapping[str, str]) -> Iterable[Fault]:
    """Yield a warning for a channel's UUID, which only a number can ask for."""
    for name in variables:
        if name.lower() == "origination_uuid":
            place = member_path("$.variables", name)
            yield Fault.of(place, Problem.UUID_NOT_OF_NUMBER.of())
