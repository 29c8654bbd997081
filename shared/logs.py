"""Structured logs, one JSON object a line, and what is known of the request being served.

Never personal data: no query string, body, SQL parameter or local variable is logged, and
``shared/scrubbing.py`` masks whatever still looks like an ID number, account or mobile number.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from shared.scrubbing import describe_exception, holds_personal_number, scrub

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from and why, as its audit lines repeat it."""

    why: str | None = None
    from_address: str | None = None
    user_agent: str | None = None


_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - immutable
# structlog's own context variables are one a field: reading them walks the whole context each time
_fields: ContextVar[dict[str, Any] | None] = ContextVar("log_fields", default=None)


def correlation_id() -> str:
    """The id that this request, batch or job shares with all it causes; a new one where unset."""
    known = _correlation_id.get()
    if known is None:
        known = str(uuid4())
        _correlation_id.set(known)
    return known


def traceparent() -> str | None:
    """W3C trace context of what runs now: the current span's, else the one that came in."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    return _traceparent.get()


def origin() -> Origin:
    """Why and from where this request came; empty in a worker."""
    return _origin.get()


@contextlib.contextmanager
def context(
    *,
    correlation_id: str | None = None,
    traceparent: str | None = None,
    origin: Origin | None = None,
) -> Iterator[str]:
    """Bind what is known of a request, an event or a job to all that runs inside.

    A correlation id that is not an opaque token of 64 characters, or that looks like a person's
    number, is replaced by a new one, since it goes into logs and events. Yields the id in force.
    """
    chosen = correlation_id if _acceptable(correlation_id) else None
    chosen = chosen or str(uuid4())
    trusted = traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None
    tokens = (
        (_correlation_id, _correlation_id.set(chosen)),
        (_traceparent, _traceparent.set(trusted)),
    )
    origin_token = _origin.set(origin or Origin())
    # what is bound inside (the caller, a problem) must not colour the next request's lines
    fields_token = _fields.set({**(_fields.get() or {}), "correlation_id": chosen})
    try:
        yield chosen
    finally:
        _fields.reset(fields_token)
        _origin.reset(origin_token)
        for variable, token in tokens:
            variable.reset(token)


def bind(**fields: Any) -> None:
    """Put ``fields`` into every line from here to the end of the ``context`` around."""
    known = _fields.get()
    if known is None:
        _fields.set(fields)
    else:
        known.update(fields)


def _acceptable(given: str | None) -> bool:
    return (
        given is not None
        and _CORRELATION_ID.fullmatch(given) is not None
        and not holds_personal_number(given)
    )


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of one module. Events are ``noun.verb``; what varies goes into fields."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(logger_name=name)
    return logger


def configure(service: str, level: str = "INFO") -> None:
    """Send structlog and the libraries' stdlib loggers to stdout as JSON lines, scrubbed."""

    def name_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        _add_bound,
        structlog.stdlib.add_log_level,
        name_service,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        _exceptions,
        _scrub_event,
        structlog.processors.JSONRenderer(serializer=_to_json),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=_StdoutLogger,
        cache_logger_on_first_use=False,
    )
    _configure_libraries(level, shared, last)


def _configure_libraries(level: str, shared: list[Processor], last: list[Processor]) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _name_stdlib_logger],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = _StdoutHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # its lines hold raw URLs; RequestEdge in shared/middleware.py writes ours
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("httpx", "httpcore", "aiokafka", "sqlalchemy", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _StdoutLogger:
    """Writes to whatever sys.stdout is now, so that a redirected or captured one is obeyed."""

    def __init__(self, *_args: Any) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    debug = info = warning = error = critical = exception = msg


class _StdoutHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)


def _add_bound(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {**(_fields.get() or {}), **event}


def _name_stdlib_logger(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if record is not None:
        event["logger_name"] = record.name
    return event


def _exceptions(_logger: Any, _method: str, event: EventDict) -> EventDict:
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["exception"] = describe_exception(raised)
    return event


def _scrub_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {key: scrub(value) for key, value in event.items()}


def _to_json(event: EventDict, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
