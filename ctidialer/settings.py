"""The settings of one node (docs/commands.rst): TOML, every key with a default, secrets also from
the environment.

Unknown keys and wrong types are refused with their path; nothing is guessed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from ctidialer.contract.after_call import WantedVariable, wanted_variables
from ctidialer.contract.document import FaultList
from ctidialer.contract.document import Place as Place
from ctidialer.contract.faults import ContractError

SECRETS = {
    "CTIDIALER_REDIS_URL": ("redis", "url"),
    "CTIDIALER_ESL_PASSWORD": ("freeswitch", "password"),
    "CTIDIALER_HTTP_TOKEN": ("http", "token"),
}
IN_A_FILE = "_FILE"
"""Behind the name of a variable: the secret stands in the file that it names, as Docker's and
systemd's do.
"""

SYSTEM_FILE = Path("/etc/ctidialer/ctidialer.toml")
LOCAL_FILE = Path("etc/ctidialer.toml")


SECONDS_A_DAY = 86_400
BOUNDS: Mapping[str, tuple[float, bool]] = {
    "node.max_entry": (1 << 20, False),
    "node.max_calls": (1_000_000, True),
    "node.max_cps": (1_000_000, True),
    "node.drain_timeout": (SECONDS_A_DAY, True),
    "node.originate_timeout": (SECONDS_A_DAY, False),
    "node.lease": (SECONDS_A_DAY, False),
    "node.call_check_interval": (SECONDS_A_DAY, False),
    "queue.dispatch_interval": (SECONDS_A_DAY, False),
    "queue.brake_after": (1_000_000, True),
    "schedule.poll_interval": (SECONDS_A_DAY, False),
    "config.poll_interval": (SECONDS_A_DAY, False),
    "records.max_records": (10**15, False),
    "records.max_events": (10**15, False),
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
    name, an empty ``domain`` the host, an empty ``timezone`` the machine's.
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


class Redis(Section, frozen=True):
    """``[redis]``: where the tables, the queues and the records stand."""

    url: str = "redis://127.0.0.1:6379/0"


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


class Http(Section, frozen=True):
    """``[http]``: where the HTTP interface listens; empty = off."""

    listen: str = ""
    token: str = ""


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
    http: Http = Http()
    log: Log = Log()


def read_settings(
    path: Path | None,
    environ: Mapping[str, str] = os.environ,
    given: Mapping[tuple[str, str], str] | None = None,
) -> Settings:
    """Return the settings of the file at ``path`` (None = all defaults), secrets from ``environ``.

    ``given`` are values, by section and key, that count before both.  Raises SettingsError, naming
    the file and the key.
    """
    settings = Settings() if path is None else _read(path)
    try:
        secrets = {place: _secret(variable, environ) for variable, place in SECRETS.items()}
        return completed(_with(_with(settings, secrets), given or {}))
    except SettingsError as error:
        raise error if path is None else SettingsError(f"{path}: {error}") from None


def find_file(given: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the settings file to use: given, ``$CTIDIALER_CONFIG``, ``etc/`` or system's.

    None = there is none, and every key has its default.
    """
    named = given or environ.get("CTIDIALER_CONFIG")
    if named:
        return Path(named)
    return next((path for path in (LOCAL_FILE, SYSTEM_FILE) if path.is_file()), None)


def completed(settings: Settings) -> Settings:
    """Return ``settings`` with the defaults that depend on the machine, checked."""
    node = settings.node
    host = node.host or socket.gethostname()
    node = replace(
        node,
        host=host,
        domain=node.domain or host,
        timezone=node.timezone or machine_timezone(),
    )
    _check(settings)
    _check_node(node)
    return replace(settings, node=node)


def machine_timezone(localtime: Path = Path("/etc/localtime")) -> str:
    """Return the machine's time zone as an IANA name, ``UTC`` where it cannot be told."""
    named = os.environ.get("TZ", "").lstrip(":")
    if not named and localtime.is_symlink():
        named = str(localtime.resolve())
    named = named.rpartition("/zoneinfo/")[2]
    return named if _is_zone(named) else "UTC"


def host_and_port(address: str, path: str, lowest: int = 1) -> tuple[str, int]:
    """Split ``host:port`` (IPv6 in brackets); raises SettingsError naming ``path``."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})", address)
    if match is None or not lowest <= int(match[3]) < 65_536:
        raise SettingsError(f"{path}: {address!r} is not host:port, as in 127.0.0.1:8021")
    return match[1] or match[2], int(match[3])


def _read(path: Path) -> Settings:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}") from error


def _secret(variable: str, environ: Mapping[str, str]) -> str:
    """Return the secret in ``$variable``, or in the file that ``$variable_FILE`` names."""
    named = environ.get(variable + IN_A_FILE, "")
    if environ.get(variable) or not named:
        return environ.get(variable, "")
    try:
        return Path(named).read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        problem = f"{named} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = f"{named} is not UTF-8"
    raise SettingsError(f"${variable}{IN_A_FILE}: {problem}")


def _with(settings: Settings, values: Mapping[tuple[str, str], str]) -> Settings:
    """Return ``settings`` with those of the values that are not empty."""
    for (section, key), value in values.items():
        if value:
            changed = replace(getattr(settings, section), **{key: value})
            settings = replace(settings, **{section: changed})
    return settings


def _check(settings: Settings) -> None:
    host_and_port(settings.freeswitch.address, "$.freeswitch.address")
    _check_http(settings.http)
    record_variables(settings.records)
    for path, (most, may_be_zero) in BOUNDS.items():
        _check_bounds(settings, path, most, may_be_zero)


def record_variables(records: Records) -> tuple[WantedVariable, ...]:
    """Return the channel variables that every record carries; raises SettingsError."""
    faults = FaultList()
    found = wanted_variables(Place(list(records.variables), "$.records.variables", faults))
    try:
        faults.settle()
    except ContractError as error:
        raise SettingsError(str(error)) from None
    return found or ()


def _check_http(http: Http) -> None:
    if not http.listen:
        return
    host, _ = host_and_port(http.listen, "$.http.listen", lowest=0)  # 0 = any port that is free
    if not (http.token or is_loopback(host)):
        raise SettingsError(
            f"$.http.listen: {http.listen} is open to other machines: set $.http.token, or listen"
            " on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Say whether a name or address leads to this very machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_bounds(settings: Settings, path: str, most: float, may_be_zero: bool) -> None:
    section, key = path.split(".")
    value = getattr(getattr(settings, section), key)
    if not (value >= 0 if may_be_zero else value > 0):  # what is not a number is neither
        least = "0 or more" if may_be_zero else "greater than 0"
        raise SettingsError(f"$.{path}: must be {least}, not {value}")
    if value > most:
        raise SettingsError(f"$.{path}: must be at most {most:,}, not {value}")


def _check_node(node: Node) -> None:
    if not _is_zone(node.timezone):
        raise SettingsError(f"$.node.timezone: {node.timezone!r} is no IANA time zone")
    for path, name in (("$.node.host", node.host), ("$.node.domain", node.domain)):
        if not name.isprintable() or name != name.strip():
            raise SettingsError(f"{path}: {name!r} has spaces or control characters around it")
    if node.host == "template":
        raise SettingsError("$.node.host: 'template' is the suffix that all hosts share")
    if not node.default_dialstring.strip():
        raise SettingsError("$.node.default_dialstring: is empty, so it dials nobody")
    try:
        re.compile(node.number_pattern)
    except re.error as error:
        raise SettingsError(f"$.node.number_pattern: is no pattern: {error}") from error


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return bool(name)
