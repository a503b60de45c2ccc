"""The dashboard's page, the page to sign in, and the files of both."""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import parse_qs

from ctidialer.web import words_js
from ctidialer.web.access import COOKIE, SESSION, Access
from ctidialer.web.answers import FORM, HTML, Answer, Asked, Refusal
from ctidialer.web.routes import Handler

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": HTML,
    ".svg": "image/svg+xml",
}


class Pages:
    """Answers what the dashboard is made of; it is read once, when the daemon starts.

    ``of_login``: files that the page to sign in needs; whoever comes may have them.
    """

    of_login = ("login.css", "login.js")

    def __init__(self, access: Access) -> None:
        self._access = access
        folder = files("ctidialer.web.static")
        self._files = {
            file.name: Answer(200, file.read_bytes(), KINDS[suffix])
            for file in folder.iterdir()
            if (suffix := _suffix(file.name)) in KINDS
        }
        self._files[words_js.NAME] = Answer(200, words_js.reasons_js(), KINDS[".js"])

    async def dashboard(self, asked: Asked) -> Answer:
        """Return the dashboard."""
        return self._files["dashboard.html"]

    def login_page(self) -> Answer:
        """Return the page to sign in, for who asks for the dashboard and may not."""
        return Answer(401, self._files["login.html"].body, HTML)

    def file_named(self, name: str) -> Handler:
        """Return what answers with one file."""

        async def file(asked: Asked) -> Answer:
            return self._files[name]

        return file

    async def file(self, asked: Asked) -> Answer:
        """Return one file of the dashboard."""
        name = asked.names["file"]
        if name not in self._files or name.endswith(".html"):
            raise Refusal(404, "there is no such file")
        return self._files[name]

    async def sign_in(self, asked: Asked) -> Answer:
        """Begin a session; the token comes as JSON, or as a form."""
        is_form = asked.content_type == FORM
        token = _form_token(asked.body) if is_form else asked.members().get("token")
        if not isinstance(token, str):
            raise Refusal(400, 'the body must be {"token": "..."}')
        session = self._access.sign_in(token, asked.by)
        cookie = ("Set-Cookie", _cookie(session, round(SESSION), asked.is_encrypted))
        return (
            Answer(303, headers=(cookie, ("Location", ".")))
            if is_form
            else Answer(204, headers=(cookie,))
        )

    async def sign_out(self, asked: Asked) -> Answer:
        """End the session."""
        self._access.sign_out(asked.session)
        return Answer(204, headers=(("Set-Cookie", _cookie("", 0, asked.is_encrypted)),))


def _cookie(value: str, seconds: int, is_encrypted: bool) -> str:
    only = "; Secure" if is_encrypted else ""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{only}"


def _form_token(body: bytes) -> str | None:
    values = parse_qs(body.decode("utf-8", "replace")).get("token")
    return values[-1] if values else None


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
