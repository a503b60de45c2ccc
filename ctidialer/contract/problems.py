"""The one table of what may be wrong, or hardly meant, with a document: in English and Chinese.

A row is a code (its name), and a sentence in each language whose ``{names}`` are replaced by the
values of the one case.  To find something new wrong, add a row here and give it where it is found.
What `ctidialer.check` finds on top has a table of its own.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.said import Language, Said, Values, filled

INNER = "problem"
"""The name in a template at which another sentence stands."""

# What `document.shown` says instead of a value; the value of a string is always in quotes.
_SHOWN_IN_CHINESE = {
    "a list": "列表",
    "an object": "对象",
    "a very large number": "一个极大的数",
}


@frozen
class Told:
    """One sentence of a table with its values; ``inner`` is the sentence within it, if any."""

    said: Said
    values: Values = field(factory=dict)
    inner: Told | None = None

    def __str__(self) -> str:
        return self.in_("en")

    def in_(self, language: Language) -> str:
        """Return the sentence in a language."""
        values = dict(self.values)
        if language == "zh":
            values = {name: _SHOWN_IN_CHINESE.get(value, value) for name, value in values.items()}
        if self.inner is not None:
            values[INNER] = self.inner.in_(language)
        return filled(self.said.in_(language), values)


def told(said: Said, values: Mapping[str, object]) -> Told:
    """Return a sentence with its values; None = not there; a `Told` becomes the inner one."""
    inner = next((one for one in values.values() if isinstance(one, Told)), None)
    texts = {
        name: str(value)
        for name, value in values.items()
        if value is not None and not isinstance(value, Told)
    }
    return Told(said, texts, inner)


class Problem(enum.Enum):
    """What may be wrong, or hardly meant."""

    def of(self, **values: object) -> Told:
        """Return the sentence for one case, as `told`."""
        return told(self.value, values)

    # --- any document ------------------------------------------------------------------------

    MISSING = Said("is missing", "缺少")
    MORE_FAULTS = Said("{count} more faults are not listed", "另有 {count} 个错误未列出")
    STILL_MORE_FAULTS = Said("more faults are not listed", "还有错误未列出")
    NOT_UTF8 = Said("is not UTF-8[ (byte {at} is {byte})]", "不是 UTF-8[（第 {at} 字节是 {byte}）]")
    TOO_DEEP = Said("is nested too deeply", "嵌套过深")
    NO_TEXT = Said("is empty: a JSON object belongs here", "为空：此处应为 JSON 对象")
    MALFORMED = Said(
        "is not valid JSON: {problem}[ (line {line}, column {column})]",
        "不是有效的 JSON：{problem}[（第 {line} 行，第 {column} 列）]",
    )

    # --- kinds of value ----------------------------------------------------------------------

    NO_STRING = Said("must be a string, not {value}", "必须是字符串，不能是{value}")
    EMPTY = Said("must not be empty", "不能为空")
    CONTROL_CHARACTERS = Said(
        "must be one line without control characters, not {value}",
        "必须是不含控制字符的一行文字，不能是{value}",
    )
    NO_FLAG = Said("must be true or false, not {value}", "必须是 true 或 false，不能是{value}")
    NO_NUMBER_BETWEEN = Said(
        "must be a number from {least} to {most}, not {value}",
        "必须是 {least} 到 {most} 的数，不能是{value}",
    )
    NO_WHOLE_NUMBER_BETWEEN = Said(
        "must be a whole number from {least} to {most}, not {value}",
        "必须是 {least} 到 {most} 的整数，不能是{value}",
    )
    NO_RATE = Said(
        "must be greater than 0, not {value}: leave it out for no rate limit (a limit or count of"
        " 0 places no calls)",
        "必须大于 0，不能是{value}：不限速时不写（limit 或 count 为 0 表示不发起呼叫）",
    )
    NO_OBJECT = Said("must be an object, not {value}", "必须是对象，不能是{value}")
    NO_LIST = Said("must be a list, not {value}", "必须是列表，不能是{value}")
    OBJECT_FOR_LIST = Said("must be a list, not an object", "必须是列表，不能是对象")
    LIST_OUT_OF_ORDER = Said(
        "must be a list: the keys of this object are not in order",
        "必须是列表：该对象的键未按顺序排列",
    )
    NO_TIMEZONE = Said(
        "must be an IANA time zone like Asia/Shanghai, not {value}",
        "必须是 IANA 时区，如 Asia/Shanghai，不能是{value}",
    )
    NO_DAY = Said("is no day of the calendar: {value}", "日历上没有这一天：{value}")
    NO_MOMENT = Said(
        "must be a date and time like 2020-1-20 12:00:00, not {value}",
        "必须是日期和时间，如 2020-1-20 12:00:00，不能是{value}",
    )
    NO_OFFSET = Said(
        "must be unix time, or have an offset: +08:00, Z; not {value}",
        "必须是 unix 时间，或带时区偏移（+08:00、Z），不能是{value}",
    )
    NO_TIME_OF_DAY = Said(
        "must be a time of day like 8:00 or 08:00:00, not {value}",
        "必须是一天中的时刻，如 8:00 或 08:00:00，不能是{value}",
    )

    # --- variables ---------------------------------------------------------------------------

    UNKNOWN_PLACEHOLDER = Said(
        "names {value}: a call has {names}", "引用了 {value}：呼叫只有 {names}"
    )
    UNFIT_VARIABLE_NAME = Said(
        "must have a name of letters, digits, '_', '.', '-' that begins with no digit",
        "变量名只能由字母、数字、'_'、'.'、'-' 组成，且不能以数字开头",
    )
    NO_VARIABLE_VALUE = Said(
        "must be a string, a number or a boolean, not {value}",
        "必须是字符串、数或布尔值，不能是{value}",
    )
    NUL = Said(
        "must not contain NUL (\\u0000): FreeSWITCH would cut the value there",
        "不能含 NUL（\\u0000）：FreeSWITCH 会在此处截断",
    )
    OWN_VARIABLE = Said(
        "is not heeded: ctidialer sets it itself", "不起作用：由 ctidialer 自己设置"
    )
    UUID_NOT_OF_NUMBER = Said(
        "is not heeded: only a number can ask for a UUID of its own",
        "不起作用：只有号码可以指定自己的 UUID",
    )
    UNFIT_UUID = Said(
        "must be 1 to 64 of A-Z a-z 0-9 _ . : -", "必须是 1 到 64 个 A-Z a-z 0-9 _ . : - 字符"
    )

    # --- after the call ----------------------------------------------------------------------

    NO_WANTED_VARIABLE = Said(
        'must be "variable", "number:variable" or "name:variable", not {value}',
        '必须是 "variable"、"number:variable" 或 "name:variable"，不能是{value}',
    )
    NO_VARIABLE_NAME = Said(
        "must be the name of a channel variable, not {value}", "必须是通道变量名，不能是{value}"
    )
    NO_OUTCOME = Said("must be one of {known}, not {value}", "必须是 {known} 之一，不能是{value}")

    UNKNOWN_IS_NOT_RETRIED = Said(
        "cannot name {value}: such a call may have been answered; name one of {known}",
        "不能包含 {value}：这样的呼叫可能已被接听；可以是 {known} 之一",
    )
    NO_REGION = Said(
        "must be a country of two letters like CN, not {value}",
        "必须是两个字母的国家代码，如 CN，不能是{value}",
    )

    # --- numbers -----------------------------------------------------------------------------

    NO_STRING_OR_WHOLE_NUMBER = Said(
        "must be a string or a whole number, not {value}", "必须是字符串或整数，不能是{value}"
    )
    NO_NUMBER = Said("is empty: a number belongs here", "为空：此处应为号码")
    NUMBER_TOO_LONG = Said(
        "is no number: it is longer than {most} characters", "不是号码：超过 {most} 个字符"
    )
    NUMBER_PATTERN = Said(
        "does not match the node's number_pattern: {value}",
        "不符合节点的 number_pattern：{value}",
    )

    # --- keys --------------------------------------------------------------------------------

    IGNORED = Said("is ignored: there is no such key", "已忽略：没有这个键")
    IGNORED_HERE = Said("is ignored here: its place is {place}", "在此处已忽略：应写在 {place}")
    DID_YOU_MEAN = Said(
        "is ignored: there is no such key; did you mean `{meant}`?",
        "已忽略：没有这个键；是否应为 `{meant}`？",
    )
    REMARK = Said("is a remark: it is kept and has no effect", "是备注：会保留，不起作用")
    NUMBER_CACHEABLE = Said(
        "is a key of mod_cti without effect here: numbers stay in their list until there is room"
        " to dial them",
        "是 mod_cti 的键，在此不起作用：号码留在列表中，有空位时才取出呼叫",
    )
    AGENTS_OF_TASKS_ALONE = Said(
        "is ignored here: only a task of queue dialing is paced by its agents",
        "在此已忽略：只有队列呼叫任务按坐席决定呼叫量",
    )

    # --- agents ------------------------------------------------------------------------------

    NO_AGENTS_NAMED = Said(
        "is {mode}, which needs agents: name them by agent_queue or agent_group",
        "是 {mode}，需要坐席：请用 agent_queue 或 agent_group 指定",
    )
    TWO_KINDS_OF_AGENTS = Said(
        "stands beside agent_queue: name the agents by one of the two",
        "与 agent_queue 同时存在：坐席只能用其中一个指定",
    )
    SEVERAL_GROUPS_OF_AGENTS = Said("must be the name of one group", "必须是一个组的名称")
    SERVICE_LINE_GROUP_BESIDE_AGENT_GROUP = Said(
        "is not heeded: agent_group counts", "不起作用：以 agent_group 为准"
    )
    RATIO_UNUSED = Said(
        "has no effect: dial_mode is {mode}, not ratio", "不起作用：dial_mode 是 {mode}，不是 ratio"
    )
    NO_EXTENSION_TO_TRANSFER = Said(
        "must be an extension of letters, digits and _.*#+/@- that does not begin with a hyphen,"
        " not {value}",
        "必须是分机号，只含字母、数字和 _.*#+/@-，且不以连字符开头，不能是{value}",
    )

    # --- tasks -------------------------------------------------------------------------------

    UNDEF = Said(
        "must not be 'undef': as an extension it aborts FreeSWITCH",
        "不能是 'undef'：作为分机号会使 FreeSWITCH 崩溃",
    )
    NO_SIDE = Said(
        'must be "left" or "right", not {value}', '必须是 "left" 或 "right"，不能是{value}'
    )
    WORK_TIME_BESIDE_WORK_HOUR = Said(
        "is not heeded: work_hour counts", "不起作用：以 work_hour 为准"
    )
    STOP_BEFORE_START = Said(
        "is not after start_time: the task never dials", "不晚于 start_time：任务永远不会呼叫"
    )
    ALL_DAY = Said("is empty, which means all day", "为空，表示全天")
    EVERY_DAY = Said("is empty, which means every day", "为空，表示每天")
    COMMA_IN_NAME = Said(
        "is one name with a comma in it: several names are a list",
        "是一个含逗号的名称：多个名称要写成列表",
    )
    EMPTY_WINDOW = Said("never opens: begin and end are the same", "永远不开始：begin 与 end 相同")
    DAY_NOT_WORKED = Said(
        "never opens: its wday is not in work_week", "永远不开始：wday 不在 work_week 中"
    )
    EMPTY_HOLIDAY = Said(
        "has no effect: its end is not after its begin", "不起作用：end 不晚于 begin"
    )
    OFF_AND_INCOMPLETE = Said(
        "is switched off and incomplete: {names} missing", "未启用，且不完整：缺少 {names}"
    )

    # --- lines and groups --------------------------------------------------------------------

    AREA_CODE = Said(
        "cannot be obeyed: ctidialer does not know where mobile numbers are at home; leave it out,"
        " and write the 0 before such numbers into the list",
        "无法执行：ctidialer 不知道手机号码归属地；请去掉此键，并在号码列表中为外地号码加 0",
    )
    NO_CAUSE = Said(
        "must be a Q.850 number or a FreeSWITCH cause, not {value}",
        "必须是 Q.850 编号或 FreeSWITCH 挂机原因，不能是{value}",
    )
    NO_CALLS_ON_LINE = Said(
        "is 0: no call ever goes out on this line", "为 0：不会有呼叫从这条线路呼出"
    )
    TRIED_AT_ONCE = Said(
        "is missing or 0: a line out of use is tried again at once",
        "缺少或为 0：线路故障停用后会立即再试",
    )
    GROUP_WITHOUT_LINES = Said(
        "names no line: every call through this group is passed on",
        "没有列出线路：经过本组的呼叫都会转到下一组",
    )
    ALWAYS_REACHED = Said(
        "is 0, which every unanswered call reaches", "为 0，每次未接通的呼叫都会达到"
    )
    EARLIER_CAUSE = Said(
        "is {name} of old FreeSWITCH; SIP codes go in hangup_sipcode",
        "是旧版 FreeSWITCH 的 {name}；SIP 状态码应写在 hangup_sipcode",
    )
    UNHEARD_OF_CAUSE = Said(
        "is {number}, which FreeSWITCH never reports", "是 {number}，FreeSWITCH 从不报告此值"
    )
    EMPTY_VARIABLE_IN_DIALSTRING = Said(
        "has {wrong}, which stays empty: the number is {right}",
        "含有 {wrong}，其值始终为空：号码应写为 {right}",
    )
    BARE_NAME_IN_DIALSTRING = Said(
        "has destination_number as it stands: the number is {right}",
        "直接写了 destination_number：号码应写为 {right}",
    )
    NO_SUCH_ENDPOINT = Said(
        "begins with {endpoint}/, which FreeSWITCH has not: did you mean {meant}?",
        "以 {endpoint}/ 开头，FreeSWITCH 没有这种端点：是否应为 {meant}？",
    )
    DIALS_NO_NUMBER = Said("dials no number: write {right}", "没有号码：应写为 {right}")

    # --- agents ------------------------------------------------------------------------------

    NO_AGENT_STATE = Said(
        "must be one of {states}, not {value}", "必须是 {states} 之一，不能是{value}"
    )

    # --- Redis itself ------------------------------------------------------------------------

    LACKING_RIGHTS = Said(
        "the user {user} has no right to {needs}[ and {more} more]: ACL SETUSER {name} {rules}",
        "用户 {user} 没有以下权限：{needs}[，另有 {more} 项]。请执行 ACL SETUSER {name} {rules}",
    )

    # --- what no call can carry --------------------------------------------------------------

    UNFIT_NAME = Said("has a name that no call can carry: {problem}", "名称无法放入呼叫：{problem}")
    UNFIT_NUMBER = Said(
        "{value} cannot stand in a dial string: letters, digits and +*#._~@:- can",
        "{value} 不能用于拨号串：只能是字母、数字和 +*#._~@:-",
    )
    UNFIT_GROUP = Said(
        "{value}: {what} cannot stand in a dial string", "{value}：{what} 不能用于拨号串"
    )
    UNFIT_GROUP_NAME = Said("{value}: it cannot stand in a dial string", "{value}：不能用于拨号串")
    UNFIT_MARK = Said(
        "{mark} at {at}: no white space, quote or backslash can stand there (put such values into"
        " the line's variables)",
        "第 {at} 个字符 {mark}：此处不能有空白、引号或反斜杠（这类值请写入线路的 variables）",
    )
    LONE_SURROGATE = Said(
        "it is no UTF-8 text (a lone surrogate)", "不是 UTF-8 文字（有单独的代理字符）"
    )
    OTHER_SEPARATOR = Said(
        "{braces} is not read: part its variables with commas",
        "不支持 {braces}：变量之间请用逗号分隔",
    )
    NO_ENDPOINT = Said(
        "{value}: an endpoint must stand here (before it, {form} without braces inside)",
        "{value}：此处应为端点（端点之前可以有 {form}，其中不能再有大括号）",
    )
    SPLITS_CALL = Said(
        "{separator} would split it into several calls", "{separator} 会把它分成几个呼叫"
    )
    UNBALANCED_BRACKETS = Said("its braces or brackets do not balance", "大括号或方括号不配对")
    SEVERAL_LEGS = Said(
        "{value}: a line is one leg (other legs are other lines of the group)",
        "{value}：一条线路只能有一个呼叫腿（其他呼叫腿请写成组中的其他线路）",
    )
    OURS_ALONE = Said("{name} is set by ctidialer alone", "{name} 只能由 ctidialer 设置")
    UNFIT_ORIGINATION_UUID = Said(
        "origination_uuid must be 1 to 64 of A-Z a-z 0-9 _ . : -",
        "origination_uuid 必须是 1 到 64 个 A-Z a-z 0-9 _ . : - 字符",
    )
    UNFIT_CALL_UUID = Said(
        "{value} is not 1 to 200 letters, digits or any of +*#._~@:-",
        "{value} 不是 1 到 200 个字母、数字或 +*#._~@:- 字符",
    )
    RAW_LINE_END = Said("it holds a raw line end or NUL", "含有换行或 NUL")
    COMMAND_TOO_LONG = Said("it is longer than {most} bytes", "超过 {most} 字节")
    TOO_MANY_VARIABLES = Said(
        "{count} variables, at most {most}", "有 {count} 个变量，最多 {most} 个"
    )
    NO_CHANNEL_VARIABLE = Said("{value} is no name of a channel variable", "{value} 不是通道变量名")
    UNFIT_VALUE = Said("{name}: {problem}", "{name}：{problem}")
    NUL_UNSENT = Said("a NUL cannot be sent", "无法发送 NUL")
    EXPANSION = Said(
        "FreeSWITCH drops a value with {opening} in it", "FreeSWITCH 会丢弃含 {opening} 的值"
    )
    ARRAY = Said(
        "FreeSWITCH makes a list of a value that begins with ARRAY::",
        "FreeSWITCH 会把以 ARRAY:: 开头的值变成列表",
    )
    SPLITS_DIALSTRING = Said(
        "FreeSWITCH splits the dial string at {separator}",
        "FreeSWITCH 会在 {separator} 处拆分拨号串",
    )
    UNBALANCED_BRACES = Said("its braces do not balance", "大括号不配对")
    NO_APPLICATION = Said(
        "extension {value} is not written &application(arguments)",
        "分机号 {value} 没有写成 &application(arguments) 的形式",
    )
    NO_PLAIN_WORD = Said(
        "{what} {value} is empty or no plain text", "{what} {value} 为空或不是普通文字"
    )
    WORD_UNDEF = Said(
        "{what} 'undef' would abort FreeSWITCH", "{what} 'undef' 会使 FreeSWITCH 崩溃"
    )


_AT_BYTE = re.compile(r" \(byte (\d+)\)$")
_OF_DECODER = {
    "expecting value": "此处应有值",
    "expecting property name enclosed in double quotes": "此处应为双引号括起的键名",
    "expecting ':' delimiter": "此处应为 ':'",
    "expecting ',' delimiter": "此处应为 ','",
    "unterminated string starting": "字符串没有结束引号，开始于",
    "invalid control character": "非法控制字符",
    "invalid \\escape": "非法的 \\ 转义",
    "invalid \\uXXXX escape": "非法的 \\uXXXX 转义",
    "extra data": "后面有多余内容",
    "invalid character": "非法字符",
    "invalid number": "数的写法不对",
    "Input data was truncated": "内容不完整",
    "Number out of range": "数超出范围",
    "illegal trailing comma before end of object": "对象末尾有多余的逗号",
    "illegal trailing comma before end of array": "列表末尾有多余的逗号",
}


def of_decoder(reason: str) -> Told:
    """Return what a decoder of JSON says; what it says of what is rare stays as it is."""
    what, at = _AT_BYTE.sub("", reason), _AT_BYTE.search(reason)
    values = {"reason": what} | ({"at": at[1]} if at else {})
    chinese = _OF_DECODER.get(what, "{reason}")
    return Told(Said("{reason}[ (byte {at})]", chinese + "[（第 {at} 字节）]"), values)
