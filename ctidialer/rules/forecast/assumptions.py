"""What a forecast says of itself: from what it was made, and what was assumed."""

from __future__ import annotations

import enum

from ctidialer.contract.said import Said, filled


class Assumption(enum.Enum):
    """One sentence: a row has it in each language."""

    def of(self, **values: object) -> Said:
        """Return the sentence for one case."""
        shown = {name: str(value) for name, value in values.items() if value is not None}
        return Said(filled(self.value.en, shown), filled(self.value.zh, shown))

    NOT_DIALING = Said(
        "the task does not dial now ({why}): as if it did from now on",
        "任务现在没有呼叫（{why_zh}）：按从现在起开始呼叫计算",
    )
    LEARNT = Said(
        "answers and handle times as the task has learnt them: {rate} % of the calls are answered,"
        " agents are busy with a call for {mean} s[; from {calls} calls only, so partly guessed]",
        "应答和处理时间按任务所学：{rate} % 的呼叫应答，坐席处理一个呼叫 {mean} 秒"
        "[；只有 {calls} 个呼叫，部分为猜测]",
    )
    FROM_RECORDS = Said(
        "answers and talk times as in the last {count} records of the task: {rate} % of the calls"
        " are answered, for {mean} s[; the wrap-up of the agents is not known: {wrap_up}]",
        "应答和通话时间按任务最近 {count} 条记录：{rate} % 的呼叫应答，通话 {mean} 秒"
        "[；坐席的话后处理时间未知：{wrap_up_zh}]",
    )
    NOTHING_KNOWN = Said(
        "not known yet when callees answer and how long calls last: assumed that {rate} % answer,"
        " and that each of these calls lasts {mean} s",
        "尚不知道被叫何时应答、通话多长：假定 {rate} % 应答，每个这样的呼叫 {mean} 秒",
    )
    OUTCOMES = Said(
        "outcomes without an answer, redials and machines as in the last {count} records",
        "未应答的结果、重拨和应答机按最近 {count} 条记录",
    )
    NO_OUTCOMES = Said(
        "not known yet how calls end that nobody answers: assumed that all of them are no_answer",
        "尚不知道无人应答的呼叫如何结束：假定都是 no_answer",
    )
    SAMPLE = Said(
        "hours, do-not-call lists and caps: by {count} of the {total} numbers, taken evenly from"
        " the whole list",
        "时段、禁呼名单和次数上限：按从整个列表中均匀抽取的 {count} 个号码（共 {total} 个）",
    )
    NO_SAMPLE = Said(
        "the numbers could not be looked at ({problem}): as if each of them could be called",
        "无法查看号码（{problem}）：按每个号码都可以呼叫计算",
    )
    NO_LISTS = Said(
        "{what} could not be looked at ({problem}): as if they held nothing back",
        "无法查看 {what}（{problem}）：按没有任何限制计算",
    )
    AGENTS_NOW = Said(
        "{agents} agents, as many as are at work now, whenever the task is open",
        "{agents} 个坐席（现在在岗的人数），任务开放期间一直如此",
    )
    AGENTS_GIVEN = Said(
        "{agents} agents, as asked for, whenever the task is open",
        "{agents} 个坐席（按给定人数），任务开放期间一直如此",
    )
    BOUNDS = Said(
        "at most {limit} calls at once[ and {cps} a second], by limit, lines and node[; {hosts}"
        " hosts dial together]",
        "最多同时 {limit} 个呼叫[，每秒 {cps} 个]，由 limit、线路和节点决定"
        "[；{hosts} 台主机一起呼叫]",
    )
    FLOW = Said(
        "a long list: agents and callees were simulated for {minutes} minutes in each run, and the"
        " whole list at the speed that they reached",
        "列表很长：每次模拟坐席和被叫 {minutes} 分钟，再按达到的速度推算整个列表",
    )
    FLOW_RECKONED = Said(
        "a long list: its speed is reckoned from limit, rate and the length of calls",
        "列表很长：速度由 limit、速率和通话长度算出",
    )
    UNCHANGED = Said(
        "callees, agents and lines stay as they are, and no numbers are added",
        "被叫、坐席和线路保持不变，也不再加入号码",
    )
