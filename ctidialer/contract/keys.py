"""The names of everything that ctidialer reads and writes in Redis (docs/redis-contract.rst)."""

from __future__ import annotations

TASK = "cti_queue_dialer_task"
LINE = "cti_line"
LINE_GROUP = "cti_line_group"
SCHEDULE_CONFIG = "cti_schedule_dialer_config"
SCHEDULE_NUMBER = "cti_schedule_dialer_number"
CONTROL = "cti_dialer_control"

TEMPLATE = "template"
CHANGE_CHANNEL = "config"
EVERY_HOST = "all"
STATUS = "cti_dialer_status"


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


def control(host: str) -> str:
    """Return the hash of what an operator has ordered for this host: drain, paused tasks."""
    return at(CONTROL, host)
