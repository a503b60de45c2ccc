"""The command ``ctidialer`` and its subcommands (docs/commands.rst)."""

from __future__ import annotations

import click

from ctidialer.cli.check import check
from ctidialer.cli.completion import completion
from ctidialer.cli.demo import demo
from ctidialer.cli.drain import drain
from ctidialer.cli.explain import explain
from ctidialer.cli.language import choose_language
from ctidialer.cli.load import load
from ctidialer.cli.pause import pause, resume
from ctidialer.cli.records import records
from ctidialer.cli.report import report
from ctidialer.cli.status import status
from ctidialer.rules.words import LANGUAGES


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ctidialer")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    is_eager=True,
    expose_value=False,
    callback=choose_language,
    help="The language of explain, status, check and report; else as the locale says.",
)
def main() -> None:
    """An outbound dialer for FreeSWITCH, configured entirely through Redis.

    The daemon itself is run by `twistd ctidialer`.
    """


COMMANDS = (
    *(check, completion, demo, drain, explain, load, pause, records, report, resume, status),
)
for command in COMMANDS:
    main.add_command(command)
