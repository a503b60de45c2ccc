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
ADOPTABLE = Said(
    "  these numbers wait for a daemon of this name; if it is gone for good:"
    " ctidialer adopt {host}",
    "  这些号码等待以此为名的守护进程；如果 {host} 不再回来：ctidialer adopt {host}",
)
UNREADABLE_ENTRIES = Said(
    "  {count} entries in flight are of a later version: this one leaves them alone",
    "  {count} 项处理中号码出自更新的版本：本版本不动它们",
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
    Said("later", "等待"),
    Said("why", "原因"),
)
HOST_READY = Said("ready", "正常")
HOST_NOT_READY = Said("not ready", "未就绪")
HOST_HEADS = (
    Said("host", "主机"),
    Said("state", "状态"),
    Said("calls", "呼叫"),
    Said("in flight", "处理中号码"),
    Said("started", "已发起"),
    Said("a second", "每秒"),
    Said("tasks with calls", "有呼叫的任务"),
    Said("lines in use", "使用中线路"),
    Said("why", "原因"),
)
SHARED_HEADS = (
    Said("counted over hosts", "主机共用"),
    Said("name", "名称"),
    Said("calls", "呼叫"),
    Said("cps", "每秒"),
    Said("whose", "谁的呼叫"),
)
HELD = Said("{host} {calls}", "{host} {calls}")
HELD_BY_GONE = Said(
    "{host} {calls} (gone since {since}; if it is gone for good: ctidialer adopt {host})",
    "{host} {calls}（从 {since} 起没有守护进程；如果不再回来：ctidialer adopt {host}）",
)
OF_ALL_HOSTS = Said("{calls} (all hosts: {used})", "{calls}（所有主机：{used}）")
LINE_HEADS = (
    Said("line", "线路"),
    Said("state", "状态"),
    Said("calls", "呼叫"),
    Said("count", "并发"),
    Said("faults", "故障"),
    Said("until", "恢复时间"),
    Said("order", "命令"),
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
    Said("abandoned", "放弃"),
)
RESULT_OTHERS = Said("other outcomes", "其他结果")
SCHEDULED = Said("{name} (scheduled)", "{name}（定时）")
ALL_TOGETHER = Said("all", "合计")
BY_TRY = Said("reached, by the number of the try: {tries}", "按第几轮接通：{tries}")
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

# --- pacing ----------------------------------------------------------------------------------

NO_PACING = Said(
    "no daemon has paced task {name} by its agents: it names none, or was never dialed",
    "没有守护进程按坐席呼叫过任务 {name}：它没有指定坐席，或从未呼叫",
)
PACING_TITLE = Said("{name} on {host}: {mode}, at {at}", "{host} 上的 {name}：{mode}，{at}")
PACING_PROBLEM = Said("  no agents: {problem}", "  没有坐席：{problem}")
PACING_AGENTS = Said(
    "  agents: free {free}, being rung {ringing}, talking {talking}, in wrap-up {wrap_up},"
    " away {away}, stale {stale}[; busy {use} % of their time]",
    "  坐席：空闲 {free}，振铃 {ringing}，通话 {talking}，话后处理 {wrap_up}，离开 {away}"
    "，失效 {stale}[；忙碌时间 {use} %]",
)
PACING_CALLS = Said(
    "  calls: on their way {ringing}, waiting for an agent {waiting}, connected {connected}"
    "[; given up {released}]",
    "  呼叫：途中 {ringing}，等待坐席 {waiting}，已接通 {connected}[；主动放弃 {released}]",
)
PACING_PROGRESSIVE = Said(
    "  one call for each free agent: one more abandoned call could break the ceiling",
    "  每个空闲坐席一个呼叫：再放弃一个就可能超过上限",
)
PACING_RISK = Said(
    "  risk: {risk} % of the expected answers may find no agent",
    "  风险：预计应答中有 {risk} % 可能没有坐席",
)
PACING_ABANDONED = Said(
    "abandoned: {abandoned} of {answered} answered by people ({share} %, ceiling {ceiling} %);"
    " {more} more before the ceiling; since {since}",
    "放弃：由人应答的 {answered} 个中 {abandoned} 个（{share} %，上限 {ceiling} %）；"
    "到上限还可有 {more} 个；自 {since}",
)
PACING_HANDLE = Said(
    "learnt: agents are busy with a call for {mean} s; half for up to {median} s, nine in ten for"
    " up to {most} s",
    "所学：坐席处理一个呼叫平均 {mean} 秒；一半不超过 {median} 秒，九成不超过 {most} 秒",
)
PACING_RING = Said(
    "learnt: {rate} % of the calls are answered; by second of ringing: {by_second}",
    "所学：{rate} % 的呼叫应答；按振铃秒数：{by_second}",
)
