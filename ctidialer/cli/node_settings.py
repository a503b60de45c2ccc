"""The settings of the node that a command is about."""

from __future__ import annotations

import click

from ctidialer.cli.printable import printable
from ctidialer.settings import Settings, SettingsError, find_file, read_settings
from ctidialer.store.address import AddressError, parse_address


def read_node_settings(
    config: str | None, redis: str | None, host: str | None, domain: str | None
) -> Settings:
    """Return the settings with what the command line says in their place; raises UsageError."""
    given = {
        ("redis", "url"): redis or "",
        ("node", "host"): host or "",
        ("node", "domain"): domain or "",
    }
    try:
        settings = read_settings(find_file(config), given=given)
        parse_address(settings.redis.url)
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error
    except AddressError as error:
        text = f"--redis, or $.redis.url of the settings: {error}"
        raise click.UsageError(printable(text)) from error
    return settings
