"""What ``ctidialer forecast`` says around the sentences of the forecast, in both languages."""

from __future__ import annotations

from ctidialer.rules.words import Said

TITLE = Said(
    "{name} on {host}: {mode}[, {agents} agents], as of {at}",
    "{host} 上的 {name}：{mode}[，{agents} 个坐席]，{at}",
)
NUMBERS = Said(
    "numbers left: {queued} in the queue, {waiting} waiting",
    "剩余号码：队列中 {queued}，等待中 {waiting}",
)
ENDS = Said("ends: {middle} (between {low} and {high})", "结束：{middle}（{low} 至 {high} 之间）")
SOME_END = Said(
    "in {share} % of the runs it ends before {until}", "{share} % 的模拟在 {until} 之前结束"
)
DOES_NOT_END = Said(
    "does not end before {until}: {left} numbers are left then",
    "{until} 之前不会结束：届时还剩 {left} 个号码",
)
HEADS = (Said("", ""), Said("likely", "预计"), Said("range", "范围"))
CALLS = Said("calls", "呼叫")
ANSWERED = Said("answered by people", "人工接听")
ABANDONED = Said("abandoned", "放弃")
ABANDONED_SHARE = Said(
    "abandoned of the answered (ceiling {ceiling} %)", "放弃率（上限 {ceiling} %）"
)
AGENT_USE = Said("agents busy, of their time", "坐席忙碌时间")
LEFT = Said("numbers left", "剩余号码")
PERCENT = Said("{share} %", "{share} %")
RANGE = Said("{low} – {high}", "{low} – {high}")
OUTCOMES = Said("outcomes: {counts}", "结果：{counts}")
HELD = Said("held back:", "被限制：")
CLOSED_TIME = Said(
    "  the task is closed for {closed} until then[; open, and nobody may be called, for {idle}]",
    "  到那时任务关闭 {closed}[；开放但没有可呼叫的号码 {idle}]",
)
IDLE_TIME = Said(
    "  the task is open, and nobody may be called, for {idle}",
    "  任务开放但没有可呼叫的号码 {idle}",
)
WAIT = Said(
    "  wait: {callee_hours} numbers for their hours, {caps} for callee_limit; further tries:"
    " {retries}",
    "  等待：{callee_hours} 个号码等待时段，{caps} 个等待 callee_limit；再次尝试：{retries}",
)
NOT_CALLED = Said(
    "  not called: {dnc} dnc, {closed} closed, {capped} capped, {invalid} invalid",
    "  不呼叫：{dnc} 个 dnc，{closed} 个 closed，{capped} 个 capped，{invalid} 个 invalid",
)
METHODS = {
    "calls": Said(
        "by {runs} simulations of every call; of ten, one is below the range and one above",
        "对每个呼叫模拟 {runs} 次；十次中一次低于范围，一次高于范围",
    ),
    "flow": Said(
        "by {runs} simulations of agents and list; of ten, one is below the range and one above",
        "对坐席和列表模拟 {runs} 次；十次中一次低于范围，一次高于范围",
    ),
}
RESTS_ON = Said("it rests on:", "依据：")
ASSUMPTION = Said("  - {text}", "  - {text}")
DAYS = Said("{days} d {hours} h", "{days} 天 {hours} 小时")
HOURS = Said("{hours} h {minutes} min", "{hours} 小时 {minutes} 分")
MINUTES = Said("{minutes} min", "{minutes} 分钟")
