"""Tasks and lines that are broken, or made to hurt: they place no calls that were not meant."""

from __future__ import annotations

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.switch_case import OURS
from tests.dialer.test_hostile import HostileCase, can_be_carried
from tests.hostile import DOCUMENTS, FRAGMENTS
from tests.support.node import HOST

TASKS = keys.at(keys.TASK, keys.TEMPLATE)
LINES = keys.at(keys.LINE, HOST)

# Values that make a task invalid, by the key of params.
BROKEN_PARAMS: dict[str, tuple[object, ...]] = {
    "destination_extension": (
        *("undef", "UNDEF", " Undef ", "undef\t", "8888\nbgapi status", "\r\n\r\napi shutdown"),
        *("8888\0", "\u2028", "", " ", None, True, [], {}, ["8888"]),
        *("&system(id", "&lua(x) y", "&", "&park()\n\n", "&a(b)(c)"),
    ),
    "destination_dialplan": ("undef", "XML\n\nexit", [], {}, [1]),
    "destination_context": ("undef", "Undef", "default\r\n\r\nexit", {"a": 1}),
    "line_group": ([], "g\n", ["g\n"], [""], [[]], [None], [{}], {"g": 1}, True),
    "limit": (-1, "x", 1.5, True, [], "9; flushall", "1" * 5000, 10**30, None, "0x10"),
    "number_queue": ("", " ", None, [], {}, "q\n", "q\0"),
    "number_queue_side": ("up", 1, [], "left right"),
    "cps": (0, -1, "NaN", "Infinity", "x", [], True, 1e-9, 10**12),
    "enable": ("maybe", 2, [], {}, "true;"),
    "start_time": ("now", "2020-13-45 99:99", "2020-2-30 12:00", "8", [], 20200101),
    "stop_time": ("10:00 AM 8:00", "2020-13-20", {}),
    "work_hour": ("8:00", [{"begin": "25:00", "end": "26:00"}], [{}], [[[]]], [7], {"a": 1}),
    "work_time": ([{"begin": "8:00", "end": "24:01"}], [{"begin": "8:00"}], 7),
    "work_week": ([8], ["x"], "one", [[]], [-1]),
    "holiday": ([{"begin": "x", "end": "y"}], "x", [1]),
    "timezone": ("Mars/Phobos", "../../etc/passwd", "/etc/passwd", 8, "UTC\0"),
}

# Extensions that are odd, yet can be carried as they are: one word, whatever stands in it.
ODD_EXTENSIONS = (
    *("6/v3", "&park()", "&system(id)", "&playback(a b.wav)", "8888 XML public", "8888,9999"),
    *("8888|9999", "{x=1}8888", "8888'", "'8888", '"', "8888\\", "\\n", "%0A", "^^:", ":_:"),
    *("8888 &hangup", "中文", "a=b", "[x]", "`id`", "$(id)", "<x>", "x" * 10_000),
)

BROKEN_LINES: tuple[object, ...] = (
    {"params": {"dialstring": ""}},
    {"params": {"dialstring": None}},
    {"params": {"dialstring": []}},
    {"params": {"dialstring": "a\nb"}},
    {"params": {"dialstring": "\0"}},
    {"params": {"dialstring": "sofia/gateway/l/${destination_number} &park()"}},
    {"params": {"dialstring": "sofia/gateway/l/1\n\napi shutdown"}},
    {"params": {"dialstring": "sofia/gateway/l/1|user/2"}},
    {"params": {"dialstring": "user/1,user/2"}},
    {"params": {"dialstring": "user/1:_:user/2"}},
    {"params": {"dialstring": "user/'1"}},
    {"params": {"dialstring": "user/1\\"}},
    {"params": {"dialstring": "{a=b"}},
    {"params": {"dialstring": "{a=b}"}},
    {"params": {"dialstring": "{^^:a=b:c=d}user/1"}},
    {"params": {"dialstring": "<a=b>user/1"}},
    {"params": {"dialstring": "[cti_host=x]user/1"}},
    {"params": {"dialstring": "[a=b"}},
    {"params": {"dialstring": "user/1", "count": -1}},
    {"params": {"dialstring": "user/1", "count": "many"}},
    {"params": {"dialstring": "user/1", "rest": "x"}},
    {"params": {"dialstring": "user/1", "fault_threshold": []}},
    {"params": {"dialstring": "user/1"}, "variables": [1]},
    {"params": {"dialstring": "user/1"}, "variables": {"a": []}},
    {"params": {"dialstring": "user/1"}, "variables": {"a b": "x"}},
    *(
        {"params": {"dialstring": "user/1"}, "variables": {"a": fragment}}
        for fragment in FRAGMENTS
        if not can_be_carried({"a": fragment})
    ),
)


@frozen
class Attack:
    """One hostile task with a list and a number of its own; ``variables`` None = it never dials."""

    document: object
    variables: dict[str, str] | None = None
    extension: str = "8888"


def task(number: int, variables: object = None, **params: object) -> dict[str, object]:
    """Return a task that dials the list ``q<number>``, as far as ``params`` let it."""
    usual: dict[str, object] = {
        "enable": True,
        "line_group": ["g"],
        "limit": 5,
        "number_queue": f"q{number}",
        "destination_extension": "8888",
    }
    return {"params": {**usual, **params}, "variables": variables or {}}


