"""The integration examples, run as they stand: they push numbers and read what became of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest

from ctidialer.contract.agents import decode_agent
from ctidialer.contract.record import Outcome
from tests.docs.blocks import ROOT
from tests.docs.docs_case import DocsCase
from tests.support.node import HOST

EXAMPLES = ROOT / "examples"
NUMBERS = ("13800138000", "13800138001", "13800138002")
SCRIPT: dict[str, Any] = {
    "default": {"result": "answer", "talk": 0.02},
    "numbers": {NUMBERS[1]: {"result": "busy"}},
}
TALK: dict[str, Any] = {"result": "answer", "talk": 0.3, "bridge": 0.1, "progress": "ringing"}
POP_SCRIPT: dict[str, Any] = {"default": {**TALK, "variables": {"cc_agent": "1001@default"}}}
# Where Debian's packages put what is no part of the languages themselves.
GO_SOURCES = Path("/usr/share/gocode")
REDIGO = GO_SOURCES / "src" / "github.com" / "gomodule" / "redigo"
GSON = Path("/usr/share/java/gson.jar")


def needed(*programs: str) -> None:
    """Skip the test where one of these programs is missing."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise SkipTest(f"not installed here: {', '.join(missing)}")


def gson() -> Path:
    """Return the library; ``$CTIDIALER_TEST_GSON`` names one elsewhere."""
    jar = Path(os.environ.get("CTIDIALER_TEST_GSON") or GSON)
    if not jar.is_file():
        raise SkipTest(f"Gson is not installed: no {jar} (Debian: libgoogle-gson-java)")
    return jar


def phpredis() -> None:
    """Skip the test where PHP has not got it."""
    needed("php")
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False)
    if "redis" not in listed.stdout.split():
        raise SkipTest("PHP has no extension redis here (Debian: php-redis)")


def go_environment() -> dict[str, str]:
    """Return what builds against the client library that Debian has; skip where it is missing."""
    needed("go")
    if not REDIGO.is_dir():
        package = "golang-github-gomodule-redigo-dev"
        raise SkipTest(f"redigo is not installed: no {REDIGO} (Debian: {package})")
    cache = os.environ.get("GOCACHE") or str(Path.home() / ".cache" / "go-build")
    return {"GO111MODULE": "off", "GOPATH": str(GO_SOURCES), "GOCACHE": cache}


class ExampleTests(DocsCase):
    script = SCRIPT

    def where(self, **more: str) -> dict[str, str]:
        """Return what tells an example where Redis is."""
        return {"REDIS_URL": self.url, "CTIDIALER_HOST": HOST, "CRM_PATIENCE": "90", **more}

    async def campaign(self, command: str) -> None:
        """Run an example twice: it takes up where it stopped."""
        self.start_daemon(extra='[records]\nlist = "crm_example_cdr"')
        for _ in range(2):
            said = await self.type(f"{command} {' '.join(NUMBERS)}", self.where())
            self.assertEqual(
                sorted(line.rpartition(" ")[0].rpartition(" ")[0] for line in said.splitlines()),
                [
                    "customer-1 13800138000 answered NORMAL_CLEARING",
                    "customer-2 13800138001 busy USER_BUSY",
                    "customer-3 13800138002 answered NORMAL_CLEARING",
                ],
                said,
            )
        records = await self.records_of(6)
        self.assertEqual([one.outcome for one in records].count(Outcome.BUSY), 2)
        self.assertEqual(
            {record.requested_uuid for record in records},
            {record.attempts[0].uuid for record in records},
        )
        customers = {call.variables["crm_customer"] for call in self.switch_log().originates}
        self.assertEqual(customers, {"customer-1", "customer-2", "customer-3"})

    async def trouble(self, command: str) -> None:
        """An example without numbers, without a daemon, without what it needs, without Redis."""
        self.assertIn("usage: ", await self.type(command, self.where(), status=2))
        hasty = self.where(CRM_PATIENCE="0.2")
        said = await self.type(f"{command} 13800138000", hasty, status=1)
        self.assertEqual(said, "customer-1 has no record yet; ask: ctidialer explain crm_example\n")
        await self.call("DEL", "crm_example_numbers")
        await self.call("SET", "crm_example_numbers", "no list")
        said = await self.type(f"{command} 13800138000", self.where(), status=1)
        self.assertIn("WRONGTYPE", said)
        nobody = self.where(REDIS_URL="redis://127.0.0.1:1/0")
        said = await self.type(f"{command} 13800138000", nobody, status=1)
        self.assertIn("Redis: ", said)
        for word in ("Traceback", "Exception in", "panic", "Fatal error", "Warning"):
            self.assertNotIn(word, said)


