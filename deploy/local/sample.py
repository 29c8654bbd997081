"""The sample county: parameters and roster, put in through the APIs as officers would.

Nothing is written past the services. What is there already is left alone, so that every start may
come here.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import httpx

from deploy.local import following
from deploy.local.failures import CannotStartError
from deploy.local.layout import SAMPLE, Layout, noted
from deploy.local.progress import Show, Step
from deploy.local.provision import SERVICES
from deploy.local.tokens import open_signer

COUNTY = "331124"
ROSTER = SAMPLE / "roster-331124.xlsx"
PARAMETERS = SAMPLE / "parameters.json"
_FIRST_OFFICER, _SECOND_OFFICER = "sample-officer-1", "sample-officer-2"
_IMPORT_SECONDS = 600.0
_FOLLOW_SECONDS = 120.0
_ENDED = ("succeeded", "failed")
_ON_ASSISTANCE = ("identified", "returned")


async def load(place: Layout, show: Show) -> None:
    """Parameters, roster, and relief's answer to it. Raises CannotStartError in one line."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        desk = Desk(place, client)
        await enter_all(desk, show)
        async with show.step("sample roster of Songyang county") as step:
            await import_roster(desk, place, step)
        async with show.step("relief follows: the dibao grants of next month") as step:
            county = await _until_relief_follows(desk, step)
        counts = await _counts(desk)
        households = sum(one["households"] for one in counts)
        async with show.step("housing, education, employment and notify follow") as step:
            others = await following.until_all_follow(desk.figures, households, step)
    for line in (*county, *others):
        show.line(f"    {line}")


async def enter_parameters(place: Layout, show: Show) -> None:
    """The parameters alone, for a platform without the county's roster."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        await enter_all(Desk(place, client), show)


async def enter_all(desk: "Desk", show: Show, services: Sequence[str] = SERVICES) -> None:
    """The sample's parameters of these services: one officer enters, another approves."""
    entries = json.loads(PARAMETERS.read_text())
    async with show.step("sample parameters (sample, not official)") as step:
        entered = [await _enter(desk, one) for one in entries if one["service"] in services]
        step.note = f"{sum(entered)} entered" if any(entered) else "already there"


class Desk:
    """Two officers at their desk: requests with a token of just the scope each one needs."""

    def __init__(self, place: Layout, client: httpx.AsyncClient) -> None:
        self._place = place
        self._client = client
        self._signer = open_signer(place.signing_key, place.issuer)

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        scope: str,
        officer: str = _FIRST_OFFICER,
        key: str | None = None,
        **content: Any,
    ) -> httpx.Response:
        """One request. ``key`` is the Idempotency-Key; a POST without one gets a fresh one."""
        token = self._signer.sign(scopes=[scope], officer=officer, divisions=[COUNTY])
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": "sample"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        return await self._client.request(
            method, self._place.api(service) + path, headers=headers, **content
        )

    async def figures(self, service: str, path: str, scope: str) -> Any:
        """What a service says of the county."""
        params = {"division": COUNTY}
        return _answer(await self.ask("GET", service, path, scope=scope, params=params))


async def _enter(desk: Desk, entry: dict[str, Any]) -> bool:
    """One officer enters, another approves; False when that was done before."""
    service = entry["service"]
    body = {name: value for name, value in entry.items() if name != "service"}
    known = _answer(
        await desk.ask(
            "GET",
            service,
            "/v1/parameters",
            scope=f"{service}.parameters:read",
            params={"key": body["key"], "division": body["division_code"]},
        )
    )
    same = [one for one in known["items"] if one["valid_from"] == body["valid_from"]]
    if any(one["approved_by"] for one in same):
        return False
    waiting = same or [
        _answer(
            await desk.ask(
                "POST", service, "/v1/parameters", scope=f"{service}.parameters:write", json=body
            )
        )
    ]
    _answer(
        await desk.ask(
            "POST",
            service,
            f"/v1/parameters/{waiting[0]['parameter_id']}/approve",
            scope=f"{service}.parameters:approve",
            officer=_SECOND_OFFICER,
        )
    )
    return True


async def import_roster(desk: Desk, place: Layout, step: Step) -> None:
    """Hand the workbook in and follow the job; the same workbook handed in before is not."""
    await _appoint_steward(desk)
    workbook = await asyncio.to_thread(ROSTER.read_bytes)
    digest = hashlib.sha256(workbook).hexdigest()
    job = await _earlier_job(desk, place, digest)
    if job is None:
        accepted = _answer(
            await desk.ask(
                "POST",
                "registry",
                "/v1/rosters",
                scope="registry.rosters:write",
                params={"dry_run": "false"},
                files={"file": (ROSTER.name, workbook, _XLSX)},
            )
        )
        place.note(sample={"digest": digest, "job_id": accepted["job_id"]})
        job = await _job(desk, accepted["job_id"])
    elif job["state"] == "succeeded":
        step.note = "already there"
    ended = await _follow(desk, job, step)
    if ended["state"] == "failed":
        raise CannotStartError(f"the sample roster was not imported: {ended['failure']}")


