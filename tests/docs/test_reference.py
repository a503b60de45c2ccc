"""The reference pages, which are made from the code, and the pages that hang on names in it."""

from __future__ import annotations

import re
from io import StringIO
from xml.etree import ElementTree

import click
import msgspec
from docutils.core import publish_doctree
from twisted.trial.unittest import SynchronousTestCase

from ctidialer import settings
from ctidialer.contract import keys
from ctidialer.dialer.lease_keeper import STATES, TRANSITIONS
from ctidialer.rules.attempt import Phase
from ctidialer.rules.reasons import Reason
from ctidialer.rules.words import LANGUAGES
from tests.docs.blocks import ROOT, blocks, pages
from tools import reasons_page
from tools.commands_page import SHARED, commands, is_about_a_node, reference
from tools.settings_page import MeaningError, all_settings, read_meanings, rows
from tools.states_page import lines as state_lines

DOCS = ROOT / "docs"
PICTURE = DOCS / "life-of-a-number.svg"
RULES = ROOT / "etc" / "prometheus" / "ctidialer.rules.yml"


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / f"{name}.rst").read_text(encoding="utf-8")


def sections(text: str, underline: str) -> dict[str, str]:
    """Return the text of each section with this underline, by its title."""
    found = list(re.finditer(rf"(?m)^(\S.*)\n{re.escape(underline)}{{3,}}$", text))
    ends = [one.start() for one in found[1:]] + [len(text)]
    return {one[1]: text[one.end() : end] for one, end in zip(found, ends, strict=True)}


class StatesPageTests(SynchronousTestCase):
    """The tables of the lease, which are made from its transitions."""

    def test_every_state_has_its_meaning_and_a_way_into_it_and_out_of_it(self) -> None:
        in_state = {before for before, *_ in TRANSITIONS}
        reached = {after for _, _, after, _ in TRANSITIONS}
        self.assertEqual(in_state, set(STATES))
        self.assertEqual(reached, set(STATES))

    def test_a_row_says_state_event_action_and_state(self) -> None:
        text = "\n".join(state_lines())
        row = "   * - held\n     - redis went\n     - pause\n     - away\n"
        self.assertIn(row, text)
        self.assertIn("   * - waiting\n     - another daemon has the name", text)

    def test_the_page_asks_for_them(self) -> None:
        self.assertIn(".. lease-states::", page("architecture"))


class SettingsPageTests(SynchronousTestCase):
    def meanings(self, name: str = "settings") -> dict[str, list[str]]:
        content = page(name).partition(".. settings-reference::\n")[2]
        content = content.replace("   :language: zh\n", "")
        lines = re.split(r"\n(?=\S)", content)[0].splitlines()
        return read_meanings([line.removeprefix("   ") for line in lines])

    def test_every_key_has_its_type_default_bounds_and_variable(self) -> None:
        text = "\n".join(rows(self.meanings()))
        self.assertIn("*number, above 0, up to 86,400; default:* ``0.05``", text)
        self.assertIn("*text; default:* empty; also ``CTIDIALER_HTTP_TOKEN``", text)
        self.assertIn("*one of text, json; default:* ``text``", text)
        sections_of_code = [one.name for one in msgspec.structs.fields(settings.Settings)]
        self.assertEqual(re.findall(r"rubric:: \[(\w+)\]", text), sections_of_code)

    def test_the_chinese_page_has_every_key_in_chinese(self) -> None:
        text = "\n".join(rows(self.meanings("zh/settings"), "zh"))
        self.assertIn("*数，大于 0，最大 86,400；默认：* ``0.05``", text)
        self.assertIn("*文字；默认：* 空；也可用 ``CTIDIALER_HTTP_TOKEN``", text)
        self.assertIn("*text、json 之一；默认：* ``text``", text)
        self.assertIn(".. _zh-settings-node-host:", text)

    def test_a_key_without_a_meaning_or_a_meaning_without_a_key(self) -> None:
        meanings = self.meanings()
        self.assertEqual(set(meanings), {one.path for one in all_settings()})
        for odd in ({**meanings, "node.more": ["x"]}, {"node.host": ["x"]}):
            with self.assertRaises(MeaningError):
                rows(odd)
        with self.assertRaises(MeaningError):
            read_meanings(["node.host", "   x", "node.host", "   y"])

    def test_no_meaning_repeats_what_the_code_says(self) -> None:
        for path, lines in self.meanings().items():
            self.assertNotIn("CTIDIALER_", " ".join(lines), path)
            self.assertNotRegex(" ".join(lines), r"[Dd]efault(?:s|:)", path)


