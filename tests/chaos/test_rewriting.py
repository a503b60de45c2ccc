"""Tables are rewritten in every order, and are whole in the end."""

from __future__ import annotations

import json
from functools import partial
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from chaos.callees import Callees
from chaos.load import tables
from chaos.rewriting import Command, rewriting

TABLES = partial(tables, Callees(1_800_000_000.0))


class RewritingTests(SynchronousTestCase):
    def carried_out(self, commands: list[Command], before: dict[str, dict[str, object]]) -> None:
        """Do to ``before`` what Redis does."""
        for name, key, *rest in commands:
            if name == "DEL":
                before[key] = {}
            elif name == "HDEL":
                for field in rest:
                    before[key].pop(field, None)
            else:
                before[key][rest[0]] = json.loads(rest[1])

    def test_in_the_end_the_new_tables_stand_there_alone(self) -> None:
        for seed in range(50):
            standing = json.loads(json.dumps(TABLES(4)))
            steps = list(rewriting(TABLES, 5, Random(seed)))
            self.carried_out([one for step in steps for one in step.commands], standing)
            self.assertEqual(standing, json.loads(json.dumps(TABLES(5))), seed)

    def test_every_table_comes_first_once_and_is_told_or_not(self) -> None:
        firsts, told = set(), set()
        for seed in range(100):
            steps = list(rewriting(TABLES, 1, Random(seed)))
            firsts.add(steps[0].commands[-1][1])
            told |= {bool(step.table) for step in steps}
        self.assertEqual(firsts, set(TABLES(0)))
        self.assertEqual(told, {True, False})
