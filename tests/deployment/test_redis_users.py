"""``etc/redis/users.acl``: each user can do its work, and nothing else."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.agents import AgentReader
from ctidialer.store.connection import Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Dialing
from ctidialer.store.link import Link
from ctidialer.store.store import Store
from ctidialer.store.tables import Whole
from ctidialer.store.waiting import Waiting
from tests.cli.command_case import Done, command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST
from tests.support.redis import link_to, own_redis, until_reason
from tests.web.web_case import Body

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "redis" / "users.acl"
ADMIN = "user admin on >admin-pw ~* &* +@all\n"
QUEUE = "queue:numbers"
CDR = f"cti_dialer_cdr@{HOST}"
EVENTS = f"cti_dialer_event@{HOST}"
RECORDS = f'[records]\nlist = "{CDR}"\nchannel = "{CDR}"\nevents = "{EVENTS}"\n'
LONG = b"\xff" * 100_000
"""An entry that is too long to be called."""
OPERATIONS: tuple[tuple[str, ...], ...] = (
    ("waiting", "t"),
    ("requeue", "t", "--waiting", "--yes"),
    ("cancel", "t", "--yes"),
    ("requeue", "t", "--outcome", "answered", "--to", "queue:again", "--yes"),
    ("dnc", "add", "dnc:us", "1001", "--reason", "asked"),
    ("dnc", "load", "dnc:cn", "n.txt"),
    ("dnc", "check", "dnc:cn", "13800138000"),
    ("dnc", "remove", "dnc:us", "1001"),
    ("dnc", "remove", "dnc:cn", "13800138000"),
)
REQUESTS: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("GET", "nodes", None),
    ("GET", "tasks", None),
    ("GET", "tasks/t/explain", None),
    ("GET", "tasks/t/waiting", None),
    ("GET", "lines", None),
    ("GET", "records", None),
    ("GET", "check", None),
    ("POST", "tasks/t/pause", None),
    ("POST", "tasks/t/resume", None),
    ("POST", "tasks/t/cancel", {"which": "waiting"}),
    ("POST", "tasks/t/requeue", {"outcomes": ["answered"], "dry_run": True}),
    ("POST", "dnc/dnc:us/add", {"numbers": ["1009"]}),
    ("GET", "dnc/dnc:us/1009", None),
    ("POST", "dnc/dnc:us/remove", {"numbers": ["1009"]}),
    ("POST", "tasks/t/rates", {"limit": 6}),
    ("POST", "lines/l/off", {"all_hosts": True}),
    ("POST", "lines/l/on", {"all_hosts": True}),
    ("POST", "drain", None),
    ("DELETE", "drain", None),
)
SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, HOST)


class UserCase(SwitchTestCase):
    """A real server with the sample; ``self.call`` is its administrator's."""

    async def set_up(self) -> None:
        await super().set_up()
        users = self.directory / "users.acl"
        users.write_text(SAMPLE.read_text("utf-8") + ADMIN)
        server = await own_redis(self, port=0, directives=(f'aclfile "{users}"',))
        self.place = server.url.removeprefix("redis://")
        self.redis = link_to(self, f"redis://admin:admin-pw@{self.place}")
        await self.redis.when_up(60)

    def url_of(self, user: str) -> str:
        name = user.replace("ctidialer", "daemon")
        return f"redis://{user}:CHANGE-ME-{name}@{self.place}"

    async def link_of(self, user: str) -> Link:
        link = link_to(self, self.url_of(user))
        await link.when_up(60)
        return link

    async def command(self, user: str, *words: str) -> Done:
        arguments = (*words, "--redis", self.url_of(user), "--host", HOST)
        return await command_process(self, self.directory, arguments).done

    async def assert_refused(self, link: Link, *command: object) -> None:
        refused: Deferred[Reply] = link.call(*[str(word) for word in command])
        error = await self.error_of(refused, StoreError)
        self.assertIn("NOPERM", str(error), command)


