"""Authorisations entered and revoked, and requests that need them."""

from datetime import date, timedelta

from services.registry.verification.sources import LIGHT, Source
from shared import clock
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, VERIFY, Registry, number, person, problem
from tests.registry.verification.conftest import WIFE, Desk, changed, ended_yesterday


async def test_a_request_asks_every_signer_at_every_source(registry: Registry, desk: Desk) -> None:
    household_id = await desk.household()
    signed = await desk.all_signed(household_id)

    made = await desk.asked(household_id)

    asked = {(each["subject_id"], each["source"]): each["state"] for each in made["items"]}
    assert asked == {(who, source.value): "waiting" for who in signed for source in Source}
    assert made["missing_sources"] == [source.value for source in Source]
    rows = await registry.rows(
        "SELECT DISTINCT subject_id, authorization_id FROM verification_items "
        "WHERE verification_id = :id",
        id=made["verification_id"],
    )
    assert {str(row["subject_id"]): str(row["authorization_id"]) for row in rows} == signed
    assert ("verification.requested", "o1") in await registry.audited(household_id)


async def test_each_adult_who_has_not_signed_is_named(registry: Registry, desk: Desk) -> None:
    child = person(
        "son", name="张小宝", id_number=number(born=clock.today() - timedelta(days=3000))
    )
    household_id = await desk.household(person(), person(**WIFE), child)
    head, *others = desk.people[household_id]
    await desk.signed(household_id, head, sources=["bank"])
    before = await registry.counted("verifications", "verification_items")

    body = problem(await desk.ask(household_id), 422, "authorization_missing")

    wife = await registry.rows(
        "SELECT person_id FROM members WHERE household_id = :id AND relation = 'spouse'",
        id=household_id,
    )
    assert {fault["where"] for fault in body["errors"]} == {
        f"#/members/{head}",
        f"#/members/{wife[0]['person_id']}",
    }
    assert str(wife[0]["person_id"]) in others
    assert await registry.counted("verifications", "verification_items") == before


async def test_a_guardian_signs_for_a_child_who_is_then_asked_about(desk: Desk) -> None:
    child = person(
        "son", name="张小宝", id_number=number(born=clock.today() - timedelta(days=3000))
    )
    household_id = await desk.household(person(), child)
    answer = await desk.office.client.get(f"/v1/households/{household_id}")
    ids = {each["relation"]: each["person_id"] for each in answer.json()["members"]}

    problem(await desk.sign(household_id, ids["son"]), 422, "guardian_missing")
    await desk.signed(household_id, ids["head"])
    await desk.signed(household_id, ids["son"], guardian={"person_id": ids["head"]})
    made = await desk.asked(household_id, sources=["enrolment"])

    assert {each["subject_id"] for each in made["items"]} == set(ids.values())


async def test_a_second_paper_is_the_next_version_and_outsiders_names_are_masked(
    registry: Registry, desk: Desk
) -> None:
    household_id = await desk.household(person())
    (head,) = desk.people[household_id]
    await desk.signed(household_id, head, valid_to=clock.today().isoformat())
    await desk.signed(household_id, head, guardian={"name": "李奶奶"}, sources=["death", "bank"])

    listed = await desk.office.client.get(f"/v1/households/{household_id}/authorizations")

    shown = [(each["version"], each["guardian_name"], each["live"]) for each in listed.json()]
    assert shown == [(2, "李*", True), (1, None, True)]
    assert listed.json()[0]["sources"] == ["bank", "death"]
    stored = await registry.rows(
        "SELECT guardian_name_encrypted FROM authorizations WHERE household_id = :id AND version=2",
        id=household_id,
    )
    assert "李奶奶".encode() not in stored[0]["guardian_name_encrypted"]


async def test_an_expired_or_revoked_authorisation_allows_no_request(
    registry: Registry, desk: Desk
) -> None:
    household_id = await desk.household(person())
    (head,) = desk.people[household_id]
    signed = await desk.signed(household_id, head)
    await ended_yesterday(registry, signed)
    problem(await desk.ask(household_id), 422, "authorization_missing")

    again = await desk.signed(household_id, head)
    where = f"/v1/households/{household_id}/authorizations/{again}/revoke"
    problem(await desk.office.client.post(where, json={"reason": " "}), 422, "reason_missing")
    revoked = await desk.office.client.post(where, json={"reason": "本人撤回"})

    assert (revoked.json()["live"], revoked.json()["revoked_reason"]) == (False, "本人撤回")
    problem(await desk.ask(household_id), 422, "authorization_missing")
    problem(
        await desk.office.client.post(where, json={"reason": "再次"}), 409, "authorization_revoked"
    )


