"""``as_of`` and ``known_at``: what held on a day, as we knew it at a moment."""

from tests.registry.filing import Office, Registry, person, problem


async def moments(registry: Registry, household_id: str) -> list[str]:
    """When each revision was recorded, as the API takes it."""
    rows = await registry.rows(
        "SELECT DISTINCT recorded_at FROM household_versions WHERE household_id = :id "
        "ORDER BY recorded_at",
        id=household_id,
    )
    return [row["recorded_at"].isoformat() for row in rows]


async def test_every_day_as_known_at_every_moment(registry: Registry, office: Office) -> None:
    household_id = await office.identified()  # two moments: opened, identified
    await office.change(household_id, valid_from="2026-03-01", incomes={"wage": "200"})
    await office.change(household_id, valid_from="2026-04-01", house_grade="C")
    await office.change(household_id, valid_from="2026-02-01", incomes={"wage": "150"})
    opened, identified, march, april, correction = await moments(registry, household_id)

    expected = {
        # known at:   (5 Jan, 10 Jan, 15 Feb, 15 Mar, 15 Apr): state, wage, grade
        opened: [("accepted", 6000, None)] * 5,
        identified: [("accepted", 6000, None)] + [("identified", 6000, None)] * 4,
        march: [("accepted", 6000, None)]
        + [("identified", 6000, None)] * 2
        + [("identified", 200, None)] * 2,
        april: [("accepted", 6000, None)]
        + [("identified", 6000, None)] * 2
        + [("identified", 200, None), ("identified", 200, "C")],
        correction: [
            ("accepted", 6000, None),
            ("identified", 6000, None),
            ("identified", 150, None),
            ("identified", 200, None),
            ("identified", 200, "C"),
        ],
    }
    days = ("2026-01-05", "2026-01-10", "2026-02-15", "2026-03-15", "2026-04-15")
    for known_at, row in expected.items():
        shown = [await office.read(household_id, as_of=day, known_at=known_at) for day in days]
        assert [
            (each["state"], int(float(each["incomes"]["wage"])), each["house_grade"])
            for each in shown
        ] == row


async def test_before_the_opening_there_is_nothing(registry: Registry, office: Office) -> None:
    household_id = await office.identified()
    where = f"/v1/households/{household_id}"

    early = await office.client.get(where, params={"as_of": "2026-01-04"})
    unknown = await office.client.get(where, params={"known_at": "2026-01-05T00:00:00Z"})

    problem(early, 404, "household_not_found")
    problem(unknown, 404, "household_not_found")


async def test_a_correction_is_published_with_all_periods(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    await office.change(household_id, valid_from="2026-03-01", incomes={"wage": "200"})

    changed = await office.change(household_id, valid_from="2026-02-01", incomes={"wage": "150"})

    assert changed["version"] == 3
    _, version, state = (await registry.states(household_id))[-1]
    assert (version, str(state.effective_from), int(state.incomes.wage)) == (3, "2026-02-01", 200)
    assert [(str(each.valid_from), int(each.incomes.wage)) for each in state.periods] == [
        ("2026-01-10", 6000),
        ("2026-02-01", 150),
        ("2026-03-01", 200),
    ]


async def test_a_correction_that_no_listener_can_see_is_kept_but_not_published(
    registry: Registry, office: Office
) -> None:
    household_id = await office.identified()
    await office.change(household_id, valid_from="2026-03-01", causes=["disability"])

    changed = await office.change(household_id, valid_from="2026-02-01", causes=["schooling"])

    assert (changed["changed"], changed["version"]) == (True, 2)
    assert len(await registry.states(household_id)) == 2
    assert (await office.read(household_id, as_of="2026-02-15"))["causes"] == ["schooling"]


async def test_a_correction_that_later_facts_contradict_is_refused(office: Office) -> None:
    household_id = await office.identified(person(), person("spouse"))
    head, spouse = (member["person_id"] for member in (await office.read(household_id))["members"])
    await office.change(household_id, valid_from="2026-03-01", head_person_id=spouse)

    answer = await office.client.post(
        f"/v1/households/{household_id}/members/{spouse}/leave",
        json={"valid_from": "2026-02-01", "reason": "died"},
    )

    assert head != spouse
    problem(answer, 422, "later_facts_conflict")
