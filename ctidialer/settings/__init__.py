"""The settings of one node (docs/settings.rst): TOML, every key with a default, secrets also from
the environment.

Unknown keys and wrong types are refused with their path; nothing is guessed.
"""

from ctidialer.settings.checks import host_and_port, is_loopback, record_variables
from ctidialer.settings.reading import (
    LOCAL_FILE,
    SYSTEM_FILE,
    completed,
    find_file,
    machine_timezone,
    read_settings,
)
from ctidialer.settings.values import (
    BOUNDS,
    IN_A_FILE,
    SECRETS,
    Compliance,
    Config,
    FreeSwitch,
    Http,
    Log,
    Node,
    Queue,
    Records,
    Redis,
    Schedule,
    Section,
    Settings,
    SettingsError,
)

__all__ = [
    "BOUNDS",
    "IN_A_FILE",
    "LOCAL_FILE",
    "SECRETS",
    "SYSTEM_FILE",
    "Compliance",
    "Config",
    "FreeSwitch",
    "Http",
    "Log",
    "Node",
    "Queue",
    "Records",
    "Redis",
    "Schedule",
    "Section",
    "Settings",
    "SettingsError",
    "completed",
    "find_file",
    "host_and_port",
    "is_loopback",
    "machine_timezone",
    "read_settings",
    "record_variables",
]