async def test_one_case_runs_at_a_time(desk: Desk) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    await desk.asked(household_id, sources=[source.value for source in LIGHT])

    problem(await desk.ask(household_id), 409, "verification_running")


async def test_an_obligor_is_kept_encrypted_and_signs_where_tekun_is_asked_for(
    registry: Registry, desk: Desk
) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    named = number()
    made = await desk.obligor(household_id, id_number=named)
    assert made.status_code == 201, made.text
    obligor_id = made.json()["obligor_id"]

    assert made.json()["name"] == "张*"
    assert "********" in made.json()["id_number"]
    problem(await desk.obligor(household_id, id_number=named), 409, "obligor_known")
    stored = await registry.rows("SELECT * FROM obligors WHERE obligor_id = :id", id=obligor_id)
    assert named.encode() not in stored[0]["id_number_encrypted"]
    refused = problem(await desk.ask(household_id, aid_type="tekun"), 422, "authorization_missing")
    assert [fault["where"] for fault in refused["errors"]] == [f"#/members/{obligor_id}"]

    await desk.signed(household_id, obligor_id)
    asked = await desk.asked(household_id, aid_type="tekun", sources=["tax"])

    kinds = {each["subject_id"]: each["subject_kind"] for each in asked["items"]}
    assert kinds[obligor_id] == "obligor"
    assert len(kinds) == 2


async def test_an_obligor_who_owes_nothing_any_more_need_not_sign(desk: Desk) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    obligor_id = (await desk.obligor(household_id)).json()["obligor_id"]
    where = f"/v1/households/{household_id}/obligors/{obligor_id}/end"

    ended = await desk.office.client.post(where, json={"reason": "登记错误"})

    assert ended.json()["ended_on"] == clock.today().isoformat()
    problem(await desk.office.client.post(where, json={"reason": "登记错误"}), 409, "obligor_ended")
    assert (await desk.ask(household_id, aid_type="tekun")).status_code == 201


async def test_who_is_no_obligor(desk: Desk) -> None:
    own = number()
    household_id = await desk.household(person(id_number=own))

    problem(await desk.obligor(household_id, id_number=own), 422, "obligor_is_member")
    problem(await desk.obligor(household_id, id_number="1234"), 422, "id_number_length")
    stranger = {"person_id": household_id}
    problem(await desk.obligor(household_id, **stranger), 422, "member_unknown")


async def test_it_takes_scopes_and_an_officer(desk: Desk, office_of: OfficeOf) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    reader = Desk(await office_of("registry.verification:read"))
    machine = Desk(await office_of(f"{ALL} {VERIFY}", officer=None))

    problem(await reader.ask(household_id), 403, "scope_missing")
    problem(await machine.ask(household_id), 422, "officer_missing")


async def test_a_county_without_its_thresholds_asks_nothing(desk: Desk, registry: Registry) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    later = (
        "UPDATE policy_parameters SET valid_from = $1 "
        "WHERE key IN ('verification.dwellings', 'verification.report_months')"
    )
    await changed(registry, later, date(2999, 1, 1))
    try:
        body = problem(await desk.ask(household_id), 422, "parameter_missing")
    finally:
        await changed(registry, later, date(2024, 1, 1))

    assert [fault["where"] for fault in body["errors"]] == [
        "verification.dwellings",
        "verification.report_months",
    ]


async def test_what_moves_takes_its_papers_along(registry: Registry, desk: Desk) -> None:
    household_id = await desk.household(person())
    await desk.all_signed(household_id)
    await desk.asked(household_id, sources=["death"])

    await desk.office.read(household_id)
    await desk.office.change(
        household_id, valid_from=clock.today().isoformat(), division_code="331124212203"
    )

    for table in ("authorizations", "verifications", "verification_items"):
        rows = await registry.rows(
            f"SELECT DISTINCT division_code FROM {table} WHERE household_id = :id",  # noqa: S608 (own names)
            id=household_id,
        )
        assert [row["division_code"] for row in rows] == ["331124212203"], table
