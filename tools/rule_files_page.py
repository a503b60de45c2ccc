"""The Sphinx directive ``rule-files``: a table for each rule file, made from the files themselves.

``:language: zh`` makes the heads in Chinese; the facts stay in the words of their sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ctidialer.contract.callee import Cap
from ctidialer.contract.hours import Window
from ctidialer.contract.said import Language, Said
from ctidialer.rules.compliance import RuleFile, all_rule_files

WHAT = Said("What", "内容")
HOURS = Said("Hours of the callee", "被叫时间")
CAPS = Said("Calls to one callee", "对同一被叫的次数")
CAP = Said("at most {count} in {days} days", "{days} 天内最多 {count} 次")
TALKS = Said("conversations: at most {count} in {days} days", "通话：{days} 天内最多 {count} 次")
ABANDONED = Said("Abandoned calls", "放弃的呼叫")
RATE = Said(
    "at most {rate} % over {period}, agents within {time} s",
    "{period} 内最多 {rate} %，坐席在 {time} 秒内接听",
)
REST = Said("Pause after an abandoned call", "放弃之后的间隔")
REST_HOURS = Said("{hours} hours", "{hours} 小时")
RING = Said("Rings at least", "至少振铃")
SECONDS = Said("{seconds} s", "{seconds} 秒")
EXTENDS = Said("Holds as well", "同时有效")
SOURCES = Said("Sources", "来源")
READ_ON = Said("Read on", "查阅日期")
NOT_HERE = Said("Left out", "不包括")

_DAYS = Said(
    "Sunday Monday Tuesday Wednesday Thursday Friday Saturday", "周日 周一 周二 周三 周四 周五 周六"
)
_DAY = 86_400


def lines(language: Language) -> list[str]:
    """Return the tables as reStructuredText."""
    return [line for one in all_rule_files() for line in _table(one, language)]


def _table(one: RuleFile, language: Language) -> Iterator[str]:
    yield f".. list-table:: ``{one.name}``: {one.title}"
    yield from ("   :widths: 26 74", "")
    for head, cell in _rows(one, language):
        yield from (f"   * - {head.in_(language)}", f"     - {cell}")
    yield ""


def _rows(one: RuleFile, language: Language) -> Iterator[tuple[Said, str]]:
    windows = [window for hours in one.callee.hours for window in hours.windows]
    if windows:
        yield HOURS, "; ".join(_window(window, language) for window in windows)
    if one.callee.caps:
        yield CAPS, "; ".join(_cap(cap, language) for cap in one.callee.caps)
    if one.agents is not None:
        rate, wait = f"{100 * one.agents.abandon_rate:g}", f"{one.agents.abandon_time:g}"
        period = one.agents.abandon_period.value
        yield ABANDONED, RATE.in_(language).format(rate=rate, period=period, time=wait)
        yield RING, SECONDS.in_(language).format(seconds=f"{one.agents.ring_min:g}")
    if one.callee.abandoned_rest:
        hours = f"{one.callee.abandoned_rest / 3600:g}"
        yield REST, REST_HOURS.in_(language).format(hours=hours)
    if one.extends:
        yield EXTENDS, ", ".join(f"``{name}``" for name in one.extends)
    yield SOURCES, "; ".join(one.sources)
    yield READ_ON, one.read_on
    yield NOT_HERE, "; ".join(one.not_here)


def _window(window: Window, language: Language) -> str:
    span = f"{_clock(window.begin)}–{_clock(window.end)}"
    if window.weekday is None:
        return span
    return f"{_DAYS.in_(language).split()[window.weekday]} {span}"


def _clock(second: int) -> str:
    return f"{second // 3600}:{second % 3600 // 60:02d}"


def _cap(cap: Cap, language: Language) -> str:
    said = TALKS if cap.talk else CAP
    return said.in_(language).format(count=cap.count, days=f"{cap.seconds / _DAY:g}")


class RuleFiles(SphinxDirective):
    """Puts the tables where it stands."""

    option_spec: ClassVar[dict[str, Any]] = {"language": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Make the tables."""
        language: Language = "zh" if self.options.get("language") == "zh" else "en"
        parent = nodes.Element()
        content = StringList(lines(language), source="rule files")
        self.state.nested_parse(content, self.content_offset, parent)
        made: list[nodes.Node] = parent.children
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("rule-files", RuleFiles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
