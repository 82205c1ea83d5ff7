"""What the hub tells on standard error: lines for people, or JSON lines for programs; no personal data.

The text of an exception may repeat a patient's name. So no form here prints one: of an exception its kind
and the places that it went through are told. Whatever else wants to print exceptions (threads, the event
loop, the interpreter) is led through here as well.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

import msgspec

from broadstreet.model.failures import frames_of, traced

Form = Literal["text", "json"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else was given as `extra`."""
_FOREIGN = frozenset({"asyncio", "concurrent.futures"})
"""Loggers that put exceptions, and the representation of what failed, into their text."""

_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `text`, and whatever the line says besides."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "at": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": _text(record),
        }
        return msgspec.json.encode(line | _extra(record), enc_hook=str).decode()


class HumanLines(logging.Formatter):
    """One line for people, with the places of an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        moment = _moment(record).astimezone()
        extra = _extra(record)
        trace = extra.pop("trace", ())
        more = "".join(f" {name}={value}" for name, value in extra.items())
        first = f"{moment:%Y-%m-%d %H:%M:%S%z} {record.levelname} {record.name}: {_text(record)}{more}"
        return "\n".join([first, *(f"    {place}" for place in trace)])


FORMS: dict[Form, type[logging.Formatter]] = {"text": HumanLines, "json": JsonLines}


def begin(level: str, form: Form = "text", stream: TextIO | None = None) -> None:
    """Let every log line of this process go to a stream in one form, exceptions without their text.

    Parameters
    ----------
    level
        What is told: debug, info, warning or error.
    form
        Lines for people, or JSON lines.
    stream
        Standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(FORMS[form]())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _died
    threading.excepthook = _thread_died


def tell_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # noqa: ARG001
    """Log what an event loop has caught; its own way would print the exception and what was called."""
    _failed("a task of the event loop failed", context.get("exception"))


def _died(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _failed("the program failed", error)


def _thread_died(failed: threading.ExceptHookArgs) -> None:
    _failed(f"the thread {failed.thread.name if failed.thread else 'unknown'} failed", failed.exc_value)


def _failed(what: str, error: BaseException | None) -> None:
    if error is None:
        _log.error("%s", what)
    else:
        _log.error("%s: %s", what, traced(error), extra={"trace": frames_of(error)})


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _text(record: logging.LogRecord) -> str:
    """Return one line: what a sender wrote cannot begin another."""
    text = "something failed" if record.name in _FOREIGN else record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        text = f"{text}: {traced(record.exc_info[1])}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    extra = {name: value for name, value in vars(record).items() if name not in _OWN}
    if record.exc_info and record.exc_info[1] is not None:
        extra["trace"] = frames_of(record.exc_info[1])
    return extra
