"""The commands for operators speak Chinese where that is asked for, or the locale is so."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli import texts
from ctidialer.cli.language import locale_language
from ctidialer.contract import keys
from ctidialer.rules.words import Said, named, needed
from tests.cli.command_case import CommandTestCase, Done
from tests.support.node import HOST


class LocaleTests(SynchronousTestCase):
    def test_the_first_variable_that_is_set_counts(self) -> None:
        for environment, language in (
            ({}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
            ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "de_DE"}, "en"),
            ({"LANG": "C", "LC_ALL": "zh"}, "zh"),
        ):
            self.assertEqual(locale_language(environment), language, environment)


def all_texts() -> Iterator[Said]:
    """Yield every text of the commands."""
    for value in vars(texts).values():
        if isinstance(value, Said):
            yield value
        elif isinstance(value, tuple | dict):
            members = value.values() if isinstance(value, dict) else value
            yield from (one for one in members if isinstance(one, Said))


class TextsTests(SynchronousTestCase):
    def test_both_languages_name_the_same(self) -> None:
        said = list(all_texts())
        self.assertGreater(len(said), 40)
        for one in said:
            # In English the word for programs will do.
            self.assertEqual(named(one.en), named(one.zh) - {"label"}, one)
            self.assertEqual(needed(one.en), needed(one.zh) - {"label"}, one)
            self.assertEqual(bool(one.en), bool(one.zh), one)


class ChineseTests(CommandTestCase):
    async def speak(self, command: str, *arguments: str) -> Done:
        words = (command, "--redis", self.url, "--host", HOST, *arguments)
        return await self.run_command("--lang", "zh", *words)

    async def test_explain(self) -> None:
        await self.put_task()
        await self.put(keys.control(HOST), {"pause:t": '{"by": "ann", "why": "午休"}'})
        out = (await self.speak("explain", "t")).out
        lines = [
            "fs1 上的 t：已暂停（paused）",
            "已暂停，操作人：ann，原因：午休，恢复之前不发起新呼叫",
            "q 中的号码：0；呼叫：0/5",
            "节点：没有以主机名 'fs1' 运行的守护进程",
        ]
        self.assertEqual(out.splitlines(), lines)
        done = await self.speak("explain", "none")
        self.assertEqual(done.status, 1)
        self.assertIn('中没有任务 "none"；现有：t', done.out)

    async def test_explain_a_schedule(self) -> None:
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"c": {"params": {}}})
        done = await self.speak("explain", "--schedule", "x")
        self.assertIn("fs1 上的 x：定时配置不存在（unknown_config）", done.out)
        self.assertIn("现有：c\n到时：0；全部定时配置：到时 0，共定时 0\n", done.out)

    async def test_status_and_check(self) -> None:
        await self.put_task()
        await self.put_task("bad", limit="x")
        out = (await self.speak("status")).out
        self.assertIn("节点 fs1：未就绪\n  没有以主机名 'fs1' 运行的守护进程\n", out)
        self.assertRegex(out, r"任务 +状态 +呼叫 +上限 +队列 +号码 +等待 +原因 *\n")
        self.assertRegex(out, r"bad +invalid .*任务内容有错误：")
        out = (await self.speak("check", "--no-freeswitch")).out
        self.assertIn("错误：cti_queue_dialer_task@template bad $.params.limit：必须是", out)
        self.assertRegex(out, r"1 个错误，.*；检查了 2 个任务，")

    async def test_faults_in_chinese(self) -> None:
        await self.put_task(line_group=["l", "g"])
        await self.put_task("bad", limit="x", cps=0)
        await self.put(keys.at(keys.LINE, HOST), {"l": {"params": {"dialstring": "user/1 2"}}})
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"g": {"line": ["l"], "redial": 1}})
        out = (await self.speak("explain", "bad")).out
        self.assertIn('$.params.limit：必须是 0 到 2147483647 的整数，不能是"x"；', out)
        self.assertIn("$.params.cps：必须大于 0", out)
        self.assertIn("bad", out)
        out = (await self.speak("status")).out
        self.assertIn("必须是", out.replace("\n", ""))
        out = (await self.speak("explain", "t")).out
        self.assertIn(
            "警告：cti_line_group@fs1 g $.redial：已忽略：没有这个键；是否应为 `redialer_count`？",
            out,
        )

    async def test_json_is_the_same_in_every_language(self) -> None:
        await self.put_task()
        told = (await self.speak("explain", "t", "--json")).json()
        self.assertIn("no daemon is alive", told["text"])

    async def test_the_locale_chooses_where_nobody_does(self) -> None:
        await self.put_task()
        words = ("explain", "--redis", self.url, "--host", HOST, "t")
        done = await self.run_command(*words, LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
        self.assertIn("无守护进程", done.out)
        done = await self.run_command("--lang", "en", *words, LC_ALL="zh_CN.UTF-8")
        self.assertIn("t on fs1: no_daemon", done.out)

    async def test_a_language_that_is_none(self) -> None:
        done = await self.run_command("--lang", "fr", "status")
        self.assertEqual(done.status, 2)
