"""The import rules of the house hold, and each of them is shown a bad sample that must fail."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

BAD_SAMPLES = [
    ("shared imports no service", "shared/money.py", "import services.relief.db"),
    ("No service imports another", "services/relief/db.py", "import services.registry.db"),
    (
        "Within a capability imports point one way",
        "services/relief/dibao/rules.py",
        "import services.relief.dibao.actions",
    ),
    (
        "Within a capability imports point one way",
        "services/registry/households/actions.py",
        "import services.registry.households.api",
    ),
    (
        "Rules import no framework, database or broker",
        "services/registry/lifecycle/rules.py",
        "import sqlalchemy",
    ),
    (
        "Nobody imports a service's main or worker",
        "services/relief/dibao/api.py",
        "import services.relief.main",
    ),
]

PURE = {
    "shared.clock",  # only its reckoning with dates: see the last test here
    "shared.divisions",
    "shared.errors",  # refusals are told as faults
    "shared.identity",
    "shared.lead_words",
    "shared.money",
    "shared.place_names",
    "shared.workdays",
}
"""What rules may take from shared besides the contracts."""


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the house's own configuration."""
    command = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [str(command), "--config", "pyproject.toml", "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied_house(tmp_path: Path) -> Path:
    """A copy of the tree that a bad import may be written into."""
    for folder in ("services", "shared"):
        shutil.copytree(
            HOUSE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_import_rules() -> None:
    result = lint(HOUSE)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "module", "bad_import"), BAD_SAMPLES)
def test_a_bad_import_fails(
    copied_house: Path, contract: str, module: str, bad_import: str
) -> None:
    with (copied_house / module).open("a") as source:
        source.write(f"\n{bad_import}\n")
    result = lint(copied_house)
    assert result.returncode == 1, result.stdout
    assert f"{contract} BROKEN" in result.stdout


def capabilities() -> set[str]:
    """Every capability folder of every service, as a module name."""
    return {
        ".".join(path.parent.relative_to(HOUSE).parts)
        for path in HOUSE.glob("services/*/*/__init__.py")
        if path.parent.name != "migrations" and any(path.parent.glob("[a-z]*.py"))
    }


def test_every_capability_is_under_the_layer_rule() -> None:
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert capabilities() == set(layers["containers"])


def source_of(module: str) -> Path | None:
    """The file of one of our services' modules, or None for anything else."""
    if not module.startswith("services."):
        return None
    path = HOUSE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported_modules(source: Path) -> set[str]:
    """Every module that a file imports, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in members if is_module(name)}
            found |= modules or {node.module}
    return found


def is_module(name: str) -> bool:
    """Whether ``name`` is a module of the house, and not something inside one."""
    path = HOUSE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def impurities(module: str, seen: set[str]) -> set[str]:
    """What a module of a service imports, itself or through others of its service, that is impure.

    Pure are the standard library, pydantic (values), contracts and the parts named in PURE.
    """
    if module in seen:
        return set()
    seen.add(module)
    source = source_of(module)
    if source is not None:
        found = (impurities(name, seen) for name in imported_modules(source))
        return set().union(*found)
    package = module.split(".", maxsplit=1)[0]
    plain = package in sys.stdlib_module_names or package in {"pydantic", "pydantic_core"}
    pure = plain or module in PURE or module.startswith("shared.contracts")
    return set() if pure else {module}


RULES = sorted(HOUSE.glob("services/*/*/rules.py"))


@pytest.mark.parametrize("rules", RULES, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_rules_import_the_standard_library_and_pure_parts_of_shared_only(rules: Path) -> None:
    module = ".".join(rules.relative_to(HOUSE).with_suffix("").parts)
    assert impurities(module, set()) == set()


@pytest.mark.parametrize("rules", RULES, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_rules_never_ask_what_time_it_is(rules: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(rules.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & {"now", "today", "utcnow"}
