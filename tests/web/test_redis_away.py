"""What is answered while Redis is away, or silent: all that the daemon knows by itself."""

from __future__ import annotations

from ctidialer.stage.redis import RedisProcess
from tests.support.redis import link_to, own_redis
from tests.web.web_case import WebTestCase


class RedisAwayTests(WebTestCase):
    """With a Redis of its own."""

    process: RedisProcess

    async def set_up(self) -> None:
        await super().set_up()
        self.process = await own_redis(self)
        self.url = self.process.url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        await self.usual_tables(limit=0)
        await self.put_numbers(["1001"])
        self.start_web()
        await self.until("ready", self.is_ready)

    async def is_ready(self) -> bool:
        return (await self.ask("GET", "/readyz", token=None)).status == 200

    async def is_away(self) -> bool:
        missing = (await self.ask("GET", "/readyz", token=None)).json["missing"]
        return any(one["condition"] == "redis_away" for one in missing)

    async def test_redis_is_killed(self) -> None:
        await self.process.kill()
        await self.until("Redis is away", self.is_away)
        status = await self.ask("GET", "/api/status")
        self.assertEqual((status.status, status.json["ready"]), (200, False))
        (task,) = (await self.ask("GET", "/api/tasks")).json["tasks"]
        self.assertEqual((task["name"], task["queue_length"]), ("t", None))
        for method, path in (
            ("GET", "/api/records"),
            ("GET", "/api/nodes"),
            ("GET", "/api/check"),
            ("POST", "/api/tasks/t/pause"),
            ("POST", "/api/drain"),
        ):
            reply = await self.ask(method, path)
            self.assertEqual((path, reply.status), (path, 503))
            self.assertIn("Redis does not answer", reply.json["error"]["message"])
        metrics = (await self.ask("GET", "/metrics")).body
        self.assertIn(b"\nctidialer_redis_up 0.0\n", metrics)
        self.assertIn(b"\nctidialer_redis_disconnects_total 1.0\n", metrics)
        self.assertNotIn(b"\nctidialer_queue_length{", metrics)

    async def test_redis_is_silent(self) -> None:
        """A scrape does not wait for it, and does not fail."""

        async def is_told() -> bool:
            metrics = (await self.ask("GET", "/metrics")).body
            return b'\nctidialer_queue_length{queue="q",task="t"} 1.0\n' in metrics

        await self.until("the length of the queue is told", is_told)
        self.process.pause()
        try:
            reply = await self.ask("GET", "/metrics")
        finally:
            self.process.go_on()
        self.assertEqual(reply.status, 200)
        self.assertNotIn(b"\nctidialer_queue_length{", reply.body)
        # Redis is not even given up yet.
        self.assertIn(b"\nctidialer_redis_up 1.0\n", reply.body)
