"""What ``ctidialer load`` says: for people, or as one JSON object."""

from __future__ import annotations

import json
from pathlib import Path

import click
from attrs import frozen

from ctidialer.cli.number_push import NumberPush
from ctidialer.cli.printable import printable
from ctidialer.files.checking import CheckedFile
from ctidialer.files.encodings import shown_name
from ctidialer.files.number_file import NumberFile
from ctidialer.rules.explaining import local_time
from ctidialer.rules.prospects import Prospects

MAX_OPENINGS = 20
"""Moments at which hours begin that are named one by one."""


@frozen
class LoadOutcome:
    """A file that was checked, and the push of it."""

    checked: CheckedFile
    push: NumberPush
    skip_bad: bool

    @property
    def is_refused(self) -> bool:
        """Whether bad rows keep the others from being pushed (in a dry run: would keep)."""
        return bool(self.checked.bad_rows) and not self.skip_bad


class LoadReport:
    """Says what is found while a file is loaded, in the order in which it happens."""

    def __init__(self, task: str, name: str, as_json: bool) -> None:
        self._task = task
        self._name = name
        self._as_json = as_json
        self._found: dict[str, object] = {}

    def opened(self, numbers: NumberFile) -> None:
        """Say what is not as usual in a file."""
        self._found = {
            "format": numbers.file_format,
            "encoding": shown_name(numbers.encoding) if numbers.encoding else None,
            "columns_left_out": list(numbers.left_out),
        }
        if numbers.notes and not self._as_json:
            click.echo(printable(f"{self._name}: {'; '.join(numbers.notes)}"), err=True)

    def checked(self, checked: CheckedFile, rejects: Path | None, goes_on: bool) -> None:
        """Say which rows are bad; end the command where it does not go on with the others."""
        if not checked.rows:
            raise click.ClickException(printable(f"{self._name}: has no row: nothing to push"))
        ends = bool(checked.bad_rows) and not (goes_on and checked.entries)
        if self._as_json:
            if ends:
                self._print_json(checked, None)
        elif checked.bad_rows:
            then = "nothing was pushed (--skip-bad pushes the others)" if ends else ""
            say_bad(checked, rejects, then)
        if ends:
            raise SystemExit(1)

    def pushed(self, outcome: LoadOutcome) -> None:
        """Say what was pushed, or would be."""
        if self._as_json:
            self._print_json(outcome.checked, outcome.push)
        else:
            for line in self._lines(outcome):
                click.echo(printable(line))
        if outcome.is_refused:
            raise SystemExit(1)

    def _lines(self, outcome: LoadOutcome) -> list[str]:
        checked, push = outcome.checked, outcome.push
        where = f"the list {push.queue!r} of the task {self._task!r}"
        length = f"its length is {push.length}"
        if not push.dry_run:
            more = "".join(f"; left out: {one}" for one in _left_out(outcome))
            return [
                f"{push.pushed} of {checked.rows} numbers were pushed to {where}; {length}{more}"
            ]
        would = f"{push.fresh} of {checked.rows} numbers would be pushed to {where}"
        if outcome.is_refused:
            would = f"nothing would be pushed to {where} (with --skip-bad {push.fresh})"
        lines = [f"{would}; {length}", *(f"  not: {one}" for one in _left_out(outcome))]
        return [*lines, *_prospects(push)]

    def _print_json(self, checked: CheckedFile, push: NumberPush | None) -> None:
        found = {
            "task": self._task,
            "queue": push.queue if push else None,
            "rows": checked.rows,
            "pushed": push.pushed if push else 0,
            "length": push.length if push else None,
            "dry_run": push is not None and push.dry_run,
            "would_push": push.fresh if push and push.dry_run else None,
            "duplicates": checked.duplicates,
            "in_list": push.in_list if push else None,
            "in_waiting": push.in_waiting if push else None,
            "prospects": _prospects_json(push.prospects) if push and push.prospects else None,
            "bad_rows": checked.bad_rows,
            "bad": [{"line": row.line, "problem": row.problem} for row in checked.bad],
            "bad_kinds": {kind.name.lower(): count for kind, count in checked.kinds.items()},
            **self._found,
        }
        click.echo(json.dumps(found, ensure_ascii=False))


def _left_out(outcome: LoadOutcome) -> list[str]:
    checked = outcome.checked
    counted = (
        (checked.duplicates, "with a number that stands in the file before"),
        (outcome.push.in_list, "with a number that stands in the list already"),
        (outcome.push.in_waiting, "with a number that waits already"),
        *((count, kind.value) for kind, count in checked.kinds.items()),
    )
    return [f"{count} {'row' if count == 1 else 'rows'} {what}" for count, what in counted if count]


def say_bad(checked: CheckedFile, rejects: Path | None, then: str) -> None:
    """Say which rows of a file are bad, or where they stand; ``then``: what follows from it."""
    if rejects is None:
        for row in checked.bad:
            click.echo(printable(f"line {row.line}: {row.problem}"), err=True)
        if checked.bad_rows > len(checked.bad):
            click.echo(f"and {checked.bad_rows - len(checked.bad)} more", err=True)
    where = f" and stand in {rejects}" if rejects else ""
    text = f"{checked.bad_rows} of {checked.rows} rows are bad{where}{': ' if then else ''}{then}"
    click.echo(printable(text), err=True)


def _prospects(push: NumberPush) -> list[str]:
    """Say of the numbers that would be pushed who may be called, and what holds the others back."""
    found = push.prospects
    if found is None or found.callable_now == push.fresh:
        return []
    lines = [f"  of these {found.callable_now} may be called now"]
    if found.listed:
        lines.append(f"  {found.listed} on a do-not-call list: they would end as dnc")
    opening = sorted(found.opening.items())
    for at, count in opening[:MAX_OPENINGS]:
        when = local_time(at, push.zone)
        lines.append(f"  {count} outside of their callees' hours, which begin {when}")
    if len(opening) > MAX_OPENINGS:
        later = sum(count for _, count in opening[MAX_OPENINGS:])
        lines.append(f"  {later} outside of their callees' hours, which begin later")
    if found.closed:
        lines.append(f"  {found.closed} whose callees' hours do not come: they would end as closed")
    if found.allowed_from is not None:
        when = local_time(found.allowed_from, push.zone)
        lines.append(
            f"  {found.capped} called as often as callee_limit allows, the first until {when}"
        )
    return lines


def _prospects_json(found: Prospects) -> dict[str, object]:
    return {
        "now": found.callable_now,
        "dnc": found.listed,
        "hours": [{"opens_at": at, "count": count} for at, count in sorted(found.opening.items())],
        "closed": found.closed,
        "capped": found.capped,
        "allowed_from": found.allowed_from,
    }
