"""Makes a generated request plausible: ids that exist, days near today, sums that fit a purse."""

import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.fuzz.seeds import Record, Scalar, Seeds
from tests.support.builders import id_number

ROSTER = Path(__file__).parents[2] / "deploy" / "sample" / "roster-331124.xlsx"
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060"
    "0000000500017a5eab3f0000000049454e44ae426082"
)
SOMETIMES = 0.3
WANTED = frozenset({"id_number"})
"""Optional in the description, since newborns have none: a grown person is not filed without."""
TEXTS = ("经核实，情况属实", "入户走访", "同意", "test")
_SHANGHAI = timezone(timedelta(hours=8))


@dataclass
class Filling:
    """Fills one request. ``lean`` leaves out most that the description does not require."""

    described: Mapping[str, Any]
    seeds: Seeds
    today: date
    chance: random.Random
    lean: bool
    agreed: Record = field(default_factory=dict)

    def fill(self, value: Any, schema: Mapping[str, Any], name: str = "") -> Any:
        """``value``, generated from ``schema``, with what can be known put in."""
        schema = self._resolved(schema, value)
        if "enum" in schema or "const" in schema:
            return value
        if isinstance(value, dict):
            return self._object(value, schema)
        if isinstance(value, list):
            inner = schema.get("items", {})
            singular = name.removesuffix("s")
            return _one_head([self.fill(one, inner, singular) for one in value[:3]])
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            return self._number(value, schema)
        return self._text(value, schema, name) if isinstance(value, str | bytes) else value

    def parameter(self, value: Any, described: Mapping[str, Any]) -> Any:
        """The value of one path or query parameter."""
        name = described["name"]
        schema = self._resolved(described.get("schema", {}), value)
        known = self._known(name, schema)
        if known is not None and "enum" not in schema and schema.get("type") != "boolean":
            return known
        return self.fill(value, schema, name)

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        kept = {
            name: one
            for name, one in value.items()
            if name in properties
            and (name in required or name in WANTED or not self.lean or self._sometimes())
        }
        return {name: self.fill(one, properties[name], name) for name, one in kept.items()}

    def _number(self, value: float, schema: Mapping[str, Any]) -> float:
        least, most = schema.get("minimum", 0), schema.get("maximum", 5_000)
        fits = least <= value <= min(most, 100_000)
        whole = self.chance.randint(int(least), max(int(least), min(int(most), 5_000)))
        return value if fits else whole

    def _text(self, value: str | bytes, schema: Mapping[str, Any], name: str) -> str | bytes:
        if schema.get("format") == "binary" or "contentMediaType" in schema:
            return self.chance.choice((ROSTER.read_bytes(), PHOTO))
        match schema.get("format"):
            case "date":
                return self._day().isoformat()
            case "date-time":
                return datetime(*self._day().timetuple()[:3], 12, tzinfo=_SHANGHAI).isoformat()
        known = self._known("division_code" if "division" in name else name, schema)
        if isinstance(known, str) and (
            schema.get("format") == "uuid" or name.endswith(("code", "key", "division"))
        ):
            return known
        if schema.get("format") == "uuid":
            return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        return value if isinstance(value, bytes) else self._free(value, schema, name)

    def _known(self, name: str, schema: Mapping[str, Any]) -> Scalar | None:
        """A value of this name that fits the description's pattern, if some tries find one."""
        pattern = re.compile(schema.get("pattern", ""))
        for _ in range(8 if name else 0):
            agreed = {**self.agreed}
            known = self.seeds.pick(name, agreed, self.chance)
            if known is not None and pattern.search(str(known)):
                self.agreed.update(agreed)
                return known
            self.agreed.pop(name, None)
        return None

    def _free(self, value: str, schema: Mapping[str, Any], name: str) -> str:
        if name == "id_number":
            return id_number(order=self.chance.randint(1, 999))
        if name == "phone":
            return f"1380578{self.chance.randint(0, 9999):04}"
        if name == "month" or name.endswith("_month"):
            return f"{self._day():%Y-%m}"
        if "pattern" in schema:
            return value
        text = self.chance.choice(TEXTS)
        most = schema.get("maxLength", 100)
        return str(text * (1 + schema.get("minLength", 0) // len(text)))[:most]

    def _sometimes(self) -> bool:
        """Of several things of which one is wanted, now this one comes and now that."""
        return self.chance.random() < SOMETIMES

    def _day(self) -> date:
        return self.today + timedelta(days=self.chance.choice((0, 0, 0, 0, -1, -30, -200, 10)))

    def _resolved(self, schema: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
        """The schema itself: references followed, of alternatives the one of the value's type."""
        while "$ref" in schema:
            schema = self.described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        several = schema.get("anyOf") or schema.get("oneOf")
        if several:
            fitting = [one for one in map(self._followed, several) if _is_of(value, one)]
            return self._resolved(fitting[0], value) if fitting else {}
        return schema

    def _followed(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema


def _one_head(entries: list[Any]) -> list[Any]:
    """A family has one head: the first of those who are to be taken in."""
    for at, one in enumerate(entries):
        if isinstance(one, dict) and "relation" in one:
            one["relation"] = "son" if at else "head"
    return entries


def _is_of(value: Any, schema: Mapping[str, Any]) -> bool:
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "null": type(None),
    }
    kind = kinds.get(schema.get("type", ""))
    return kind is None or isinstance(value, kind)
