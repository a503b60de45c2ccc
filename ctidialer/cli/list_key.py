"""The key of a list of numbers that a command writes to."""

from __future__ import annotations

import click

from ctidialer.cli.printable import printable
from ctidialer.contract.document import shown
from ctidialer.contract.keys import is_own_key


def a_list(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return the value of a parameter; raises UsageError where it is a key of ctidialer's own."""
    if value is not None and is_own_key(value):
        text = f"{shown(value)} is a key of ctidialer's own, not a list of numbers"
        raise click.UsageError(printable(text))
    return value


written_list_argument = click.argument("name", metavar="LIST", callback=a_list)
