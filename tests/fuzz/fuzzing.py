"""Fuzzes one service by its OpenAPI: schemathesis generates, what is known is filled in."""

import json
import random
import re
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.fuzz.filling import Filling
from tests.fuzz.seeds import OF, Seeds

HOUSE = Path(__file__).parents[2]
METHODS = ("get", "post", "put", "patch", "delete")
OFFICERS = ("fuzz-1", "fuzz-2", "fuzz-3")
VALID, INVALID, AGAIN = 8, 4, 8
"""Examples an operation: fitting its description, breaking it, and more while none succeeded."""
Operation = APIOperation[Any, Any, Any, Any]
_ENDING = re.compile(r"/(close|cancel|withdraw|dismiss|refuse|merge|split|exit|reverse|leave)$")
"""What ends the thing it is done to comes after what else may be done to it."""
FILES = "/v1/households"
"""A file just opened is the one that may be applied for: its making comes before."""
PATIENCE = 1.0
"""Seconds after which an operation that has succeeded gets no further example."""


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: Any) -> bytes:
    """JSON lines go as they were generated: their text is the body."""
    return str(value).encode(errors="replace")


def every_scope() -> str:
    """All scopes that the code of the services asks for."""
    found = {"pii:read"}
    for file in (HOUSE / "services").rglob("*.py"):
        found |= set(re.findall(r'"([a-z]+(?:\.[a-z_-]+)?:[a-z_-]+)"', file.read_text()))
    for service in (path.name for path in (HOUSE / "services").iterdir() if path.is_dir()):
        found |= {f"{service}.parameters:{verb}" for verb in ("read", "write", "approve")}
        found |= {f"{service}.jobs:read"}
        found |= {f"{service}.attachments:{verb}" for verb in ("read", "write")}
    return " ".join(sorted(found))


@dataclass
class Outcome:
    """How one operation answered: statuses with their codes, and each fault of ours."""

    label: str
    answers: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    succeeded: bool = False

    def blame(self, case: Case[Any], status: int, said: str) -> None:
        """Keep how to come to this fault again, once a kind; ``said`` names it in the logs."""
        found = re.search('"code":"(\\w+)"', said)
        curl = case.as_curl_command(headers={"Authorization": "Bearer $TOKEN"})
        kind = f"{status} {found[1] if found else ''}"
        self.faults.setdefault(kind, f"{kind} {said[-120:]}\n    {curl[:1500]}")

    def __str__(self) -> str:
        """One line: the operation and what it answered most."""
        return f"{self.label}: {', '.join(f'{k} x{n}' for k, n in self.answers.most_common(4))}"


