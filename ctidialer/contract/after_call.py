"""What is read from a call that has ended: ``record_variables``, ``outcome_rule``,
``agent_variable`` of a task or a schedule configuration (docs/redis-contract.rst)."""

from __future__ import annotations

import re
from fnmatch import translate

from attrs import evolve, field, frozen

from ctidialer.contract import fields
from ctidialer.contract.document import Params, Place, shown
from ctidialer.contract.problems import Problem
from ctidialer.contract.record import Outcome
from ctidialer.contract.variables import NAME

AS_NUMBER = "number"

RULED = frozenset(
    {
        Outcome.ANSWERED,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.REJECTED,
        Outcome.UNALLOCATED,
        Outcome.FAILED,
        Outcome.MACHINE,
    }
)
"""What a rule may say of a call; the other outcomes are not a call's."""


@frozen
class WantedVariable:
    """A channel variable that the record is to carry under ``name``."""

    name: str
    variable: str
    as_number: bool = False


@frozen
class OutcomeRule:
    """The outcome of a call whose ``variable`` matches ``pattern``, a shell pattern in any case."""

    variable: str
    pattern: str
    outcome: Outcome
    _matcher: re.Pattern[str] = field(init=False, eq=False, repr=False)

    @_matcher.default
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(translate(self.pattern), re.IGNORECASE)

    def matches(self, value: str) -> bool:
        """Say whether a variable with this value decides the outcome."""
        return self._matcher.match(value) is not None


@frozen
class AfterCall:
    """What is to be read when a call has ended; the first rule that matches decides."""

    variables: tuple[WantedVariable, ...] = ()
    rules: tuple[OutcomeRule, ...] = ()
    agent_variable: str | None = None
    names: tuple[str, ...] = field(init=False, eq=False)
    """Every channel variable that is asked for, each once."""

    @names.default
    def _all_names(self) -> tuple[str, ...]:
        agent = (self.agent_variable,) if self.agent_variable else ()
        wanted = (one.variable for one in self.variables)
        return tuple(dict.fromkeys((*wanted, *(rule.variable for rule in self.rules), *agent)))

    def with_variables(self, variables: tuple[WantedVariable, ...]) -> AfterCall:
        """Return this with more variables for the record; what it wants itself goes first."""
        known = {one.name for one in self.variables}
        more = tuple(one for one in variables if one.name not in known)
        return evolve(self, variables=self.variables + more) if more else self


NOTHING_MORE = AfterCall()


def read_after_call(params: Params) -> AfterCall:
    """Return what a task or a configuration wants to know of its calls."""
    return AfterCall(
        variables=params.optional("record_variables", wanted_variables, ()),
        rules=params.optional("outcome_rule", _rules, ()),
        agent_variable=params.optional("agent_variable", _variable, None),
    )


def wanted_variables(node: Place) -> tuple[WantedVariable, ...] | None:
    """Read a list of ``"variable"``, ``"number:variable"`` or ``"name:variable"``."""
    nodes = fields.some_items(node)
    if nodes is None:
        return None
    found = [wanted for one in nodes if (wanted := _wanted(one)) is not None]
    return tuple({wanted.name: wanted for wanted in found}.values())


def _wanted(node: Place) -> WantedVariable | None:
    text = fields.word(node)
    if text is None:
        return None
    kind, colon, variable = text.rpartition(":")
    if not NAME.fullmatch(variable) or (colon and not NAME.fullmatch(kind)):
        node.fault(Problem.NO_WANTED_VARIABLE.of(value=shown(text)))
        return None
    is_number = kind == AS_NUMBER
    return WantedVariable(variable if is_number or not colon else kind, variable, is_number)


def _rules(node: Place) -> tuple[OutcomeRule, ...] | None:
    nodes = fields.items(node)
    if nodes is None:
        return None
    return tuple(rule for one in nodes if (rule := _rule(one)) is not None)


def _rule(node: Place) -> OutcomeRule | None:
    members = fields.members(node)
    if members is None:
        return None
    params = Params(members, node, complete=True)
    variable = params.required("variable", _variable, "")
    pattern = params.required("value", fields.text, "")
    outcome = params.required("outcome", _outcome, None)
    if not variable or not pattern or outcome is None:
        return None
    return OutcomeRule(variable, pattern, outcome)


def _variable(node: Place) -> str | None:
    name = fields.word(node)
    if name is not None and not NAME.fullmatch(name):
        node.fault(Problem.NO_VARIABLE_NAME.of(value=shown(name)))
        return None
    return name


def _outcome(node: Place) -> Outcome | None:
    word = fields.word(node)
    found = next((one for one in RULED if one.value == (word or "").lower()), None)
    if word is not None and found is None:
        known = ", ".join(sorted(one.value for one in RULED))
        node.fault(Problem.NO_OUTCOME.of(known=known, value=shown(word)))
    return found