class DaemonTests(UserCase):
    async def test_a_whole_campaign(self) -> None:
        """Queue, schedule, failure and redial, a change, a drain: nothing is refused."""
        self.url = self.url_of("ctidialer")
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.put_line()
        await self.put_group()
        backend = await self.link_of("backend")
        daemon = self.start_daemon(extra=RECORDS)
        task = {
            "params": {
                "enable": True,
                "line_group": ["g"],
                "limit": 5,
                "number_queue": QUEUE,
                "destination_extension": "8888",
            }
        }
        await backend.call("HSET", keys.at(keys.TASK, keys.TEMPLATE), "t", json.dumps(task))
        numbers = [str(1000 + index) for index in range(30)]
        await backend.call("RPUSH", QUEUE, *numbers, "no!", LONG)
        notice = {"type": "config_change", "table": keys.TASK, "key": "t"}
        await backend.call("PUBLISH", "config@all", json.dumps(notice))
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await backend.call("HSET", keys.at(keys.SCHEDULE_CONFIG, HOST), "c", json.dumps(config))
        for index in range(5):
            member = {"params": {"number": str(2000 + index), "config": "c"}}
            await backend.call("ZADD", SCHEDULE, "0", json.dumps(member))
        notice = {"type": "config_change", "table": keys.SCHEDULE_CONFIG}
        await backend.call("PUBLISH", f"config@{HOST}", json.dumps(notice))
        records = await self.records_of(37)
        self.assert_accounted_for(records)
        self.assertEqual(await backend.call("XLEN", keys.records(HOST)), 37)
        self.assertEqual(await backend.call("LLEN", CDR), 37)
        self.assertTrue(await backend.call("XREAD", "COUNT", "1", "STREAMS", EVENTS, "0"))
        await self.assert_refused(backend, "XADD", EVENTS, "*", "event", "x")

        status = await self.command("reporter", "status", "--json")
        self.assertEqual(status.status, 0, status)
        self.assertIn(HOST, status.out)
        shown = await self.command("reporter", "records", "--json")
        self.assertEqual(len(shown.out.splitlines()), 37, shown.err)
        self.assertEqual((await self.command("reporter", "explain", "t")).status, 0)

        (self.directory / "n.txt").write_text("13800138000\n")
        for words in (
            ("check",),
            ("pause", "t"),
            ("load", "t", "n.txt"),
            ("resume", "t"),
            ("set", "t", "limit=4"),
            ("drain", "--wait"),
            ("drain", "--undo"),
        ):
            done = await self.command("operator", *words)
            self.assertEqual(done.status, 0, done)
            self.assertNotIn("NOPERM", done.out + done.err)
        await self.records_of(38)
        await self.assert_operator_works_on_numbers(backend)
        await daemon.stop()
        said = daemon.log_path.read_text("utf-8")
        self.assertNotIn("NOPERM", said)
        self.assertNotIn("permission", said)
        self.assertNotIn("CHANGE-ME", said)
        self.assertEqual(await self.call("EXISTS", keys.lease(HOST), keys.status(HOST)), 0)

    async def assert_operator_works_on_numbers(self, backend: Link) -> None:
        """Numbers that wait, that are queued, and those of the records; lists of others."""
        (self.directory / "o.toml").write_text(RECORDS)
        await self.command("operator", "pause", "t")
        self.assertIn("paused", (await self.command("operator", "explain", "t")).out)
        waiting = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
        await self.call("ZADD", waiting.key, "99999999999", "1001", "99999999999", "1002")
        await backend.call("RPUSH", QUEUE, "1003")
        for words in OPERATIONS:
            done = await self.command("operator", *words, "--config", "o.toml")
            self.assertEqual(done.status, 0, done)
        self.assertEqual(await backend.call("XLEN", keys.records(HOST)), 38 + 2 + 3)
        self.assertEqual(await backend.call("LLEN", CDR), 38 + 2 + 3)
        # All 31 that were answered, but for those three, which were canceled after that.
        self.assertEqual(await self.call("LLEN", "queue:again"), 28)

    async def test_with_the_http_interface(self) -> None:
        self.url = self.url_of("ctidialer_http")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        daemon = self.start_daemon(extra=f'{RECORDS}[http]\nlisten = "127.0.0.1:{port}"\n')
        await self.usual_tables(number_queue=QUEUE, dnc=["dnc:us"])
        await self.call("RPUSH", QUEUE, "1001", "1002")
        await self.call("ZADD", SCHEDULE, "99999999999", "{}")
        waiting = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
        await self.call("ZADD", waiting.key, "99999999999", "1003")
        await self.records_of(2)
        for method, path, given in REQUESTS:
            url = f"http://127.0.0.1:{port}/api/{path}".encode()
            headers = Headers({"X-Requested-With": ["ctidialer"]})
            sent = None if given is None else Body(json.dumps(given).encode())
            response = await Agent(reactor).request(method.encode(), url, headers, sent)
            body = await readBody(response)
            self.assertEqual(response.code, 200, (method, path, body))
            self.assertNotIn(b"NOPERM", body)
        self.assertEqual(await self.call("ZCARD", waiting.key), 0)
        await daemon.stop()
        self.assertNotIn("NOPERM", daemon.log_path.read_text("utf-8"))

    async def test_a_user_made_for_the_version_before_dials_all_but_long_entries(self) -> None:
        old = SAMPLE.read_text("utf-8").splitlines()[1].partition(" resetkeys ")[2]
        rules = old.replace(f"~{keys.in_flight(HOST)}:* ", "").partition(" (")[0].split()
        lacking = {"+multi", "+exec", "+get", "+getrange", f"~{CDR}"}
        rules = [rule for rule in rules if rule not in lacking]
        await self.call("ACL", "SETUSER", "ctidialer", "resetkeys", "clearselectors", *rules)
        self.url = self.url_of("ctidialer")
        daemon = self.start_daemon()
        await self.usual_tables(number_queue=QUEUE)
        await self.call("RPUSH", QUEUE, "1001", "1002", LONG)
        await self.records_of(2)
        self.assertEqual(await self.call("LLEN", QUEUE), 1)
        await daemon.stop()
        said = daemon.log_path.read_text("utf-8")
        self.assertIn(f"~{keys.in_flight(HOST)}:*", said)
        self.assertIn("Some numbers cannot be taken", said)
        self.assertNotIn("Nothing is dialed", said)

    async def test_the_user_that_the_page_names_adopts_hosts(self) -> None:
        rules = SAMPLE.read_text("utf-8").splitlines()[1].partition(" resetkeys ")[2]
        for kind in ("record", "inflight", "lease"):
            rules = rules.replace(f"~cti_dialer_{kind}@{HOST}", f"~cti_dialer_{kind}@*")
        more = ("+scan", "+hlen")
        rights = rules.partition(" (")[0].split()
        selector = f"({rules.partition(' (')[2]}"
        await self.call(
            "ACL", "SETUSER", "ctidialer", "resetkeys", "clearselectors", *rights, *more, selector
        )
        self.assertEqual(await self.lacking("ctidialer", "--adopt"), "")
        gone = Store(self.redis, "fs2", "gone", 1000)
        await gone.acquire_lease()
        await self.call("RPUSH", QUEUE, "1001", "1002")
        called, _ = await gone.claim(QUEUE, Side.LEFT, 2, task="t")
        await gone.note_dialing(called.id, Dialing("u1", "l", "g", 1))
        await self.call("DEL", keys.lease("fs2"))
        done = await self.command("ctidialer", "adopt", "fs2", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual((done.json()["given_back"], done.json()["ended"]), (1, {"unknown": 1}))

    async def lacking(self, user: str, *options: str) -> str:
        """Return what `check --security` says of the rights that a user lacks; empty = nothing."""
        words = ("check", "--security", "--json", *options)
        found = (await self.command(user, *words)).json()
        lacking = [one for one in found if "has no right" in one["problem"]]
        return "; ".join(f"{one['severity']}: {one['problem']}" for one in lacking)

    async def test_what_is_missing_to_adopt_hosts_is_said_before(self) -> None:
        self.assertEqual(await self.lacking("ctidialer"), "")
        said = await self.lacking("ctidialer", "--adopt")
        rules = said.partition("ACL SETUSER")[2].split()
        for key in ("lease", "inflight", "record"):
            self.assertIn(f"~cti_dialer_{key}@*", rules)
        self.assertIn("+scan", rules)
        done = await self.command("ctidialer", "check", "--adopt")
        self.assertEqual(done.status, 2)

    async def test_notices_of_a_free_place(self) -> None:
        await self.put_line(scope="domain")
        self.assertEqual(await self.lacking("ctidialer"), "")
        daemon = await self.link_of("ctidialer")
        await daemon.call("PUBLISH", "config@fs2", "x")
        await self.call("ACL", "SETUSER", "ctidialer", "clearselectors")
        said = await self.lacking("ctidialer")
        self.assertIn("PUBLISH on 'config@*' (notices of a free place)", said)
        self.assertTrue(said.startswith("warning: "), said)

    async def test_it_may_do_no_more(self) -> None:
        daemon = await self.link_of("ctidialer")
        for command in (
            ("HSET", keys.at(keys.LINE, HOST), "l", "{}"),
            ("HSET", keys.at(keys.TASK, HOST), "t", "{}"),
            ("HSET", keys.control(HOST), "drain", "1"),
            ("SET", keys.status("fs2"), "{}"),
            ("SET", "anything", "1"),
            ("PUBLISH", "anything", "x"),
            ("FLUSHALL",),
            ("KEYS", "*"),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
        ):
            await self.assert_refused(daemon, *command)


class OtherTests(UserCase):
    async def test_nobody_comes_in_without_a_name(self) -> None:
        link = link_to(self, f"redis://{self.place}")
        await until_reason(link, "password")
        self.assertFalse(link.is_up)

    async def test_the_back_end(self) -> None:
        backend = await self.link_of("backend")
        self.assertEqual(await backend.call("RPUSH", QUEUE, "1001"), 1)
        self.assertEqual(await backend.call("XLEN", keys.records(HOST)), 0)
        await backend.call(
            "HSET", keys.at(keys.AGENT, HOST), "7", '{"group": "g", "state": "idle"}'
        )
        await backend.call("HSET", keys.at(keys.AGENT_COUNT, HOST), "g", '{"free": 1}')
        await backend.call("SET", keys.at(keys.AGENT_HEART, HOST), "1", "EX", "10")
        for command in (
            ("HSET", keys.at(keys.LINE, HOST), "l", "{}"),
            ("HSET", keys.control(HOST), "drain", "1"),
            ("HSET", keys.lease(HOST), "token", "x"),
            ("DEL", keys.lease(HOST)),
            ("DEL", keys.records(HOST)),
            ("SET", keys.status(HOST), "{}"),
            ("HGETALL", keys.in_flight(HOST)),
            ("PUBLISH", "elsewhere", "x"),
            ("EVAL", "return 1", "0"),
            ("FLUSHDB",),
        ):
            await self.assert_refused(backend, *command)

    async def test_the_reporter_changes_nothing(self) -> None:
        reporter = await self.link_of("reporter")
        for command in (
            ("RPUSH", QUEUE, "1001"),
            ("LRANGE", QUEUE, 0, -1),
            ("HSET", keys.at(keys.TASK, HOST), "t", "{}"),
            ("DEL", keys.status(HOST)),
            ("PUBLISH", "config@all", "x"),
        ):
            await self.assert_refused(reporter, *command)
        self.assertEqual((await self.command("reporter", "pause", "t")).status, 1)

    async def test_the_operator_stays_out_of_what_the_daemon_writes(self) -> None:
        operator = await self.link_of("operator")
        await operator.call("HSET", keys.at(keys.LINE, HOST), "l", "{}")
        for command in (
            ("HSET", keys.in_flight(HOST), "x", "y"),
            ("HDEL", keys.lease(HOST), "token"),
            ("FLUSHALL",),
        ):
            await self.assert_refused(operator, *command)

    async def security(self, user: str, more: str = RECORDS) -> Done:
        settings = self.directory / "s.toml"
        settings.touch(mode=0o600)
        settings.write_text(
            f'[node]\nhost = "{HOST}"\n[redis]\nurl = "{self.url_of(user)}"\n'
            f'[freeswitch]\npassword = "mine"\n{more}'
        )
        return await command_process(
            self, self.directory, ("check", "--security", "--config", str(settings))
        ).done

    async def test_the_daemon_reads_the_agents(self) -> None:
        reader = AgentReader(await self.link_of("ctidialer"), HOST)
        self.assertEqual(await reader.heart(), 0)
        found = await reader.whole()
        self.assertEqual([type(one) for one in found.values()], [Whole, Whole])
        self.assertEqual(await reader.fields(keys.AGENT, ["7"]), [("7", None)])

    async def test_check_finds_nothing_unsafe(self) -> None:
        await self.put_task(number_queue=QUEUE, agent_group="g")
        http = RECORDS + '[http]\nlisten = "127.0.0.1:8090"\n'
        for user, more in (("ctidialer", RECORDS), ("ctidialer_http", http)):
            done = await self.security(user, more)
            self.assertEqual((done.status, done.out), (0, "0 faults, 0 warnings, 0 notices\n"))

    async def test_check_says_what_is_lacking_and_how_to_grant_it(self) -> None:
        await self.put_task(number_queue=QUEUE)
        await self.put_task("other", number_queue="elsewhere", agent_group="g")
        await self.call("ACL", "SETUSER", "ctidialer", "-ltrim", "clearselectors")
        done = await self.security("ctidialer")
        self.assertEqual(done.status, 1)
        self.assertIn(f"LTRIM on '{QUEUE}' (queue)", done.out)
        self.assertIn(f"PUBLISH on '{CDR}' (records.channel)", done.out)
        rules = done.out.partition("ACL SETUSER ctidialer ")[2].split("\n")[0].split()
        self.assertEqual(set(rules), {"+ltrim", "+publish", f"&{CDR}", "~elsewhere"})
        await self.call("ACL", "SETUSER", "ctidialer", *rules)
        self.assertEqual((await self.security("ctidialer")).status, 0)
        await self.call("ACL", "SETUSER", "ctidialer", "-evalsha")
        self.assertIn(
            "ACL SETUSER ctidialer +eval +evalsha", (await self.security("ctidialer")).out
        )
