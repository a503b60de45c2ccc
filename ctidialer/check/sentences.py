"""What ``ctidialer check`` finds beside the faults of documents: one table, in two languages.

The faults of documents themselves stand in `ctidialer.contract.problems`.
"""

from __future__ import annotations

import enum

from ctidialer.contract.problems import Told, told
from ctidialer.contract.said import Said


class Sentence(enum.Enum):
    """What may be found; to find something new, add a row and give it where it is found."""

    def of(self, **values: object) -> Told:
        """Return the sentence for one case, as `told`."""
        return told(self.value, values)

    # --- tables ------------------------------------------------------------------------------

    NOTHING_THERE = Said(
        "nothing is configured for host {host} and domain {domain}: none of {keys} is there. Are"
        " these the names the back end uses?",
        "主机 {host}、域 {domain} 没有任何配置：{keys} 都不存在。后台使用的是这些名称吗？",
    )
    OVER = Said("is past: the task dials no more", "已过：任务不再呼叫")
    CLOSED_FOR_EVER = Said("never lets the task dial again", "使任务永远不会再呼叫")
    NO_GROUP_NOR_LINE = Said(
        "{name} is neither in {groups} nor in {lines}: it is dialed as {dialed}",
        "{groups} 和 {lines} 中都没有 {name}：将按 {dialed} 呼叫",
    )
    NO_WAY_BY_DEFAULT = Said(
        "{name} is neither in {groups} nor in {lines}, and the default dial string cannot take it:"
        " {problem}",
        "{groups} 和 {lines} 中都没有 {name}，默认拨号串也不能用：{problem}",
    )
    GIVEN_UP_TOO_SOON = Said(
        "is {ring_min} s, but node.originate_timeout is {timeout}: calls end {least} s after they"
        " were placed; set it to {wanted} or more",
        "是 {ring_min} 秒，但 node.originate_timeout 是 {timeout}：发出 {least} 秒后呼叫就会结束；"
        "请设为 {wanted} 以上",
    )
    GROUP_UNUSED = Said(
        "is used by no task and no schedule configuration", "没有任务和定时配置使用它"
    )
    NO_SUCH_LINE = Said(
        "{line} is no line in {key}: it is passed over", "{key} 中没有线路 {line}：会跳过"
    )
    NO_LINE_EXISTS = Said(
        "has no line that exists: no call goes out through this group",
        "所列线路都不存在：不会有呼叫经本组呼出",
    )
    NO_WAY_BY_LINE = Said(
        "no call goes out on line {line} through this group: {problem}",
        "不会有呼叫从线路 {line} 经本组呼出：{problem}",
    )
    NO_ENDPOINT = Said(
        "{dialstring} names no endpoint, so every call on it fails: it must begin with one and a"
        " slash, as {right} does",
        "{dialstring} 没有端点，每次呼叫都会失败：开头必须是端点和斜杠，如 {right}",
    )
    LINE_UNUSED = Said(
        "is in no line group, and no task names it: no call goes out on it",
        "不在任何线路组中，也没有任务引用：不会有呼叫从它呼出",
    )

    # --- gateways that lines share, what is counted over hosts -------------------------------

    NO_SHARED_GATEWAY = Said(
        "{gateway} is no gateway in {key}: it limits nothing",
        "{key} 中没有网关 {gateway}：不限制任何呼叫",
    )
    GATEWAY_UNUSED = Said(
        "is named by no line: it limits nothing", "没有线路引用它：不限制任何呼叫"
    )
    WIDER_THAN_GATEWAY = Said(
        "is domain, but its gateway {gateway} counts on each host: every host has the whole count"
        " of the gateway",
        "是 domain，但它的网关 {gateway} 在每台主机上分别计算：每台主机都有网关的全部并发",
    )
    SCOPES_DIFFER = Said(
        "line {wide} is counted over the domain, and line {narrow} on each host, though both go"
        " through this gateway",
        "线路 {wide} 按域合计，线路 {narrow} 在每台主机上分别计算，但都经过这个网关",
    )

    # --- agents ------------------------------------------------------------------------------

    GROUP_WITHOUT_AGENTS = Said(
        "no agent in {agents} is in group {group}, and {counts} does not count it: the task waits"
        " for agents",
        "{agents} 中没有坐席属于组 {group}，{counts} 中也没有它的人数：任务会一直等坐席",
    )
    COUNTED_TWICE = Said(
        "is not used: {key} has agents of this group, and they count",
        "不会使用：{key} 中有这个组的坐席，以坐席为准",
    )
    NO_HEART = Said(
        "is missing: without it no agent counts (SET it with EX 10, and again every few seconds)",
        "不存在：没有它就不算有坐席（请每隔几秒 SET … EX 10）",
    )
    HEART_WITHOUT_END = Said(
        "never expires: agents would count even if the back end were dead (SET it with EX 10)",
        "永不过期：后台停了，坐席仍算在线（请用 SET … EX 10）",
    )
    AGENT_AHEAD = Said(
        "the time is {seconds} s in the future, so it is not used: the clock of the back end is"
        " wrong, or ours",
        "时间在未来 {seconds} 秒，不会使用：后台或本机的时钟不准",
    )

    COUNTED_APART = Said(
        "name no timezone, and the hosts have different ones ({zone} here, {other} on {host}): each"
        " counts its abandoned calls alone, in periods of its own; give the task a timezone",
        "没有 timezone，而各主机的时区不同（本机 {zone}，{host} 上 {other}）："
        "每台主机只统计自己放弃的呼叫，周期也各不相同；请给任务写上 timezone",
    )

    # --- who may be called, and when again ---------------------------------------------------

    NO_SUCH_REGION = Said(
        "is {region}, of which no numbering plan is known (the United Kingdom is GB): nobody knows"
        ' where numbers without "+" are',
        "是 {region}，没有这个地区的编号方案（英国是 GB）：没有“+”的号码不知在何处",
    )
    CALLEES_NOWHERE = Said(
        'stands without callee_region and callee_timezone: a number without "+" and without a'
        " timezone of its own ends as closed",
        "没有 callee_region，也没有 callee_timezone：没有“+”、自身也没有 timezone 的号码会以 closed"
        " 结束",
    )
    CALLEES_NEVER_OPEN = Said(
        "is never open: every number ends as closed", "永远不开放：每个号码都会以 closed 结束"
    )
    HOURS_NEVER_MEET = Said(
        "is never open for callees in {where} while the task dials: their numbers wait for ever",
        "与任务自己的呼叫时间没有交集（被叫在 {where}）：这些号码会一直等待",
    )
    NO_PLAN = Said("has no effect: there is no retry_plan", "不起作用：没有 retry_plan")
    PLAN_OFF = Said("is 0: retry_plan has no effect", "为 0：retry_plan 不起作用")
    RULE_HIDDEN = Said(
        "never applies: earlier rules name all of its outcomes",
        "永远用不到：前面的规则已包含它的全部结果",
    )
    NO_RETRY = Said("is 0: nothing is tried again by this rule", "为 0：本规则不会重试任何号码")
    NONE_ABANDONED = Said(
        "names abandoned, but the task says neither agents nor abandon_time: no call counts as"
        " abandoned",
        "包含 abandoned，但任务既没有坐席也没有 abandon_time：没有呼叫会算作放弃",
    )
    RETRY_TOO_LATE = Said(
        "comes too late from retry {retry} on: stop_time is before it",
        "从第 {retry} 次重试起太晚：stop_time 在它之前",
    )
    RETRY_OVER_CAP = Said(
        "retry {retry} of this rule always waits for callee_limit: at most {count} calls to one"
        " callee within {seconds} s",
        "本规则的第 {retry} 次重试总要等 callee_limit：{seconds} 秒内最多呼叫同一被叫 {count} 次",
    )
    CAP_COVERED = Said(
        "has no effect: another limit always forbids what it forbids",
        "不起作用：它所禁止的，另一条限制总会禁止",
    )
    CAP_OF_ONE = Said(
        "allows {count} call within {seconds} s: no redial and no call through a further line group"
        " is placed in that time",
        "{seconds} 秒内只允许 {count} 次呼叫：这段时间内不会重拨，也不会换下一个线路组",
    )
    LIST_UNREADABLE = Said(
        "{list} holds a {found}, but must hold a set or a hash: no number is called while it does",
        "{list} 的类型是 {found}，但必须是 set 或 hash：改正之前不会呼叫任何号码",
    )
    LIST_UNWRITABLE = Said(
        "{list} holds a {found}, but must hold a set or a hash: the record of who opts out cannot"
        " be written while it does",
        "{list} 的类型是 {found}，但必须是 set 或 hash：改正之前无法写入退订者的话单",
    )
    LIST_MISSING = Said(
        "there is no {list} in Redis: nobody stands on this list",
        "Redis 中没有 {list}：名单上没有人",
    )
    OPT_OUT_UNHEEDED = Said(
        "{list} is not one of the lists of dnc: who opts out is called again",
        "dnc 的名单中没有 {list}：退订的人还会被呼叫",
    )

    # --- keys of Redis, and numbers ----------------------------------------------------------

    WRONG_TYPE = Said(
        "holds a {found}, but must hold a {wanted}", "类型是 {found}，但必须是 {wanted}"
    )
    NO_SUCH_CONFIG = Said(
        "there is no valid schedule configuration {name}: the number waits until there is one, or"
        " until it expires",
        "没有有效的定时配置 {name}：号码会等到有这个配置，或到期为止",
    )
    IN_ENTRY = Said("{problem}[ (entry {entry})]", "{problem}[（条目 {entry}）]")
    SCORES_IN_MILLISECONDS = Said(
        "scores beyond the year 3000: {count}, the first {first} (the year {year}); they are in"
        " milliseconds by mistake, and must be unix seconds: these numbers are not called before",
        "{count} 个分值超过公元 3000 年，第一个是 {first}（{year} 年）；误用了毫秒，"
        "必须是 unix 秒：在此之前不会呼叫这些号码",
    )

    # --- gateways ----------------------------------------------------------------------------

    UNTOLD = Said("it does not say how {gateway} is", "它没有说明 {gateway} 的状态")
    UNREACHED = Said("{reason}", "{reason}")
    UNASKED = Said(
        "FreeSWITCH was not asked whether it has the {gateways} that the tables name: {problem}",
        "没有向 FreeSWITCH 查询表中引用的 {count} 个网关是否存在：{problem}",
    )
    NO_SUCH_GATEWAY = Said(
        "FreeSWITCH at {address} has no gateway {gateway}: no call leaves here until it has"
        " (sofia status lists those it has)",
        "FreeSWITCH {address} 没有网关 {gateway}：在有之前不会有呼叫由此呼出"
        "（sofia status 列出现有网关）",
    )
    GATEWAY_DOWN = Said(
        "gateway {gateway} of FreeSWITCH at {address} is down at the moment",
        "FreeSWITCH {address} 的网关 {gateway} 目前不可用",
    )

    # --- queues of mod_callcenter ------------------------------------------------------------

    NO_SUCH_QUEUE = Said(
        "mod_callcenter of FreeSWITCH at {address} has no queue {queue}: the task has no agents"
        " (callcenter_config queue list names those it has)",
        "FreeSWITCH {address} 的 mod_callcenter 没有队列 {queue}：任务没有坐席"
        "（callcenter_config queue list 列出现有队列）",
    )
    NO_CALLCENTER = Said(
        "FreeSWITCH at {address} has no mod_callcenter, so there is no queue {queue} and the task"
        " has no agents: load it",
        "FreeSWITCH {address} 没有 mod_callcenter，因此没有队列 {queue}，任务没有坐席：请加载它",
    )
    QUEUES_UNASKED = Said(
        "FreeSWITCH was not asked whether it has the queues that tasks name: {problem}",
        "没有向 FreeSWITCH 查询任务引用的队列是否存在：{problem}",
    )

    # --- security ----------------------------------------------------------------------------

    SECRET_FILE_OPEN = Said(
        "holds a secret and can be read or written by everybody (mode {mode}): chmod o= it",
        "含有密码，而所有人都可读写（权限 {mode}）：请执行 chmod o=",
    )
    SECRET_OF_PROCESS = Said(
        "shows a secret on its command line, which everybody on this machine can read: put it into"
        " the environment or into a file",
        "命令行中有密码，本机所有人都看得到：请放入环境变量或文件",
    )
    SECRET_GIVEN = Said(
        "a password on the command line is seen by everybody on this machine, and stays in the"
        " shell's history: use CTIDIALER_REDIS_URL",
        "命令行中的密码本机所有人都看得到，还会留在 shell 历史中：请使用 CTIDIALER_REDIS_URL",
    )
    LISTENS_EVERYWHERE = Said(
        "listens on all interfaces (bind {bind}) with protected-mode off: bind it to the addresses"
        " that need it",
        "监听所有网卡（bind {bind}），且 protected-mode 已关闭：请只绑定需要的地址",
    )
    NETWORK_IN_CLEAR = Said(
        "numbers, records and the password go over the network in clear: use rediss://",
        "号码、话单和密码在网络上明文传输：请使用 rediss://",
    )
    SENTINEL_IN_CLEAR = Said(
        "connections by way of Sentinel are not encrypted; keep them in a network of their own",
        "经 Sentinel 的连接不加密；请放在独立的网络中",
    )
    DEFAULT_PASSWORD = Said(
        "is FreeSWITCH's default, {password}: whoever knows it can run anything there",
        "是 FreeSWITCH 的默认值 {password}：知道的人可以在其中执行任何操作",
    )
    EVENT_SOCKET_IN_CLEAR = Said(
        "{host} is not loopback: the Event Socket is not encrypted and gives full control; run"
        " ctidialer beside FreeSWITCH, or use a tunnel and apply-inbound-acl",
        "{host} 不是本机地址：Event Socket 不加密，且有完全控制权；"
        "请把 ctidialer 与 FreeSWITCH 放在同一台机器，或使用隧道和 apply-inbound-acl",
    )
    NO_TOKEN = Said(
        "is empty, and the HTTP interface listens beyond loopback: anybody may use it",
        "为空，而 HTTP 接口监听的不只是本机地址：任何人都能使用",
    )
    SHORT_TOKEN = Said(
        "has {length} characters, which can be guessed: take {least} or more at random (openssl"
        " rand -hex 24)",
        "只有 {length} 个字符，容易猜出：请用 {least} 个以上的随机字符（openssl rand -hex 24）",
    )
    HTTP_IN_CLEAR = Said(
        "{host} is not loopback, and HTTP is not encrypted: put a proxy with TLS before it",
        "{host} 不是本机地址，而 HTTP 不加密：请在前面放一个带 TLS 的代理",
    )
    OPEN_TO_NETWORK = Said(
        "takes commands from anybody, without a password, over the network: whoever reaches it can"
        " have people called",
        "不需要密码就接受网络上任何人的命令：能连上的人都可以让系统呼叫别人",
    )
    OPEN_ON_MACHINE = Said(
        "takes commands from anybody, without a password: every account on this machine can have"
        " people called",
        "不需要密码就接受任何人的命令：本机每个帐户都可以让系统呼叫别人",
    )
    NO_SCRIPTS = Said(
        "the user {user} may not run scripts ({error}): ACL SETUSER {name} {rules}",
        "用户 {user} 不能执行脚本（{error}）：请执行 ACL SETUSER {name} {rules}",
    )
    EVERY_RIGHT = Said(
        "the user {user} may use every command[ on every {key}], FLUSHALL and CONFIG too: give"
        " ctidialer a user of its own (etc/redis/users.acl)",
        "用户 {user} 可以执行所有命令[（所有 {key}）]，包括 FLUSHALL 和 CONFIG："
        "请给 ctidialer 单独的用户（etc/redis/users.acl）",
    )
    CANNOT_BE_ASKED = Said("cannot be asked: {error}", "无法查询：{error}")
