"""The one table of all reasons: why a task or a schedule configuration is, or is not, dialing.

Each stands here once, with everything that is said of it in both languages.  ``explain``,
``status``, ``/readyz``, the API, the dashboard (``static/reasons.js``) and the tables of the
documentation (``tools/reasons_page.py``) are made from it.  To add a reason, add a row here, where
it belongs in the order, and give it in `explaining`; what keeps the whole node from dialing has a
row in `Condition` as well.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.rules.words import NOTHING, Language, Said, Tone, Values, Words

NO_VALUES: Values = {}


class Of(enum.Enum):
    """What may have a reason."""

    TASK = "task"
    SCHEDULE = "schedule"
    BOTH = "both"


@frozen
class _Row:
    """One row of the table: see `Words` and `Reason`."""

    value: str
    tone: Tone
    label: Said
    meaning: Said
    says: Said | Mapping[str, Said]
    advice: Said = NOTHING
    of: Of = Of.BOTH
    from_tables: bool = False
    tones: Mapping[str, Tone] = field(factory=dict)

    @property
    def words(self) -> Words:
        """The row, without what programs need."""
        forms = {"": self.says} if isinstance(self.says, Said) else self.says
        return Words(self.tone, self.label, self.meaning, forms, self.advice, self.tones)


class Reason(enum.Enum):
    """The one reason for the present state; the first that applies is given, in this order.

    The value is for programs, ``words`` are for people.  ``of``: what may have it; ``from_tables``:
    it follows from the tables alone, so that it can be told without the daemon.
    """

    _value_: str
    words: Words
    of: Of
    from_tables: bool

    def __new__(cls, row: _Row) -> Reason:
        """Make the reason of a row."""
        reason = object.__new__(cls)
        reason._value_ = row.value
        reason.words, reason.of, reason.from_tables = row.words, row.of, row.from_tables
        return reason

    def sentence(
        self, form: str = "", values: Values = NO_VALUES, language: Language = "en"
    ) -> str:
        """Return what is said of the present state."""
        return self.words.sentence(form, values, language)

    UNKNOWN_TASK = _Row(
        "unknown_task",
        Tone.BAD,
        Said("Unknown task", "任务不存在"),
        Said(
            "Neither the template nor the host has a task of this name.",
            "模板和本主机都没有这个名称的任务。",
        ),
        Said("there is no task of this name on this host", "本主机没有这个名称的任务"),
        Said(
            "The answer lists the names there are. Mind ``--host``.",
            "回答会列出现有的名称；注意 ``--host``。",
        ),
        of=Of.TASK,
        from_tables=True,
    )
    UNKNOWN_CONFIG = _Row(
        "unknown_config",
        Tone.BAD,
        Said("Unknown configuration", "定时配置不存在"),
        Said("There is no schedule configuration of this name.", "没有这个名称的定时配置。"),
        Said(
            "there is no schedule configuration of this name: its numbers are due again every "
            "minute",
            "没有这个名称的定时配置：它的号码每分钟再次到时",
        ),
        Said("The answer lists the names there are.", "回答会列出现有的名称。"),
        of=Of.SCHEDULE,
        from_tables=True,
    )
    INVALID = _Row(
        "invalid",
        Tone.BAD,
        Said("Invalid", "无效"),
        Said(
            "It is malformed and places no calls, not by its old text either, until the "
            "faults are mended.",
            "内容有错误，修正之前不会发起呼叫，也不按旧内容呼叫。",
        ),
        {
            "": Said("the task is malformed: {faults}", "任务内容有错误：{faults}"),
            "config": Said(
                "the configuration is malformed: {faults}; its numbers are due again every minute",
                "定时配置内容有错误：{faults}；它的号码每分钟再次到时",
            ),
        },
        Said(
            "Mend what the paths name; ``ctidialer check`` shows all faults of all tables.",
            "按路径修正；``ctidialer check`` 列出所有表的全部错误。",
        ),
        from_tables=True,
    )
    DISABLED = _Row(
        "disabled",
        Tone.OFF,
        Said("Disabled", "未启用"),
        Said(
            "Its ``enable`` is not ``true`` (a host's own text counts before the template's).",
            "``enable`` 的值不是 true（主机自己的内容优先于模板）。",
        ),
        Said("its enable is not true", "enable 不是 true"),
        of=Of.TASK,
        from_tables=True,
    )
    AFTER_STOP = _Row(
        "after_stop",
        Tone.OFF,
        Said("Over", "已结束"),
        Said(
            "Its stop time is past; it does not open again by itself.",
            "已过停止时间，不会自动再开始。",
        ),
        Said("stop_time is past; it does not open again", "已过 stop_time，不会自动再开始"),
        of=Of.TASK,
        from_tables=True,
    )
    BEFORE_START = _Row(
        "before_start",
        Tone.WAIT,
        Said("Not begun", "未开始"),
        Said("Its start time is still to come.", "还没到开始时间。"),
        {
            "": Said("it is before start_time; opens {opens}", "还没到 start_time；{opens} 开始"),
            "never": Said(
                "it is before start_time; it does not open again", "还没到 start_time；不会再开始"
            ),
        },
        Said(
            "Is it the time zone that you mean (``timezone`` of the task, else of the node)?",
            "时区是否正确（任务的 ``timezone``，否则是节点的时区）？",
        ),
        of=Of.TASK,
        from_tables=True,
    )
    HOLIDAY = _Row(
        "holiday",
        Tone.WAIT,
        Said("Holiday", "节假日"),
        Said("A holiday of the task keeps it closed.", "处于任务设置的节假日。"),
        {
            "": Said("it is a holiday; opens {opens}", "现在是节假日；{opens} 开始"),
            "never": Said("it is a holiday; it does not open again", "现在是节假日；不会再开始"),
        },
        Said(
            "Is it the time zone that you mean (``timezone`` of the task, else of the node)?",
            "时区是否正确（任务的 ``timezone``，否则是节点的时区）？",
        ),
        of=Of.TASK,
        from_tables=True,
    )
    NOT_A_WORKING_DAY = _Row(
        "not_a_working_day",
        Tone.WAIT,
        Said("Not a working day", "非工作日"),
        Said("Today is none of its weekdays.", "今天不是任务的工作日。"),
        {
            "": Said(
                "today is no day of work_week; opens {opens}", "今天不在 work_week 中；{opens} 开始"
            ),
            "never": Said(
                "today is no day of work_week; it does not open again",
                "今天不在 work_week 中；不会再开始",
            ),
        },
        Said(
            "Is it the time zone that you mean (``timezone`` of the task, else of the node)?",
            "时区是否正确（任务的 ``timezone``，否则是节点的时区）？",
        ),
        of=Of.TASK,
        from_tables=True,
    )
    OUTSIDE_HOURS = _Row(
        "outside_hours",
        Tone.WAIT,
        Said("Outside hours", "非工作时间"),
        Said("It is outside its working hours.", "现在不在工作时间内。"),
        {
            "": Said("it is outside the work hours; opens {opens}", "不在工作时间内；{opens} 开始"),
            "never": Said(
                "it is outside the work hours; it does not open again", "不在工作时间内；不会再开始"
            ),
        },
        Said(
            "Is it the time zone that you mean (``timezone`` of the task, else of the node)?",
            "时区是否正确（任务的 ``timezone``，否则是节点的时区）？",
        ),
        of=Of.TASK,
        from_tables=True,
    )
    PAUSED = _Row(
        "paused",
        Tone.WARN,
        Said("Paused", "已暂停"),
        Said(
            "An operator has paused it; calls that are up go on.",
            "操作员已暂停；进行中的呼叫继续。",
        ),
        Said(
            "it is paused[ by {by}][ since {since}][ ({why})], until it is resumed",
            "已暂停[，操作人：{by}][，时间：{since}][，原因：{why}]，恢复之前不发起新呼叫",
        ),
        Said(
            "``ctidialer resume TASK``, or ``--schedule CONFIG``",
            "``ctidialer resume 任务``，或 ``--schedule 定时配置``",
        ),
    )
    LIMIT_ZERO = _Row(
        "limit_zero",
        Tone.OFF,
        Said("Limit is 0", "并发为 0"),
        Said("A ``limit`` of 0 means no calls.", "``limit`` 为 0，不发起呼叫。"),
        Said("its limit is 0", "limit 为 0"),
    )
    NO_DAEMON = _Row(
        "no_daemon",
        Tone.BAD,
        Said("No daemon", "无守护进程"),
        Said(
            "No daemon is alive under this host name, or one holds it and has not been heard "
            "for seconds.",
            "没有以此主机名运行的守护进程，或者有，但几秒钟没有它的消息。",
        ),
        {
            "": Said(
                "no daemon is alive under the host name '{host}'",
                "没有以主机名 '{host}' 运行的守护进程",
            ),
            "silent": Said(
                "no word from the daemon[ for more than {silent} s]: it was killed or hangs, or "
                "cannot reach Redis[; its lease lapses in {left} s] ({daemon})",
                "[已超过 {silent} 秒]没有守护进程的消息：被杀死、卡死或连不上 Redis[；租约 {left} "
                "秒后到期]（{daemon}）",
            ),
        },
        Said(
            "Look at the daemon's log, at supervisord or systemd.",
            "查看守护进程的日志，以及 supervisord 或 systemd。",
        ),
    )
    DRAINING = _Row(
        "draining",
        Tone.WARN,
        Said("Draining", "正在排空"),
        Said(
            "The node starts no new calls and waits for the last ones to end, or its daemon "
            "is stopping.",
            "节点不再发起新呼叫，等待最后的呼叫结束；或守护进程正在停止。",
        ),
        {
            "": Said(
                "this node is drained[ by {by}][ since {since}][ ({why})], until that is undone; "
                "calls still up: {calls}",
                "本节点已停止发起呼叫[，操作人：{by}][，时间：{since}][，原因：{why}]，"
                "撤销之前不恢复；还有 {calls} 个呼叫",
            ),
            "stopping": Said("this daemon is stopping", "守护进程正在停止"),
        },
        Said("``ctidialer drain --undo``", "``ctidialer drain --undo``"),
    )
    DRAINED = _Row(
        "drained",
        Tone.WARN,
        Said("Out of service", "已排空"),
        Said("An operator has taken this node out of service.", "操作员已排空本节点。"),
        Said(
            "this node is drained[ by {by}][ since {since}][ ({why})], until that is undone",
            "本节点已排空[，操作人：{by}][，时间：{since}][，原因：{why}]，撤销之前不恢复",
        ),
        Said("``ctidialer drain --undo``", "``ctidialer drain --undo``"),
    )
    REDIS_AWAY = _Row(
        "redis_away",
        Tone.BAD,
        Said("Redis away", "Redis 断开"),
        Said(
            "The daemon has no connection to Redis, or gets no answer.",
            "守护进程没有连上 Redis，或得不到响应。",
        ),
        Said("Redis is away[: {trouble}]", "Redis 断开[：{trouble}]"),
        Said("The log has the reason.", "原因见日志。"),
    )
    LEASE_LOST = _Row(
        "lease_lost",
        Tone.BAD,
        Said("Host name lost", "未持有主机名"),
        Said(
            "This daemon does not hold its host name: it could not take or renew it yet, or another"
            " one holds it.",
            "本守护进程没有持有主机名：还没能取得或续约，或另一个守护进程持有它。",
        ),
        Said(
            "this daemon does not hold its host's name[: {trouble}]",
            "本守护进程没有持有主机名[：{trouble}]",
        ),
        Said("Give each its own ``host``.", "每个守护进程用自己的 ``host``。"),
    )
    FREESWITCH_AWAY = _Row(
        "freeswitch_away",
        Tone.BAD,
        Said("FreeSWITCH away", "FreeSWITCH 断开"),
        Said(
            "There is no connection to FreeSWITCH: it is down, or refuses address or password.",
            "没有连上 FreeSWITCH：它没有运行，或拒绝了地址或密码。",
        ),
        Said("FreeSWITCH is away[: {trouble}]", "FreeSWITCH 断开[：{trouble}]"),
        Said(
            "``[freeswitch]`` in the settings; ``event_socket.conf`` there.",
            "设置文件的 ``[freeswitch]``；FreeSWITCH 的 ``event_socket.conf``。",
        ),
    )
    STARTING = _Row(
        "starting",
        Tone.WAIT,
        Said("Starting", "启动中"),
        Said(
            "The tables are being read, or FreeSWITCH is asked for the calls of before, or "
            "the daemon has not read this task yet.",
            "正在读取配置表，或正在向 FreeSWITCH 查询之前的呼叫，或守护进程还没有读到这个任务。",
        ),
        {
            "": Said("the tables have not been read yet", "还没有读取配置表"),
            "recovery": Said(
                "FreeSWITCH is being asked for the calls of before",
                "正在向 FreeSWITCH 查询之前的呼叫",
            ),
            "not_read": Said(
                "the daemon has not read the task as it stands in Redis yet; it will, within "
                "seconds",
                "守护进程还没有读到 Redis 中的这个任务；几秒内会读到",
            ),
        },
        Said("It takes seconds.", "几秒内完成。"),
    )
    TABLES_UNREADABLE = _Row(
        "tables_unreadable",
        Tone.BAD,
        Said("Tables unreadable", "配置表无法读取"),
        Said(
            "A table of the configuration cannot be read; it is not taken for an empty one.",
            "有配置表无法读取；不会把它当作空表。",
        ),
        Said("the tables cannot be read: {problem}", "配置表无法读取：{problem}"),
        Said(
            "A right or a type in Redis: ``ctidialer check``.",
            "Redis 的权限或键类型：``ctidialer check``。",
        ),
    )
    RECORDS_REFUSED = _Row(
        "records_refused",
        Tone.BAD,
        Said("Records refused", "话单写入被拒"),
        Said(
            "Redis refuses to write the records; nothing is dialed that could not be recorded.",
            "Redis 拒绝写入话单；无法记录时不再外呼。",
        ),
        Said("Redis refuses to write the records[: {problem}]", "Redis 拒绝写入话单[：{problem}]"),
        Said(
            "Memory (OOM), or a key that holds another type: ``ctidialer check``.",
            "内存（OOM），或键的类型不对：``ctidialer check``。",
        ),
    )
    WRITES_REFUSED = _Row(
        "writes_refused",
        Tone.BAD,
        Said("Writes refused", "Redis 拒绝写入"),
        Said(
            "Redis refuses what the daemon has to write; nothing is dialed that could not be "
            "written down.",
            "Redis 拒绝守护进程的写入；无法写入时不外呼。",
        ),
        Said("Redis refuses to write[: {problem}]", "Redis 拒绝写入[：{problem}]"),
        Said(
            "Memory (OOM), a replica, or a missing right: ``ctidialer check --security``.",
            "内存（OOM）、只读副本或缺少权限：``ctidialer check --security``。",
        ),
    )
    FREESWITCH_PAUSED = _Row(
        "freeswitch_paused",
        Tone.WARN,
        Said("FreeSWITCH paused", "FreeSWITCH 已暂停"),
        Said(
            "FreeSWITCH refuses calls because somebody has paused it (``fsctl pause``).",
            "有人暂停了 FreeSWITCH（``fsctl pause``），它拒绝呼叫。",
        ),
        Said(
            "FreeSWITCH is paused (fsctl pause), until somebody tells it fsctl resume",
            "FreeSWITCH 已暂停（fsctl pause），需执行 fsctl resume 恢复",
        ),
        Said(
            "``fsctl resume``; dialing goes on when the rest after the last refusal is over, "
            "16 s at most.",
            "``fsctl resume``；最后一次被拒后的等待时间（最多 16 秒）结束时恢复外呼。",
        ),
    )
    FREESWITCH_REFUSING = _Row(
        "freeswitch_refusing",
        Tone.WARN,
        Said("FreeSWITCH refusing", "FreeSWITCH 拒绝"),
        Said(
            "FreeSWITCH turns calls away (too many sessions, or its session rate); the rate "
            "is lowered for a while.",
            "FreeSWITCH 拒绝呼叫（会话数或会话速率已满），暂时降低速率。",
        ),
        {
            "": Said(
                "FreeSWITCH refuses calls; it is given a rest[ of {rest} s]",
                "FreeSWITCH 拒绝呼叫；暂停发起[ {rest} 秒]",
            ),
            "careful": Said(
                "FreeSWITCH refused calls lately; {careful} a second are started at most; calls "
                "up: {calls}",
                "FreeSWITCH 刚才拒绝过呼叫；每秒最多发起 {careful} 个；当前呼叫：{calls}",
            ),
        },
        Said(
            "``max-sessions``, ``sessions-per-second``; ``max_calls`` and ``max_cps`` of the node.",
            "``max-sessions``、``sessions-per-second``；节点的 ``max_calls`` 和 ``max_cps``。",
        ),
    )
    BRAKED = _Row(
        "braked",
        Tone.BAD,
        Said("Braked", "已刹车"),
        Said(
            "Its last numbers all ended in the same way, as invalid or failed, or all who "
            "answered were abandoned; one number a minute is tried.",
            "最近的号码全部以同样的方式结束（无效或失败），或者接听的全部没有等到坐席；"
            "每分钟只试一个号码。",
        ),
        {
            "": Said(
                "its last {count} numbers all ended as {outcome}[: {common}][; the last one: "
                "{entry}]; one number a minute is tried",
                "最近 {count} 个号码全部以 {outcome} 结束[：{common}][；最后一个：{entry}]；"
                "每分钟只试一个号码",
            ),
            "abandoned": Said(
                "the last {count} who answered were all abandoned[; the last one: {entry}]: does "
                "its extension lead to its agents? One number a minute is tried",
                "最近 {count} 个接听的全部没有等到坐席[；最后一个：{entry}]："
                "请检查分机是否通往它的坐席。每分钟只试一个号码",
            ),
        },
        Said(
            "Mend the numbers, the task, its lines or the way to its agents; or "
            "``ctidialer resume TASK``.",
            "修正号码、任务、线路或通往坐席的路由；或 ``ctidialer resume 任务``。",
        ),
        of=Of.TASK,
    )
    LIMIT_REACHED = _Row(
        "limit_reached",
        Tone.GOOD,
        Said("Limit reached", "达到并发上限"),
        Said(
            "As many numbers as its ``limit`` allows are in hand: being called, or waiting "
            "for a redial.",
            "在手号码已达到 ``limit``：正在呼叫，或等待重拨。",
        ),
        {
            "": Said(
                "all calls that its limit allows are up: {calls} of {limit}",
                "并发呼叫已达到 limit：{calls} / {limit}",
            ),
            "redials": Said(
                "all {limit} slots of its limit are taken: calls up: {up}; waiting for a further "
                "call: {waiting}[, next {next}]",
                "limit 的 {limit} 个并发全部占用：当前呼叫 {up}；等待重拨 {waiting}[，最早 {next}]",
            ),
            "hosts": Said(
                "all calls that its limit allows are up over all hosts: {calls} here and {others}"
                " on others, of {limit}",
                "所有主机的并发呼叫合计已达到 limit：本机 {calls}，其他主机 {others}，共 {limit}",
            ),
        },
    )
    QUEUE_UNUSABLE = _Row(
        "queue_unusable",
        Tone.BAD,
        Said("Queue unusable", "号码队列不可用"),
        Said(
            "Its ``number_queue`` cannot be read, since the key holds no list, say.",
            "无法读取号码队列，它可能不是 Redis 列表。",
        ),
        Said("no number can be taken: {problem}", "无法取号：{problem}"),
        Said("``ctidialer check`` names the key.", "``ctidialer check`` 会指出该键。"),
        of=Of.TASK,
    )
    NODE_LIMIT = _Row(
        "node_limit",
        Tone.WARN,
        Said("Node limit", "节点达到上限"),
        Said(
            "The node's ``max_calls`` or ``max_cps`` is used up, over all tasks.",
            "整个节点的 ``max_calls`` 或 ``max_cps`` 已用完。",
        ),
        {
            "": Said(
                "all places that the node's max_calls gives are taken: {calls} of {max_calls}[, "
                "{kept} more are kept for scheduled numbers]",
                "节点 max_calls 的名额已占满：{calls} / {max_calls}[，另为定时号码保留 {kept} 个]",
            ),
            "max_cps": Said(
                "the node starts as many calls as its max_cps allows: {max_cps} a second",
                "节点按 max_cps 发起呼叫：每秒 {max_cps} 个",
            ),
        },
    )
    NOTHING_SCHEDULED = _Row(
        "nothing_scheduled",
        Tone.WAIT,
        Said("Nothing scheduled", "无定时号码"),
        Said("No number of this configuration waits.", "没有等待呼叫的定时号码。"),
        Said("no number of this configuration waits", "没有等待呼叫的定时号码"),
        of=Of.SCHEDULE,
    )
    NOT_DUE = _Row(
        "not_due",
        Tone.WAIT,
        Said("Not due", "未到时间"),
        Said("The time of its next number has not come.", "下一个号码的时间还没到。"),
        {
            "": Said(
                "no number is due; the next one is due {next}", "没有到时间的号码；下一个在 {next}"
            ),
            "milliseconds": Said(
                "no number is due; the score of the next one is {score}, in the year {year}: it is"
                " in milliseconds by mistake, and must be unix seconds",
                "没有到时间的号码；下一个的 score 是 {score}，即 {year} 年：误用了毫秒，应为 unix"
                " 秒",
            ),
        },
        of=Of.SCHEDULE,
    )
    NO_FREE_LINE = _Row(
        "no_free_line",
        Tone.WARN,
        Said("No free line", "无空闲线路"),
        Said(
            "No line of its groups can take a call; the answer has each line with its reason, "
            "and when the next comes free.",
            "线路组里没有可用的线路；回答列出每条线路的原因，以及下一条何时空闲。",
        ),
        Said("no line is free ({lines})[; due: {due}]", "无空闲线路（{lines}）[；到时号码：{due}]"),
        Said(
            "``full``, ``resting``, ``paced``: more lines, or more ``count`` or ``cps``. "
            "``out_of_use``, ``never_left``: the line or its gateway. ``taken_out``: "
            "``ctidialer line on``. The others: the tables.",
            "``full``、``resting``、``paced``：增加线路、``count`` 或 ``cps``。``out_of_use``、"
            "``never_left``：线路或网关。``taken_out``：``ctidialer line on``。其他：配置表。",
        ),
    )
    NUMBERS_WAIT = _Row(
        "numbers_wait",
        Tone.WAIT,
        Said("Numbers wait", "号码等待中"),
        Said(
            "No number may be called now; some wait in Redis to be called later: for another try, "
            "for their callee's hours, or until ``callee_limit`` allows it.",
            "现在没有可以呼叫的号码；有号码在 Redis 中等待稍后呼叫：等待重试、等待被叫时段，或等待 "
            "``callee_limit`` 允许。",
        ),
        Said(
            "numbers wait to be called later: {count}[, for another try: {retry}][, for their "
            "callees' hours: {hours}][, for callee_limit: {cap}][; the next is due {next}]",
            "等待稍后呼叫的号码：{count}[，重试 {retry}][，被叫时段 {hours}][，callee_limit {cap}]"
            "[；最早 {next}]",
        ),
        Said("``ctidialer waiting TASK`` lists them.", "``ctidialer waiting 任务`` 列出它们。"),
    )
    QUEUE_EMPTY = _Row(
        "queue_empty",
        Tone.WAIT,
        Said("Queue empty", "队列为空"),
        Said(
            "There was no number left in its queue at the last look.",
            "上次查看时号码队列里没有号码了。",
        ),
        {
            "": Said(
                "there is no number left in {queue}; calls up: {calls}",
                "{queue} 里没有号码了；当前呼叫：{calls}",
            ),
            "failures": Said(
                "there is no number left in {queue}; of the last {ended} numbers {bad} failed or "
                "were invalid; calls up: {calls}",
                "{queue} 里没有号码了；最近 {ended} 个号码中有 {bad} 个失败或无效；当前呼叫："
                "{calls}",
            ),
        },
        Said(
            "``ctidialer load``; after failures: ``ctidialer records``",
            "``ctidialer load``；失败之后：``ctidialer records``",
        ),
        of=Of.TASK,
        tones={"failures": Tone.WARN},
    )
    NO_AGENTS = _Row(
        "no_agents",
        Tone.BAD,
        Said("No agents", "没有坐席"),
        Said(
            "Nobody could take its calls, or it is not known who could; the answer says why.",
            "没有人能接听，或不知道谁能接听；回答会说明原因。",
        ),
        {
            "": Said("no agents: {problem}", "没有坐席：{problem}"),
            "nobody": Said(
                "no agent is at work; away: {away}, stale: {stale}",
                "没有坐席在工作；离开：{away}，失效：{stale}",
            ),
        },
        Said(
            "``docs/agents.rst`` says who counts as an agent; ``ctidialer pacing`` shows them.",
            "``docs/zh/agents.rst`` 说明谁算坐席；``ctidialer pacing`` 列出坐席。",
        ),
        of=Of.TASK,
        tones={"nobody": Tone.WAIT},
    )
    AGENTS_BUSY = _Row(
        "agents_busy",
        Tone.GOOD,
        Said("Paced by agents", "按坐席外呼"),
        Said(
            "As many calls are on their way as its agents allow; the next one comes when an agent "
            "is, or will soon be, free.",
            "途中的呼叫已达到坐席允许的数量；有坐席空闲或即将空闲时再发起呼叫。",
        ),
        {
            "": Said(
                "calls on their way: {calls}, as many as its agents allow (free: {free}, busy: "
                "{busy})",
                "途中的呼叫：{calls}，已达到坐席允许的数量（空闲：{free}，忙碌：{busy}）",
            ),
            "ceiling": Said(
                "calls on their way: {calls}, one for each free agent (free: {free}, busy: {busy}) "
                "and no more: {abandoned} of {answered} answered calls were abandoned, and the "
                "ceiling is {ceiling} %",
                "途中的呼叫：{calls}，每个空闲坐席一个（空闲：{free}，忙碌：{busy}），不再更多："
                "{answered} 个应答的呼叫中有 {abandoned} 个被放弃，上限是 {ceiling} %",
            ),
        },
        Said(
            "``ceiling``: it lasts until enough calls were answered, or the period is over.",
            "``ceiling``：直到应答的呼叫足够多，或周期结束。",
        ),
        of=Of.TASK,
        tones={"ceiling": Tone.WARN},
    )
    PACED = _Row(
        "paced",
        Tone.GOOD,
        Said("Paced", "按速率外呼"),
        Said(
            "Its ``cps`` sets the pace; the answer says when the next call starts.",
            "按 ``cps`` 限制的最快速度发起呼叫。",
        ),
        {
            "": Said(
                "calls are started as fast as its cps allows: {cps} a second; calls up: {calls}",
                "按 cps 发起呼叫：每秒 {cps} 个；当前呼叫：{calls}",
            ),
            "hosts": Said(
                "all hosts together start calls as fast as its cps allows: {cps} a second; calls up"
                " here: {calls}",
                "所有主机合计按 cps 发起呼叫：每秒 {cps} 个；本机当前呼叫：{calls}",
            ),
        },
    )
    DIALING = _Row(
        "dialing",
        Tone.GOOD,
        Said("Dialing", "外呼中"),
        Said(
            "Calls are started, as fast as lines and FreeSWITCH take them.",
            "正在发起呼叫，速度取决于线路和 FreeSWITCH。",
        ),
        {
            "": Said("calls are started; calls up: {calls}", "正在发起呼叫；当前呼叫：{calls}"),
            "scheduled": Said(
                "numbers that are due are called; due: {due}", "正在呼叫到时号码；到时：{due}"
            ),
            "left_out": Said(
                "it is open; only {told} tasks are explained one by one",
                "任务已开放；只逐个说明 {told} 个任务",
            ),
        },
    )


def reason_called(value: str) -> Reason | None:
    """Return the reason with this value, None = one of another version."""
    return _BY_VALUE.get(value)


_BY_VALUE = {reason.value: reason for reason in Reason}


class Condition(enum.Enum):
    """One thing without which nothing is taken from any queue, and the reason that it gives.

    The one that explains the others stands first.
    """

    reason: Reason
    form: str

    def __init__(self, reason: Reason, form: str) -> None:
        self.reason = reason
        self.form = form

    RUNNING = (Reason.DRAINING, "stopping")
    IN_SERVICE = (Reason.DRAINED, "")
    REDIS = (Reason.REDIS_AWAY, "")
    LEASE = (Reason.LEASE_LOST, "")
    WRITES = (Reason.WRITES_REFUSED, "")
    FREESWITCH = (Reason.FREESWITCH_AWAY, "")
    TABLES = (Reason.STARTING, "")
    UNREADABLE = (Reason.TABLES_UNREADABLE, "")
    RECOVERY = (Reason.STARTING, "recovery")
    RECORDS = (Reason.RECORDS_REFUSED, "")

    @property
    def text(self) -> str:
        """What is said, without any more that is known, while it is missing."""
        return self.reason.sentence(self.form)