class PopCase(DocsCase):
    """The screen pops: a call to an agent is shown, and taken off the screen."""

    script = POP_SCRIPT

    async def pop(self, command: str) -> None:
        """Let an example look at a call that was up before it came back."""
        where = {"REDIS_URL": self.url, "CTIDIALER_EVENTS": "events", "POP_PATIENCE": "1.5"}
        await self.call("XADD", "events", "1-1", "event", '{"event": "older than we are"}')
        self.assertEqual(await self.type(command, where), "")
        await self.call("SET", "pop_example_last_read", "1-1")
        await self.put_line()
        await self.put_group()
        await self.put_task(record_variables=["crm_customer"])
        self.start_daemon(extra='[records]\nevents = "events"')
        number = {"params": {"number": NUMBERS[0]}, "variables": {"crm_customer": "Müller"}}
        await self.put_numbers([json.dumps(number)])
        await self.records_of(1)

        async def told() -> int:
            return await self.back_end.length("XLEN", "events")

        await self.until_count("events", 5, told)
        shown = f"pop 1001@default {NUMBERS[0]} Müller\nclose {NUMBERS[0]} answered\n"
        self.assertEqual(await self.type(f"{command} 1001@default", where), shown)
        self.assertEqual(await self.type(command, where), "")  # it knows where it stopped
        await self.call("DEL", "pop_example_last_read", "events")
        await self.call("SET", "events", "no stream")
        self.assertIn("WRONGTYPE", await self.type(command, where, status=1))
        nobody = {**where, "REDIS_URL": "redis://127.0.0.1:1/0"}
        said = await self.type(command, nobody)
        self.assertIn("Redis is away, trying again", said)
        for word in ("Traceback", "Exception in", "panic", "Fatal error", "Warning"):
            self.assertNotIn(word, said)


class AgentsCase(DocsCase):
    """The back end's agents: numbers are called for those of whom an example tells."""

    script = SCRIPT

    async def agents(self, command: str) -> None:
        """Have an example read of agents who come, talk and go; then give it trouble."""
        where = {"REDIS_URL": self.url, "CTIDIALER_DOMAIN": HOST}
        self.assertIn("usage: ", await self.type(command, where, status=2))
        await self.usual_tables(agent_group="sales")
        self.start_daemon()
        await self.put_numbers(NUMBERS)
        path = self.directory / "states"
        os.mkfifo(path)
        states = os.open(path, os.O_RDWR)
        example = self.start_shell(f"exec {command} sales < states", where)
        os.write(states, "2001 talk\n2002 idle\nnonsense\n坐席 rest\n".encode())
        await self.records_of(len(NUMBERS))
        await self.until_told({"2001": "talk", "2002": "idle", "坐席": "rest"})
        ends_in = await self.call("TTL", f"cti_agent_heart@{HOST}")
        self.assertIn(ends_in, range(11))
        os.write(states, b"2002 out\n")
        await self.until_told({"2001": "talk", "2002": "out", "坐席": "rest"})
        os.close(states)
        status, said = await self.ended(example)
        self.assertEqual((status, said), (0, "not an agent and a state: 'nonsense'\n"))
        self.assertEqual(await self.told(), {})
        await self.call("SET", f"cti_agent@{HOST}", "no hash")
        line = f"echo 2001 idle | {command} sales"
        self.assertIn("WRONGTYPE", await self.type(line, where, status=1))
        nobody = {**where, "REDIS_URL": "redis://127.0.0.1:1/0"}
        away = self.start_shell(f"echo 2001 idle | {command} sales", nobody)
        assert away.stdout is not None
        said = await deferToThread(away.stdout.readline)
        self.assertIn("Redis is away, trying again", said)

    async def told(self) -> dict[str, str]:
        """Return what each agent does, by the table; check how it is written."""
        found = {}
        fields: Any = await self.call("HGETALL", f"cti_agent@{HOST}")
        for name, document in zip(fields[::2], fields[1::2], strict=True):
            agent = decode_agent(name.decode(), document)
            self.assertEqual(agent.groups, ("sales",))
            assert agent.since is not None
            self.assertLess(abs(agent.since - reactor.seconds()), 60)
            found[name.decode()] = agent.state.value
        return found

    async def until_told(self, wanted: dict[str, str]) -> None:
        async def is_told() -> bool:
            return await self.told() == wanted

        await self.until(f"the table has {wanted}", is_told)


