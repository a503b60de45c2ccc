"""Who gives an order, and when: what stands in ``cti_dialer_control@<host>`` beside it."""

from __future__ import annotations

import getpass
import socket
from time import time

import click

from ctidialer.contract.control import Order

done_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print what was done as a JSON object."
)
why_option = click.option(
    "--why", default="", metavar="TEXT", help="The reason, for the log and for `ctidialer explain`."
)


def order_now(why: str) -> Order:
    """Return an order of the user who runs this command, given now."""
    return Order(since=round(time(), 3), by=f"{_user()}@{socket.gethostname()}", why=why)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"  # a container's user without a name
