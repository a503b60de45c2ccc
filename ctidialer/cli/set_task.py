"""``ctidialer set``, ``enable`` and ``disable``: change the document of a task."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
from msgspec.structs import replace

from ctidialer.cli.completion import complete_host, complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_task, task_names
from ctidialer.contract import keys, known_keys
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.task_editing import Edit, NotEditable, Setting, path_of, read_setting
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.task_edits import EditDone, SpoilsOthers, TaskEdits
from ctidialer.rules.task_editing import Target
from ctidialer.settings import Node, Settings
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

ENABLED = Setting(("params", "enable"), b"true")
DISABLED = Setting(("params", "enable"), b"false")

_OPTIONS = (
    click.option(
        "--template", is_flag=True, help="In the template's document, which all hosts share."
    ),
    click.option(
        "--on",
        metavar="HOST",
        shell_complete=complete_host,
        help="In the document of this host alone, which is made if there is none.",
    ),
    why_option,
    done_json_option,
)


def _change_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _complete_setting(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [one for one in _keys_of_a_task("=") if one.startswith(incomplete)]


def _complete_key(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [one for one in _keys_of_a_task("") if one.startswith(incomplete)]


def _keys_of_a_task(end: str) -> list[str]:
    return [*(f"{name}{end}" for name in sorted(known_keys.TASK.names)), "variables."]


@click.command(name="set", short_help="Change keys of a task.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.argument("changes", metavar="[KEY=VALUE]...", nargs=-1, shell_complete=_complete_setting)
@click.option(
    "--unset",
    multiple=True,
    metavar="KEY",
    shell_complete=_complete_key,
    help="Remove this key; more than once: these.",
)
@_change_options
def set_keys(
    settings: Settings, task: str, changes: Sequence[str], unset: Sequence[str], **options: Any
) -> None:
    """Set keys of TASK to values, in its document in Redis: `limit=20`, `variables.region=north`.

    The task must be valid with all of them, or none is set.
    """
    try:
        wanted = [*map(read_setting, changes), *(Setting(path_of(name)) for name in unset)]
    except NotEditable as error:
        raise click.UsageError(printable(str(error))) from error
    if not wanted:
        raise click.UsageError("say what to set (KEY=VALUE), or --unset KEY")
    _change(settings, task, wanted, **options)


@click.command(short_help="Switch a task on.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@_change_options
def enable(settings: Settings, task: str, **options: Any) -> None:
    """Set `enable` of TASK to true: the task must be complete and valid."""
    _change(settings, task, [ENABLED], **options)


@click.command(short_help="Switch a task off.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@_change_options
def disable(settings: Settings, task: str, **options: Any) -> None:
    """Set `enable` of TASK to false: no new call; calls that are up go on."""
    _change(settings, task, [DISABLED], **options)


def _change(
    settings: Settings,
    task: str,
    wanted: Sequence[Setting],
    *,
    template: bool,
    on: str | None,
    why: str,
    as_json: bool,
) -> None:
    if template and on is not None:
        raise click.UsageError("--template and --on do not go together")
    if on == keys.TEMPLATE:
        raise click.UsageError("--on names a host: the template is chosen with --template")
    node = settings.node if on is None else replace(settings.node, host=on)
    target = Target.TEMPLATE if template else Target.WHERE_IT_STANDS if on is None else Target.HOST
    done = with_redis(settings, lambda link: _done(link, node, task, wanted, target, why))
    if as_json:
        click.echo(json.dumps(_as_json(done), ensure_ascii=False))
    else:
        _print(done)


async def _done(
    link: Link, node: Node, task: str, wanted: Sequence[Setting], target: Target, why: str
) -> EditDone:
    names = await task_names(NodeReading(link, node.host), node.host)
    if task not in names:
        raise click.ClickException(printable(no_such_task(task, node.host, names)))
    edits = TaskEdits(link, NodeReader(link, node), node.host)
    try:
        return await edits.change(task, wanted, target, order_now(why))
    except NotEditable as error:
        raise click.ClickException(printable(f"{error}; nothing was changed")) from error
    except ContractError as error:
        raise click.ClickException(_refusal(error.faults)) from error
    except SpoilsOthers as error:
        where = f" (the task on {error.host} would be invalid)"
        raise click.ClickException(_refusal(error.faults, where)) from error


def _refusal(faults: Sequence[Fault], where: str = "") -> str:
    lines = [f"nothing was changed{where}:", *(f"  {fault}" for fault in faults)]
    return "\n".join(map(printable, lines))


def _print(done: EditDone) -> None:
    texts = done.edit.texts
    for edit in done.edit.edits:
        now = f"-> {edit.shown(edit.after)}" if edit.changes else "as before"
        line = f"{edit.setting.name}: {edit.shown(edit.before)} {now}"
        click.echo(printable(f"{line}  ({edit.key})"))
    for warning in done.edit.warnings:
        click.echo(printable(f"warning: {warning}"), err=True)
    if not done.told:
        click.echo(f"no daemon is alive that runs {printable(texts.name)}")


def _as_json(done: EditDone) -> dict[str, object]:
    texts, edits = done.edit.texts, done.edit.edits
    return {
        "task": texts.name,
        "host": texts.host_name,
        "changed": bool(done.edit.changes),
        "edits": [_edit_json(edit) for edit in edits],
        "warnings": [str(warning) for warning in done.edit.warnings],
        "daemons": list(done.told),
    }


def _edit_json(edit: Edit) -> dict[str, object]:
    values = {"before": edit.before, "after": edit.after}
    return {
        "key": edit.setting.name,
        "document": edit.key,
        "changed": edit.changes,
        **{name: json.loads(value) for name, value in values.items() if value is not None},
    }
