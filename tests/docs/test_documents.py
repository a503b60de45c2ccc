"""What the documentation shows is what the code reads."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys, known_keys
from ctidialer.contract.agents import decode_agent, decode_agent_count
from ctidialer.contract.line_document import decode_line, decode_line_group
from ctidialer.contract.notice import decode_notice
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task_document import decode_task
from ctidialer.esl import errors
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.rules.soundness import examined_gateway
from ctidialer.settings import Settings, read_settings
from ctidialer.switchsim.behaviour import read_script
from ctidialer.switchsim.callcenter.plan import read_plan

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CONTRACT = DOCS / "redis-contract.rst"
CONTRACT_IN_CHINESE = DOCS / "zh" / "redis-contract.rst"
NUMBER = re.compile(Settings().node.number_pattern)

# What a document in one of the hashes is read with; a host's task is read over the template's.
READERS: dict[str, Callable[[str, bytes], object]] = {
    keys.LINE: decode_line,
    keys.LINE_GROUP: decode_line_group,
    keys.GATEWAY: lambda name, raw: examined_gateway(name, raw).sound(),
    keys.SCHEDULE_CONFIG: decode_schedule_config,
    keys.AGENT: decode_agent,
    keys.AGENT_COUNT: decode_agent_count,
}


def literal_blocks(path: Path) -> Iterator[str]:
    """Yield the indented blocks of a text, without what indents them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    block: list[str] = []
    for line in [*lines, "end"]:
        if line.startswith("    ") or not line:
            block.append(line[4:])
        elif block:
            yield "\n".join(block).strip("\n")
            block = []


def redis_commands(path: Path) -> list[list[str]]:
    """Return the words of every ``redis-cli`` command that a text shows."""
    parts = [
        part
        for block in literal_blocks(path)
        for part in re.split(r"(?m)^\s*(?=redis-cli )", block.replace("\\\n", ""))
    ]
    return [shlex.split(part)[1:] for part in parts if part.startswith("redis-cli ")]


def examples_of_keys(path: Path) -> list[dict[str, object]]:
    """Return the keys of each table on the first page of the contract, with their examples."""
    tables = path.read_text(encoding="utf-8").split(".. list-table::")
    found = []
    for table in tables:
        rows = re.findall(r"   \* - (``.*)\n     - .*\n     - ``(.*)``\n", table)
        if re.match(r".*``params``|.*``cti_line_group@", table.partition("\n")[0]):
            names = {re.findall(r"\w+", keys)[-1]: json.loads(example) for keys, example in rows}
            found.append(names)
    return found


def settings_keys() -> list[str]:
    """Return every key of the settings, with its section."""
    return [
        f"{section.name}.{key.name}"
        for section in msgspec.structs.fields(Settings)
        for key in msgspec.structs.fields(section.type)
    ]


