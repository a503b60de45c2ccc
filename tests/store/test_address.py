"""Redis URLs."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.store.address import AddressError, RedisAddress, RedisCredentials, parse_address

GOOD = {
    "redis://127.0.0.1:6380/2": RedisAddress("redis", (("127.0.0.1", 6380),), db=2),
    "redis://h": RedisAddress("redis", (("h", 6379),)),
    " REDIS://h/ ": RedisAddress("redis", (("h", 6379),)),
    "redis://h?db=4": RedisAddress("redis", (("h", 6379),), db=4),
    "redis://[::1]:6380": RedisAddress("redis", (("::1", 6380),)),
    "redis://[::1]/1": RedisAddress("redis", (("::1", 6379),), db=1),
    "redis://:pw@h": RedisAddress("redis", (("h", 6379),), credentials=RedisCredentials("", "pw")),
    "redis://u:p%40%2F%3A@h/0": RedisAddress(
        "redis", (("h", 6379),), credentials=RedisCredentials("u", "p@/:")
    ),
    "redis://u:p@x@h": RedisAddress(
        "redis", (("h", 6379),), credentials=RedisCredentials("u", "p@x")
    ),
    "rediss://h?ca=/etc/ca.pem": RedisAddress("rediss", (("h", 6379),), ca="/etc/ca.pem"),
    "unix:///run/r%20s.sock": RedisAddress("unix", path="/run/r s.sock"),
    "unix://:pw@/run/r.sock?db=3": RedisAddress(
        "unix", path="/run/r.sock", db=3, credentials=RedisCredentials("", "pw")
    ),
    "redis+sentinel://a:1,b,[::1]:3/main/5": RedisAddress(
        "redis+sentinel", (("a", 1), ("b", 26379), ("::1", 3)), db=5, service="main"
    ),
    "redis+sentinel://u:pw@a/main?sentinel_password=s": RedisAddress(
        "redis+sentinel",
        (("a", 26379),),
        service="main",
        credentials=RedisCredentials("u", "pw"),
        sentinel_credentials=RedisCredentials("", "s"),
    ),
}

# What is wrong, and a word of what is said about it.
BAD = {
    "": "begins with",
    "h:6379": "begins with",
    "http://h": "begins with",
    "redis://": "a host",
    "redis://:secret@": "a host",
    "redis://h:0": "a host",
    "redis://h:65536": "a host",
    "redis://h:x": "a host",
    "redis://[::1": "a host",
    "redis://[::1]x:1": "a host",
    "redis://::1": "a host",
    "redis://:se/cret@h": "a host",
    "redis://secret@h": "user:password",
    "redis://h/x": "database",
    "redis://h/-1": "database",
    "redis://h/²": "database",
    "redis://h?timeout=secret": "db",
    "unix://run/r.sock": "absolute path",
    "unix://": "absolute path",
    "unix:///": "absolute path",
    "redis+sentinel://a:1,b:2": "names the service",
    "redis+sentinel://a:1,,b:2/main": "a host",
    "redis+sentinel://a/main/x": "database",
}


class AddressTests(SynchronousTestCase):
    """URLs read, refused and shown."""

    def test_good_ones(self) -> None:
        for url, address in GOOD.items():
            self.assertEqual(parse_address(url), address, url)

    def test_bad_ones(self) -> None:
        for url, word in BAD.items():
            error = self.assertRaises(AddressError, parse_address, url)
            self.assertIn(word, str(error), url)
            for secret in ("secret", "cret"):
                self.assertNotIn(secret, str(error), url)

    def test_passwords_are_not_shown(self) -> None:
        url = "redis+sentinel://u:se%20cret@a:1/main/2?sentinel_password=hidden"
        address = parse_address(url)
        for text in (repr(address), str(address), address.safe):
            self.assertNotIn("cret", text)
            self.assertNotIn("hidden", text)
        self.assertEqual(address.safe, "redis+sentinel://u:***@a:1/main/2")
        self.assertEqual(parse_address("unix://:pw@/r?db=1").safe, "unix://:***@/r?db=1")
        self.assertEqual(parse_address("redis://[::1]").safe, "redis://[::1]:6379/0")

    @settings(max_examples=100, deadline=None)
    @given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 15))
    def test_any_login_survives_its_encoding(self, user: str, password: str, db: int) -> None:
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        expected = RedisCredentials(user, password)
        for url in (f"redis://{login}@h/{db}", f"unix://{login}@/r?db={db}"):
            address = parse_address(url)
            self.assertEqual((address.credentials, address.db), (expected, db))

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(["redis", "rediss", "unix", "redis+sentinel"]), st.text())
    def test_nothing_but_an_address_error(self, scheme: str, rest: str) -> None:
        try:
            address = parse_address(f"{scheme}://{rest}")
        except AddressError:
            return
        self.assertTrue(address.path or address.hosts)
