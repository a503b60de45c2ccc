"""The Sphinx directive ``command-reference``: how a command is used, made from the command itself.

::

    .. command-reference:: load

shows its usage and a table of its arguments and options, each with its help and default, as click
knows them.  The options that all commands about a node share are shown once, by
``.. command-reference:: common``, and named in the usage of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import click
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ctidialer.cli import main

COMMON = "common"
SHARED = ("config", "redis", "host", "domain")
WIDTH = 96


def commands() -> dict[str, click.Command]:
    """Return every command that is to be described, by its name: ``load``, ``dnc load``."""
    return dict(_commands("", main))


def _commands(before: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(f"{before}{name} ", command)
        elif not command.hidden:
            yield f"{before}{name}", command


def reference(name: str) -> list[str]:
    """Return the description of a command as reStructuredText; KeyError: there is none."""
    if name == COMMON:
        options = [one for one in commands()["status"].params if one.name in SHARED]
        return _table(click.Context(commands()["status"]), options)
    command = commands()[name]
    context = click.Context(command, info_name=f"ctidialer {name}")
    own = [one for one in command.params if one.name not in SHARED]
    return ["::", "", *_usage(context), "", *_table(context, own)]


def is_about_a_node(name: str) -> bool:
    """Say whether a command has the options that say which node it is about."""
    names = {one.name for one in commands()[name].params}
    return names.issuperset(SHARED)


def _usage(context: click.Context) -> list[str]:
    formatter = click.HelpFormatter(width=WIDTH)
    context.command.format_usage(context, formatter)
    return [f"    {line}" for line in formatter.getvalue().splitlines()]


def _table(context: click.Context, parameters: Sequence[click.Parameter]) -> list[str]:
    rows = [_row(context, one) for one in parameters if not getattr(one, "hidden", False)]
    if not rows:
        return []
    head = [".. list-table::", "   :widths: 30 70", ""]
    return head + [line for row in rows for line in row] + [""]


def _row(context: click.Context, parameter: click.Parameter) -> list[str]:
    told = parameter.get_help_record(context)
    if told is None:  # an argument: what it is stands in the prose
        name = parameter.make_metavar(context)
        return [f"   * - ``{name}``", f"     - {_said_of_argument(parameter)}"]
    name, said = told
    return [f"   * - ``{name}``", f"     - {_escaped(said) or '—'}"]


def _said_of_argument(parameter: click.Parameter) -> str:
    return "required" if parameter.required else "may be left out"


def _escaped(text: str) -> str:
    """Return a help text as reStructuredText that shows it as it is."""
    plain = "".join(f"\\{one}" if one in "\\*`|_" else one for one in text)
    return " ".join(plain.split())


class CommandReference(SphinxDirective):
    """Puts the description of a command where it stands."""

    required_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Make the description; a command that does not exist is an error of the page."""
        try:
            lines = reference(self.arguments[0])
        except KeyError as error:
            raise self.error(f"there is no command {self.arguments[0]!r}") from error
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source="click"), self.content_offset, parent)
        made: list[nodes.Node] = parent.children
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("command-reference", CommandReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
