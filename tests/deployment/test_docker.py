"""``etc/docker``: what can be said of it without a Docker engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from ctidialer.settings import SECRETS, Settings, host_and_port, read_settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "etc" / "docker"


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with what follows it, in their order."""
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    joined = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    return [(word, rest.strip()) for word, rest in re.findall(r"(?m)^([A-Z]+) +(.*)$", joined)]


class DockerfileTests(SynchronousTestCase):
    def last(self, name: str) -> str:
        return [rest for word, rest in instructions() if word == name][-1]

    def test_the_signal_reaches_the_daemon(self) -> None:
        self.assertTrue(self.last("ENTRYPOINT").startswith('["twistd", "--nodaemon"'))
        self.assertTrue(self.last("CMD").startswith("["))
        self.assertEqual(self.last("STOPSIGNAL"), "SIGTERM")
        self.assertIn("/healthz", self.last("HEALTHCHECK"))

    def test_it_is_not_root_and_holds_no_secret(self) -> None:
        words = [word for word, _ in instructions()]
        self.assertNotEqual(self.last("USER"), "root")
        self.assertLess(len(words) - words[::-1].index("USER"), words.index("ENTRYPOINT") + 1)
        text = (DOCKER / "Dockerfile").read_text("utf-8")
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def test_what_it_copies_is_there_and_is_sent_to_it(self) -> None:
        allowed = [
            line[1:]
            for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if line.startswith("!")
        ]
        copies = [rest for word, rest in instructions() if word == "COPY"]
        sources = [s for rest in copies if "--from" not in rest for s in rest.split()[:-1]]
        self.assertGreater(len(sources), 5)
        for source in sources:
            self.assertTrue((ROOT / source).exists(), source)
            self.assertIn(source, allowed)

    def test_what_is_installed_is_pinned(self) -> None:
        installs = [
            rest for word, rest in instructions() if word == "RUN" and "pip install" in rest
        ]
        pinned, ours = installs
        self.assertIn("--require-hashes", pinned)
        self.assertIn("--requirement requirements/daemon.txt", pinned)
        self.assertIn("--no-deps", ours)

    def test_its_settings_can_be_used(self) -> None:
        settings = read_settings(DOCKER / "ctidialer.toml", {"CTIDIALER_HTTP_TOKEN": "x" * 32})
        port = host_and_port(settings.http.listen, "")[1]
        self.assertIn(f":{port}/healthz", self.last("HEALTHCHECK"))
        self.assertEqual(self.last("EXPOSE"), str(port))


class ComposeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.text = (DOCKER / "compose.yaml").read_text("utf-8")

    def service(self, name: str) -> str:
        found = re.search(rf"(?ms)^  {name}:\n(.*?)(?=^  \w|^\w)", self.text)
        assert found is not None
        return found[1]

    def test_the_drain_has_time(self) -> None:
        found = re.search(r"stop_grace_period: (\d+)s", self.service("ctidialer"))
        assert found is not None
        self.assertGreater(float(found[1]), Settings().node.drain_timeout)

    def test_its_memory_is_bounded(self) -> None:
        self.assertIn("mem_limit: 2g", self.service("ctidialer"))

    def test_redis_forgets_nothing(self) -> None:
        words = re.findall(r'- "?([^"\s]+)"?', self.service("valkey").partition("secrets:")[0])
        pairs = dict(zip(words[1::2], words[2::2], strict=True))
        self.assertEqual(
            (pairs["--appendonly"], pairs["--appendfsync"], pairs["--maxmemory-policy"]),
            ("yes", "always", "noeviction"),
        )
        self.assertIn("--aclfile", pairs)

    def test_nothing_but_sip_is_open_to_the_world(self) -> None:
        published = re.findall(r'- "([0-9.:\-]+)(/udp)?"', self.text)
        self.assertTrue(published)
        for ports, udp in published:
            self.assertTrue(udp or ports.startswith("127.0.0.1:"), ports)
        self.assertNotIn("8021:", self.text)

    def test_every_secret_is_a_file(self) -> None:
        for secret in SECRETS:
            self.assertIn(f"{secret}_FILE: /run/secrets/", self.text)
            self.assertNotIn(f"{secret}: ", self.text)

    def test_what_it_mounts_is_there(self) -> None:
        mounts = re.findall(r"- (\.\.?/[^:]+):", self.text)
        self.assertGreater(len(mounts), 4)
        for mount in mounts:
            self.assertTrue((DOCKER / mount).exists(), mount)

    def test_the_event_socket_is_for_its_network(self) -> None:
        tree = ElementTree.parse(DOCKER / "event_socket.conf.xml")
        values = {one.get("name"): one.get("value") for one in tree.iter("param")}
        self.assertIn(f"- subnet: {values['apply-inbound-acl']}", self.text)

    def test_docker_compose_reads_it(self) -> None:
        docker = shutil.which("docker")
        command = [docker or "docker", "compose"]
        if docker is None or subprocess.run([*command, "version"], capture_output=True).returncode:
            raise SkipTest("docker compose is not on this machine")
        done = subprocess.run(
            [*command, "--file", str(DOCKER / "compose.yaml"), "config", "--quiet"],
            env={"PATH": "/usr/bin:/bin", "FREESWITCH_IMAGE": "freeswitch"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)


class FreeSwitchSampleTests(SynchronousTestCase):
    """FreeSWITCH drops a whole file that is no XML, with everything that comes after it."""

    def test_every_sample_is_xml(self) -> None:
        samples = sorted((ROOT / "etc").rglob("*.xml"))
        self.assertGreater(len(samples), 3)
        for sample in samples:
            ElementTree.parse(sample)

    def test_no_sample_includes_others(self) -> None:
        """FreeSWITCH would obey that even in a comment, in which it may stand as an example."""
        for sample in (ROOT / "etc/freeswitch").rglob("*.xml"):
            self.assertNotIn("X-PRE-PROCESS", sample.read_text("utf-8"), sample.name)

    def test_the_event_socket_is_on_loopback(self) -> None:
        path = ROOT / "etc/freeswitch/ctidialer/event_socket.xml"
        params = {p.get("name"): p.get("value") for p in ElementTree.parse(path).iter("param")}
        self.assertEqual(params["listen-ip"], "127.0.0.1")
        self.assertEqual(params["apply-inbound-acl"], "loopback.auto")
