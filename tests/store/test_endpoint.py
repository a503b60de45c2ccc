"""TLS, and the master that sentinels name."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.task import deferLater

from ctidialer.stage.redis import RedisProcess
from tests.store.test_link import LinkTestCase
from tests.support.proxy import start_proxy
from tests.support.redis import link_to, new_directory, own_redis


def certificate() -> bytes:
    """Return a key and its own certificate for 127.0.0.1 and localhost, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return text + made.public_bytes(serialization.Encoding.PEM)


class TlsTests(LinkTestCase):
    """Redis behind TLS."""

    async def set_up(self) -> None:
        await super().set_up()
        self.pem = Path(new_directory(self)) / "server.pem"
        self.pem.write_bytes(certificate())
        options = PrivateCertificate.loadPEM(self.pem.read_bytes()).options()
        endpoint: Any = SSL4ServerEndpoint(reactor, 0, options, interface="127.0.0.1")
        proxy = await start_proxy(self, self.url, endpoint)
        self.place = proxy.url.removeprefix("redis://").removesuffix("/0")

    async def test_with_the_right_authority(self) -> None:
        port = self.place.rpartition(":")[2]
        for place in (self.place, f"localhost:{port}"):
            link = link_to(self, f"rediss://{place}/0?ca={self.pem}")
            await link.when_up(60)
            self.assertEqual(await link.call("ECHO", b"x" * 100_000), b"x" * 100_000)

    async def test_a_certificate_that_nobody_vouches_for(self) -> None:
        link = link_to(self, f"rediss://{self.place}/0")
        await self.listen(link).hears("certificate verify failed")

    async def test_an_authority_that_cannot_be_read(self) -> None:
        link = link_to(self, f"rediss://{self.place}/0?ca=/nowhere.pem")
        await self.listen(link).hears("the certificate /nowhere.pem cannot be read")
        self.pem.write_text("nonsense")
        link = link_to(self, f"rediss://{self.place}/0?ca={self.pem}")
        await self.listen(link).hears(f"the certificate {self.pem} cannot be read")

    async def test_a_server_without_tls(self) -> None:
        plain = await start_proxy(self, self.url)
        link = link_to(self, plain.url.replace("redis://", "rediss://"), deadline=0.2)
        await self.listen(link).hears("Redis has said nothing for 0.2 s")


class SentinelTests(LinkTestCase):
    """One master, one replica, one sentinel."""

    async def start_sentinel(self, master: RedisProcess, *more: str) -> RedisProcess:
        """Start the server as a sentinel: it is the same program."""
        directives = (
            f"sentinel monitor main 127.0.0.1 {master.port} 1",
            "sentinel down-after-milliseconds main 1000",
            "sentinel failover-timeout main 1000",
            *more,
        )
        return await own_redis(self, port=0, options=["--sentinel"], directives=directives)

    async def test_the_master_is_found_and_followed(self) -> None:
        at_once = "repl-diskless-sync-delay 0"
        master = await own_redis(self, port=0, directives=[at_once])
        following = [f"replicaof 127.0.0.1 {master.port}", at_once]
        replica = await own_redis(self, port=0, directives=following)
        sentinel = await self.start_sentinel(master)
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/main/0"
        link = link_to(self, url)
        ear = self.listen(link)
        await link.when_up(60)
        await link.call("SET", "a", "b")
        while not await link.call("WAIT", 1, 100):
            pass  # the replica is still being set up; the test's own timeout ends this
        await self.replica_is_known(sentinel)
        down = ear.next("")
        await master.kill()
        await down
        await link.when_up(60)
        self.assertEqual(await link.call("GET", "a"), b"b")
        port = await link.call("CONFIG", "GET", "port")
        self.assertEqual(port, [b"port", str(replica.port).encode()])

    async def replica_is_known(self, sentinel: RedisProcess) -> None:
        link = link_to(self, sentinel.url)
        await link.when_up(60)
        while not await link.call("SENTINEL", "REPLICAS", "main"):
            await deferLater(reactor, 0.02)
        await link.stop()

    async def test_a_service_that_the_sentinel_does_not_know(self) -> None:
        master = await own_redis(self, port=0)
        sentinel = await self.start_sentinel(master)
        link = link_to(self, f"redis+sentinel://127.0.0.1:{sentinel.port}/other")
        await self.listen(link).hears("it knows no service 'other'")

    async def test_no_sentinel_there(self) -> None:
        link = link_to(self, "redis+sentinel://127.0.0.1:1,127.0.0.1:2/main")
        await self.listen(link).hears("no sentinel knows the master: 127.0.0.1:1: ")

    async def test_passwords_of_their_own(self) -> None:
        master = await own_redis(self, port=0, password="master-pw")
        sentinel = await self.start_sentinel(
            master, "sentinel auth-pass main master-pw", "requirepass sentinel-pw"
        )
        place = f"127.0.0.1:{sentinel.port}/main"
        link = link_to(self, f"redis+sentinel://:master-pw@{place}?sentinel_password=sentinel-pw")
        await link.when_up(60)
        self.assertEqual(await link.call("PING"), b"PONG")
        link = link_to(self, f"redis+sentinel://:master-pw@{place}?sentinel_password=wrong-pw")
        await self.listen(link).hears("refuses the user or the password")
        self.assertNotIn("-pw", self.logged())
