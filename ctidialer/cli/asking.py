"""Orders that cannot be taken back: said first, carried out when somebody has said yes."""

from __future__ import annotations

import signal
from typing import TypeVar

import click

from ctidialer.cli.connection import Work, with_redis
from ctidialer.cli.printable import printable
from ctidialer.nodes.number_orders import Done, OrderBroken
from ctidialer.settings import Settings

Result = TypeVar("Result")

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def ask(question: str, yes: bool) -> None:
    """Ask a question on the standard error, unless ``yes``; raises click.Abort if it is denied.

    The reactor stands still meanwhile, and Ctrl-C is an answer: it means no.
    """
    if yes:
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        click.confirm(printable(question), abort=True, err=True)
    finally:
        signal.signal(signal.SIGINT, before)


def carry_out(settings: Settings, work: Work[Result], done: Done, what: str) -> Result:
    """Run an order; if it breaks off, say what was ``done`` until then (``what``: "canceled")."""
    try:
        return with_redis(settings, work)
    except OrderBroken as error:
        raise click.ClickException(printable(f"{told(done, what)}, then: {error}")) from error
    except click.Abort:
        if done.numbers or done.unsure:
            click.echo(f"{told(done, what)} when it was interrupted", err=True)
        raise


def told(done: Done, what: str) -> str:
    """Say how many numbers were canceled, or the like."""
    text = f"{numbers(done.numbers)} {'was' if done.numbers == 1 else 'were'} {what}"
    if done.unsure:
        text += f" (up to {done.unsure} more may have been: Redis' answer was lost)"
    return text


def numbers(count: int) -> str:
    """Return "1 number", "2 numbers"."""
    return f"{count} {'number' if count == 1 else 'numbers'}"