class PythonAgentsTests(AgentsCase):
    async def test_agents_come_and_go(self) -> None:
        await self.agents(f"python {EXAMPLES / 'python' / 'agents.py'}")


class JavaAgentsTests(AgentsCase):
    async def test_agents_come_and_go(self) -> None:
        needed("java", "javac")
        jar = gson()
        files = f"{EXAMPLES / 'java' / 'Crm.java'} {EXAMPLES / 'java' / 'Agents.java'}"
        await self.type(f"javac -cp {jar} -d classes {files}")
        await self.agents(f"java -cp {jar}:classes Agents")


class GoAgentsTests(AgentsCase):
    async def test_agents_come_and_go(self) -> None:
        where = go_environment()
        await self.type(f"go build -o tell {EXAMPLES / 'go' / 'agents' / 'agents.go'}", where)
        await self.agents("./tell")


class PhpAgentsTests(AgentsCase):
    async def test_agents_come_and_go(self) -> None:
        phpredis()
        await self.agents(f"php {EXAMPLES / 'php' / 'agents.php'}")


class PythonPopTests(PopCase):
    async def test_a_call_to_an_agent(self) -> None:
        await self.pop(f"python {EXAMPLES / 'python' / 'pop.py'}")


class JavaPopTests(PopCase):
    async def test_a_call_to_an_agent(self) -> None:
        needed("java", "javac")
        jar = gson()
        files = f"{EXAMPLES / 'java' / 'Crm.java'} {EXAMPLES / 'java' / 'Pop.java'}"
        await self.type(f"javac -cp {jar} -d classes {files}")
        await self.pop(f"java -cp {jar}:classes Pop")


class GoPopTests(PopCase):
    async def test_a_call_to_an_agent(self) -> None:
        where = go_environment()
        await self.type(f"go build -o screen {EXAMPLES / 'go' / 'pop' / 'pop.go'}", where)
        await self.pop("./screen")


class PhpPopTests(PopCase):
    async def test_a_call_to_an_agent(self) -> None:
        phpredis()
        await self.pop(f"php {EXAMPLES / 'php' / 'pop.php'}")


class PythonTests(ExampleTests):
    command = f"python {EXAMPLES / 'python' / 'crm.py'}"

    async def test_a_campaign(self) -> None:
        await self.campaign(self.command)

    async def test_trouble(self) -> None:
        await self.trouble(self.command)


class JavaTests(ExampleTests):
    async def set_up(self) -> None:
        """Compile it, once for each test: a run then starts as quickly as any."""
        needed("java", "javac")
        jar = gson()
        await super().set_up()
        await self.type(f"javac -cp {jar} -d classes {EXAMPLES / 'java' / 'Crm.java'}")
        self.command = f"java -cp {jar}:classes Crm"

    async def test_a_campaign(self) -> None:
        await self.campaign(self.command)

    async def test_trouble(self) -> None:
        await self.trouble(self.command)


class GoTests(ExampleTests):
    async def set_up(self) -> None:
        """Build it against the client library that Debian has."""
        where = go_environment()
        await super().set_up()
        await self.type(f"go build -o crm {EXAMPLES / 'go' / 'crm.go'}", where)

    async def test_a_campaign(self) -> None:
        await self.campaign("./crm")

    async def test_trouble(self) -> None:
        await self.trouble("./crm")


class PhpTests(ExampleTests):
    command = f"php {EXAMPLES / 'php' / 'crm.php'}"

    async def set_up(self) -> None:
        """Look whether the extension is there."""
        phpredis()
        await super().set_up()

    async def test_a_campaign(self) -> None:
        await self.campaign(self.command)

    async def test_trouble(self) -> None:
        await self.trouble(self.command)
