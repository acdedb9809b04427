"""Fixtures for all kinds of tests, and a decorator that runs many cases in one test."""

import asyncio
import contextlib
import functools
import gc
import importlib.util
import inspect
import os
import ssl
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
import structlog

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
FREEZE, UNFREEZE = gc.freeze, gc.unfreeze
_CASES: dict[Callable[..., Any], tuple[Callable[..., Any], list[dict[str, Any]]]] = {}
"""The undecorated test and the cases of each test that `each_case` has decorated."""

# What is logged before a program configures logging. Rich would show the values of all variables in each traceback,
# which takes up to some seconds.
for _processor in structlog.get_config()["processors"]:
    if isinstance(_processor, structlog.dev.ConsoleRenderer):
        _processor.exception_formatter = structlog.dev.plain_traceback

# Hypothesis keeps its record of failures outside the checkout.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "openfaze-hypothesis"))
# The environments of heavier engines lack hypothesis, and run no tests that use it.
if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    # The duration of an example depends on how busy the machine is, so there is no deadline. CI checks whether a change
    # broke something, and tries the same examples each time; runs on people's machines find new ones.
    same = bool(os.environ.get("CI"))
    settings.register_profile("openfaze", deadline=None, derandomize=same, max_examples=25)
    settings.register_profile("deep", deadline=None, derandomize=same, max_examples=60)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "openfaze"))


def pytest_sessionstart() -> None:
    """Disable garbage collection while test modules and their libraries are imported, because almost nothing becomes
    garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Exclude the objects of all test modules and their libraries from garbage collection: millions that live to the
    end. The little garbage among them is not worth a collection, which takes each process most of a second."""
    FREEZE()
    gc.enable()


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Fail a test that leaves this process's logging configured, because later tests could not capture their logs."""
    yield
    if structlog.get_config()["cache_logger_on_first_use"]:
        structlog.reset_defaults()
        pytest.fail("the test called configure_logging and left it at that")


@pytest.fixture(scope="module", autouse=True)
def _shared_workers_end() -> Iterator[None]:
    yield
    if shared := sys.modules.get("tests.kit.processes.shared_workers"):
        shared.end_shared_workers()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End tasks of the test's own servers that are still waiting.

    The event loop goes on with the module's other tests. A task without references would be garbage collected some time
    later, with a complaint. Tasks of the module's engines are left alone.
    """
    runner = (getattr(item, "funcargs", None) or {}).get("_module_scoped_runner")
    loop = runner and runner.get_loop()
    yield
    if loop is None or loop.is_closed():  # which it is after the module's last test
        return
    here = str(Path(__file__).parent)
    # A task that closes an asynchronous generator has no code object of its own.
    codes = {task: getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks(loop)}
    left = [task for task, code in codes.items() if code is not None and code.co_filename.startswith(here)]
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server for the tests of this process."""
    from tests.kit.servers.postgres_server import serving_postgres

    with serving_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: a test that uses it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'state.sqlite'}"
    url: str = request.getfixturevalue("postgres").create()
    return url


@pytest.fixture(scope="session", autouse=True)
def _objects_of_test_modules_stay_frozen() -> Iterator[None]:
    """Let no server or engine freeze or unfreeze objects. A collection after the end of an engine would go through all
    test modules, and what tests leave behind would never be freed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        patch.setattr(gc, "unfreeze", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Let clients share the context for TLS with the usual authorities. Each of them would read their certificates for
    40 ms, although hardly any connects by TLS."""
    make = ssl.create_default_context
    of_file = functools.cache(lambda cafile: make(cafile=cafile))
    usual = [{"cafile": file} for file in (certifi.where(), os.environ.get("SSL_CERT_FILE")) if file]

    def made(purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH, **authorities: Any) -> ssl.SSLContext:
        is_usual = purpose is ssl.Purpose.SERVER_AUTH and authorities in usual
        return of_file(**authorities) if is_usual else make(purpose, **authorities)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", made)
        if importlib.util.find_spec("httpcore2"):  # under the official client; with authorities of the system
            import httpcore2

            patch.setattr(httpcore2, "default_ssl_context", functools.cache(httpcore2.default_ssl_context))
        yield


@pytest.fixture(scope="module", autouse=True)
def _objects_of_earlier_modules_set_aside() -> Iterator[None]:
    """Exclude what a module leaves behind (libraries that its tests imported, schemas, caches) from later collections.

    Each engine that a test closes causes a collection, which would go through all of that.
    """
    yield
    gc.collect()
    FREEZE()


@pytest.fixture
def frozen_as_in_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", FREEZE)
    monkeypatch.setattr(gc, "unfreeze", UNFREEZE)


@pytest.fixture
def shared() -> Path:
    """Folder of real sample inputs and small real weights, kept next to the checkout, and never part of it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample inputs beside the checkout, and {SHARED} is not there")
    return SHARED


def each_case(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator like `pytest.mark.parametrize`, for fast cases: one test tries all cases, and reports all
    failures.

    A separate test costs some milliseconds in every process that collects it. All cases share the fixtures of the one
    test, so a case must not change a fixture. Where the decorator stands twice, the cases are all combinations. Each
    case has an id, like `17: size=64, line_end='\\r'`, and `EACH_CASE` in the environment picks some by number or text.
    """
    names = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    named = [dict(zip(names, case if len(names) > 1 else [case], strict=True)) for case in cases]
    assert named, "no cases: this test could not fail"

    def decorate(decorated: Callable[..., Any]) -> Callable[..., Any]:
        test, inner = _CASES.get(decorated, (decorated, [{}]))
        combined = [{**case, **more} for case in named for more in inner]
        asked = inspect.signature(decorated)
        rest = [parameter for name, parameter in asked.parameters.items() if name not in names]
        assert len(rest) == len(asked.parameters) - len(names), f"{names} are not all parameters of {test.__name__}"

        @functools.wraps(decorated)
        def tried(**fixtures: Any) -> None:
            failures: list[str] = []
            for number, case in _picked(combined):
                with _noting(failures, test, number, case):
                    test(**case, **fixtures)
            _tell(failures)

        @functools.wraps(decorated)
        async def awaited(**fixtures: Any) -> None:
            failures: list[str] = []
            for number, case in _picked(combined):
                with _noting(failures, test, number, case):
                    await test(**case, **fixtures)
            _tell(failures)

        made = awaited if inspect.iscoroutinefunction(test) else tried
        made.__signature__ = asked.replace(parameters=rest)  # type: ignore[attr-defined]
        _CASES[made] = test, combined
        return made

    return decorate


def _case_id(number: int, case: dict[str, Any]) -> str:
    return f"{number}: " + ", ".join(f"{name}={value!r}"[:300] for name, value in case.items())


def _picked(cases: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Number the cases, and keep those that EACH_CASE names. Skips the test if there are none."""
    numbered = list(enumerate(cases, 1))
    if (wanted := os.environ.get("EACH_CASE")) is None:
        return numbered
    if wanted.isdecimal():
        kept = numbered[int(wanted) - 1 : int(wanted)] if int(wanted) else []
    else:
        kept = [(number, case) for number, case in numbered if wanted in _case_id(number, case)]
    return kept or pytest.skip(f"no case is {wanted!r}, which EACH_CASE asks for")


@contextlib.contextmanager
def _noting(failures: list[str], test: Callable[..., Any], number: int, case: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - all of them are told
        failures.append(f"{test.__name__}[{_case_id(number, case)}]")
        failures.append("".join(traceback.format_exception(error)))


def _tell(failures: list[str]) -> None:
    if failures:
        pytest.fail("\n".join(failures), pytrace=False)
