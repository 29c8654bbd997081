"""Every operation of every service under fire: never a fault of ours, and most of them succeed.

Generated alike at every run, sent over HTTP to the platform with the sample county, with its ids.
"""

import pytest

from deploy.local.provision import SERVICES
from deploy.local.tokens import open_signer
from shared import clock
from tests.fuzz.fuzzing import OFFICERS, Fuzzed, every_scope
from tests.fuzz.seeds import Seeds
from tests.support.platform import COUNTY, Platform

LEAST_SUCCEEDED = 0.6


@pytest.fixture(scope="module")
def services(sample_platform: Platform) -> dict[str, Fuzzed]:
    """All six, sharing what they know of one another's ids."""
    layout = sample_platform.layout
    signer = open_signer(layout.signing_key, layout.issuer)
    scopes = every_scope().split()
    tokens = {
        officer: f"Bearer {signer.sign(scopes=scopes, officer=officer, divisions=[COUNTY])}"
        for officer in OFFICERS
    }
    seeds = Seeds()
    found = {
        name: Fuzzed(name, layout.api(name), tokens, seeds, clock.today()) for name in SERVICES
    }
    for _ in range(2):
        for fuzzed in found.values():
            fuzzed.look_around()
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_it_never_fails_and_mostly_succeeds(services: dict[str, Fuzzed], service: str) -> None:
    fuzzed = services[service]
    fuzzed.look_around()
    outcomes = [fuzzed.run(operation) for operation in fuzzed.operations]
    faults = [f"{one.label}: {fault}" for one in outcomes for fault in one.faults.values()]
    assert not faults, "\n".join(faults)
    never = [str(one) for one in outcomes if not one.succeeded]
    share = 1 - len(never) / len(outcomes)
    print(f"{service}: {len(outcomes)} operations, never succeeded:", *never, sep="\n  ")  # noqa: T201
    assert share >= LEAST_SUCCEEDED, f"only {share:.0%} succeeded; not these:\n" + "\n".join(never)
