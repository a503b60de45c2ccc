"""``ctidialer token``: makes a token for the HTTP interface."""

from __future__ import annotations

import json

import click

from ctidialer.cli.printable import printable
from ctidialer.settings.tokens import Role, new_token


@click.command(short_help="Make a token for the HTTP interface.")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([one.value for one in Role]),
    default=Role.READ.value,
    show_default=True,
    help="What its holder may do: look, or give orders too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print both as a JSON object.")
def token(name: str, role: str, as_json: bool) -> None:
    """Make a token for NAME, and its hash for the settings.

    The token is shown this once: the settings hold only its hash.
    """
    try:
        secret, hashed = new_token(name, Role(role))
    except ValueError as error:
        raise click.UsageError(printable(str(error))) from error
    if as_json:
        click.echo(json.dumps({"name": name, "role": role, "token": secret, "hash": str(hashed)}))
        return
    click.echo(f"token for {name}: {secret}")
    click.echo(f'for the settings, in [http] tokens = [...]: "{hashed}"')
