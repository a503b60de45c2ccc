"""The table of all reasons why a line, or a whole group, takes no call."""

from __future__ import annotations

import enum

from ctidialer.rules.reasons import NO_VALUES
from ctidialer.rules.words import Language, Said, Tone, Values, Words


class Why(enum.Enum):
    """Why no call can be placed on a line, or through a group, just now.

    The value is for programs, ``words`` are for people.  ``is_state``: it is the state of a line;
    otherwise the group, or how it names its lines, is at fault.
    """

    _value_: str
    words: Words
    is_state: bool

    def __new__(
        cls,
        value: str,
        tone: Tone,
        label: Said,
        meaning: Said,
        says: Said,
        is_state: bool = True,
    ) -> Why:
        """Make one of a row of the table."""
        why = object.__new__(cls)
        why._value_ = value
        why.words = Words(tone, label, meaning, {"": says})
        why.is_state = is_state
        return why

    def sentence(self, values: Values = NO_VALUES, language: Language = "en") -> str:
        """Return the sentence on the line or group."""
        return self.words.sentence("", values, language)

    UNKNOWN_LINE = (
        "unknown_line",
        Tone.BAD,
        Said("Unknown line", "线路不存在"),
        Said("The group names a line that does not exist.", "线路组里的线路不存在。"),
        Said("there is no line of this name", "没有这个名称的线路"),
        False,
    )
    MALFORMED = (
        "malformed",
        Tone.BAD,
        Said("Malformed", "内容有错误"),
        Said(
            "Its text in Redis is malformed; it takes no call until the faults are mended.",
            "Redis 中的内容有错误，修正之前不接受呼叫。",
        ),
        Said("it is malformed: {faults}", "内容有错误：{faults}"),
    )
    FULL = (
        "full",
        Tone.WAIT,
        Said("Full", "占线"),
        Said("As many calls are up as its ``count`` allows.", "并发呼叫已达到线路的 ``count``。"),
        Said("all its calls are up", "并发呼叫已满"),
    )
    FULL_ELSEWHERE = (
        "full_elsewhere",
        Tone.WAIT,
        Said("Full over hosts", "多主机合计占线"),
        Said(
            "As many calls are up over all hosts as its ``count`` allows (``scope``).",
            "所有主机的并发呼叫合计已达到线路的 ``count``（``scope``）。",
        ),
        Said(
            "all its calls are up over all hosts[: {calls} here, {others} on others]",
            "所有主机的并发呼叫合计已满[：本机 {calls}，其他主机 {others}]",
        ),
    )
    PACED_ELSEWHERE = (
        "paced_elsewhere",
        Tone.GOOD,
        Said("Paced over hosts", "多主机合计限速"),
        Said(
            "All hosts together start as many calls as its ``cps`` or ``rest`` allows (``scope``).",
            "所有主机的呼叫速率合计已达到线路的 ``cps`` 或 ``rest``（``scope``）。",
        ),
        Said(
            "all hosts together start as many calls as it allows",
            "所有主机的呼叫速率合计已达到上限",
        ),
    )
    GATEWAY_BUSY = (
        "gateway_busy",
        Tone.WAIT,
        Said("Gateway busy", "网关占用"),
        Said(
            "The gateway that it shares with other lines (``gateway``) takes no call.",
            "它与其他线路共用的网关（``gateway``）不接受呼叫。",
        ),
        Said(
            "its gateway[ {gateway}] takes no call[: {why}]",
            "它的网关[ {gateway}]不接受呼叫[：{why}]",
        ),
    )
    RESTING = (
        "resting",
        Tone.WAIT,
        Said("Resting", "休息中"),
        Said(
            "It rests after a call, or between two starts (``rest``).",
            "通话后或两次呼叫之间的休息时间（``rest``）。",
        ),
        Said("it rests", "休息中"),
    )
    PACED = (
        "paced",
        Tone.GOOD,
        Said("Paced", "限速中"),
        Said("It starts as many calls as its ``cps`` allows.", "呼叫速率已达到线路的 ``cps``。"),
        Said("it starts as many calls as its cps allows", "呼叫速率已达到线路的 cps"),
    )
    OUT_OF_USE = (
        "out_of_use",
        Tone.BAD,
        Said("Out of use", "故障停用"),
        Said(
            "Faults in a row put it out of use. “Until” is when a trial call is let through.",
            "连续故障，因此故障停用。“恢复时间”一栏是放行一次试呼的时间。",
        ),
        Said("it is out of use after faults in a row", "连续故障，故障停用"),
    )
    TAKEN_OUT = (
        "taken_out",
        Tone.OFF,
        Said("Taken out of use", "人工停用"),
        Said(
            "An operator has taken it out of use: no new call is placed on it, those that are up go"
            " on. “Until” is when it is back by itself.",
            "该线路已人工停用；进行中的呼叫继续，不再通过它发起新呼叫。"
            "“恢复时间”一栏是自动恢复使用的时间。",
        ),
        Said(
            "it was taken out of use[ by {by}][: {why}]",
            "人工停用[，操作人：{by}][，原因：{why}]",
        ),
    )
    TRIAL_UNDER_WAY = (
        "trial_under_way",
        Tone.WARN,
        Said("Trial call", "试呼中"),
        Said(
            "It is out of use, and one trial call is under way: it decides.",
            "线路故障停用，正在进行一次试呼，由它决定是否恢复。",
        ),
        Said(
            "it is out of use and its trial call is under way[: {cause}]",
            "故障停用，正在试呼[：{cause}]",
        ),
    )
    NEVER_LEFT = (
        "never_left",
        Tone.BAD,
        Said("Cannot place calls", "无法呼出"),
        Said(
            "FreeSWITCH made no channel for its last call (``INVALID_GATEWAY``, say), so it is out"
            " of use. “Until” is when a trial call is let through. A fallback is shown too while it"
            " is so.",
            "FreeSWITCH 没有为它的上一次呼叫建立通道（例如 ``INVALID_GATEWAY``），因此故障停用。"
            "“恢复时间”一栏是放行一次试呼的时间。按默认拨号串呼出的名称处于这种状态时也会显示。",
        ),
        Said(
            "it is out of use, since FreeSWITCH could place no call by it[: {cause}]",
            "FreeSWITCH 无法通过它呼出，故障停用[：{cause}]",
        ),
    )
    GROUP_DISABLED = (
        "group_disabled",
        Tone.OFF,
        Said("Group disabled", "线路组未启用"),
        Said("The ``enable`` of the group is not true.", "线路组的 ``enable`` 不是 true。"),
        Said("the group is not enabled", "线路组未启用"),
        False,
    )
    NO_LINES = (
        "no_lines",
        Tone.BAD,
        Said("No lines in the group", "线路组没有线路"),
        Said("The group lists no line.", "线路组没有列出线路。"),
        Said("the group lists no line", "线路组没有列出线路"),
        False,
    )
    UNFIT_NAME = (
        "unfit_name",
        Tone.BAD,
        Said("Unfit name", "名称不可用"),
        Said(
            "The name of the group cannot stand in the dial string.",
            "线路组的名称不能写进拨号串。",
        ),
        Said("the group's name cannot stand in the dial string", "线路组的名称不能写进拨号串"),
        False,
    )


FREE = "free"
REMOVED = "removed"

LINE_WORDS: dict[str, Words] = {
    FREE: Words(
        Tone.GOOD, Said("Free", "空闲"), Said("It takes calls.", "可以呼叫。"), {"": Said("", "")}
    ),
    **{why.value: why.words for why in Why},
    REMOVED: Words(
        Tone.OFF,
        Said("Removed", "已删除"),
        Said(
            "It was taken out of the tables, and its last calls go on.",
            "已从表中删除，最后的呼叫仍在继续。",
        ),
        {"": Said("it was taken out of the tables", "已从表中删除")},
    ),
}
"""The words for a line or group by its state: free, removed, or why it takes no call."""

LINE_STATES = (FREE, *(why.value for why in Why if why.is_state), REMOVED)
"""The words that are states of lines."""

FAULTY_STATES = frozenset({Why.OUT_OF_USE.value, Why.NEVER_LEFT.value})
"""The states of lines that rest after faults, until a trial call is let through."""
