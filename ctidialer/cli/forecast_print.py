"""How ``ctidialer forecast`` shows a forecast to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ctidialer.cli import forecast_texts as texts
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.cli.status_print import WIDE_COLUMNS
from ctidialer.contract.forecast import Forecast, HeldBack, Range
from ctidialer.contract.said import Said
from ctidialer.rules.explaining import local_time

MINUTE, HOUR, DAY = 60, 3600, 86_400


def print_forecast(found: Forecast) -> None:
    """Print how the rest of the list will go, and on what that rests."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE_COLUMNS)
    for line in _head(found):
        console.print(Text(printable(line)))
    console.print(_figures(found))
    for line in _rest(found):
        console.print(Text(printable(line)))


def _head(found: Forecast) -> Iterator[str]:
    def local(moment: float) -> str:
        return local_time(moment, found.zone)

    yield say(
        texts.TITLE,
        name=found.task,
        host=found.host,
        mode=found.mode,
        agents=found.agents,
        at=local(found.at),
    )
    yield say(texts.NUMBERS, queued=found.queued, waiting=found.waiting)
    if found.ends_at is None:
        left = f"{found.left.middle:.0f}"
        yield say(texts.DOES_NOT_END, until=local(found.until), left=left)
        return
    ends = found.ends_at
    low, high = (local(one).partition(" (")[0] for one in (ends.low, ends.high))
    yield say(texts.ENDS, middle=local(ends.middle), low=low, high=high)
    if found.ends < 1.0:
        share = f"{100 * found.ends:.0f}"
        yield say(texts.SOME_END, share=share, until=local(found.until))


def _figures(found: Forecast) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    first, *others = (say(head) for head in texts.HEADS)
    table.add_column(first)
    for head in others:
        table.add_column(head, justify="right")
    for name, values, shown in _rows(found):
        if values is not None:
            spread = say(texts.RANGE, low=shown(values.low), high=shown(values.high))
            table.add_row(name, shown(values.middle), spread)
    return table


def _rows(found: Forecast) -> Iterator[tuple[str, Range | None, Callable[[float], str]]]:
    yield say(texts.CALLS), found.calls, _count
    yield say(texts.ANSWERED), found.answered, _count
    if found.agents is not None and found.ceiling is not None:
        yield say(texts.ABANDONED), found.abandoned, _count
        ceiling = f"{100 * found.ceiling:g}"
        yield say(texts.ABANDONED_SHARE, ceiling=ceiling), found.abandoned_share, _percent
        yield say(texts.AGENT_USE), found.agent_use, _percent
    yield say(texts.LEFT), found.left, _count


def _rest(found: Forecast) -> Iterator[str]:
    counts = ", ".join(f"{count} {name}" for name, count in found.outcomes.items())
    if counts:
        yield say(texts.OUTCOMES, counts=counts)
    held = list(_held(found.held))
    if held:
        yield say(texts.HELD)
        yield from held
    yield say(texts.METHODS[found.method], runs=found.runs)
    yield say(texts.RESTS_ON)
    for said in found.assumptions:
        yield say(texts.ASSUMPTION, text=said.in_(language()))


def _held(held: HeldBack) -> Iterator[str]:
    idle = _lasting(held.idle_seconds) if held.idle_seconds >= MINUTE else None
    if held.closed_seconds >= MINUTE:
        yield say(texts.CLOSED_TIME, closed=_lasting(held.closed_seconds), idle=idle)
    elif idle:
        yield say(texts.IDLE_TIME, idle=idle)
    if held.callee_hours or held.caps or held.retries:
        yield say(texts.WAIT, callee_hours=held.callee_hours, caps=held.caps, retries=held.retries)
    if held.dnc or held.closed or held.capped or held.invalid:
        yield say(
            texts.NOT_CALLED,
            dnc=held.dnc,
            closed=held.closed,
            capped=held.capped,
            invalid=held.invalid,
        )


def _lasting(seconds: float) -> str:
    whole = int(seconds)
    said: Said = texts.MINUTES if whole < HOUR else texts.HOURS if whole < DAY else texts.DAYS
    hours = whole // HOUR if whole < DAY else whole % DAY // HOUR
    return say(said, days=whole // DAY, hours=hours, minutes=whole % HOUR // MINUTE)


def _count(value: float) -> str:
    return f"{value:.0f}"


def _percent(share: float) -> str:
    return say(texts.PERCENT, share=f"{100 * share:.1f}")
