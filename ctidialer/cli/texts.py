"""What the commands for operators say around the sentences of the reasons, in both languages."""

from __future__ import annotations

from ctidialer.check.findings import Severity
from ctidialer.rules.words import Said

# --- explain ---------------------------------------------------------------------------------

TITLE = Said("{name} on {host}: {reason}", "{host} 上的 {name}：{label}（{reason}）")
BUSY_LINE = Said(
    "  {name} ({group}): {why}[, until {until}]", "  {name}（{group}）：{why}[，{until} 恢复]"
)
MORE_LINES = Said("  and {count} more lines", "  另有 {count} 条线路")
CHANGES = Said("changes at {at}", "变化时间：{at}")
NUMBERS = Said(
    "numbers in {queue}: {length}; calls: {calls}/{limit}",
    "{queue} 中的号码：{length}；呼叫：{calls}/{limit}",
)
NOT_A_LIST = Said("not a list", "不是列表")
THE_NODE = Said("the node: {text}", "节点：{text}")
DOUBT = Said("warning: {where}: {problem}", "警告：{where}：{problem}")
NO_TASK = Said(
    "there is no task {name} in {where}; there are: {there}[ and {more} more]",
    "{where} 中没有任务 {name}；现有：{there}[，另有 {more} 个]",
)
NO_CONFIG = Said(
    "there is no schedule configuration {name} in {key}; there are: {there}[ and {more} more]",
    "{key} 中没有定时配置 {name}；现有：{there}[，另有 {more} 个]",
)
WHERE = Said("{template} or {own}", "{template} 和 {own}")
NONE_AT_ALL = Said("none at all", "没有")
THERE_ARE = Said("there are: {there}", "现有：{there}")
DUE = Said(
    "due: {due}[ or more (the first {read} were read)]; of all configurations: {all_due} due,"
    " {scheduled} scheduled",
    "到时：{due}[ 或更多（只读了前 {read} 个）]；全部定时配置：到时 {all_due}，共定时 {scheduled}",
)
NEXT_DUE = Said("the next one after these is due {at}", "此后的下一个在 {at}")

# --- status ----------------------------------------------------------------------------------

READY = Said("node {host}: ready", "节点 {host}：正常")
NOT_READY = Said("node {host}: not ready", "节点 {host}：未就绪")
IN_FLIGHT = Said(
    "  numbers in flight: {in_flight}; scheduled numbers: {scheduled}",
    "  处理中号码：{in_flight}；定时号码：{scheduled}",
)
PROGRAM = Said(
    "  ctidialer {program}, pid {pid} on {hostname}, since {since}",
    "  ctidialer {program}，{hostname} 上的进程 {pid}，{since} 启动",
)
CALLS = Said(
    "  calls: {calls}[ of {most}]; numbers in hand: {numbers}; calls started: {placed}"
    " ({cps} a second); scheduled numbers: {scheduled}",
    "  当前呼叫：{calls}[（上限 {most}）]；处理中号码：{numbers}；已发起：{placed}（每秒 {cps}）；"
    "定时号码：{scheduled}",
)
OUTCOMES = Said("  since its start: {counts}", "  启动以来：{counts}")
LINES = Said(
    "  lines: {used} of {count} in use[, {states}]",
    "  线路：{count} 条中 {used} 条使用中[，{states}]",
)
NOT_LISTED = Said(
    "{count} more tasks are not listed (--all lists them)",
    "另有 {count} 个任务未列出（--all 全部列出）",
)
TASK_HEADS = (
    Said("task", "任务"),
    Said("state", "状态"),
    Said("calls", "呼叫"),
    Said("limit", "上限"),
    Said("queue", "队列"),
    Said("numbers", "号码"),
    Said("why", "原因"),
)
LINE_HEADS = (
    Said("line", "线路"),
    Said("state", "状态"),
    Said("calls", "呼叫"),
    Said("count", "并发"),
    Said("faults", "故障"),
    Said("until", "恢复时间"),
)

# --- check -----------------------------------------------------------------------------------

SEVERITIES = {
    Severity.FAULT: Said("fault", "错误"),
    Severity.WARNING: Said("warning", "警告"),
    Severity.NOTICE: Said("notice", "提示"),
}
COUNTED = {
    Severity.FAULT: Said("fault", "个错误"),
    Severity.WARNING: Said("warning", "个警告"),
    Severity.NOTICE: Said("notice", "个提示"),
}
FINDING_HEADS = (
    Said("", ""),
    Said("Name", "名称"),
    Said("Path", "路径"),
    Said("Problem", "问题"),
)
FINDING = Said("{severity}: {place}: {problem}", "{severity}：{place}：{problem}")
MORE_FINDINGS = Said(
    "{key}: {count} more (--json has all)", "{key}：另有 {count} 个（--json 有全部）"
)
COMMA = Said(", ", "，")
SUMMARY = Said("{counts} in {seen}", "{counts}；检查了 {seen}")
SEEN = {
    "task": Said("task", "个任务"),
    "line": Said("line", "条线路"),
    "line group": Said("line group", "个线路组"),
    "schedule configuration": Said("schedule configuration", "个定时配置"),
    "number": Said("number", "个号码"),
}

# --- report ----------------------------------------------------------------------------------

RESULT_TASK = Said("task", "任务")
RESULT_PERIODS = {
    "day": Said("day ({zone})", "日期（{zone}）"),
    "hour": Said("hour ({zone})", "小时（{zone}）"),
}
RESULT_HEADS = (
    Said("taken", "取出"),
    Said("dialed", "已呼叫"),
    Said("reached", "已应答"),
    Said("answered", "人工接听"),
    Said("rate", "接通率"),
    Said("calls each", "每号呼叫"),
    Said("ring s: mean / 90 %", "振铃秒数：平均 / 90 %"),
    Said("talk s: mean / 90 %", "通话秒数：平均 / 90 %"),
)
RESULT_OTHERS = Said("other outcomes", "其他结果")
SCHEDULED = Said("{name} (scheduled)", "{name}（定时）")
ALL_TOGETHER = Said("all", "合计")
NO_RESULTS = Said("no record fits", "没有符合条件的记录")
TOO_MANY_ROWS = Said(
    "more than {most} rows: not told by task and period; name a task, a shorter time or --by day",
    "超过 {most} 行：不能按任务和时段列出；请指定任务、缩短时间或使用 --by day",
)
TRIMMED = Said(
    "the records begin at {first}: older ones have been trimmed (max_records)",
    "记录从 {first} 开始：更早的已被清理（max_records）",
)
FIRST_RECORD = Said("the records begin at {first}", "记录从 {first} 开始")
UNREADABLE = Said(
    "{count} entries of the stream are no records and are left out",
    "流中有 {count} 项不是记录，未计入",
)
