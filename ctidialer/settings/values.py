"""The settings of one node, as values: docs/settings.rst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

SECRETS = {
    "CTIDIALER_REDIS_URL": ("redis", "url"),
    "CTIDIALER_ESL_PASSWORD": ("freeswitch", "password"),
    "CTIDIALER_HTTP_TOKEN": ("http", "token"),
}
IN_A_FILE = "_FILE"
"""Behind the name of a variable: the secret stands in the file that it names, as Docker's and
systemd's do.
"""

SECONDS_A_DAY = 86_400
BOUNDS: Mapping[str, tuple[float, bool]] = {
    "node.max_entry": (1 << 20, False),
    "node.max_calls": (1_000_000, True),
    "node.max_cps": (1_000_000, True),
    "node.drain_timeout": (SECONDS_A_DAY, True),
    "node.originate_timeout": (SECONDS_A_DAY, False),
    "node.lease": (SECONDS_A_DAY, False),
    "node.call_check_interval": (SECONDS_A_DAY, False),
    "node.adopt_after": (SECONDS_A_DAY, False),
    "redis.wait_replicas": (100, True),
    "queue.dispatch_interval": (SECONDS_A_DAY, False),
    "queue.brake_after": (1_000_000, True),
    "schedule.poll_interval": (SECONDS_A_DAY, False),
    "config.poll_interval": (SECONDS_A_DAY, False),
    "records.max_records": (10**15, False),
    "records.max_events": (10**15, False),
    "http.max_connections": (1_000_000, True),
    "http.max_connections_per_address": (1_000_000, True),
    "http.idle_timeout": (SECONDS_A_DAY, False),
}
"""The greatest value of each number, and whether it may be 0; none may be negative."""


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the file, the key's path and the mend."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the settings file; its repr, which may get into a log, holds no secret."""

    def __repr__(self) -> str:
        name = type(self).__name__
        secret = {key for section, key in SECRETS.values() if section == name.lower()}
        shown = (
            f"{key}={'***' if key in secret else repr(getattr(self, key))}"
            for key in self.__struct_fields__
        )
        return f"{name}({', '.join(shown)})"


class Node(Section, frozen=True):
    """``[node]``: what this daemon is called, and how much it may do at once.

    Times are seconds; ``max_entry`` is the bytes of the longest entry that is called; ``max_calls``
    and ``max_cps`` (calls started per second) 0 = no limit.  An empty ``host`` is the machine's
    name, an empty ``domain`` the host, an empty ``timezone`` the machine's.  ``adopt``: take over
    the numbers in flight of other hosts that have had no daemon for ``adopt_after`` seconds.
    """

    host: str = ""
    domain: str = ""
    timezone: str = ""
    number_pattern: str = r"\+?[0-9*#]{1,32}"
    max_entry: int = 65536
    default_dialstring: str = "sofia/gateway/${line_group}/${destination_number}"
    max_calls: int = 0
    max_cps: float = 0.0
    drain_timeout: float = 60.0
    originate_timeout: int = 60
    lease: float = 15.0
    call_check_interval: float = 30.0
    adopt: bool = False
    adopt_after: float = 300.0


class Redis(Section, frozen=True):
    """``[redis]``: where the tables, the queues and the records stand.

    ``wait_replicas``: so many replicas have a write before it counts as done.
    """

    url: str = "redis://127.0.0.1:6379/0"
    wait_replicas: int = 0


class FreeSwitch(Section, frozen=True):
    """``[freeswitch]``: the Event Socket, inbound mode; ``user`` ("user@domain") for userauth."""

    address: str = "127.0.0.1:8021"
    password: str = "ClueCon"
    user: str = ""


class Queue(Section, frozen=True):
    """``[queue]``: seconds between two looks at the queues, and after how many bad ends in a row a
    task is braked (0 = never)."""

    dispatch_interval: float = 0.05
    brake_after: int = 50


class Schedule(Section, frozen=True):
    """``[schedule]``: seconds between two looks at the scheduled numbers."""

    poll_interval: float = 1.0


class Config(Section, frozen=True):
    """``[config]``: seconds between two full reads of the tables."""

    poll_interval: float = 5.0


class Records(Section, frozen=True):
    """``[records]``: how many the stream keeps, and where else a record goes (empty = nowhere).

    ``variables``: channel variables that every record carries, as ``record_variables`` of a task.
    ``events``: the stream that tells of calls while they are up, empty = none, which keeps about
    ``max_events``.
    """

    max_records: int = 200_000
    list: str = ""
    channel: str = ""
    events: str = ""
    max_events: int = 100_000
    variables: tuple[str, ...] = ()


class Compliance(Section, frozen=True):
    """``[compliance]``: what holds for the numbers of every task.

    ``dnc``: keys of Redis with numbers that are not called: sets, or hashes.
    """

    dnc: tuple[str, ...] = ()


class Http(Section, frozen=True):
    """``[http]``: where the HTTP interface listens; empty = off.

    ``tokens``: those that have a name and a role, hashed (`ctidialer.settings.tokens`).  At most
    ``max_connections`` at once, and ``max_connections_per_address`` (0 = no limit); one that asks
    nothing for ``idle_timeout`` seconds is closed.  ``address``: where browsers find it, told to
    the dashboards of the other hosts; empty = they are told nothing.
    """

    listen: str = ""
    address: str = ""
    token: str = ""
    tokens: tuple[str, ...] = ()
    max_connections: int = 1000
    max_connections_per_address: int = 200
    idle_timeout: float = 60.0

    @property
    def needs_token(self) -> bool:
        """Whether who asks must show one."""
        return bool(self.token or self.tokens)


class Log(Section, frozen=True):
    """``[log]``: how the daemon's log is written, and from which level on."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warn", "error", "critical"] = "info"


class Settings(Section, frozen=True):
    """Everything that is set for one node."""

    node: Node = Node()
    redis: Redis = Redis()
    freeswitch: FreeSwitch = FreeSwitch()
    queue: Queue = Queue()
    schedule: Schedule = Schedule()
    config: Config = Config()
    records: Records = Records()
    compliance: Compliance = Compliance()
    http: Http = Http()
    log: Log = Log()
