"""The names of everything that ctidialer reads and writes in Redis (docs/redis-contract.rst)."""

from __future__ import annotations

TASK = "cti_queue_dialer_task"
LINE = "cti_line"
LINE_GROUP = "cti_line_group"
GATEWAY = "cti_gateway"
SCHEDULE_CONFIG = "cti_schedule_dialer_config"
SCHEDULE_NUMBER = "cti_schedule_dialer_number"
CONTROL = "cti_dialer_control"
AGENT = "cti_agent"
AGENT_COUNT = "cti_agent_count"
AGENT_HEART = "cti_agent_heart"

TEMPLATE = "template"
CHANGE_CHANNEL = "config"
EVERY_HOST = "all"
STATUS = "cti_dialer_status"
CALLS = "cti_dialer_calls"
"""What the keys of counted calls begin with; also the table of the notice that a place is free."""

HOSTS = "cti_dialer_hosts"
"""The zset that says until when the lease of each host holds, also of those that are gone."""

_TABLES = (
    TASK,
    LINE,
    LINE_GROUP,
    GATEWAY,
    SCHEDULE_CONFIG,
    SCHEDULE_NUMBER,
    AGENT,
    AGENT_COUNT,
    AGENT_HEART,
)
_OWN_PREFIXES = ("cti_dialer_", *(f"{table}@" for table in _TABLES))
_OF_BACK_ENDS = "cti_dialer_cdr@"
"""What the list of records is called (``records.list``), from which a back end takes them."""


def is_own_key(name: str) -> bool:
    """Say whether a key is one of ctidialer's own, so that no list of numbers may have its name."""
    return name.startswith(_OWN_PREFIXES) and not name.startswith(_OF_BACK_ENDS)


def at(table: str, suffix: str) -> str:
    """Return the key of ``table`` for one host, domain or the template: ``cti_line@fs1``."""
    return f"{table}@{suffix}"


def records(host: str) -> str:
    """Return the stream that holds one record for each number this host took."""
    return at("cti_dialer_record", host)


def in_flight(host: str) -> str:
    """Return the hash of the entries this host has taken and not yet settled."""
    return at("cti_dialer_inflight", host)


def lease(host: str) -> str:
    """Return the key that says which daemon works under this host's name."""
    return at("cti_dialer_lease", host)


def status(host: str) -> str:
    """Return the key under which the daemon of this host publishes its present state."""
    return at(STATUS, host)


def minutes(host: str) -> str:
    """Return the stream that says what this host did in each minute, for charts."""
    return at("cti_dialer_minute", host)


def control(host: str) -> str:
    """Return the hash of what an operator has ordered for this host: drain, paused tasks."""
    return at(CONTROL, host)


def waiting(scope: str, kind: str, name: str) -> str:
    """Return the zset of a task's (or schedule configuration's) numbers that wait, by due time.

    ``scope`` is the template, the host or the domain in whose table it stands.
    """
    return f"{at('cti_dialer_waiting', scope)}:{kind}:{name}"


def waiting_next(scope: str) -> str:
    """Return the zset that says when the next waiting number of each task is due."""
    return at("cti_dialer_waiting_next", scope)


def waiting_count(scope: str) -> str:
    """Return the hash that says how many numbers of each task wait, by reason."""
    return at("cti_dialer_waiting_count", scope)


def callee_calls(number: str, task: str | None = None) -> str:
    """Return the zset of the calls that were placed to one callee, by all tasks or by one."""
    return f"cti_dialer_callee:{number}" if task is None else f"cti_dialer_callee:{number}:{task}"


def pacing(scope: str, task: str) -> str:
    """Return the hash of what the pacing of a task has learnt; ``scope``: `TEMPLATE`, or the host
    where the task stands in the host's own table only."""
    return f"{at('cti_dialer_pacing', scope)}:{task}"


def counted_calls(scope: str, kind: str, name: str) -> str:
    """Return the zset of the calls that are counted over several hosts.

    ``kind``: ``line``, ``gateway`` or ``task``; ``scope`` is the domain, or that of a task
    (`pacing`).
    """
    return f"{at(CALLS, scope)}:{kind}:{name}"