async def _appoint_steward(desk: Desk) -> None:
    """The sample's data steward: nothing is imported where nobody answers for the data (C59)."""
    answer = await desk.ask(
        "POST", "registry", "/v1/contacts", scope="registry.contacts:write", json=_STEWARD
    )
    if answer.status_code != httpx.codes.CONFLICT:  # in office since an earlier start
        _answer(answer)


_STEWARD = {
    "role": "data_steward",
    "division_code": COUNTY,
    "unit": "松阳县农办（样例）",
    "officer_id": "sample-steward",
    "name": "样例数据管理员",
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def _earlier_job(desk: Desk, place: Layout, digest: str) -> dict[str, Any] | None:
    """The import of this very workbook, if it was begun here before and did not fail."""
    before = noted(place.home).get("sample", {})
    if before.get("digest") != digest:
        return None
    answer = await _ask_job(desk, before["job_id"])
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    job: dict[str, Any] = _answer(answer)
    return None if job["state"] == "failed" else job


async def _until_relief_follows(desk: Desk, step: Step) -> Iterator[str]:
    """Wait until relief's own api shows every dibao household of the registry; both in figures.

    A relief that lags too long is told as it stands and stops nothing.
    """
    counts = await _counts(desk)
    expected = sum(one["households"] for one in counts if one["category"] == "dibao")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _FOLLOW_SECONDS
    while True:
        month = await _month(desk)
        step.tell(min(month["households"], expected), expected)
        if month["households"] >= expected or loop.time() > deadline:
            return _figures(counts, month, expected)
        await asyncio.sleep(0.2)


async def _counts(desk: Desk) -> list[dict[str, Any]]:
    """The county's households on assistance, by category."""
    answer = await desk.ask(
        "GET",
        "registry",
        "/v1/households/counts",
        scope="registry.households:read",
        params={"by": "county", "division": COUNTY},
    )
    listed: list[dict[str, Any]] = _answer(answer)
    return [one for one in listed if one["state"] in _ON_ASSISTANCE]


async def _month(desk: Desk) -> dict[str, Any]:
    """Relief's figures of next month, the first that an import of today reaches."""
    answer = await desk.ask(
        "GET",
        "relief",
        "/v1/grants/summary",
        scope="relief.dibao:read",
        params={"division": COUNTY},
    )
    month: dict[str, Any] = _answer(answer)
    return month


def _figures(counts: list[dict[str, Any]], month: dict[str, Any], expected: int) -> Iterator[str]:
    households = sum(one["households"] for one in counts)
    people = sum(one["people"] for one in counts)
    yield f"registry  {households:,} households, {people:,} people on assistance in {COUNTY}"
    parts = [f"{one['category']} {one['households']:,}" for one in counts]
    yield f"          {', '.join(parts)}"
    total = Decimal(month["total_yuan"])
    yield (
        f"relief    {month['households']:,} households on dibao in {month['month']}, "
        f"{month['above_zero']:,} of them above zero: {total:,.2f} yuan"
    )
    if month["households"] < expected:
        yield (
            f"relief    ! {expected - month['households']:,} dibao households are missing; it may "
            f"still be catching up: look at its worker's log"
        )


async def _follow(desk: Desk, job: dict[str, Any], step: Step) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _IMPORT_SECONDS
    while job["state"] not in _ENDED:
        if loop.time() > deadline:
            raise CannotStartError(
                f"the import of the sample roster (job {job['job_id']}) is not over after "
                f"{_IMPORT_SECONDS:.0f} s; see the log registry-worker.log, or start with SAMPLE=0"
            )
        await asyncio.sleep(0.2)
        job = await _job(desk, job["job_id"])
        step.tell(job["done"], job["total"])
    return job


async def _job(desk: Desk, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = _answer(await _ask_job(desk, job_id))
    return job


async def _ask_job(desk: Desk, job_id: str) -> httpx.Response:
    return await desk.ask("GET", "registry", f"/v1/jobs/{job_id}", scope="registry.jobs:read")


def _answer(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    raise CannotStartError(
        f"the sample was refused by {response.request.url.host}:{response.request.url.port}"
        f"{response.request.url.path}: {response.status_code} {response.text[:300]}"
    )
