"""A township officer's whole work on one household, over the API: from a neighbour's word to the
return after a relapse (C4, C6), every step on the board and the file always the same.
"""

from typing import Any

import httpx

from tests.registry.conftest import OfficeOf
from tests.registry.determination.casework import RIGHTS, TOWNSHIP, Casework, done
from tests.registry.filing import Office, person
from tests.registry.told import VILLAGE

LEADS = "registry.leads:read registry.leads:write registry.leads:decide"


async def ask(office: Office, path: str, **body: Any) -> httpx.Response:
    return await office.client.post(path, json=body)


async def accepted_lead(casework: Casework, office: Office) -> str:
    """A grid worker tells of somebody, he is visited, his file is opened, the lead accepted."""
    who = person(name="吴有望")
    told = {key: who[key] for key in ("name", "id_number")} | {"division_code": VILLAGE}
    lead = done(
        await ask(
            office,
            "/v1/leads",
            source="grid_worker",
            reported_on="2026-01-02",
            text="独居,近日住院",
            person=told,
        ),
        201,
    )
    where = f"/v1/leads/{lead['lead']['lead_id']}"
    done(await ask(office, f"{where}/visits", visited_on="2026-01-04", findings="确有困难"), 201)
    household_id = await casework.household(who, category=None, incomes={"wage": "6000"})
    accepted = await ask(
        office, f"{where}/accept", accord="household_agrees", household_id=household_id
    )
    assert accepted.is_success, accepted.text
    return household_id


async def test_from_a_neighbours_word_to_the_return(
    casework: Casework, office_of: OfficeOf
) -> None:
    office = await office_of(f"{RIGHTS} {LEADS}", officer="t1", divisions=TOWNSHIP)
    county = casework.county
    household_id = await accepted_lead(casework, office)

    application = await casework.decidable(household_id=household_id)
    decided = await casework.step(application, "decide", by=county, decided_on="2026-01-20")
    words = await county.client.get(f"/v1/applications/{application['application_id']}/explanation")
    county.etags[household_id] = "read anew"
    for day in ("2026-02-20", "2026-08-20"):
        await casework.registry.checked(household_id, day)
    await county.announce(household_id, "lift", closed_on="2026-09-10")
    await casework.registry.guaranteed(household_id)
    lifted = await county.decide(household_id, "lift", decided_on="2026-09-10")
    sign = {"kind": "illness", "detected_on": "2026-10-08", "amount": "23000.50"}
    told = done(await ask(office, f"/v1/households/{household_id}/hardships", **sign), 201)
    check_id = told["return_check"]["return_check_id"]
    board = await office.client.get(
        "/v1/tasks", params={"household_id": household_id, "open": True}
    )
    back = await county.decide(
        household_id,
        "return",
        decided_on="2026-10-12",
        reason="重病返贫,经入户核实",
        return_check_id=check_id,
    )

    assert decided["state"] == "identified"
    assert "最低生活保障" in words.text
    assert (lifted["state"], back["state"]) == ("lifted", "returned")
    assert [task["subject_id"] for task in board.json()["items"]] == [check_id]
    assert list(await casework.tasks(application)) == ["plan"]
    assert [episode["number"] for episode in back["episodes"]] == [1, 2]
    kinds = [kind for kind, _, _ in await casework.registry.states(household_id)]
    assert [kinds[0], kinds[-2], kinds[-1]] == ["identified", "lifted", "returned"]
