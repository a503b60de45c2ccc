"""Whether settings can be used: addresses, bounds, patterns, time zones."""

from __future__ import annotations

import ipaddress
import re
from zoneinfo import ZoneInfo

from ctidialer.contract.after_call import WantedVariable, wanted_variables
from ctidialer.contract.document import FaultList, Place
from ctidialer.contract.faults import ContractError
from ctidialer.settings.tokens import read_tokens
from ctidialer.settings.values import BOUNDS, Http, Node, Records, Settings, SettingsError


def host_and_port(address: str, path: str, lowest: int = 1) -> tuple[str, int]:
    """Split ``host:port`` (IPv6 in brackets); raises SettingsError naming ``path``."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):([0-9]{1,5})", address)
    if match is None or not lowest <= int(match[3]) < 65_536:
        raise SettingsError(f"{path}: {address!r} is not host:port, as in 127.0.0.1:8021")
    return match[1] or match[2], int(match[3])


def check(settings: Settings) -> None:
    """Raise SettingsError if an address or a number cannot be used."""
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
    try:
        read_tokens(http.tokens)
    except ValueError as error:
        raise SettingsError(f"$.http.tokens{error}") from None
    if http.address and not re.fullmatch(r"https?://[^\s\"'<>]+", http.address):
        raise SettingsError(
            f"$.http.address: {http.address!r} is no address of a page, as in https://dial1.example/"
        )
    if not http.listen:
        return
    host, _ = host_and_port(http.listen, "$.http.listen", lowest=0)  # 0 = any port that is free
    if not (http.needs_token or is_loopback(host)):
        raise SettingsError(
            f"$.http.listen: {http.listen} is open to other machines: set $.http.token or"
            " $.http.tokens, or listen on 127.0.0.1"
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


def check_node(node: Node) -> None:
    """Raise SettingsError if a name, the time zone or the pattern of numbers cannot be used."""
    if not is_zone(node.timezone):
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


def is_zone(name: str) -> bool:
    """Whether this is the IANA name of a time zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return bool(name)
