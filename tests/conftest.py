"""What every test shares: where outside material lies, and that CI skips nothing by accident."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.backends import NAMES, NO_SERVER, Backend, has
from tests.demo_run import DemoRun, run_demo
from tests.hl7v2_hub import Hub
from tests.postgres import SERVER, sharing

# Seeded, so that a run can be repeated; `make soak` draws anew. No deadlines: tests are not timed.
settings.register_profile(
    "seeded", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if os.environ.get("BROADSTREET_SOAK") == "1" else "seeded")

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("BROADSTREET_SHARED", ROOT.parent / "shared"))
FHIR_EXAMPLES = ROOT / ".cache" / "fhir-r4-examples" / "package"

# Reasons for which a test may skip even in CI. Anything else there is a failure.
EXPECTED_SKIPS: tuple[str, ...] = ("no disk of its own can be mounted here",)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with outside data and reference figures."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data at {SHARED} (set BROADSTREET_SHARED)")
    return SHARED


@pytest.fixture(scope="session")
def fhir_examples() -> Path:
    """Return the folder with the official R4 examples."""
    if not FHIR_EXAMPLES.is_dir():
        pytest.skip("no FHIR examples (run `make fhir-examples`, which needs npm)")
    return FHIR_EXAMPLES


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> object:  # noqa: ARG001
    """Let all workers of a run share one PostgreSQL server, started by the first test that needs it."""
    if SERVER in os.environ:
        return (yield)
    with sharing():
        return (yield)


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Yield each back end of the store in turn."""
    if not has(request.param):
        pytest.skip(NO_SERVER)
    backend = Backend(request.param, tmp_path)
    yield backend
    backend.close()


@pytest.fixture
def address(backend: Backend) -> str:
    """Return the address of a store on each back end in turn."""
    return backend.address()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Yield a door for HL7 v2 with a real store; in the end every resource in it must be valid FHIR."""
    hub = Hub(tmp_path)
    yield hub
    hub.check_all()
    hub.close()


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Return what a short demonstration printed and left."""
    return run_demo(tmp_path_factory.mktemp("demo"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:  # noqa: ARG001
    report = yield
    strict = os.environ.get("BROADSTREET_STRICT_SKIPS") == "1"
    if strict and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(expected in reason for expected in EXPECTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"
    return report
