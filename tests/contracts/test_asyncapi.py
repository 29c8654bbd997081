"""The AsyncAPI document says what the contracts say, and is valid to its own validator."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.asyncapi import CARRIED, document
from shared.contracts.topics import TOPICS
from tests.conftest import ClientOf, DatabaseOf
from tests.contracts.sample_events import PAYLOADS, load

SPECIFICATION = Path(__file__).parent / "asyncapi" / "3.0.0.json"
PARSER = "3.6.6"
VALIDATE = """
const {Parser} = require("@asyncapi/parser");
new Parser().parse(require("fs").readFileSync(0, "utf8")).then(({document, diagnostics}) => {
  const errors = diagnostics.filter(({severity}) => severity < 2);
  console.log(JSON.stringify({valid: Boolean(document), errors}));
});
"""


def test_it_is_valid_against_the_schema_of_the_specification() -> None:
    specification = json.loads(SPECIFICATION.read_text())
    checker = jsonschema.Draft7Validator(specification)
    assert [error.message for error in checker.iter_errors(document())] == []
    assert [*checker.iter_errors({**document(), "channels": {"a": {"address": 1}}})]


@pytest.fixture(scope="session")
def parser() -> Path:
    """The AsyncAPI project's parser, brought by npm once into a folder outside the tree."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here; the document was checked against the specification's schema")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bangfu"
    place = cache / f"asyncapi-parser-{PARSER}"
    if not place.exists():
        fresh = cache / f"asyncapi-parser-{os.getpid()}"
        fresh.mkdir(parents=True)
        wanted = ["--ignore-scripts", "--no-audit", "--no-fund", f"@asyncapi/parser@{PARSER}"]
        subprocess.run([npm, "install", "--prefix", fresh, *wanted], check=True, timeout=240)
        fresh.rename(place)
    return place


def test_the_project_s_own_validator_finds_no_fault(parser: Path) -> None:
    assert validated(parser, document()) == {"valid": True, "errors": []}
    broken = validated(parser, {**document(), "operations": {"a": {"action": "shout"}}})
    assert broken["errors"]


def validated(parser: Path, described: dict[str, Any]) -> dict[str, Any]:
    """What the AsyncAPI project's parser says of this document."""
    done = subprocess.run(
        ["node", "-e", VALIDATE],
        input=json.dumps(described),
        cwd=parser,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_every_topic_and_every_type_is_in_it() -> None:
    assert set(CARRIED) == set(TOPICS)
    described = document()
    assert set(described["channels"]) == {topic.name for topic in TOPICS}
    assert set(described["components"]["messages"]) == set(PAYLOADS)
    for name, message in described["components"]["messages"].items():
        assert message["payload"]["$ref"].rsplit("/", 1)[1] == PAYLOADS[name].__name__


def test_every_writer_sends_and_every_listener_receives() -> None:
    said = {
        (operation["tags"][0]["name"], operation["action"], operation["channel"]["$ref"])
        for operation in document()["operations"].values()
    }
    assert said == {
        (service, action, f"#/channels/{topic.name}")
        for topic in TOPICS
        for action, services in (("send", (topic.writer,)), ("receive", topic.listeners))
        for service in services
    }


@pytest.mark.parametrize("event_type", sorted(PAYLOADS))
def test_a_stored_event_fits_its_description(event_type: str) -> None:
    sample = load(event_type)
    components = document()["components"]
    headers = components["messageTraits"]["cloudEvent"]["headers"]
    payload = components["messages"][event_type]["payload"]
    jsonschema.validate({name: value.decode() for name, value in sample.headers}, headers)
    jsonschema.validate(json.loads(sample.value), {**payload, "components": components})


def test_every_header_that_can_be_sent_is_described() -> None:
    described = document()["components"]["messageTraits"]["cloudEvent"]["headers"]
    sample = load("bangfu.household.identified.v1").envelope
    sent = sample._replace(causation_id="c", traceparent="t").headers()
    assert {name for name, _ in sent} == set(described["properties"])


def test_it_names_no_personal_identifier() -> None:
    forbidden = re.compile(r"(^|_)(name|id_number|phone|account|address)($|_)")
    fields = {
        name
        for schema in document()["components"]["schemas"].values()
        for name in schema.get("properties", ())
    }
    assert "birth_date" in fields
    assert {name for name in fields if forbidden.search(name)} == set()


async def test_a_service_serves_it_without_a_token(
    database_of: DatabaseOf, client_of: ClientOf
) -> None:
    client = await client_of("housing", await database_of("housing"))
    answer = await client.get("/asyncapi.json")
    assert answer.json() == json.loads(json.dumps(document()))
    assert "/asyncapi.json" not in (await client.get("/openapi.json")).json()["paths"]
