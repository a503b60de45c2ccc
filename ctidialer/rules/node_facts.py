"""What is known of a node and its tasks without its daemon; explanations as they are published."""

from __future__ import annotations

import sys

from ctidialer.contract import keys
from ctidialer.contract.control import LineOff, Order
from ctidialer.contract.status import BusyLine, Explained, Missing
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.explaining import given
from ctidialer.rules.explanation import Explanation, Obstacle, TaskFacts
from ctidialer.rules.line_reasons import LINE_WORDS
from ctidialer.rules.line_sentences import lines_said
from ctidialer.rules.reasons import Reason, reason_called
from ctidialer.rules.tables import Tables
from ctidialer.rules.words import Language, Values


def drain_obstacle(order: Order, calls: int, zone: str) -> Obstacle:
    """Return the obstacle that a drain is for all tasks; ``calls`` are still up."""
    values = given(order, zone)
    if not calls:
        return Obstacle(Reason.DRAINED, values=values)
    return Obstacle(Reason.DRAINING, values={**values, "calls": str(calls)})


def facts_from_tables(tables: Tables, name: str, zone: str, now: float) -> TaskFacts:
    """Return what can be known of a task without its daemon."""
    task = tables.tasks.get(name)
    if task is None:
        return TaskFacts(faults=tables.faults.get((keys.TASK, name), ()))
    paused = tables.control.paused.get(name)
    return TaskFacts(task, (), opening(task.hours, zone, now), paused)


def taken_out_values(off: LineOff) -> Values:
    """Return what the sentence on a line names that was taken out of use: ``by``, ``why``."""
    said = {"by": off.order.by, "why": off.order.why}
    return {name: text for name, text in said.items() if text}


def as_explained(found: Explanation, most_lines: int = sys.maxsize) -> Explained:
    """Return an explanation as it is published, with at most ``most_lines`` lines."""
    lines = tuple(
        BusyLine(
            busy.name,
            busy.group,
            busy.why.value,
            busy.why.sentence(busy.values),
            busy.until,
            busy.values,
        )
        for busy in found.lines[:most_lines]
    )
    return Explained(
        reason=found.reason.value,
        text=found.text,
        changes_at=found.changes_at,
        faults=found.faults,
        lines=lines,
        lines_left_out=len(found.lines) - len(lines),
        form=found.form,
        values=found.values,
    )


def as_missing(obstacle: Obstacle) -> Missing:
    """Return an obstacle as it is published."""
    return Missing(obstacle.reason.value, obstacle.text, obstacle.form, obstacle.values)


def as_obstacle(missing: Missing) -> Obstacle:
    """Read what `as_missing` wrote, in this version or another one."""
    reason = reason_called(missing.condition)
    if reason is None:  # of a later version
        return Obstacle(Reason.STARTING, said=missing.problem)
    if reason.sentence(missing.form, missing.values) != missing.problem:
        return Obstacle(reason, said=missing.problem)
    return Obstacle(reason, missing.form, missing.values)


def explained_in(explained: Explained, language: Language) -> str:
    """Return the sentence of a published explanation in a language.

    A daemon of another version may not have published all values that the sentence needs: then it
    is the label of the reason, with the daemon's own English sentence.
    """
    if language == "en":
        return explained.text
    reason = reason_called(explained.reason)
    if reason is None:
        return explained.text
    values = explained.values
    if explained.lines and not explained.lines_left_out:
        lines = [(busy.name, busy_in(busy, language)) for busy in explained.lines]
        values = {**values, "lines": lines_said(lines, language)}
    if not reason.words.can_say(explained.form, values):
        return f"{reason.words.label.in_(language)}（{explained.text}）"
    return reason.sentence(explained.form, values, language)


def busy_in(busy: BusyLine, language: Language) -> str:
    """Return why a line takes no call in a language."""
    words = LINE_WORDS.get(busy.why)
    if language == "en" or words is None or not words.can_say("", busy.values):
        return busy.text
    return words.sentence("", busy.values, language)
