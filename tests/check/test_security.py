"""What is unsafe in the settings and in Redis: the rules."""

from __future__ import annotations

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.security import (
    RedisFacts,
    SecretFile,
    SettingsFacts,
    all_findings,
    redis_findings,
    settings_findings,
)
from ctidialer.settings import FreeSwitch, Http, Redis, Settings, is_loopback
from ctidialer.store.address import parse_address

TOKEN = "0123456789abcdef"
SAFE = Settings(
    freeswitch=FreeSwitch(password="a long one"), redis=Redis(url="unix://:pw@/run/redis.sock")
)
FAULT, WARNING, NOTICE = Severity.FAULT, Severity.WARNING, Severity.NOTICE


def brief(findings: object) -> list[tuple[Severity, str]]:
    assert hasattr(findings, "__iter__")
    return [(one.severity, one.path or one.key) for one in findings if isinstance(one, Finding)]


class SettingsTests(SynchronousTestCase):
    def found(
        self, settings: Settings = SAFE, facts: SettingsFacts | None = None
    ) -> list[tuple[Severity, str]]:
        return brief(settings_findings(settings, facts or SettingsFacts()))

    def socket(self, address: str, password: str) -> list[tuple[Severity, str]]:
        return self.found(replace(SAFE, freeswitch=FreeSwitch(address=address, password=password)))

    def http(self, listen: str, token: str) -> list[tuple[Severity, str]]:
        return self.found(replace(SAFE, http=Http(listen=listen, token=token)))

    def test_nothing_to_say(self) -> None:
        self.assertEqual(all_findings(SAFE, SettingsFacts(), RedisFacts(open=False)), ())

    def test_the_event_socket(self) -> None:
        password, address = "$.freeswitch.password", "$.freeswitch.address"
        self.assertEqual(self.socket("127.0.0.1:8021", "ClueCon"), [(WARNING, password)])
        self.assertEqual(
            self.socket("10.0.0.5:8021", "ClueCon"), [(FAULT, password), (WARNING, address)]
        )
        self.assertEqual(self.socket("[::1]:8021", "mine"), [])
        self.assertEqual(self.socket("pbx.example:8021", "mine"), [(WARNING, address)])

    def test_http(self) -> None:
        token, listen = "$.http.token", "$.http.listen"
        self.assertEqual(self.http("127.0.0.1:80", ""), [])
        self.assertEqual(self.http("127.0.0.1:80", TOKEN), [])
        self.assertEqual(self.http("127.0.0.1:80", TOKEN[1:]), [(WARNING, token)])
        self.assertEqual(self.http("0.0.0.0:80", ""), [(FAULT, token), (WARNING, listen)])
        self.assertEqual(self.http("0.0.0.0:80", "short"), [(FAULT, token), (WARNING, listen)])
        self.assertEqual(self.http("[::]:80", TOKEN), [(WARNING, listen)])

    def test_files_processes_and_the_command_line(self) -> None:
        for mode, bad in ((0o600, False), (0o640, False), (0o644, True), (0o602, True)):
            facts = SettingsFacts(files=(SecretFile("f", mode),))
            self.assertEqual(self.found(facts=facts), [(FAULT, "f")] if bad else [], oct(mode))
        facts = SettingsFacts(processes=(7,), given_on_command_line=True)
        self.assertEqual(self.found(facts=facts), [(FAULT, "process 7"), (WARNING, "--redis")])

    def test_loopback(self) -> None:
        for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST."):
            self.assertTrue(is_loopback(host), host)
        for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example"):
            self.assertFalse(is_loopback(host), host)


class RedisTests(SynchronousTestCase):
    def found(self, url: str, **facts: object) -> list[Severity]:
        found = redis_findings(parse_address(url), RedisFacts(**facts))  # type: ignore[arg-type]  # by name
        return [one.severity for one in found]

    def test_without_a_password(self) -> None:
        self.assertEqual(self.found("redis://127.0.0.1", open=True), [WARNING])
        self.assertEqual(self.found("unix:///s", open=True), [WARNING])
        self.assertEqual(self.found("redis://10.0.0.1", open=True), [FAULT, WARNING])
        self.assertEqual(self.found("rediss://10.0.0.1", open=True), [FAULT])
        everywhere = {"bind": "* -::*", "protected": False}
        self.assertEqual(self.found("redis://127.0.0.1", open=True, **everywhere), [FAULT])
        self.assertEqual(
            self.found("redis://127.0.0.1", open=True, bind="*", protected=True), [WARNING]
        )

    def test_all_interfaces(self) -> None:
        for bind, found in (("*", [WARNING]), ("", [WARNING]), ("127.0.0.1 -::1", [])):
            self.assertEqual(
                self.found("redis://localhost", open=False, bind=bind, protected=False), found
            )

    def test_the_way_there(self) -> None:
        self.assertEqual(self.found("redis://:pw@10.0.0.1", open=False), [WARNING])
        self.assertEqual(self.found("rediss://:pw@10.0.0.1", open=False), [])
        sentinel = "redis+sentinel://:pw@10.0.0.1,10.0.0.2/m"
        self.assertEqual(self.found(sentinel, open=False), [WARNING, NOTICE])

    def test_rights(self) -> None:
        for rules, found in (
            ("+@all ~*", [WARNING]),
            ("allcommands allkeys", [WARNING]),
            ("-@all +get ~cti_*", []),
            (None, []),
        ):
            url = "redis://u:pw@127.0.0.1"
            self.assertEqual(self.found(url, open=False, user="u", rules=rules), found)

    def test_no_finding_holds_a_password(self) -> None:
        address = parse_address("redis://user:geheim@10.0.0.1")
        for one in redis_findings(address, RedisFacts(open=True, user="u", rules="+@all ~*")):
            self.assertNotIn("geheim", repr(one))
