"""Tab completion, as the shells ask for it, and in the shells themselves."""

from __future__ import annotations

import shutil

from twisted.trial.unittest import SkipTest

from ctidialer.cli.completion import SHELLS
from ctidialer.contract import keys
from tests.docs.docs_case import DocsCase

NOWHERE = {"CTIDIALER_REDIS_URL": "redis://127.0.0.1:1/0"}


class TablesCase(DocsCase):
    async def set_up(self) -> None:
        """Write tasks of both hashes and a configuration; other hosts leave traces."""
        await super().set_up()
        await self.put_task("welcome")
        await self.put_task("weekend")
        await self.put_task("own", key=keys.at(keys.TASK, "fs1"))
        await self.put_task("bad", limit="x")
        await self.put_task("\x1b[31m")
        await self.call("SET", keys.status("fs2"), "{}")
        await self.call("HSET", keys.in_flight("fs3"), "x", "y")


class ProtocolTests(TablesCase):
    """What bash asks for, and what it is answered."""

    async def offered(self, *words: str, **environ: str) -> list[str]:
        """Return what is offered for the last word, in bash's protocol."""
        line = " ".join(["ctidialer", *words])
        asked = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
            "_CTIDIALER_COMPLETE": "bash_complete",
            **environ,
        }
        said = await self.type("ctidialer", asked)
        return [row.partition(",")[2] for row in said.splitlines() if row]

    async def test_tasks(self) -> None:
        node = ("--host", "fs1")
        words = ("explain", "pause", "resume", "load", "waiting", "cancel", "requeue")
        for command in (*((word,) for word in words), ("records", "--task")):
            name, *rest = command
            self.assertEqual(await self.offered(name, *node, *rest, "we"), ["weekend", "welcome"])
        every = ["bad", "own", "weekend", "welcome"]
        self.assertEqual(await self.offered("explain", *node, ""), every)
        self.assertEqual(
            await self.offered("explain", "--host", "fs9", ""), ["bad", "weekend", "welcome"]
        )

    async def test_hosts_commands_and_options(self) -> None:
        self.assertEqual(await self.offered("status", "--host", "fs"), ["fs2", "fs3"])
        self.assertEqual(await self.offered("re"), ["records", "report", "requeue", "resume"])
        self.assertIn("--dry-run", await self.offered("load", "--d"))
        self.assertEqual(await self.offered("completion", "z"), ["zsh"])

    async def test_files_are_left_to_the_shell(self) -> None:
        asked = {
            "COMP_WORDS": "ctidialer load welcome nu",
            "COMP_CWORD": "3",
            "_CTIDIALER_COMPLETE": "bash_complete",
        }
        self.assertEqual(await self.type("ctidialer", asked), "file,nu\n")

    async def test_without_redis_nothing_is_offered_and_nothing_said(self) -> None:
        self.assertEqual(await self.offered("explain", "we", **NOWHERE), [])
        self.server.pause()
        self.assertEqual(await self.offered("explain", "we"), [])
        self.server.go_on()
        wrong = {"CTIDIALER_REDIS_URL": "http://nonsense"}
        self.assertEqual(await self.offered("explain", "we", **wrong), [])

    async def test_each_shell_has_its_script(self) -> None:
        for shell in SHELLS:
            said = await self.type(f"ctidialer completion {shell}")
            self.assertIn(f"{shell}_complete", said)
        await self.type("ctidialer completion tcsh", status=2)


class ShellTests(TablesCase):
    """Real shells; each completes the same line."""

    async def in_shell(self, shell: str, script: str) -> list[str]:
        if shutil.which(shell) is None:
            raise SkipTest(f"there is no {shell} here")
        (self.directory / "try").write_text(script, encoding="utf-8")
        return (await self.type(f"{shell} ./try")).splitlines()

    async def test_bash(self) -> None:
        script = """
            eval "$(ctidialer completion bash)"
            complete -p ctidialer
            COMP_WORDS=(ctidialer pause we) COMP_CWORD=2
            _ctidialer_completion ctidialer
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        registered, *offered = await self.in_shell("bash", script)
        self.assertIn("-F _ctidialer_completion ctidialer", registered)
        self.assertEqual(offered, ["weekend", "welcome"])

    async def test_zsh(self) -> None:
        script = """
            autoload -Uz compinit && compinit -D -u
            eval "$(ctidialer completion zsh)"
            echo ${_comps[ctidialer]}
            COMP_WORDS="ctidialer pause we" COMP_CWORD=2 _CTIDIALER_COMPLETE=zsh_complete ctidialer
        """
        registered, *offered = await self.in_shell("zsh", script)
        self.assertEqual(registered, "_ctidialer_completion")
        self.assertEqual(offered, ["plain", "weekend", "_", "plain", "welcome", "_"])

    async def test_fish(self) -> None:
        script = """
            ctidialer completion fish | source
            complete -C "ctidialer pause we"
        """
        offered = await self.in_shell("fish", script)
        self.assertEqual(sorted(offered), ["weekend", "welcome"])