class Fuzzed:
    """One service under fire. ``tokens`` has an Authorization header for each officer."""

    def __init__(
        self, service: str, address: str, tokens: Mapping[str, str], seeds: Seeds, today: date
    ) -> None:
        self.address = address
        self._own = {OF: service}
        self._tokens = tokens
        self._seeds = seeds
        self._today = today
        self._session = requests.Session()
        self._session.trust_env = False
        self.described = self._session.get(f"{address}/openapi.json", timeout=30).json()

    @cached_property
    def operations(self) -> list[Operation]:
        """As a clerk would come to them: what is made before what is done to it."""
        schema = schemathesis.openapi.from_dict(self.described)
        found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
        return sorted(found, key=_when)

    def look_around(self) -> None:
        """Learn the ids that the lists show, then those behind them."""
        for operation in self.operations:
            if operation.method == "get" and operation.path.count("{") <= 1:
                self._learn_from(operation)

    def _learn_from(self, operation: Operation) -> None:
        chance = random.Random(zlib.crc32(operation.label.encode()))  # noqa: S311
        filling = Filling(
            self.described, self._seeds, self._today, chance, lean=True, agreed={**self._own}
        )
        known = {
            p["name"]: self._seeds.pick(p["name"], filling.agreed, chance)
            for p in reversed(_parameters(self.described, operation))
            if p["in"] == "path" or p.get("required")
        }
        if None in known.values():
            return
        path = operation.path.format(**known)
        query = {
            name: value for name, value in known.items() if f"{{{name}}}" not in operation.path
        }
        answer = self._session.get(
            self.address + path, params=query, headers=self._headers(OFFICERS[0]), timeout=30
        )
        self._take(answer.headers.get("content-type", ""), answer.status_code, answer.content)

    def run(self, operation: Operation) -> Outcome:
        """All examples of one operation."""
        outcome = Outcome(operation.label)
        began = time.monotonic()
        for number, case in enumerate(self._cases(operation, outcome)):
            if outcome.succeeded and time.monotonic() - began > PATIENCE:
                break
            self._send(operation, case, number, outcome)
        return outcome

    def _cases(self, operation: Operation, outcome: Outcome) -> Iterator[Case[Any]]:
        yield from drawn(operation, GenerationMode.POSITIVE, VALID)
        yield from drawn(operation, GenerationMode.NEGATIVE, INVALID)
        if not outcome.succeeded:
            yield from drawn(operation, GenerationMode.POSITIVE, VALID + AGAIN)[VALID:]

    def _send(
        self,
        operation: Operation,
        case: Case[Any],
        number: int,
        outcome: Outcome,
    ) -> None:
        chance = random.Random(zlib.crc32(f"{operation.label} {number}".encode()))  # noqa: S311
        invalid = VALID <= number < VALID + INVALID
        if not invalid:
            self._fill(operation, case, chance, lean=number % 3 != 2)
        headers = self._headers(OFFICERS[number % len(OFFICERS)])
        if (tag := self._entity_tag(operation, case)) and not invalid:
            case.headers["If-Match"] = tag
        answer = case.call(
            base_url=self.address, session=self._session, headers=headers, timeout=30
        )
        kind = (answer.headers.get("content-type") or [""])[0]
        self._take(kind, answer.status_code, answer.content)
        code = re.search(rb'"code":"(\w+)"', answer.content) if answer.status_code >= 400 else None
        outcome.answers[f"{answer.status_code} {code[1].decode() if code else ''}".strip()] += 1
        outcome.succeeded |= 200 <= answer.status_code < 300
        if answer.status_code >= 500:
            outcome.blame(case, answer.status_code, answer.content.decode(errors="replace"))

    def _fill(
        self,
        operation: Operation,
        case: Case[Any],
        chance: random.Random,
        *,
        lean: bool,
    ) -> None:
        filling = Filling(
            self.described, self._seeds, self._today, chance, lean=lean, agreed={**self._own}
        )
        # a member before its household: what is picked brings along what it stands in
        for described in reversed(_parameters(self.described, operation)):
            held = {"path": case.path_parameters, "query": case.query}.get(described["in"])
            name = described["name"]
            if held is None or name not in held:
                continue
            if lean and not described.get("required"):
                del held[name]
            else:
                held[name] = filling.parameter(held[name], described)
        if isinstance(case.body, dict | list):
            content = operation.definition.raw["requestBody"]["content"]
            case.body = filling.fill(case.body, content[case.media_type]["schema"])

    def _entity_tag(self, operation: Operation, case: Case[Any]) -> str | None:
        """The ETag of what is about to be changed, where the operation asks for one."""
        asked = {p["name"].lower() for p in _parameters(self.described, operation)}
        if "if-match" not in asked:
            return None
        parts = operation.path.split("/")
        for length in range(len(parts), 2, -1):
            template = "/".join(parts[:length])
            if "get" in self.described["paths"].get(template, {}):
                path = template.format(**case.path_parameters)
                answer = self._session.get(
                    self.address + path, headers=self._headers(OFFICERS[0]), timeout=30
                )
                return answer.headers.get("ETag")
        return None

    def _headers(self, officer: str) -> dict[str, str]:
        return {
            "Authorization": self._tokens[officer],
            "Idempotency-Key": str(uuid.uuid4()),
            "X-Purpose": "fuzzing",
        }

    def _take(self, kind: str, status: int, content: bytes | None) -> None:
        if 200 <= status < 300 and "json" in kind and "ndjson" not in kind and content:
            self._seeds.learn(json.loads(content), self._own)


def drawn(operation: Operation, mode: GenerationMode, most: int) -> list[Case[Any]]:
    """Up to ``most`` cases, the same at every run; none where the description leaves nothing."""
    cases: list[Case[Any]] = []

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case[Any]) -> None:
        cases.append(case)

    try:
        keep()
    except Unsatisfiable:
        return cases
    return cases[:most]


def _when(operation: Operation) -> tuple[bool, int, int, bool, str]:
    path, method = operation.path, METHODS.index(operation.method)
    return bool(_ENDING.search(path)), path.count("{"), method, path != FILES, path


def _parameters(described: Mapping[str, Any], operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = described["paths"][operation.path][operation.method].get(
        "parameters", []
    )
    return found
