"""Reads the settings of one node from its file, the environment and the command line."""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ctidialer.settings.checks import check, check_node, is_zone
from ctidialer.settings.values import IN_A_FILE, SECRETS, Settings, SettingsError

SYSTEM_FILE = Path("/etc/ctidialer/ctidialer.toml")
LOCAL_FILE = Path("etc/ctidialer.toml")


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
    check(settings)
    check_node(node)
    return replace(settings, node=node)


def machine_timezone(localtime: Path = Path("/etc/localtime")) -> str:
    """Return the machine's time zone as an IANA name, ``UTC`` where it cannot be told."""
    named = os.environ.get("TZ", "").lstrip(":")
    if not named and localtime.is_symlink():
        named = str(localtime.resolve())
    named = named.rpartition("/zoneinfo/")[2]
    return named if is_zone(named) else "UTC"


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
