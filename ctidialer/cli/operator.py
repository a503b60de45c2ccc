"""Who gives an order, and when: what stands in ``cti_dialer_control@<host>`` beside it."""

from __future__ import annotations

import getpass
import socket
from time import time

from ctidialer.contract.control import Order


def order_now() -> Order:
    """Return an order of the user who runs this command, given now."""
    return Order(since=round(time(), 3), by=f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"  # a container's user without a name
