"""Tokens with a name and a role, as they stand in the settings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.settings.tokens import HashedToken, Role, new_token, read_tokens


class TokenTests(SynchronousTestCase):
    def test_what_is_made_can_be_read_and_fits_its_token_alone(self) -> None:
        secret, hashed = new_token("wall", Role.READ)
        (read,) = read_tokens([str(hashed)])
        self.assertEqual(read, hashed)
        self.assertTrue(read.fits(secret))
        for other in ("", secret[:-1], secret + "x", secret.swapcase(), "密码", "\ud800"):
            self.assertFalse(read.fits(other))
        self.assertNotIn(secret, str(hashed))
        self.assertNotIn(hashed.digest.hex(), repr(hashed))

    def test_two_of_the_same_name_and_secret_are_hashed_differently(self) -> None:
        first, second = (HashedToken.of("secret", "a") for _ in range(2))
        self.assertNotEqual(first.digest, second.digest)
        self.assertNotEqual(new_token("a", Role.READ)[0], new_token("a", Role.READ)[0])

    def test_what_cannot_be_read_is_said_with_its_place(self) -> None:
        good = str(new_token("wall", Role.READ)[1])
        for text, said in (
            ("secret", r"\[1\]: is no hashed token"),
            (good.replace("read", "rule"), r"\[1\]: 'rule' is no role: read or operate"),
            (good.replace("wall", "a b"), r"\[1\]: 'a b' is no name"),
            (good[:-1], "is no hashed token"),
            (good, r"\[1\]: another token has the name 'wall'"),
        ):
            with self.assertRaisesRegex(ValueError, said):
                read_tokens([good, text])

    @given(st.text())
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            (token,) = read_tokens([text])
        except ValueError:
            return
        self.assertEqual(str(token), text)

    def test_a_name_that_is_none(self) -> None:
        for name in ("", "a:b", "-a", "a\n", "x" * 65):
            with self.assertRaisesRegex(ValueError, "is no name of a token"):
                new_token(name, Role.READ)
