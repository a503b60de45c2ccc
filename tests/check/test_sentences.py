"""Every fault of a document and every finding of check is said in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from math import inf
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.agents import AgentTables, check_agents
from ctidialer.check.dnc import MISSING, list_findings, lists_used
from ctidialer.check.findings import Finding
from ctidialer.check.gateways import Use, gateway_findings
from ctidialer.check.ledgers import ledger_findings
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.numbers import (
    KeysIgnored,
    Refuse,
    check_numbers,
    ignored_in_entries,
    keys_ignored_in_number,
    keys_ignored_in_scheduled,
    refusal,
    scheduled_refusal,
    scores_in_milliseconds,
)
from ctidialer.check.queues import QueueUse, queue_findings, queues_unasked
from ctidialer.check.security import (
    RedisFacts,
    SecretFile,
    SettingsFacts,
    redis_findings,
    settings_findings,
)
from ctidialer.check.sentences import Sentence
from ctidialer.check.tables import check_tables
from ctidialer.contract import causes
from ctidialer.contract.problems import Problem, of_decoder
from ctidialer.contract.said import Said, named, needed
from ctidialer.rules.gateway_state import GatewayState
from ctidialer.settings import FreeSwitch, Http, Node, Settings
from ctidialer.store.address import parse_address

NODE = Node(host="fs1", domain="d", timezone="Asia/Shanghai")
NOW = 1_785_556_800.0
PATTERN = re.compile(r".*[0-9].*|bad number.*")
TASK, OWN = "cti_queue_dialer_task@template", "cti_queue_dialer_task@fs1"
LINE, GROUP, CONFIG = "cti_line@d", "cti_line_group@d", "cti_schedule_dialer_config@d"
GATEWAY = "cti_gateway@d"
NO_HOURS: list[dict[str, str]] = [{"begin": "8:00", "end": "8:00"}]

PARAMS: dict[str, Any] = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
}

BAD_PARAMS: tuple[dict[str, Any], ...] = (
    {"limit": "x", "cps": 0, "number_queue": ["q"], "enable": "perhaps", "line_group": []},
    {"limit": [1], "cps": {}, "number_queue": "a\nb", "work_week": {"b": 1}, "holiday": 7},
    {"work_hour": {"1": {}, "0": {}}, "timezone": "Mars", "number_queue_side": "top"},
    {"start_time": "2020-2-31", "stop_time": "soon", "destination_extension": "undef"},
    {"work_hour": [{"begin": "25:00", "end": "9:00"}], "holiday": [{"begin": "x"}], "limit": None},
    {"record_variables": ["a b"], "agent_variable": "a b", "outcome_rule": [{"outcome": "so"}]},
    {"destination_extension": "&park", "destination_context": "undef"},
    {"destination_dialplan": "a\u2028b", "brake_after": -1},
    {"destination_context": "\ud800"},
    {"destination_dialplan": ["XML"], "callee_region": "China"},
    {"retry_plan": [{"outcome": "unknown", "after": 60}]},
    {"limti": 1, "remark": "r", "number_cacheable": 1, "xyz": 1},
    {"dial_mode": "ratio", "abandon_rate": 3, "abandon_extension": "-both", "ring_min": "long"},
    {"agent_queue": "q", "agent_group": "g", "dial_mode": "fast"},
    {"agent_group": ["a", "b"]},
    {"agent_group": "a", "service_line_group": "s", "agent_ratio": 2},
    {"agent_queue": "q", "ring_min": 100},
    {"work_hour": NO_HOURS, "work_time": NO_HOURS, "line_group": "a,b"},
    {"work_hour": [{"begin": "8:00", "end": "9:00", "wday": 1}], "work_week": [2]},
    {"work_hour": [], "work_week": [], "holiday": [{"begin": "2020-1-2", "end": "2020-1-1"}]},
    {"start_time": "2020-1-2", "stop_time": "2020-1-1", "holiday": ["2020-1-1"]},
    {"line_group": ["l"]},
    {"line_group": ["no where"]},
    {"line_group": ["nowhere", "unfit group"]},
    {"work_hour": NO_HOURS},
)
HARDLY_MEANT_OF_CALLEES: tuple[dict[str, Any], ...] = (
    {"callee_region": "UK"},
    {"callee_week": [1]},
    {"callee_hour": NO_HOURS, "callee_region": "CN"},
    {"callee_week": [1], "callee_region": "CN", "work_week": [2]},
    {"retry_count": 3},
    {"retry_count": 0, "retry_plan": {"outcome": "busy", "after": 60}},
    {"retry_plan": [{"outcome": "busy", "after": 60}, {"outcome": "busy", "after": 60}]},
    {"retry_plan": [{"outcome": "busy", "after": 60, "count": 0}]},
    {"retry_plan": {"outcome": "abandoned", "after": 60}},
    {"retry_plan": {"outcome": "busy", "after": 900}, "stop_time": NOW + 600},
    {"retry_plan": {"outcome": "busy", "after": 60}, "callee_limit": {"count": 1, "time": 900}},
    {"callee_limit": [{"count": 1, "time": 60}, {"count": 1, "time": 90}], "line_group": "gh"},
    {"callee_limit": {"count": 1, "time": 60}, "line_group": ["g", "un fit"]},
    {"dnc": ["missing", "wrong"], "dnc_add": "wrong"},
    {"dnc_add": "unheeded"},
)
BAD_VARIABLES: tuple[dict[str, Any], ...] = (
    {"1a": "x", "b": [], "c": "\0", "cti_host": "x", "origination_uuid": "y"},
    {"a": "${x}", "b": "ARRAY::x", "c": "{", "d": ":_:", "e": "\ud800"},
    {f"v{index}": "{}" for index in range(1001)},
    {f"v{index}": "}" for index in range(60)},
)
DIALSTRINGS = (
    *("user/a b", "user/\ud800", "{^^:a=1:b=2}user/1", "{a=1}", "user/1:_:user/2", "user/{1"),
    *("user/1,user/2", "[cti_host=1]user/1", "usr/${number}", "sofia/gateway/x/", "user"),
    *("user/destination_number", "sofia/gateway/x/${line_group}${destination_number}"),
)
NUMBERS: tuple[bytes, ...] = (
    *(b"", b"x", b"1" * 1025, b"\xff1", b"{}", b"[", b'{"number":', b'{"params":{"number":true}}'),
    *(b'"x"', b"{" * 60_000, b"{'a':1}", b'{"a":1,}', b'{"a":NaN}', b'{"a" 1}', b'{"a":1 "b"}'),
    *(b"bad number 1", b'{"params":{"number":"1"},"phone":2}', b'{"number":"1"}', b'{"a":"\x01"}'),
    *(b'{"a":"\\q"}', b'{"a":"\\u1"}', b'{"a":1}x', b'{"a":"b', b'{"params":[]}', b'{"a":1e9999}'),
    b'{"params":{"number":"1"},"variables":{"origination_uuid":"a b"}}',
    b'{"params":{"number":"1","config":"no","expires":"2020-1-1 1:00"}}',
    b'{"params":{"number":"1","config":"no"}}',
    b'{"params":{"number":"1"},"variables":' + json.dumps({"a": "${x}"}).encode() + b"}",
)
# The daemon's own guards, behind those that find the same before: no document leads there.
UNREACHED: set[Problem | Sentence] = {
    *(Problem.UNFIT_CALL_UUID, Problem.UNFIT_ORIGINATION_UUID, Problem.RAW_LINE_END),
    *(Problem.COMMAND_TOO_LONG, Problem.NUL_UNSENT, Problem.NO_CHANNEL_VARIABLE),
    # Of Redis, of settings, and of FreeSWITCH, which the tests of the command and of security make.
    *(Sentence.WRONG_TYPE, Sentence.UNREACHED, Sentence.NO_SCRIPTS, Sentence.CANNOT_BE_ASKED),
    Problem.LACKING_RIGHTS,
    # JSON with a lone surrogate is refused as a whole, and control characters before the words.
    *(Problem.LONE_SURROGATE, Problem.NO_PLAIN_WORD),
}


def raw(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def documents() -> dict[str, dict[str, bytes]]:
    """Return tables with as many kinds of faults as one document each can show."""
    tasks = {f"t{i}": {"params": {**PARAMS, **bad}} for i, bad in enumerate(BAD_PARAMS)}
    tasks |= {f"v{i}": {"params": PARAMS, "variables": bad} for i, bad in enumerate(BAD_VARIABLES)}
    others = {"none": b"", "bad": b"{", "list": b"[]", "deep": b"[" * 60_000, "code": b"\xff"}
    lines = {f"l{i}": {"params": {"dialstring": one}} for i, one in enumerate(DIALSTRINGS)}
    l_bad = {"count": 0, "fault_threshold": 1, "areacode": "0571", "dialstring": "user/1"}
    groups: dict[str, Any] = {
        "g": {"line": [[*lines, "l", "gone"]]},
        "gone": {"line": ["gone"]},
        "empty": {"line": [], "no_redialer_rule": {"duration": 0}},
        "causes": {"line": ["l"], "redialer_rule": {"hangup_cause": ["X", 404, 777, 26, 600]}},
        "un{fit": {"line": ["l"]},
    }
    odd = {"params": {"param": 1, "dialstring": 1, "fault_condition": {"x": 1}}, "variable": {}}
    more = {
        "l": l_bad,
        "idle": {"dialstring": "user/1"},
        "odd": odd,
        "idle2": {**l_bad, "areacode": "0"},
    }
    stub = {"off": {"params": {"enable": False}}, "other": {"limit": 5, "params": {}}}
    config = {"c": {"params": {"line_group": ["x y"], "destination_extension": "&"}}}
    config["c"]["params"]["dial_mode"] = "predictive"
    return {
        TASK: {name: raw(one) for name, one in (tasks | others | stub).items()},
        OWN: {"t0": raw({"params": {"limit": 1.5}})},
        LINE: {name: raw(one) for name, one in (lines | more).items()},
        GROUP: {name: raw(one) for name, one in groups.items()},
        CONFIG: {name: raw(one) for name, one in (config | others).items()},
    }


def sound_documents() -> dict[str, dict[str, bytes]]:
    """Return tables in which everything can be read, and yet much is hardly meant."""
    tasks = {
        "own": {"params": PARAMS, "variables": {"cti_host": "x", "origination_uuid": "y"}},
        "holders": {"params": PARAMS, "variables": {"a": "${x}"}},
        "array": {"params": PARAMS, "variables": {"a": "ARRAY::x"}},
        "split": {"params": PARAMS, "variables": {"a": ":_:"}},
        "lone": {"params": PARAMS, "variables": {"a": "\ud800"}},
        "word": {"params": {**PARAMS, "destination_context": "a\u0085b"}},
        "unfit": {"params": {**PARAMS, "line_group": ["a:_:b", "un fit"]}},
        "many": {"params": PARAMS, "variables": {f"{index}": "x" for index in range(60)}},
    }
    of_callees = enumerate(HARDLY_MEANT_OF_CALLEES)
    tasks |= {f"c{index}": {"params": {**PARAMS, **one}} for index, one in of_callees}
    groups = {
        "g": {"line": ["l"]},
        "un fit": {"line": ["named"]},
    }
    lines = {"l": "user/1", "named": "user/${line_group}"}
    return {
        TASK: {name: raw(one) for name, one in tasks.items()},
        LINE: {name: raw({"params": {"dialstring": one}}) for name, one in lines.items()},
        GROUP: {name: raw(one) for name, one in groups.items()},
    }


def idle_documents() -> dict[str, dict[str, bytes]]:
    """Return tables of which half is used by nobody."""
    rule = {"hangup_cause": [min(causes.EARLIER_NAMES), 10]}
    return {
        LINE: {"idle": raw({"dialstring": "user/1"})},
        GROUP: {"idle": raw({"line": [], "redialer_rule": rule})},
    }


def of_lists() -> Iterable[Finding]:
    """Return what is found in do-not-call lists."""
    tables = NodeTables(NODE, sound_documents())
    uses = lists_used(tables, ())
    kinds = {"missing": MISSING, "wrong": "string", "unheeded": "set"}
    return list_findings(tables, uses, kinds, ())


def of_queues() -> Iterator[Finding]:
    """Yield what is found in the queues of agents."""
    uses = [QueueUse("sales@default", TASK, "t", "$.params.agent_queue")]
    for answer in ("name|strategy\n+OK\n", "-ERR callcenter_config Command not found!\n"):
        yield from queue_findings(uses, answer, "127.0.0.1:8021")
    yield queues_unasked("127.0.0.1:8021", Problem.EMPTY.of())


def of_agents() -> Iterator[Finding]:
    """Yield what is found in the agents that tasks wait for."""
    tables = NodeTables(NODE, {TASK: {"t": raw({"params": {**PARAMS, "agent_group": "none"}})}})
    documents: dict[str, Any] = {
        "7": {"group": "sales", "state": "idle", "time": NOW + 99},
        "8": {"group": "sales", "state": "free"},
    }
    agents = {name: raw(one) for name, one in documents.items()}
    for heart in (0.0, inf):
        counts = {"sales": raw({"free": 1})}
        yield from check_agents(AgentTables("d", agents, counts, heart), tables, NOW)


def of_the_machine() -> Iterator[Finding]:
    """Yield what is unsafe, far and near."""
    facts = SettingsFacts((SecretFile("f", 0o666),), (7,), True)
    for listen, token, freeswitch in (
        ("0.0.0.0:1", "", "10.0.0.1:8021"),
        ("0.0.0.0:1", "short", "127.0.0.1:8021"),
    ):
        http, switch = Http(listen=listen, token=token), FreeSwitch(address=freeswitch)
        settings = Settings(node=NODE, http=http, freeswitch=switch)
        yield from settings_findings(settings, facts)
    for url in ("redis://10.0.0.1", "redis://127.0.0.1", "redis+sentinel://10.0.0.1/m"):
        for one in (
            RedisFacts(open=True, user="u", rules="+@all ~*", lacking=Problem.EMPTY.of()),
            RedisFacts(open=False, protected=False, bind="*"),
        ):
            yield from redis_findings(parse_address(url), one)


def of_numbers() -> Iterator[Finding]:
    """Yield what is found in numbers, queued and scheduled."""
    ways: tuple[tuple[Refuse, KeysIgnored], ...] = (
        (partial(refusal, pattern=PATTERN), keys_ignored_in_number),
        (partial(scheduled_refusal, pattern=PATTERN, configs=()), keys_ignored_in_scheduled),
    )
    for refuse, ignored in ways:
        yield from check_numbers("q", enumerate(NUMBERS), refuse)
        yield from ignored_in_entries("q", enumerate(NUMBERS), ignored)
    yield scores_in_milliseconds("q", 3, 1.7e12)


def of_gateways() -> Iterable[Finding]:
    states = list(GatewayState)
    uses = [Use(one.value, LINE, "l", "$") for one in states]
    return gateway_findings(uses, {one.value: one for one in states}, "127.0.0.1:8021")


def of_tables(tables: dict[str, dict[str, bytes]]) -> Iterable[Finding]:
    return check_tables(NodeTables(NODE, tables), NOW)


def shared_documents() -> dict[str, dict[str, bytes]]:
    """Return lines that share gateways, some of which are not there or count in other ways."""
    lines: dict[str, dict[str, str]] = {
        "missing": {"gateway": "nowhere"},
        "wide": {"gateway": "narrow", "scope": "domain"},
        "mixed-a": {"gateway": "mixed", "scope": "domain"},
        "mixed-b": {"gateway": "mixed"},
    }
    gateways = {"narrow": {}, "unused": {}, "mixed": {"scope": "domain"}}
    return {
        LINE: {
            name: raw({"params": {"dialstring": "user/1", **one}}) for name, one in lines.items()
        },
        GATEWAY: {name: raw({"params": {"count": 5, **one}}) for name, one in gateways.items()},
    }


def of_ledgers() -> Iterable[Finding]:
    """Return what is found where hosts count the abandoned calls of a task apart."""
    tables = NodeTables(NODE, {TASK: {"t": raw({"params": {**PARAMS, "abandon_time": 2}})}})
    return ledger_findings(tables, {"other": "Europe/London"}, NOW)


def everything() -> Iterator[Finding]:
    return chain(
        of_tables(documents()),
        of_tables(sound_documents()),
        of_tables(idle_documents()),
        of_tables(shared_documents()),
        of_tables({}),
        of_agents(),
        of_ledgers(),
        of_queues(),
        of_lists(),
        of_numbers(),
        of_gateways(),
        of_the_machine(),
    )


class FoundTests(SynchronousTestCase):
    def test_what_is_found_is_chinese_to_a_chinese_reader(self) -> None:
        found = list(everything())
        self.assertGreater(len(found), 150)
        for one in found:
            chinese = one.problem_in("zh")
            self.assertEqual(one.problem_in("en"), one.problem)
            self.assertRegex(chinese, "[一-鿿]", one.problem)
            # Names, values and terms stay; a sentence would be more words in a row.
            bare = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "", chinese)
            self.assertIsNone(re.search(r"[a-z]+(?: [a-z]+){3}", bare), chinese)
            self.assertNotIn("?", bare.replace("(?", ""), chinese)


def sentences() -> Iterator[Said]:
    """Yield the templates of all that is found, and of what stands within them."""
    for one in everything():
        told = one.told
        while told is not None:
            yield told.said
            told = told.inner


class TableTests(SynchronousTestCase):
    def test_each_row_has_both_languages_with_the_same_names(self) -> None:
        for row in (*Problem, *Sentence):
            said = row.value
            self.assertIsInstance(said, Said)
            self.assertTrue(said.en and said.zh, row)
            self.assertEqual(needed(said.en) - needed(said.zh), needed(said.en) & {"gateways"}, row)
            self.assertLessEqual(named(said.zh) - {"count"}, named(said.en), row)
            self.assertFalse(said.zh.endswith("。"), row)
            self.assertIsNone(re.search("[一-鿿，。；：] [一-鿿，。；：]", said.zh), row)

    def test_nearly_every_row_is_found_here(self) -> None:
        found = {row.value for row in (*Problem, *Sentence)} - set(sentences())
        left = {row.value for row in UNREACHED}
        self.assertEqual({said.en for said in found}, {said.en for said in left})

    def test_no_two_rows_say_the_same(self) -> None:
        """An enum would take the second one for another name of the first."""
        for table in (Problem, Sentence):
            self.assertEqual(len(table.__members__), len(list(table)))

    def test_what_a_decoder_says_seldom_stays_as_it_is(self) -> None:
        self.assertEqual(of_decoder("what is this (byte 3)").in_("zh"), "what is this（第 3 字节）")
        self.assertEqual(str(of_decoder("extra data")), "extra data")

    def test_a_part_of_a_kind_of_value_is_chinese_too(self) -> None:
        told = Problem.NO_STRING.of(value="a list")
        self.assertEqual(told.in_("zh"), "必须是字符串，不能是列表")
