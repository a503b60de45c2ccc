"""The command ``ctidialer`` and its subcommands (docs/commands.rst)."""

from __future__ import annotations

from importlib import import_module

import click

from ctidialer.cli.language import choose_language
from ctidialer.rules.words import LANGUAGES

COMMANDS = {
    "adopt": "adopt:adopt",
    "cancel": "cancel:cancel",
    "check": "check:check",
    "completion": "completion:completion",
    "demo": "demo:demo",
    "disable": "set_task:disable",
    "dnc": "dnc:dnc",
    "drain": "drain:drain",
    "enable": "set_task:enable",
    "explain": "explain:explain",
    "forecast": "forecast:forecast",
    "line": "line:line",
    "load": "load:load",
    "pacing": "pacing:pacing",
    "pause": "pause:pause",
    "records": "records:records",
    "report": "report:report",
    "requeue": "requeue:requeue",
    "resume": "pause:resume",
    "set": "set_task:set_keys",
    "status": "status:status",
    "token": "token:token",
    "waiting": "waiting:waiting",
}
"""Where each command stands: the module in ``ctidialer.cli``, and the name in it."""


class CommandsOnDemand(click.Group):
    """A group that imports a command when it is asked for.

    To import all of them takes longer than most of them take to run.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None: there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"ctidialer.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=CommandsOnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ctidialer")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    is_eager=True,
    expose_value=False,
    callback=choose_language,
    help="The language of explain, status, pacing, forecast, check and report; else the locale's.",
)
def main() -> None:
    """An outbound dialer for FreeSWITCH, configured entirely through Redis.

    The daemon itself is run by `twistd ctidialer`.
    """
