"""What was given on the command line, looked at before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.core import ParameterSource

from ctidialer.cli.printable import printable
from ctidialer.contract.document import shown

MAY_BE_EMPTY = frozenset({"why", "reason"})
"""Parameters whose empty value is none that was forgotten: a text for people."""


def refuse_unusable_values(context: click.Context) -> None:
    """Raise UsageError where an option or argument was given an empty value, or no UTF-8.

    A variable of the shell that is not set makes an empty one.  Were it taken for an option that
    was left out, the order would be for more than was meant: for all hosts, not for one.  What
    stands in Redis is UTF-8; the names of files may be any bytes.
    """
    for parameter in context.command.params:
        for value in _given(context, parameter):
            if not value and parameter.name not in MAY_BE_EMPTY:
                raise click.UsageError(f"{_name(parameter)} names nothing: its value is empty")
            if not (_is_utf8(value) or isinstance(parameter.type, click.Path)):
                is_option = isinstance(parameter, click.Option)
                named = _name(parameter) if is_option else shown(value)
                raise click.UsageError(printable(f"{named} is not UTF-8"))


def _is_utf8(value: str) -> bool:
    """Say whether all bytes of a value of the command line were text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _given(context: click.Context, parameter: click.Parameter) -> Iterator[str]:
    """Yield the texts that were given to a parameter; none for one that was left out."""
    name = parameter.name or ""
    if context.get_parameter_source(name) is ParameterSource.DEFAULT:
        return
    value = context.params.get(name)
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, str):
            yield one


def _name(parameter: click.Parameter) -> str:
    """Return a parameter as people write it: ``--on``, ``LIST``."""
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return (parameter.metavar or parameter.name or "").strip("[].…").upper()