class ContractExampleTests(SynchronousTestCase):
    """The commands of the pages on the contract, and of the README and the quick start."""

    def commands(self, verb: str) -> list[list[str]]:
        pages = (CONTRACT, ROOT / "README.rst", DOCS / "quickstart.rst")
        found = [words[1:] for page in pages for words in redis_commands(page) if words[0] == verb]
        self.assertNotEqual(found, [], f"no page shows {verb}")
        return found

    def test_both_languages_show_the_same_commands(self) -> None:
        commands = redis_commands(CONTRACT)
        self.assertGreater(len(commands), 12)
        self.assertEqual(redis_commands(CONTRACT_IN_CHINESE), commands)

    def test_both_languages_name_the_same_things(self) -> None:
        english, chinese = (
            set(re.findall(r"``([^`]+)``", page.read_text(encoding="utf-8")))
            for page in (CONTRACT, CONTRACT_IN_CHINESE)
        )
        self.assertEqual(english ^ chinese, set())

    def test_the_first_page_shows_every_key_with_an_example_that_is_valid(self) -> None:
        for page in (CONTRACT, CONTRACT_IN_CHINESE):
            *found_there, agent, counts = examples_of_keys(page)
            task, line, gateway, group, config, number, scheduled = found_there
            for found, known in (
                (task, known_keys.TASK.names - {"work_hour"}),
                (line, known_keys.LINE.names - {"areacode"}),
                (gateway, known_keys.GATEWAY.names),
                (group, known_keys.GROUP.names),
                (config, known_keys.CONFIG.names),
                (number, known_keys.NUMBER.names),
                (scheduled, known_keys.SCHEDULED.names),
                (agent, known_keys.AGENT.names),
                (counts, known_keys.AGENT_COUNT.names),
            ):
                self.assertEqual(found.keys(), known, page)
            # Agents are a queue or a group, never both.
            for name in ("agent_group", "service_line_group"):
                del task[name]
            documents = [json.dumps({"params": found}).encode() for found in (task, line, group)]
            self.assertTrue(
                decode_task("t", template=documents[0], host=None, host_name="fs1").hours.windows
            )
            self.assertEqual(decode_line("l", documents[1]).cps, 0.5)
            self.assertEqual(len(decode_line_group("g", documents[2]).tiers), 2)
            examined_gateway("g", json.dumps({"params": gateway}).encode()).sound()
            decode_schedule_config("c", json.dumps({"params": config}).encode())
            decode_number(json.dumps({"params": number}).encode(), NUMBER)
            decode_scheduled_number(json.dumps({"params": scheduled}).encode(), NUMBER)
            self.assertTrue(decode_agent("7", json.dumps({"params": agent}).encode()).since)
            decode_agent_count("g", json.dumps({"params": counts}).encode())

    def test_tasks_are_valid(self) -> None:
        templates: dict[str, bytes] = {}
        for key, name, text in self.commands("HSET"):
            table, _, suffix = key.partition("@")
            if table != keys.TASK:
                continue
            if suffix == keys.TEMPLATE:
                templates[name] = text.encode()
            host = None if suffix == keys.TEMPLATE else text.encode()
            task = decode_task(name, template=templates[name], host=host, host_name=suffix)
            self.assertTrue(task.line_groups)
        self.assertEqual(set(templates), {"survey", "welcome"})

    def test_the_other_tables_are_valid(self) -> None:
        seen = set()
        for key, name, text in self.commands("HSET"):
            table = key.partition("@")[0]
            if table != keys.TASK:
                READERS[table](name, text.encode())
                seen.add(table)
        self.assertEqual(seen, set(READERS))

    def test_numbers_are_valid(self) -> None:
        entries = [entry for words in self.commands("RPUSH") for entry in words[1:]]
        found = [decode_number(entry.encode(), NUMBER) for entry in entries]
        self.assertIn({"customer": "42"}, [number.variables for number in found])

    def test_scheduled_numbers_are_valid(self) -> None:
        for _, score, member in self.commands("ZADD"):
            number = decode_scheduled_number(member.encode(), NUMBER)
            self.assertGreater(number.expires or 0, float(score))

    def test_notices_are_heeded(self) -> None:
        for channel, message in self.commands("PUBLISH"):
            self.assertTrue(channel.startswith(keys.CHANGE_CHANNEL + "@"))
            self.assertIsNotNone(decode_notice(message.encode()))

    def test_records_are_read_where_they_are_written(self) -> None:
        stream = keys.records("fs1")
        for page in (CONTRACT, CONTRACT_IN_CHINESE):
            self.assertIn(f"STREAMS {stream} ", page.read_text(encoding="utf-8"))


class SettingsTests(SynchronousTestCase):
    """The sample file and the page on the settings."""

    def test_the_sample_says_the_defaults(self) -> None:
        path = ROOT / "etc" / "ctidialer.toml"
        self.assertEqual(read_settings(path, {}), read_settings(None, {}))

    def test_the_sample_names_every_key(self) -> None:
        text = (ROOT / "etc" / "ctidialer.toml").read_text(encoding="utf-8")
        section, named = "", set()
        for line in text.splitlines():
            if found := re.match(r"\[(\w+)\]", line):
                section = found[1]
            elif found := re.match(r"(?:# )?(\w+) = ", line):
                named.add(f"{section}.{found[1]}")
        self.assertEqual(named, set(settings_keys()))

    def test_what_watches_the_daemon_waits_for_its_drain(self) -> None:
        drain = Settings().node.drain_timeout
        systemd = (ROOT / "etc" / "systemd" / "ctidialer.service").read_text(encoding="utf-8")
        supervisord = (ROOT / "etc" / "supervisord" / "ctidialer.conf").read_text(encoding="utf-8")
        for pattern, text in (
            (r"(?m)^TimeoutStopSec=(\d+)$", systemd),
            (r"(?m)^stopwaitsecs=(\d+)$", supervisord),
        ):
            found = re.search(pattern, text)
            self.assertIsNotNone(found, pattern)
            self.assertGreater(float(found[1] if found else 0), drain)


class PartsTests(SynchronousTestCase):
    """The pages on the Event Socket client and on the simulated switch."""

    def test_every_method_shown_exists(self) -> None:
        text = (DOCS / "event-socket.rst").read_text(encoding="utf-8")
        rows = re.findall(r"(?m)^   \* - (``[a-z_]+\(.*)$", text)
        names = {name for row in rows for name in re.findall(r"``([a-z_]+)\(", row)}
        self.assertGreater(len(names), 15)
        self.assertEqual({n for n in names if not hasattr(EventSocketProtocol, n)}, set())

    def test_every_error_shown_exists(self) -> None:
        text = (DOCS / "event-socket.rst").read_text(encoding="utf-8")
        names = re.findall(r"(?m)^``([A-Z]\w+)`` ", text)
        self.assertGreater(len(names), 5)
        for name in names:
            self.assertTrue(issubclass(getattr(errors, name), errors.EslError), name)

    def test_the_script_and_the_plan_of_agents_shown_can_be_read(self) -> None:
        blocks = literal_blocks(DOCS / "simulated-switch.rst")
        shown = [json.loads(block) for block in blocks if block.lstrip().startswith("{\n")]
        script, plan = shown
        self.assertEqual(read_script(script).seed, 7)
        self.assertEqual(len(read_plan(plan).agents), 2)