def complaints(text: str) -> str:
    """Return what docutils has to say against a text."""
    warnings = StringIO()
    publish_doctree(text, settings_overrides={"warning_stream": warnings})
    return warnings.getvalue()


class ReasonsPageTests(SynchronousTestCase):
    """The tables of reasons and line states, which are made from the code."""

    def test_every_word_stands_in_its_table_in_its_order(self) -> None:
        for name, all_words in reasons_page.tables().items():
            for language in LANGUAGES:
                made = reasons_page.rows(name, language, ["label", "reason", "meaning"])
                named = re.findall(r"(?m)^     - ``(\w+)``$", "\n".join(made))
                self.assertEqual(named, list(all_words))
        self.assertEqual(list(reasons_page.tables()["reasons"]), [one.value for one in Reason])

    def test_every_text_is_sound_markup(self) -> None:
        for all_words in reasons_page.tables().values():
            for words in all_words.values():
                for said in (words.label, words.meaning, words.advice):
                    for language in LANGUAGES:
                        self.assertEqual(complaints(said.in_(language)), "")

    def test_every_cell_is_there(self) -> None:
        made = reasons_page.rows("reasons", "zh", ["label", "reason", "meaning", "advice"])
        paused = made[made.index("     - ``paused``") - 1 :][:4]
        words = Reason.PAUSED.words
        cells = [words.label.zh, "``paused``", words.meaning.zh, words.advice.zh]
        self.assertEqual([line[7:] for line in paused], cells)

    def test_the_pages_have_their_tables(self) -> None:
        for name, language in (("operations", ""), ("dashboard", ""), ("zh/dashboard", "zh")):
            text = page(name)
            self.assertIn(".. reasons-table:: reasons\n", text)
            self.assertEqual(":language: zh" in text, language == "zh")
        for name in ("dashboard", "zh/dashboard"):
            self.assertIn(".. reasons-table:: lines\n", page(name))


class CommandsPageTests(SynchronousTestCase):
    def test_every_command_is_described(self) -> None:
        named = re.findall(r"(?m)^\.\. command-reference:: ([\w ]+)$", page("commands"))
        self.assertEqual(sorted(named), sorted([*commands(), "common"]))

    def test_every_option_is_in_the_reference(self) -> None:
        for name, command in commands().items():
            text = "\n".join(reference(name) + reference("common"))
            context = click.Context(command)
            for parameter in command.params:
                is_option = isinstance(parameter, click.Option)
                shown = parameter.opts if is_option else [parameter.make_metavar(context)]
                self.assertEqual([one for one in shown if one not in text], [], name)
            self.assertIn(f"Usage: ctidialer {name}", text)

    def test_every_option_has_a_help(self) -> None:
        for name, command in commands().items():
            for parameter in command.params:
                if parameter.param_type_name == "option":
                    self.assertTrue(getattr(parameter, "help", ""), f"{name} {parameter.name}")

    def test_the_prose_names_no_other_options(self) -> None:
        for title, text in sections(page("commands"), "~").items():
            names = re.findall(r"ctidialer (\w+)", title)
            meant = [commands()[one] for one in commands() if one.split()[0] in names]
            known = {option for command in meant for one in command.params for option in one.opts}
            said = set(re.findall(r"``(--[a-z-]+)", text.partition("The commands below")[0]))
            self.assertEqual(said - known, set(), title)

    def test_commands_about_a_node_share_their_options(self) -> None:
        about = {name for name in commands() if is_about_a_node(name)}
        self.assertEqual(set(commands()) - about, {"demo", "completion", "token"} & set(commands()))
        self.assertEqual(len(SHARED), 4)

    def test_every_page_names_commands_that_exist(self) -> None:
        for path in pages():
            if path.name == "logs.rst":
                continue  # "ctidialer stops" is a line of the log there
            text = path.read_text(encoding="utf-8")
            said = re.findall(r"``ctidialer ([a-z]+)\b", text)
            typed = "\n".join(block.text for block in blocks(path))
            said += re.findall(r"(?m)^\s*(?:\S*/bin/)?ctidialer ([a-z]+)\b", typed)
            self.assertEqual(set(said) - {one.split()[0] for one in commands()}, set(), path.name)


