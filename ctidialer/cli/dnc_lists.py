"""What a list of numbers not to be called is: a set, or a hash; and what stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ctidialer.cli.file_reading import Option
from ctidialer.files.checking import NumberOf
from ctidialer.files.treatment import FileEntry
from ctidialer.rules.moments import moment_of

KIND_OPTIONS: Sequence[Option] = (
    click.option(
        "--hash", "as_hash", is_flag=True, help="A new list becomes a hash, with reasons."
    ),
    click.option(
        "--set", "as_set", is_flag=True, help="A new list becomes a set; reasons are left out."
    ),
)


class NotThisKind(Exception):
    """The list is of the other kind; the message says what to do."""


def kind_wanted(as_hash: bool, as_set: bool) -> bool | None:
    """Return what was asked for, True = a hash; None = nothing; raises UsageError for both."""
    if as_hash and as_set:
        raise click.UsageError("--hash and --set do not go together")
    return True if as_hash else False if as_set else None


def kind_for(name: str, found: bool | None, wanted: bool | None, *, says_more: bool) -> bool:
    """Return whether a list is a hash, or becomes one.

    ``found``: what it is, None = there is none yet; ``wanted``: what was asked for.
    ``says_more``: a set could not hold all that is to be written.  Raises NotThisKind.
    """
    if found is None:
        return says_more if wanted is None else wanted
    if wanted is not None and wanted is not found:
        raise NotThisKind(
            f"the list {name!r} is a {_kind(found)}: --{_kind(wanted)} is for a new one"
        )
    if says_more and not found and wanted is None:
        raise NotThisKind(
            f"the list {name!r} is a set, which keeps no reason and no until; --set leaves them out"
        )
    return found


def until_of(text: str, now: float, zone: str) -> float:
    """Return the unix time from which a number may be called again; raises ValueError."""
    return moment_of(text, now, zone)


def number_in(entry: FileEntry, number_of: NumberOf) -> str:
    """Return the number that was read from a row."""
    return entry.number or number_of(entry.raw)


def _kind(is_hash: bool) -> str:
    return "hash" if is_hash else "set"
