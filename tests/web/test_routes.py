"""Routes declared beside their handlers, with typed queries and bodies."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.web.answers import FORM, Answer, Asked, Refusal
from ctidialer.web.routes import WebRoutes, get, post, routes_of


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


class Query(msgspec.Struct):
    """What may be asked for."""

    q: str = ""
    most: Annotated[int, Meta(ge=0, le=10)] = 5
    colour: Colour | None = None


class Body(msgspec.Struct):
    """What may be sent."""

    why: str = ""


class Found(msgspec.Struct):
    """What is answered."""

    what: str


class Handlers:
    """Some handlers."""

    def unknown(self) -> Answer:
        return Answer(401, b"sign in")

    @get("/things/{thing}", "A thing", if_unknown=unknown)
    async def thing(self, thing: str, query: Query) -> Found:
        return Found(f"{thing} {query.q} {query.most} {query.colour}")

    @post("/things/{thing}", "Change it", takes_form=True)
    async def change(self, asked: Asked, thing: str, body: Body) -> Found:
        return Found(f"{asked.by} {thing} {body.why}")

    @get("/raw", "Raw", answer=Found)
    async def raw(self) -> Answer:
        return Answer(body=b"raw")


class RoutesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.routes = routes_of(Handlers())

    def answer(self, method: str, path: str, **asked: Any) -> Answer:
        route, names = WebRoutes(self.routes).find(method, path)
        request = Asked(method, path, names, by="ann", **asked)
        answer = self.successResultOf(route.answered(request))
        assert isinstance(answer, Answer)
        return answer

    def assert_refused(self, message: str, method: str, path: str, **asked: Any) -> None:
        route, names = WebRoutes(self.routes).find(method, path)
        request = Asked(method, path, names, **asked)
        refusal = self.failureResultOf(route.answered(request), Refusal).value
        self.assertEqual(refusal.status, 400)
        self.assertIn(message, refusal.message)

    def test_in_the_order_of_the_code(self) -> None:
        declared = [(route.method, route.path) for route in self.routes]
        self.assertEqual(
            declared, [("GET", "/things/{thing}"), ("POST", "/things/{thing}"), ("GET", "/raw")]
        )

    def test_the_types_of_a_handler_are_those_of_its_route(self) -> None:
        thing, change, raw = self.routes
        self.assertEqual((thing.query, thing.body, thing.answer), (Query, None, Found))
        self.assertEqual((change.query, change.body, change.answer), (None, Body, Found))
        self.assertEqual(raw.answer, Found)
        assert thing.if_unknown is not None
        self.assertEqual(thing.if_unknown().body, b"sign in")

    def test_a_query_is_read(self) -> None:
        answer = self.answer("GET", "/things/a%2Fb", query={"most": "7", "colour": "red"})
        self.assertEqual(answer.body, b'{"what":"a/b  7 Colour.RED"}')
        answer = self.answer("GET", "/things/x", query={"q": "", "colour": "", "odd": "1"})
        self.assertEqual(answer.body, b'{"what":"x  5 None"}')

    def test_a_query_that_cannot_be_used(self) -> None:
        for text in ("11", "-1", "", "1.0", "1e1", "x" * 100, "٣"):
            self.assert_refused(
                "most must be a whole number from 0 to 10, not ",
                *("GET", "/things/x"),
                query={"most": text},
            )
        self.assert_refused(
            "colour must be one of red, blue, not 'green'",
            *("GET", "/things/x"),
            query={"colour": "green"},
        )

    def test_a_body_is_read(self) -> None:
        for body, kind, why in (
            (b"", "", ""),
            (b'{"why": "lunch"}', "application/json", "lunch"),
            (b"why=lunch", FORM, "lunch"),
        ):
            answer = self.answer("POST", "/things/x", body=body, content_type=kind)
            self.assertEqual(answer.body.decode(), f'{{"what":"ann x {why}"}}')

    def test_a_body_that_cannot_be_used(self) -> None:
        for body, message in (
            (b"{", "the body is no JSON"),
            (b"[]", "the body must be a JSON object"),
            (b'{"why": 1}', "$.why"),
            (b"\xff", "the body is no JSON"),
            (b" ", "the body is no JSON"),
        ):
            self.assert_refused(message, "POST", "/things/x", body=body)

    def test_a_key_that_a_body_does_not_have(self) -> None:
        for body, kind, unknown in (
            (b'{"why": "lunch", "wy": 1}', "application/json", "'wy'"),
            (b'{"wy": 1, "": 2}', "application/json", "'wy' or ''"),
            (b"why=lunch&wy=1", FORM, "'wy'"),
            (b'{"%s": 1}' % (b"x" * 100), "application/json", f"'{'x' * 40}'"),
        ):
            said = f"the body cannot be used: there is no key {unknown}; there are: why"
            self.assert_refused(said, "POST", "/things/x", body=body, content_type=kind)

    def test_an_answer_is_sent_as_it_is(self) -> None:
        self.assertEqual(self.answer("GET", "/raw").body, b"raw")