class HostileTableTests(HostileCase):
    """The tasks of ``attack`` stand beside one good task, whose numbers are all dialed."""

    async def attack(self, attacks: list[Attack]) -> None:
        await self.usual_tables()
        await self.put(TASKS, {f"h{at}": attack.document for at, attack in enumerate(attacks)})
        for at in range(len(attacks)):
            await self.put_numbers([_number(at)], f"q{at}")
        meant = [at for at, attack in enumerate(attacks) if attack.variables is not None]
        await self.put_numbers(["13900000000"])
        self.start_dialer()
        await self.records_of(len(meant) + 1)
        await self.assert_goes_on(len(meant) + 1)
        await self._assert_only(meant, attacks)

    async def _assert_only(self, meant: list[int], attacks: list[Attack]) -> None:
        calls = {line.number: line for line in self.switch_log().originates}
        good = {"13900000000", "13900000001"}
        self.assertEqual(set(calls), good | {_number(at) for at in meant})
        self.assertEqual(len(self.switch_log().originates), len(calls))
        for at, attack in enumerate(attacks):
            left = await self.queue(f"q{at}")
            self.assertEqual(left, [] if at in meant else [_number(at).encode()], attack)
        for at in meant:
            call, attack = calls[_number(at)], attacks[at]
            variables = attack.variables or {}
            self.assert_as_meant(call, _number(at), variables, task=f"h{at}", to=attack.extension)
        self.assertEqual({r.outcome for r in await self.records()}, {Outcome.ANSWERED})

    async def test_variables_of_a_task(self) -> None:
        values = [{"a": fragment} for fragment in (*FRAGMENTS, "x" * 300_000) if fragment != ""]
        names = [{f"a{fragment}": "x"} for fragment in FRAGMENTS]
        attacks = [
            Attack(task(at, each), each if can_be_carried(each) else None)
            for at, each in enumerate([*values, *names])
        ]
        self.assertGreater(sum(attack.variables is None for attack in attacks), 50)
        self.assertGreater(sum(attack.variables is not None for attack in attacks), 50)
        await self.attack(attacks)

    async def test_forged_variables_of_a_task(self) -> None:
        names = ("cti_host", "CTI_HOST", "Cti_Task_Name", "cti_dial_number", "origination_uuid")
        await self.attack([Attack(task(at, {name: "forged"}), {}) for at, name in enumerate(names)])

    async def test_params_of_a_task(self) -> None:
        broken = [(name, value) for name, values in BROKEN_PARAMS.items() for value in values]
        self.assertGreater(len(broken), 100)
        await self.attack(
            [Attack(task(at, **{name: value})) for at, (name, value) in enumerate(broken)]
        )

    async def test_extensions(self) -> None:
        await self.attack(
            [
                Attack(task(at, destination_extension=extension), {}, extension)
                for at, extension in enumerate(ODD_EXTENSIONS)
            ]
        )

    async def test_documents_that_are_no_task(self) -> None:
        deep = b'{"params":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
        await self.attack([Attack(raw) for raw in (*DOCUMENTS, deep, b"{" * 100_000)])

    async def test_queues_that_are_no_lists(self) -> None:
        await self.call("SET", "text", "13800138000")
        await self.call("SADD", "set", "13800138000")
        taken = (TASKS, keys.in_flight(HOST), keys.lease(HOST), keys.records(HOST), "text", "set")
        await self.attack([Attack(task(at, number_queue=key)) for at, key in enumerate(taken)])
        self.assertEqual(await self.call("GET", "text"), b"13800138000")
        self.assertEqual(await self.call("SCARD", "set"), 1)

    async def test_lines(self) -> None:
        """Numbers stay in their list where the only line is broken, whatever is wrong with it."""
        await self.put(LINES, {f"l{at}": line for at, line in enumerate(BROKEN_LINES)})
        attacks = [Attack(task(at, line_group=[f"l{at}"])) for at in range(len(BROKEN_LINES))]
        await self.attack(attacks)

    async def test_line_groups(self) -> None:
        groups: list[object] = [
            *("{", "[]", "null", b"\xff", {"line": 7}, {"line": [[{}]]}, {"line": {"a": "l"}}),
            *({}, {"line": [["l"]], "enable": "maybe"}, {"line": [["l"]], "redialer_count": -1}),
            {"line": [["l"]], "rest": "x"},
            {"line": [["l"]], "redialer_rule": {"hangup_cause": ["NO_SUCH"]}},
            {"line": [["l"]], "no_redialer_rule": {"hangup_sipcode": ["x"]}},
            *({"line": []}, {"line": [[]]}, {"line": [["no such line\n"]]}),
        ]
        await self.put(
            keys.at(keys.LINE_GROUP, HOST), {f"g{at}": group for at, group in enumerate(groups)}
        )
        attacks = [Attack(task(at, line_group=[f"g{at}"])) for at in range(len(groups))]
        await self.attack(attacks)
        self.assertLessEqual(await self.commands_run(), OURS)


def _number(at: int) -> str:
    return f"137{at:08d}"