class PictureTests(SynchronousTestCase):
    """The picture of the life of a number says what the code does."""

    def setUp(self) -> None:
        self.tree = ElementTree.parse(PICTURE).getroot()
        self.texts = [text for one in self.tree.iter() if (text := (one.text or "").strip())]

    def test_its_scripts_are_those_of_the_store(self) -> None:
        scripts = {path.stem for path in (ROOT / "ctidialer/store/lua").glob("*.lua")}
        self.assertEqual({"claim", "note", "settle", "return"} - scripts, set())
        self.assertEqual({"claim", "note", "settle", "return"} - set(self.texts), set())

    def test_its_phases_are_those_of_an_attempt(self) -> None:
        shown = " ".join(self.texts)
        for phase in Phase:
            self.assertIn(phase.value, shown)
        self.assertIn(keys.in_flight("host"), self.texts)

    def test_it_is_fit_for_dark_and_light_and_for_those_who_hear_it(self) -> None:
        raw = PICTURE.read_text(encoding="utf-8")
        light, dark = raw.partition("prefers-color-scheme: dark")[::2]
        for name in re.findall(r"\.(\w+) \{", dark.partition("</style>")[0]):
            self.assertIn(f".{name} {{", light)
        self.assertNotRegex(raw.partition("</style>")[2], r'(?:fill|stroke)="#')
        self.assertIn("\n   :alt: ", page("concepts"))
        self.assertIn("<title", raw)


class RunbookTests(SynchronousTestCase):
    def test_each_section_says_meaning_check_and_cure(self) -> None:
        found = sections(page("runbook"), "-")
        self.assertGreater(len(found), 9)
        for title, text in found.items():
            for part in ("**Meaning.**", "**Check.**", "**Cure.**"):
                self.assertIn(part, text, title)

    def test_the_reasons_it_names_exist(self) -> None:
        named = set(re.findall(r"``explain``\s+says\s+``(\w+)``", page("runbook")))
        self.assertGreater(len(named), 5)
        self.assertEqual(named - {reason.value for reason in Reason}, set())

    def test_every_alert_has_its_section(self) -> None:
        """The rules name the section by its title."""
        text = RULES.read_text(encoding="utf-8")
        alerts = re.findall(r"(?m)^\s*- alert: (\w+)$", text)
        named = re.findall(r'(?m)^ +runbook: "(.*)"$', text)
        self.assertEqual(len(named), len(alerts), "an alert without a section")
        found = sections(page("runbook"), "-")
        self.assertEqual(set(named), set(found))
        self.assertGreater(len(alerts), 9)
        for alert, title in zip(alerts, named, strict=True):
            self.assertIn(f"``{alert}``", found[title].partition("**Meaning.**")[0])

    if not RULES.exists():
        test_every_alert_has_its_section.skip = "there are no alerts yet"  # type: ignore[attr-defined]


class ArchitecturePageTests(SynchronousTestCase):
    def test_every_module_it_names_exists(self) -> None:
        text = page("architecture") + page("concepts")
        named = re.findall(r"``([a-z]+/[a-z_/]+\.(?:py|lua))``", text)
        self.assertGreater(len(named), 8)
        missing = [
            name
            for name in named
            if not (ROOT / "ctidialer" / name).is_file() and not (ROOT / name).is_file()
        ]
        self.assertEqual(missing, [])

    def test_every_package_is_there(self) -> None:
        packages = {path.parent.name for path in (ROOT / "ctidialer").glob("*/__init__.py")}
        named = set(re.findall(r"(?m)^      ([a-z]+)/ ", page("architecture")))
        self.assertEqual(named, packages)
