"""HTTP requests and answers as values, without twisted.web."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import field, frozen

JSON = "application/json"
HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded"

_ENCODER = msgspec.json.Encoder()

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}

AnswerHeaders = tuple[tuple[str, str], ...]


@frozen
class Answer:
    """An answer; ``headers`` are those beside Content-Type and what every answer has."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: AnswerHeaders = ()


@frozen
class Asked:
    """One request that may be answered.

    ``names`` are the named parts of the path (``{task}``), percent-decoded; ``by`` is a text that
    says who asks; ``is_encrypted``: the client speaks TLS, with a proxy before us.
    """

    method: str
    path: str
    names: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    content_type: str = ""
    session: str | None = None
    by: str = ""
    is_encrypted: bool = False


class Refusal(Exception):
    """A request that is not answered; ``message`` says what is wrong and what to do."""

    def __init__(self, status: int, message: str, headers: AnswerHeaders = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def answer(self) -> Answer:
        """Return the error as it is sent."""
        document = {"error": {"code": CODES[self.status], "message": self.message}}
        return json_answer(document, self.status, self.headers)


def json_answer(document: object, status: int = 200, headers: AnswerHeaders = ()) -> Answer:
    """Return ``document`` as JSON."""
    return Answer(status, _ENCODER.encode(document), JSON, headers)
