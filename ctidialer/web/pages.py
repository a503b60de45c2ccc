"""The dashboard's page, the page to sign in, and the files of both."""

from __future__ import annotations

from importlib.resources import files

from attrs import evolve

from ctidialer.web import words_js
from ctidialer.web.access import COOKIE, SESSION_SECONDS, Access
from ctidialer.web.answers import FORM, HTML, Answer, Asked, Refusal
from ctidialer.web.documents import Token
from ctidialer.web.routes import get, post

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": HTML,
    ".svg": "image/svg+xml",
}


class Pages:
    """Answers what the dashboard is made of; it is read once, when the daemon starts."""

    def __init__(self, access: Access) -> None:
        self._access = access
        folder = files("ctidialer.web.static")
        self._files = {
            file.name: Answer(200, file.read_bytes(), KINDS[suffix])
            for file in folder.iterdir()
            if (suffix := _suffix(file.name)) in KINDS
        }
        if not access.needs_token:
            self._files["dashboard.html"] = _without_sign_out(self._files["dashboard.html"])
        self._files[words_js.NAME] = Answer(200, words_js.reasons_js(), KINDS[".js"])

    def login_page(self) -> Answer:
        """Return the page to sign in, in place of the dashboard."""
        return Answer(401, self._files["login.html"].body, HTML)

    @get(
        "/",
        "The dashboard; the page to sign in (401) for who may not see it",
        content_type=HTML,
        if_unknown=login_page,
    )
    async def dashboard(self) -> Answer:
        """Return the dashboard."""
        return self._files["dashboard.html"]

    @get("/static/login.css", "", is_open=True)
    async def login_style(self) -> Answer:
        """Return a file of the page to sign in; it needs no token."""
        return self._files["login.css"]

    @get("/static/login.js", "", is_open=True)
    async def login_script(self) -> Answer:
        """Return the other one."""
        return self._files["login.js"]

    @get("/static/{file}", "A file of the dashboard", content_type="*/*")
    async def file(self, file: str) -> Answer:
        """Return one file of the dashboard."""
        if file not in self._files or file.endswith(".html"):
            raise Refusal(404, "there is no such file")
        return self._files[file]

    @post(
        "/login",
        "Begin a session: the answer sets its cookie",
        takes_form=True,
        others={
            204: "signed in",
            303: "signed in, by a form",
            403: "asked by a foreign page",
            429: "too many wrong tokens from this address",
        },
        is_open=True,
    )
    async def sign_in(self, asked: Asked, body: Token) -> Answer:
        """Begin a session; the token comes as JSON, or as a form."""
        is_form = asked.content_type == FORM
        session = self._access.sign_in(body.token, asked.by)
        cookie = ("Set-Cookie", _cookie(session, round(SESSION_SECONDS), asked.is_encrypted))
        return (
            Answer(303, headers=(cookie, ("Location", ".")))
            if is_form
            else Answer(204, headers=(cookie,))
        )

    @post("/logout", "End the session", others={204: "signed out"}, for_readers=True)
    async def sign_out(self, asked: Asked) -> Answer:
        """End the session."""
        self._access.sign_out(asked.session)
        return Answer(204, headers=(("Set-Cookie", _cookie("", 0, asked.is_encrypted)),))


def _without_sign_out(page: Answer) -> Answer:
    """Return the page as it is where nobody signs in."""
    return evolve(page, body=page.body.replace(b'id="sign-out"', b'id="sign-out" hidden', 1))


def _cookie(value: str, seconds: int, is_encrypted: bool) -> str:
    only = "; Secure" if is_encrypted else ""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{only}"


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]
