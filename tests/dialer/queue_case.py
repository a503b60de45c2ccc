"""What the tests of queue dialing share."""

from __future__ import annotations

from tests.dialer.switch_case import SwitchTestCase

NUMBERS = [f"138{index:08d}" for index in range(200)]


class QueueCase(SwitchTestCase):
    """``canary`` proves that something does *not* happen, without waiting for nothing."""

    canaries = 0

    async def put_canary(self) -> None:
        """Add a task of its own list, whose numbers are always dialed."""
        await self.put_task("canary", number_queue="canary")

    async def canary(self, looks: int = 3) -> None:
        """Wait until the daemon has looked at its tasks anew several times."""
        for _ in range(looks):
            type(self).canaries += 1
            number = f"999{self.canaries}"
            await self.put_numbers([number], "canary")

            async def is_recorded(number: str = number) -> bool:
                return number in {record.number for record in await self.records()}

            await self.until("the canary's record", is_recorded)

    def numbers_dialed(self) -> list[str]:
        """Return the numbers dialed so far, in order, without the canary's."""
        return [number for number in self.switch_log().numbers if not number.startswith("999")]
