"""Every jump between the states of an application: what the table does not have is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.registry.determination.process import FROM, ApplicationState, Step
from tests.registry.determination.casework import Casework
from tests.registry.determination.test_next_door import STEPS
from tests.registry.filing import Registry, problem

WORDS: dict[str, Any] = {"reason": "x", "failed_tests": ["x"]}
PATHS = {
    Step.ADD_PAPERS: "papers",
    Step.DECLARE: "declaration",
    Step.ACCEPT: "accept",
    Step.SURVEY: "surveys",
    Step.SIGN_SURVEY: next(step for step in STEPS if step.endswith("/sign")),
    Step.APPRAISE: "appraisal",
    Step.GIVE_OPINION: "opinion",
    Step.ANNOUNCE: "announce",
    Step.VISIT: "surveys",
    Step.IDENTIFY: "decide",
    Step.REFUSE: "refuse",
    Step.WITHDRAW: "withdraw",
    Step.DELIVER: "deliver",
    Step.CORRECT: "correct",
}


async def _opinion(casework: Casework) -> dict[str, Any]:
    return await casework.opined(await casework.surveyed(await casework.accepted()))


async def _verifying(casework: Casework) -> dict[str, Any]:
    return await casework.surveyed(await casework.accepted())


async def _refused(casework: Casework) -> dict[str, Any]:
    application = await casework.decidable()
    return await casework.step(
        application, "refuse", by=casework.county, decided_on="2026-01-20", **WORDS
    )


async def _identified(casework: Casework) -> dict[str, Any]:
    application = await casework.decidable()
    return await casework.step(application, "decide", by=casework.county, decided_on="2026-01-20")


async def _withdrawn(casework: Casework) -> dict[str, Any]:
    application = await casework.applied()
    return await casework.step(application, "withdraw", withdrawn_on="2026-01-20", reason="x")


REACHED: dict[ApplicationState, Callable[[Casework], Awaitable[dict[str, Any]]]] = {
    ApplicationState.APPLIED: Casework.applied,
    ApplicationState.ACCEPTED: Casework.accepted,
    ApplicationState.VERIFYING: _verifying,
    ApplicationState.OPINION: _opinion,
    ApplicationState.ON_NOTICE: Casework.decidable,
    ApplicationState.IDENTIFIED: _identified,
    ApplicationState.REFUSED: _refused,
    ApplicationState.WITHDRAWN: _withdrawn,
}


@pytest.mark.parametrize("state", ApplicationState)
async def test_no_other_step_may_follow(
    casework: Casework, registry: Registry, state: ApplicationState
) -> None:
    application = await REACHED[state](casework)
    assert application["state"] == state
    before = await registry.counted("audit_log", "applications", "application_surveys", "tasks")

    for step, path in PATHS.items():
        if state in FROM[step]:
            continue
        visit = {"kind": "county"} if step is Step.VISIT else {}
        answer = await casework.ask(application, path, by=casework.county, **(STEPS[path] | visit))
        refused = problem(answer, 422, "transition_forbidden")
        assert state in refused["errors"][0]["message"], step

    after = await registry.counted("audit_log", "applications", "application_surveys", "tasks")
    assert after == before


def test_every_step_has_its_states_and_its_path() -> None:
    assert set(FROM) == set(Step) == set(PATHS)
    assert set(REACHED) == set(ApplicationState)
