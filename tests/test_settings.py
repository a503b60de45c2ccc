"""The settings of one node: defaults, faults, secrets."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.settings import (
    BOUNDS,
    LOCAL_FILE,
    SECRETS,
    Settings,
    SettingsError,
    completed,
    find_file,
    host_and_port,
    machine_timezone,
    read_settings,
    reading,
)

ROOT = Path(__file__).resolve().parent.parent

# docs/commands.rst, but for the defaults that depend on the machine.
DEFAULTS = r"""
[node]
host = ""
domain = ""
timezone = ""
number_pattern = '\+?[0-9*#]{1,32}'
max_entry = 65536
default_dialstring = "sofia/gateway/${line_group}/${destination_number}"
max_calls = 0
max_cps = 0
drain_timeout = 60
originate_timeout = 60
lease = 15
call_check_interval = 30
[redis]
url = "redis://127.0.0.1:6379/0"
[freeswitch]
address = "127.0.0.1:8021"
password = "ClueCon"
[queue]
dispatch_interval = 0.05
[schedule]
poll_interval = 1.0
[config]
poll_interval = 5.0
[records]
max_records = 200000
list = ""
channel = ""
[http]
listen = ""
"""


class SettingsCase(SynchronousTestCase):
    def write(self, text: str | bytes) -> Path:
        path = Path(self.mktemp())
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, text: str | bytes, **environ: str) -> Settings:
        return read_settings(self.write(text), environ)

    def fault(self, text: str | bytes) -> str:
        """Return what is said of a file that cannot be used; it names the file."""
        path = self.write(text)
        error = self.assertRaises(SettingsError, read_settings, path, {})
        self.assertTrue(str(error).startswith(f"{path}: "), str(error))
        return str(error).removeprefix(f"{path}: ")


class DefaultTests(SettingsCase):
    def test_every_default_is_the_one_that_is_described(self) -> None:
        found = Settings()
        for section, keys in tomllib.loads(DEFAULTS).items():
            for key, value in keys.items():
                self.assertEqual(getattr(getattr(found, section), key), value, f"{section}.{key}")

    def test_an_empty_file_and_none_say_the_same(self) -> None:
        self.assertEqual(self.read(""), read_settings(None, {}))

    def test_host_and_domain_follow_the_machine_and_each_other(self) -> None:
        node = read_settings(None, {}).node
        self.assertEqual(node.host, os.uname().nodename)
        self.assertEqual(node.domain, node.host)
        named = self.read('[node]\nhost = "fs1"').node
        self.assertEqual((named.host, named.domain), ("fs1", "fs1"))
        both = self.read('[node]\nhost = "fs1"\ndomain = "example.com"').node
        self.assertEqual((both.host, both.domain), ("fs1", "example.com"))

    def test_the_sample_file_can_be_used(self) -> None:
        read_settings(ROOT / LOCAL_FILE, {})

    def test_the_machines_time_zone(self) -> None:
        link = Path(self.mktemp())
        link.symlink_to("/usr/share/zoneinfo/Asia/Shanghai")
        self.patch(os, "environ", {})
        self.assertEqual(machine_timezone(link), "Asia/Shanghai")
        self.assertEqual(machine_timezone(Path(self.mktemp())), "UTC")
        for named in ("Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"):
            self.patch(os, "environ", {"TZ": named})
            self.assertEqual(machine_timezone(link), "Europe/Berlin")
        for nonsense in ("XYZ-8", "../etc/passwd", "Asia", "\0"):
            self.patch(os, "environ", {"TZ": nonsense})
            self.assertEqual(machine_timezone(link), "UTC")


class FaultTests(SettingsCase):
    def test_an_unknown_key_is_refused_with_its_path(self) -> None:
        self.assertIn("$.node", self.fault("[node]\nhots = 'fs1'"))
        self.assertIn("hots", self.fault("[node]\nhots = 'fs1'"))
        self.assertIn("qeue", self.fault("[qeue]\nx = 1"))
        self.assertIn("url", self.fault("url = 'redis://x'"))

    def test_a_wrong_type_is_refused_with_its_path(self) -> None:
        for text, path in (
            ("[node]\nmax_calls = '5'", "$.node.max_calls"),
            ("[node]\nmax_calls = 1.5", "$.node.max_calls"),
            ("[node]\nhost = 5", "$.node.host"),
            ("[redis]\nurl = ['redis://x']", "$.redis.url"),
            ("[node]\noriginate_timeout = true", "$.node.originate_timeout"),
            ("node = 3", "$.node"),
        ):
            self.assertIn(path, self.fault(text))

    def test_whole_numbers_may_stand_for_fractions(self) -> None:
        self.assertEqual(self.read("[config]\npoll_interval = 2").config.poll_interval, 2.0)

    def test_numbers_that_are_none_negative_or_huge(self) -> None:
        for path in BOUNDS:
            section, key = path.split(".")
            for value in ("nan", "inf", "-inf", "-1", "-0.5", "1" + "0" * 20):
                said = self.fault(f"[{section}]\n{key} = {value}")
                self.assertIn(f"$.{path}", said)

    def test_where_zero_is_no_limit_and_where_it_is_wrong(self) -> None:
        for path, (_, may_be_zero) in BOUNDS.items():
            section, key = path.split(".")
            text = f"[{section}]\n{key} = 0"
            if may_be_zero:
                self.read(text)
            else:
                self.assertIn("greater than 0", self.fault(text))

    def test_every_number_is_bounded(self) -> None:
        numbers = {
            f"{section}.{key}"
            for section in Settings.__struct_fields__
            for key in getattr(Settings(), section).__struct_fields__
            if type(getattr(getattr(Settings(), section), key)) in (int, float)
        }
        self.assertEqual(numbers, set(BOUNDS))

    def test_names_patterns_and_zones(self) -> None:
        for text, path in (
            ('[node]\nhost = " fs1"', "$.node.host"),
            ('[node]\nhost = "a\\nb"', "$.node.host"),
            ('[node]\nhost = "template"', "$.node.host"),
            ('[node]\nhost = "fs1"\ndomain = "x "', "$.node.domain"),
            ("[node]\nnumber_pattern = '['", "$.node.number_pattern"),
            ('[node]\ntimezone = "Mars/Olympus"', "$.node.timezone"),
            ('[node]\ntimezone = "../../etc/passwd"', "$.node.timezone"),
            ('[node]\ndefault_dialstring = " "', "$.node.default_dialstring"),
            ('[freeswitch]\naddress = "fs1"', "$.freeswitch.address"),
            ('[http]\nlisten = ":80x"', "$.http.listen"),
        ):
            self.assertIn(path, self.fault(text))

    def test_a_hashed_token_that_is_none(self) -> None:
        self.assertIn("$.http.tokens[0]: is no hashed token", self.fault('[http]\ntokens = ["x"]'))

    def test_http_beyond_this_machine_needs_a_token(self) -> None:
        outside = ("0.0.0.0:8090", "[::]:8090", "10.0.0.5:8090", "fs1.example:8090", "128.0.0.1:80")
        for listen in outside:
            fault = self.fault(f'[http]\nlisten = "{listen}"')
            self.assertIn(f"$.http.listen: {listen} is open to other machines", fault)
            self.assertIn("set $.http.token", fault)
            found = self.read(f'[http]\nlisten = "{listen}"', CTIDIALER_HTTP_TOKEN="secret")
            self.assertEqual(found.http.listen, listen)
        for listen in ("", "127.0.0.1:8090", "127.1.2.3:0", "[::1]:8090", "localhost:8090"):
            self.assertEqual(self.read(f'[http]\nlisten = "{listen}"').http.listen, listen)
        for listen in ("8090", "127.0.0.1", "::1:8090", "127.0.0.1:65536", "http://127.0.0.1:80"):
            fault = self.fault(f'[http]\nlisten = "{listen}"\ntoken = "secret"')
            self.assertIn("$.http.listen", fault)
            self.assertNotIn("secret", fault)

    def test_files_that_are_no_settings(self) -> None:
        self.assertIn("TOML", self.fault("host = "))
        self.assertIn("line 2", self.fault("[node]\nhost = x\n"))
        self.assertIn("UTF-8", self.fault(b"# \xff"))
        for path in (Path(self.mktemp()), Path()):
            error = self.assertRaises(SettingsError, read_settings, path, {})
            self.assertIn("cannot be read", str(error))

    @settings(deadline=None, max_examples=150)
    @given(
        st.text(max_size=80)
        | st.sampled_from(["[node]\n", "[redis]\n"]).flatmap(
            lambda head: st.text(max_size=60).map(lambda rest: head + rest)
        )
    )
    def test_no_text_is_more_than_a_fault(self, text: str) -> None:
        path = self.write(text.encode("utf-8", "surrogatepass"))
        try:
            read_settings(path, {})
        except SettingsError as error:
            self.assertIn(str(path), str(error))


class AddressTests(SettingsCase):
    def test_host_and_port(self) -> None:
        self.assertEqual(host_and_port("127.0.0.1:8021", "$"), ("127.0.0.1", 8021))
        self.assertEqual(host_and_port("fs.example.com:1", "$"), ("fs.example.com", 1))
        self.assertEqual(host_and_port("[::1]:8021", "$"), ("::1", 8021))

    def test_what_is_neither(self) -> None:
        for text in ("", "x", "x:", ":1", "x:0", "x:65536", "x:99999", "::1:80", "a b:1", "x:８０"):
            error = self.assertRaises(SettingsError, host_and_port, text, "$.there")
            self.assertIn("$.there", str(error))


class SecretTests(SettingsCase):
    FILE = """
        [redis]
        url = "redis://:file-secret@r:6379/0"
        [freeswitch]
        password = "file-secret"
        [http]
        token = "file-secret"
        """
    ENVIRON: ClassVar = {name: f"redis://:{name}-secret@r" for name in SECRETS}

    def test_the_environment_counts_before_the_file(self) -> None:
        found = self.read(self.FILE, **self.ENVIRON)
        for name, (section, key) in SECRETS.items():
            self.assertEqual(getattr(getattr(found, section), key), self.ENVIRON[name])

    def test_an_empty_variable_is_none(self) -> None:
        found = self.read(self.FILE, **dict.fromkeys(SECRETS, ""))
        self.assertEqual(found.freeswitch.password, "file-secret")

    def test_a_variable_may_name_a_file(self) -> None:
        named = {f"{name}_FILE": str(self.write(f"{name}-secret\n")) for name in SECRETS}
        found = self.read(self.FILE, **named)
        for name, (section, key) in SECRETS.items():
            self.assertEqual(getattr(getattr(found, section), key), f"{name}-secret")
        found = self.read(self.FILE, **{**named, **self.ENVIRON})
        self.assertEqual(found.freeswitch.password, self.ENVIRON["CTIDIALER_ESL_PASSWORD"])

    def test_a_named_file_that_cannot_be_read(self) -> None:
        for path, problem in (("nofile", "No such file"), (str(self.write(b"\xff")), "not UTF-8")):
            environ = {"CTIDIALER_ESL_PASSWORD_FILE": path}
            error = self.assertRaises(SettingsError, read_settings, None, environ)
            self.assertIn("$CTIDIALER_ESL_PASSWORD_FILE: ", str(error))
            self.assertIn(problem, str(error))

    def test_what_the_command_line_says_counts_before_both(self) -> None:
        found = read_settings(self.write(self.FILE), self.ENVIRON, {("redis", "url"): "redis://x"})
        self.assertEqual(found.redis.url, "redis://x")

    def test_no_repr_holds_a_secret(self) -> None:
        for found in (self.read(self.FILE), self.read(self.FILE, **self.ENVIRON)):
            shown = [repr(found), str(found), f"{found}"]
            shown += [repr(getattr(found, name)) for name in Settings.__struct_fields__]
            self.assertNotIn("secret", "".join(shown))
            self.assertIn("number_pattern=", shown[0])

    def test_no_fault_holds_a_secret(self) -> None:
        for text in (
            '[freeswitch]\npassword = "geheim"\nport = 8021',
            '[redis]\nurl = "redis://:geheim@r"\n[node]\nhost = 5',
            '[freeswitch]\npassword = ["geheim"]',
            '[http]\ntoken = "geheim',
        ):
            self.assertNotIn("geheim", self.fault(text))


class FileTests(SettingsCase):
    def test_the_order(self) -> None:
        here = Path(self.mktemp())
        here.mkdir()
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        os.chdir(here)
        environ = {"CTIDIALER_CONFIG": "named.toml"}
        self.assertEqual(find_file("given.toml", environ), Path("given.toml"))
        self.assertEqual(find_file(None, environ), Path("named.toml"))
        self.assertEqual(find_file("", environ), Path("named.toml"))
        LOCAL_FILE.parent.mkdir()
        LOCAL_FILE.touch()
        self.assertEqual(find_file(None, {}), LOCAL_FILE)
        self.assertEqual(find_file(None, environ), Path("named.toml"))

    def test_then_the_systems(self) -> None:
        system, local = Path(self.mktemp()), Path(self.mktemp())
        self.patch(reading, "LOCAL_FILE", local)
        self.patch(reading, "SYSTEM_FILE", system)
        self.assertIsNone(find_file(None, {}))
        system.touch()
        self.assertEqual(find_file(None, {}), system)

    def test_completing_twice_changes_nothing(self) -> None:
        once = completed(Settings())
        self.assertEqual(completed(once), once)
