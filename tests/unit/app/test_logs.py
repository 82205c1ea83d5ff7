from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from broadstreet.app import logs

NAME = "KIM MINA"
_log = logging.getLogger("broadstreet.test")


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Return what the hub's log says; the form is the test's parameter."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    logs.begin("info", getattr(request, "param", "json"), stream)
    yield stream
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    logging.captureWarnings(capture=False)


def fail() -> None:
    raise ValueError(f"{NAME!r} is not a number")


def test_a_line_is_one_json_object_with_what_was_said_besides(told: io.StringIO) -> None:
    _log.info("follower %s begins", "timers", extra={"follower": "timers", "seq": 4})
    line = json.loads(told.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "broadstreet.test",
        "text": "follower timers begins",
        "follower": "timers",
        "seq": 4,
    }


@pytest.mark.parametrize("told", ["text", "json"], indirect=True)
def test_an_exception_is_told_by_its_kind_and_places_and_not_by_its_text(told: io.StringIO) -> None:
    try:
        fail()
    except ValueError:
        _log.exception("it failed")
    assert "it failed: ValueError in fail" in told.getvalue()
    assert "test_logs.py" in told.getvalue()
    assert NAME not in told.getvalue()


@pytest.mark.parametrize("told", ["text", "json"], indirect=True)
def test_what_a_sender_wrote_cannot_begin_another_line(told: io.StringIO) -> None:
    _log.warning("sender %s", "A\r\n2026-01-01 ERROR forged\x1b[2J\u2028")
    assert told.getvalue().count("\n") == 1
    assert "\x1b" not in told.getvalue()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_tasks_and_the_interpreter_do_not_print_what_failed(
    told: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", logs._thread_died)  # pytest has its own

    def thread() -> None:
        worker = threading.Thread(target=fail, name="worker")
        worker.start()
        worker.join()

    async def call_back() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(logs.tell_failure)
        loop.call_soon(fail)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    thread()
    asyncio.run(call_back())
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", ValueError(NAME))
    said = told.getvalue() + "".join(capsys.readouterr())
    assert "the thread worker failed: ValueError in fail" in said
    assert "a task of the event loop failed: ValueError in fail" in said
    assert "the program failed: ValueError in fail" in said
    assert NAME not in said
