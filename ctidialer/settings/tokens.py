"""Tokens of the HTTP interface that have a name and a role, as they stand in the settings: hashed.

``<name>:<role>:sha256:<salt>:<digest>``, salt and digest in hexadecimal.  A token is 32 random
bytes, so one round of SHA-256 is enough: nobody can go through all of them.
"""

from __future__ import annotations

import enum
import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes, token_urlsafe

from attrs import field, frozen

_TEXT = re.compile(r"([^:]*):([^:]*):sha256:([0-9a-f]{32}):([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_SALT_BYTES = 16
_TOKEN_BYTES = 32


class Role(enum.Enum):
    """What the holder of a token may do: look, or give orders as well."""

    READ = "read"
    OPERATE = "operate"


@frozen
class HashedToken:
    """A token of which only a hash is known; ``name`` is empty for the one that has none."""

    name: str
    role: Role
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, token: str, name: str = "", role: Role = Role.OPERATE) -> HashedToken:
        """Return the hash of a token, with a salt of its own."""
        salt = token_bytes(_SALT_BYTES)
        return cls(name, role, salt, _digest(salt, token))

    def fits(self, token: str) -> bool:
        """Say whether this is the token, in the same time whatever is wrong with it."""
        return hmac.compare_digest(_digest(self.salt, token), self.digest)

    def __str__(self) -> str:
        return f"{self.name}:{self.role.value}:sha256:{self.salt.hex()}:{self.digest.hex()}"


def _digest(salt: bytes, token: str) -> bytes:
    return sha256(salt + token.encode("utf-8", "surrogatepass")).digest()


def new_token(name: str, role: Role) -> tuple[str, HashedToken]:
    """Return a new token, and its hash for the settings; raises ValueError for a bad name."""
    _check_name(name)
    token = token_urlsafe(_TOKEN_BYTES)
    return token, HashedToken.of(token, name, role)


def read_tokens(texts: Sequence[str]) -> tuple[HashedToken, ...]:
    """Return the tokens of the settings; raises ValueError, with the place in the list."""
    found: dict[str, HashedToken] = {}
    for index, text in enumerate(texts):
        try:
            token = _read(text)
            if token.name in found:
                raise ValueError(f"another token has the name {token.name!r}")
        except ValueError as error:
            raise ValueError(f"[{index}]: {error}") from None
        found[token.name] = token
    return tuple(found.values())


def _read(text: str) -> HashedToken:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError("is no hashed token: `ctidialer token NAME --role ROLE` makes one")
    name, role, salt, digest = match.groups()
    _check_name(name)
    if role not in {one.value for one in Role}:
        raise ValueError(f"{role!r} is no role: read or operate")
    return HashedToken(name, Role(role), bytes.fromhex(salt), bytes.fromhex(digest))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a token: at most 64 letters, digits and _ . @ -, the first a"
            " letter or a digit"
        )
