"""The means test of an application: made from the file, the declaration and the day's parameters.

What a decision keeps of it is all that it was made from, so that it can be made again years later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination.queries import Whole
from services.registry.households.facts import Facts
from services.registry.households.refusals import problem_of
from services.registry.means import rules as means
from services.registry.means.declared import Declaration, case_of
from services.registry.means.explanation import as_json, told
from services.registry.means.facts import Case, Finding, MeansParameters, MissingParameterError
from services.registry.means.queries import parameters_for
from shared.errors import Fault

DECLARATION = TypeAdapter(Declaration)
_CASE = TypeAdapter(Case)
_PARAMETERS = TypeAdapter(MeansParameters)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A finding and what it was made from."""

    case: Case
    parameters: MeansParameters
    finding: Finding

    @property
    def words(self) -> str:
        """The finding as a citizen reads it."""
        return told(self.finding)

    def stored(self) -> dict[str, Any]:
        """What a decision keeps of it."""
        return {
            "case": _CASE.dump_python(self.case, mode="json"),
            "parameters": _PARAMETERS.dump_python(self.parameters, mode="json"),
            "finding": as_json(self.finding),
            "words": self.words,
        }


async def reckon(session: AsyncSession, known: Whole, facts: Facts, decided_on: date) -> Reckoned:
    """The means test of an application on a day.

    Raises Refused listing what makes it impossible, or naming a parameter that nobody has set.
    """
    applied_on = known.application["applied_on"]
    case = case_of(facts, declaration_of(known.declarations), applied_on=applied_on)
    place = facts.division_code
    parameters = await parameters_for(session, place, decided_on, applied_on=applied_on)
    try:
        return Reckoned(case, parameters, means.decide(case, parameters, decided_on))
    except means.ImpossibleCaseError as impossible:
        raise problem_of(impossible.faults) from impossible
    except MissingParameterError as missing:
        message = f"缺少已批准的参数或标准{missing.key},不能核算"
        raise problem_of([Fault(missing.key, "parameter_missing", message)]) from missing


def declaration_of(rows: Sequence[RowMapping]) -> Declaration:
    """The newest declaration of a case; an empty one, by which the file holds, without any."""
    if not rows:
        return Declaration()
    return DECLARATION.validate_python(rows[-1]["declaration"])


def made_again(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The finding of a stored decision, reckoned anew from what was kept with it."""
    case = _CASE.validate_python(stored["case"])
    parameters = _PARAMETERS.validate_python(stored["parameters"])
    decided_on = date.fromisoformat(stored["finding"]["decided_on"])
    return as_json(means.decide(case, parameters, decided_on))
