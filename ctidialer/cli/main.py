"""The command ``ctidialer`` and its subcommands (SPEC section 7)."""

from __future__ import annotations

import click

from ctidialer.cli.demo import demo


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ctidialer")
def main() -> None:
    """An outbound dialer for FreeSWITCH, configured entirely through Redis.

    The daemon itself is run by `twistd ctidialer`.
    """


main.add_command(demo)
