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
from ctidialer.store.connection import Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from tests.cli.command_case import Done, command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST
from tests.support.redis import link_to, own_redis, until_reason

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "redis" / "users.acl"
ADMIN = "user admin on >admin-pw ~* &* +@all\n"
QUEUE = "queue:numbers"
CDR = f"cti_dialer_cdr@{HOST}"
EVENTS = f"cti_dialer_event@{HOST}"
RECORDS = f'[records]\nlist = "{CDR}"\nchannel = "{CDR}"\nevents = "{EVENTS}"\n'
LONG = b"\xff" * 100_000
"""An entry that is too long to be called."""
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
            ("drain", "--wait"),
            ("drain", "--undo"),
        ):
            done = await self.command("operator", *words)
            self.assertEqual(done.status, 0, done)
            self.assertNotIn("NOPERM", done.out + done.err)
        await self.records_of(38)
        await daemon.stop()
        said = daemon.log_path.read_text("utf-8")
        self.assertNotIn("NOPERM", said)
        self.assertNotIn("permission", said)
        self.assertNotIn("CHANGE-ME", said)
        self.assertEqual(await self.call("EXISTS", keys.lease(HOST), keys.status(HOST)), 0)

    async def test_with_the_http_interface(self) -> None:
        self.url = self.url_of("ctidialer_http")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        daemon = self.start_daemon(extra=f'{RECORDS}[http]\nlisten = "127.0.0.1:{port}"\n')
        await self.usual_tables(number_queue=QUEUE)
        await self.call("RPUSH", QUEUE, "1001", "1002")
        await self.call("ZADD", SCHEDULE, "99999999999", "{}")
        await self.records_of(2)
        for method, path in (
            ("GET", "nodes"),
            ("GET", "tasks"),
            ("GET", "tasks/t/explain"),
            ("GET", "lines"),
            ("GET", "records"),
            ("GET", "check"),
            ("POST", "tasks/t/pause"),
            ("POST", "tasks/t/resume"),
            ("POST", "drain"),
            ("DELETE", "drain"),
        ):
            url = f"http://127.0.0.1:{port}/api/{path}".encode()
            headers = Headers({"X-Requested-With": ["ctidialer"]})
            response = await Agent(reactor).request(method.encode(), url, headers)
            body = await readBody(response)
            self.assertEqual(response.code, 200, (method, path, body))
            self.assertNotIn(b"NOPERM", body)
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

    async def test_it_may_do_no_more(self) -> None:
        daemon = await self.link_of("ctidialer")
        for command in (
            ("HSET", keys.at(keys.LINE, HOST), "l", "{}"),
            ("HSET", keys.at(keys.TASK, HOST), "t", "{}"),
            ("HSET", keys.control(HOST), "drain", "1"),
            ("SET", keys.status("fs2"), "{}"),
            ("SET", "anything", "1"),
            ("PUBLISH", "config@all", "x"),
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
            ("XADD", keys.records(HOST), "*", "record", "{}"),
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

    async def test_check_finds_nothing_unsafe(self) -> None:
        await self.put_task(number_queue=QUEUE)
        http = RECORDS + '[http]\nlisten = "127.0.0.1:8090"\n'
        for user, more in (("ctidialer", RECORDS), ("ctidialer_http", http)):
            done = await self.security(user, more)
            self.assertEqual((done.status, done.out), (0, "0 faults, 0 warnings, 0 notices\n"))

    async def test_check_says_what_is_lacking_and_how_to_grant_it(self) -> None:
        await self.put_task(number_queue=QUEUE)
        await self.put_task("other", number_queue="elsewhere")
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
