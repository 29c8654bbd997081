"""Every route of the registry, asked by another county's office with every right it could have.

A route that is added without its place here fails: it needs a look from next door as well.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.registry.main import create
from services.registry.settings import RegistrySettings
from tests.conftest import SettingsOf
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, RESOLVE, VERIFY, Office, Registry, number, person, problem

ONE = "/v1/households/{household_id}"
DAY = {"valid_from": "2026-03-01"}
DECISION = {"decided_on": "2026-03-20", "reason": "x"}

NOT_FOUND: Mapping[str, dict[str, Any]] = {
    f"GET {ONE}": {},
    f"PATCH {ONE}": DAY | {"house_grade": "D"},
    f"POST {ONE}/members": DAY | person("son"),
    f"PATCH {ONE}/members/{{person_id}}": DAY | {"name": "李四"},
    f"POST {ONE}/members/{{person_id}}/leave": DAY | {"reason": "died"},
    f"POST {ONE}/identify": DECISION,
    f"POST {ONE}/refuse": DECISION,
    f"POST {ONE}/lift": DECISION,
    f"POST {ONE}/exit": DECISION,
    f"POST {ONE}/return": DECISION,
    f"POST {ONE}/close": DECISION | {"ground": "died"},
    f"POST {ONE}/notices": {"kind": "lift"},
    f"POST {ONE}/notices/{{notice_request_id}}/withdraw": {"reason": "x"},
    f"GET {ONE}/notices": {},
    f"POST {ONE}/checks": {
        "checked_on": "2026-03-20",
        "incomes": {"wage": "60000"},
        "food_and_clothing": True,
    },
    f"GET {ONE}/checks": {},
    f"POST {ONE}/hardships": {"kind": "illness", "detected_on": "2026-03-20"},
    f"POST {ONE}/transfers": {"to": "331121001001", "moves_on": "2026-03-20"},
    f"POST {ONE}/splits": {
        "split_on": "2026-03-20",
        "person_ids": ["{person_id}"],
        "head_person_id": "{person_id}",
        "division_code": "331121001001",
        "staying": {"incomes": {}},
        "going": {"incomes": {}},
        "reason": "x",
    },
    f"GET {ONE}/splits": {},
    f"POST {ONE}/mergers": {
        "merged_id": "00000000-0000-7000-8000-000000000000",
        "merged_on": "2026-03-20",
        "amounts": "added",
        "reason": "x",
    },
    f"GET {ONE}/mergers": {},
    f"POST {ONE}/plans": {
        "target_income": "1.00",
        "measures": [
            {
                "kind": "health",
                "cause": "illness",
                "bureau": "x",
                "officer_id": "x",
                "budget": "1.00",
                "fund": "x",
                "begins_on": "2026-03-20",
                "due_on": "2026-03-20",
            }
        ],
    },
    f"GET {ONE}/plans": {},
    f"POST {ONE}/plan-results": {"year": 2025, "income": "1.00"},
    f"GET {ONE}/plan-results": {},
    f"POST {ONE}/visits": {"visited_on": "2026-03-20", "findings": "x"},
    f"GET {ONE}/visits": {},
    f"GET {ONE}/tracking": {},
    f"GET {ONE}/income-series": {},
    f"POST {ONE}/reviews": {"reviewed_on": "2026-03-20", "outcome": "unchanged"},
    f"GET {ONE}/reviews": {},
    f"POST {ONE}/certificates": {"issued_on": "2026-03-20", "ground": "first"},
    f"GET {ONE}/certificates": {},
    f"GET {ONE}/numbers": {},
    f"PATCH {ONE}/numbers": {"hukou_no": "0042"},
    f"POST {ONE}/obligors": person("son") | {"person_id": "{person_id}"},
    f"GET {ONE}/obligors": {},
    f"POST {ONE}/obligors/{{obligor_id}}/end": {"reason": "x"},
    f"POST {ONE}/authorizations": {
        "person_id": "{person_id}",
        "purpose": "x",
        "signed_on": "2026-01-05",
        "valid_from": "2026-01-05",
        "valid_to": "2030-12-31",
        "document": "x",
    },
    f"GET {ONE}/authorizations": {},
    f"POST {ONE}/authorizations/{{authorization_id}}/revoke": {"reason": "x"},
    f"POST {ONE}/verifications": {
        "aid_type": "dibao",
        "purpose": "x",
        "from_month": "2025-01",
        "to_month": "2025-12",
    },
    f"GET {ONE}/verifications": {},
    f"GET {ONE}/verifications/{{verification_id}}": {},
    f"POST {ONE}/verifications/{{verification_id}}/ask-again": {},
    f"GET {ONE}/verifications/{{verification_id}}/doubts": {},
    f"POST {ONE}/verifications/{{verification_id}}/reports": {"missing_reason": "x"},
    f"GET {ONE}/verification-reports": {},
    f"POST {ONE}/integrity-records": {
        "subject_id": "{person_id}",
        "kind": "fraud",
        "found_on": "2026-03-20",
        "valid_until": "2126-03-20",
        "document": "x",
        "words": "x",
    },
    f"GET {ONE}/integrity-records": {},
    f"GET {ONE}/aid": {},
    f"GET {ONE}/guarantees": {},
    f"GET {ONE}/timeline": {},
}
"""Routes of one household: to another county it does not exist."""

EMPTY: Mapping[str, dict[str, Any]] = {
    "GET /v1/households": {},
    "GET /v1/households/counts": {},
    "POST /v1/households/search": {"name_prefix": "欧"},
    "POST /v1/persons/resolve": {"id_numbers": ["{id_number}"]},
    "POST /v1/persons/bulk": {"person_ids": ["{person_id}"]},
    "POST /v1/household-accounts/bulk": {"household_ids": ["{household_id}"]},
    "GET /v1/transfer-tasks": {},
    "GET /v1/duplicates": {},
    "GET /v1/source-conflicts": {},
    "GET /v1/return-checks": {},
    "GET /v1/applications": {},
    "GET /v1/staff-relatives": {},
    "GET /v1/tasks": {},
    "GET /v1/income-falls": {},
    "GET /v1/delegations": {},
    "GET /v1/certificates": {},
    "GET /v1/answer-deletions": {},
    "GET /v1/leads": {},
    "GET /v1/contacts": {},
    "GET /v1/data-quality": {},
    "GET /v1/tasks/counts": {},
}
"""Lists, look-ups and counts: they hold nothing of another county."""

APPLICATION = "/v1/applications/{application_id}"
ELSEWHERE = {
    "GET /v1/reports/coverage-gaps": "reports/test_api.py",
    "GET /v1/reports/filing": "reports/test_filing.py",
    "GET /v1/reports/filing/differences": "reports/test_filing.py",
    "GET /v1/reports/income-trend": "reports/test_incomes.py",
    "POST /v1/income-falls/{income_fall_id}/settle": "reports/test_incomes.py",
    "POST /v1/certificates/{certificate_id}/withdraw": "certificates/test_api.py",
    "POST /v1/certificates/{certificate_id}/print": "certificates/test_api.py",
    "POST /v1/delegations": "determination/test_delegations.py",
    "POST /v1/delegations/{delegation_id}/approve": "determination/test_delegations.py",
    "POST /v1/delegations/{delegation_id}/end": "determination/test_delegations.py",
    "POST /v1/answer-deletions": "retention/test_deletions.py",
    "GET /v1/answer-deletions/{deletion_id}": "retention/test_deletions.py",
    "POST /v1/answer-deletions/{deletion_id}/approve": "retention/test_deletions.py",
    "GET /v1/reports/returns": "reports/test_api.py",
    "GET /v1/reviews": "reviews/test_api.py",
    "GET /v1/visits": "visits/test_api.py",
    "GET /v1/visits/overdue": "visits/test_api.py",
    "GET /v1/plans/{plan_id}": "plans/test_api.py",
    "PUT /v1/plans/{plan_id}": "plans/test_api.py",
    "POST /v1/plans/{plan_id}/sign": "plans/test_api.py",
    "POST /v1/plans/{plan_id}/approve": "plans/test_api.py",
    "GET /v1/plans/exceptions": "plans/test_api.py",
    "POST /v1/plan-measures/{measure_id}/carry-out": "plans/test_api.py",
    "POST /v1/plan-measures/{measure_id}/drop": "plans/test_api.py",
    "POST /v1/attachments": "shared/test_attachments.py",
    "GET /v1/attachments/{attachment_id}": "shared/test_attachments.py",
    "GET /v1/attachments/{attachment_id}/content": "shared/test_attachments.py",
    "POST /v1/applications": "determination/test_next_door.py",
    f"GET {APPLICATION}": "determination/test_next_door.py",
    f"POST {APPLICATION}/papers": "determination/test_next_door.py",
    f"POST {APPLICATION}/declaration": "determination/test_next_door.py",
    f"GET {APPLICATION}/explanation": "determination/test_next_door.py",
    f"POST {APPLICATION}/accept": "determination/test_next_door.py",
    f"POST {APPLICATION}/surveys": "determination/test_next_door.py",
    f"POST {APPLICATION}/surveys/{{survey_id}}/sign": "determination/test_next_door.py",
    f"POST {APPLICATION}/appraisal": "determination/test_next_door.py",
    f"POST {APPLICATION}/opinion": "determination/test_next_door.py",
    "POST /v1/leads": "leads/test_api.py",
    "POST /v1/public/leads": "leads/test_public.py",
    "POST /v1/public/leads/status": "leads/test_public.py: words by receipt number",
    "GET /v1/leads/{lead_id}": "leads/test_api.py",
    "POST /v1/leads/{lead_id}/visits": "leads/test_api.py",
    "POST /v1/leads/{lead_id}/dismiss": "leads/test_api.py",
    "POST /v1/leads/{lead_id}/accept": "leads/test_api.py",
    "POST /v1/leads/{lead_id}/transfer": "leads/test_api.py",
    f"POST {APPLICATION}/announce": "determination/test_next_door.py",
    f"POST {APPLICATION}/decide": "determination/test_next_door.py",
    f"POST {APPLICATION}/refuse": "determination/test_next_door.py",
    f"POST {APPLICATION}/deliver": "determination/test_next_door.py",
    f"POST {APPLICATION}/correct": "determination/test_next_door.py",
    f"POST {APPLICATION}/withdraw": "determination/test_next_door.py",
    f"GET {APPLICATION}/letter": "determination/test_next_door.py",
    "GET /v1/helpers": "helpers/test_pairing.py: a county's helpers are seen by its townships",
    "POST /v1/helpers": "helpers/test_pairing.py",
    "POST /v1/helpers/{helper_id}/leave": "helpers/test_pairing.py",
    "GET /v1/pairings": "helpers/test_pairing.py",
    "GET /v1/pairings/without-lead": "helpers/test_pairing.py",
    "POST /v1/pairings": "helpers/test_pairing.py",
    "POST /v1/pairings/{pairing_id}/transfer": "helpers/test_pairing.py",
    "POST /v1/pairings/{pairing_id}/hand-over": "helpers/test_pairing.py",
    "POST /v1/pairings/{pairing_id}/end": "helpers/test_pairing.py",
    "POST /v1/staff-relatives": "determination/test_relatives.py",
    "POST /v1/staff-relatives/{staff_relative_id}/end": "determination/test_relatives.py",
    "POST /v1/return-checks/{return_check_id}/dismiss": "returns/test_api.py",
    "POST /v1/verification-doubts/{doubt_id}/settle": "verification/test_reports.py",
    "GET /v1/verification-reports/{report_id}": "verification/test_reports.py",
    "POST /v1/verification-reports/{report_id}/print": "verification/test_reports.py",
    "POST /v1/verification-files": "verification/test_files.py",
    "POST /v1/integrity-records/{record_id}/confirm": "integrity/test_api.py",
    "POST /v1/integrity-records/{record_id}/withdraw": "integrity/test_api.py",
    "POST /v1/integrity-records/{record_id}/lift": "integrity/test_api.py",
    "POST /v1/integrity-records/{record_id}/confirm-lift": "integrity/test_api.py",
    "POST /v1/integrity-records/{record_id}/withdraw-lift": "integrity/test_api.py",
    "POST /v1/households": "households/test_opening.py: the county and no more",
    "POST /v1/source-conflicts/{conflict_id}/settle": "rosters/test_sources.py",
    "POST /v1/duplicates/search": "duplicates/test_api.py",
    "POST /v1/duplicates/{candidate_id}/dismiss": "duplicates/test_api.py",
    "POST /v1/duplicates/{candidate_id}/confirm": "duplicates/test_api.py",
    "POST /v1/splits/{split_id}/review": "splits/test_api.py",
    "POST /v1/mergers/{merger_id}/undo": "mergers/test_api.py",
    "POST /v1/transfer-tasks/{task_id}/agree": "transfers/test_api.py",
    "POST /v1/transfer-tasks/{task_id}/refuse": "transfers/test_api.py",
    "POST /v1/transfer-tasks/{task_id}/take-over": "transfers/test_api.py",
    "POST /v1/transfer-tasks/{task_id}/take-back": "transfers/test_api.py",
    "POST /v1/rosters": "rosters/test_api.py",
    "GET /v1/published-households": "exchange/test_published.py",
    "POST /v1/means-tests": "reads nothing but public parameters: means/test_api.py",
    "POST /v1/contacts": "stewards/test_contacts.py",
    "POST /v1/contacts/{contact_id}/end": "stewards/test_contacts.py",
    "POST /v1/exchange/batches/{batch}": "exchange/test_batches.py",
    "GET /v1/exchange/changes": "exchange/test_changes.py",
    "GET /v1/exchange/snapshot": "exchange/test_changes.py",
    "GET /v1/rosters": "rosters/test_api.py",
    "GET /v1/rosters/export": "rosters/test_api.py",
    "GET /v1/rosters/full": "rosters/test_full_roster.py",
    "GET /v1/rosters/lists/{kind}": "rosters/test_monthly_lists.py",
    "GET /v1/rosters/{roster_id}": "rosters/test_api.py",
    "GET /v1/rosters/{roster_id}/report": "rosters/test_api.py",
    "GET /v1/rosters/{roster_id}/report.xlsx": "rosters/test_api.py",
    "GET /v1/jobs": "shared/test_jobs.py",
    "GET /v1/jobs/{job_id}": "rosters/test_api.py",
    "GET /v1/divisions": "public",
    "GET /v1/divisions/{code}": "public",
    "GET /v1/parameters": "public within the platform; shared's own tests",
    "GET /v1/parameters/{parameter_id}": "public within the platform; shared's own tests",
    "POST /v1/parameters": "shared's own tests",
    "POST /v1/parameters/{parameter_id}/approve": "shared's own tests",
}
"""Where the others are looked at from next door."""


class Filed:
    """A household of 331124 and its head."""

    def __init__(self, **marks: str) -> None:
        self.marks = marks

    def fill(self, value: Any) -> Any:
        """``value`` with the household's own ids in the place of their names."""
        if isinstance(value, dict):
            return {name: self.fill(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        return value.format(**self.marks) if isinstance(value, str) else value

    async def ask(self, office: Office, route: str, body: dict[str, Any]) -> httpx.Response:
        """What this office is answered."""
        method, path = route.split()
        return await office.client.request(
            method,
            self.fill(path),
            json=self.fill(body) or None,
            headers={"If-Match": '"2"'} if method == "PATCH" else {},
        )


@pytest.fixture
async def filed(office_of: OfficeOf) -> Filed:
    own = await office_of(f"{ALL} {RESOLVE} {VERIFY} registry.determination:read pii:read")
    id_number = number()
    household_id = await own.identified(person(id_number=id_number, name="欧阳修"))
    head = (await own.read(household_id))["head_person_id"]
    asked = await own.ask_notice(household_id, "exit")
    sign = {"kind": "illness", "detected_on": "2026-03-01"}
    await own.client.post(f"/v1/households/{household_id}/hardships", json=sign)
    lead = {"source": "visit", "reported_on": "2026-03-01", "text": "生病"}
    await own.client.post("/v1/leads", json=lead | {"household_id": household_id})
    return Filed(
        household_id=household_id,
        person_id=head,
        id_number=id_number,
        notice_request_id=asked["notice_request_id"],
        **await verified(own, household_id, head),
    )


async def verified(own: Office, household_id: str, head: str) -> dict[str, str]:
    """The marks of what verification keeps of a household: an obligor, a paper, a request."""
    obligor = person("son", name="张小山") | {"person_id": head}
    paper = NOT_FOUND[f"POST {ONE}/authorizations"] | {"person_id": head}
    made = {}
    for name, body in (
        ("obligors", obligor),
        ("authorizations", paper),
        ("verifications", NOT_FOUND[f"POST {ONE}/verifications"]),
    ):
        answer = await own.client.post(f"/v1/households/{household_id}/{name}", json=body)
        assert answer.status_code == 201, answer.text
        mark = f"{name.removesuffix('s')}_id"
        made[mark] = answer.json()[mark]
    return made


@pytest.fixture
async def neighbours(office_of: OfficeOf) -> Office:
    """The office of 331121, with every right, personal data included."""
    return await office_of(
        f"{ALL} {RESOLVE} {VERIFY} registry.determination:read registry.contacts:read "
        "registry.plans:read registry.plans:write registry.visits:read registry.visits:write "
        "registry.reviews:read registry.reviews:write "
        "registry.reports:read registry.reports:write registry.retention:read "
        "registry.certificates:read registry.certificates:write "
        "registry.integrity:read registry.integrity:write registry.accounts:read pii:read",
        divisions=("331121",),
        officer="o9",
    )


@pytest.mark.parametrize("route", NOT_FOUND)
async def test_a_household_of_another_county_is_not_there(
    registry: Registry, filed: Filed, neighbours: Office, route: str
) -> None:
    before = await registry.counted("household_versions", "events", "decisions", "transfer_tasks")

    answer = await filed.ask(neighbours, route, NOT_FOUND[route])

    problem(answer, 404, "household_not_found")
    assert "欧阳" not in answer.text
    after = await registry.counted("household_versions", "events", "decisions", "transfer_tasks")
    assert after == before


@pytest.mark.parametrize("route", EMPTY)
async def test_nothing_of_another_county_is_listed_found_or_counted(
    filed: Filed, neighbours: Office, route: str
) -> None:
    answer = await filed.ask(neighbours, route, EMPTY[route])

    assert answer.status_code == 200, answer.text
    assert answer.json() in (
        [],
        {"items": [], "next_cursor": None},
        [{"person_id": None, "household_id": None, "fault": None}],
    )


async def test_every_route_is_looked_at_from_next_door(
    registry: Registry, settings_of: SettingsOf
) -> None:
    settings = settings_of("registry", registry.urls)
    assert isinstance(settings, RegistrySettings)
    paths = create(settings).openapi()["paths"]
    routes = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/v1/")
    }

    assert routes == {*NOT_FOUND, *EMPTY, *ELSEWHERE}
