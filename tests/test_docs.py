"""The documents tell the truth: what they list is what the code has."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from shared.settings import Settings

HOUSE = Path(__file__).parents[1]
SERVICES = ("registry", "relief", "housing", "education", "employment", "notify")
PREFIX = "BANGFU_"


def readme(service: str) -> str:
    """A service's README."""
    return (HOUSE / "services" / service / "README.md").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_stands_in_its_readme(service: str) -> None:
    settings = importlib.import_module(f"services.{service}.settings")
    (own,) = [
        found
        for found in vars(settings).values()
        if isinstance(found, type)
        and issubclass(found, Settings)
        and found.__module__ == settings.__name__
    ]
    names = {PREFIX + name.upper() for name in own.model_fields if name != "service"}
    assert {name for name in names if f"`{name}`" not in readme(service)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_subscription_stands_in_the_readme(service: str) -> None:
    worker = importlib.import_module(f"services.{service}.worker")
    topics = {subscription.topic.name for subscription in worker.SUBSCRIPTIONS}
    assert {topic for topic in topics if f"`{topic}`" not in readme(service)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_capability_folder_stands_in_the_readme(service: str) -> None:
    folders = {
        path.parent.name
        for path in (HOUSE / "services" / service).glob("*/__init__.py")
        if path.parent.name != "migrations"
    }
    assert {folder for folder in folders if f"`{folder}" not in readme(service)} == set()


def make_targets() -> set[str]:
    """The targets that the Makefile offers to people."""
    return set(re.findall(r"^([a-z]+):.*##", (HOUSE / "Makefile").read_text(), re.MULTILINE))


def test_the_readme_names_every_make_target() -> None:
    text = (HOUSE / "README.md").read_text()
    assert {target for target in make_targets() if f"make {target}" not in text} == set()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_path_the_readme_names_exists(name: str) -> None:
    text = (HOUSE / name).read_text()
    paths = set(re.findall(r"`((?:services|shared|deploy|tests)/[\w./-]*)`", text))
    assert paths
    assert {path for path in paths if not (HOUSE / path).exists()} == set()


def public_definitions(source: Path) -> list[str]:
    """Public functions and classes of a module that have no docstring (methods of them too)."""
    bare = []
    tree = ast.parse(source.read_text())
    if ast.get_docstring(tree) is None:
        bare.append(f"{source.name}: the module")
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and ast.get_docstring(node) is None:
            bare.append(f"{source.name}: {node.name}")
    return bare


OWED = [
    path
    for pattern in ("shared/**/*.py", "services/*/*/rules.py")
    for path in sorted(HOUSE.glob(pattern))
    if path.name != "__init__.py"
]


@pytest.mark.parametrize("source", OWED, ids=lambda path: str(path.relative_to(HOUSE)))
def test_docstrings_stand_where_they_are_owed(source: Path) -> None:
    assert public_definitions(source) == []


def test_modules_stay_readable() -> None:
    """No module reaches 400 lines: one that does wants to be split by sub-topic."""
    sizes = {
        str(path.relative_to(HOUSE)): len(path.read_text().splitlines())
        for folder in ("services", "shared", "deploy", "tests")
        for path in (HOUSE / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in sizes.items() if lines >= 400} == {}
