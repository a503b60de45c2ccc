"""Commands run as processes, beside a whole node: Redis, the simulated switch and the daemon."""

from __future__ import annotations

from tests.cli.command_case import CommandProcess, Done, command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST


class NodeCommandCase(SwitchTestCase):
    """``on_node`` runs a command about the node ``fs1`` of this test."""

    def start_on_node(self, command: str, *arguments: str) -> CommandProcess:
        """Start a command about the node."""
        words = (command, "--redis", self.url, "--host", HOST, *arguments)
        return command_process(self, self.directory, words)

    async def on_node(self, command: str, *arguments: str) -> Done:
        """Run a command about the node to its end."""
        return await self.start_on_node(command, *arguments).done
