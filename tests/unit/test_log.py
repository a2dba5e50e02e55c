import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from addon import log

SECRET = "shared-secret-0123456789"
PERSON = "ana@x.example"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in (*log.LOUD_LIBRARIES, log.SILENT_LIBRARY)}
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def fail_with_secrets() -> None:
    signed_with = {"secret": SECRET, "email": PERSON}
    raise RuntimeError(f"{len(signed_with)} facts")


def test_event_is_one_json_line_with_its_tenant_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    with structlog.contextvars.bound_contextvars(tenant_id="t-1", job_id=7):
        structlog.get_logger().info("serving", port=8080)
    (line,) = lines(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "serving", "level": "info", "tenant_id": "t-1", "job_id": 7, "port": 8080}


def test_records_of_libraries_take_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    with structlog.contextvars.bound_contextvars(tenant_id="t-1"):
        logging.getLogger("uvicorn.error").warning("slow %s", "start")
    (line,) = lines(capsys.readouterr().err)
    assert (line["event"], line["level"], line["tenant_id"]) == ("slow start", "warning", "t-1")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_local_variables_of_a_failure_stay_out_of_the_log(
    capsys: pytest.CaptureFixture[str], log_format: Literal["json", "console"]
) -> None:
    log.configure(log_format)
    try:
        fail_with_secrets()
    except RuntimeError:
        structlog.get_logger().exception("ours")
        logging.getLogger("uvicorn.error").exception("theirs")
    text = capsys.readouterr().err
    assert text.count("RuntimeError") >= 2
    assert "fail_with_secrets" in text  # where it happened is what an operator needs
    assert SECRET not in text
    assert PERSON not in text


def test_libraries_that_log_addresses_and_rows_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    for name in log.LOUD_LIBRARIES:
        logging.getLogger(name).info("GET https://acme.atlassian.net/?jwt=%s", SECRET)
        logging.getLogger(f"{name}.core").debug("SELECT %s", PERSON)
    logging.getLogger(log.SILENT_LIBRARY).error("Showing contents of postgres server log: %s", PERSON)
    assert capsys.readouterr().err == ""


def test_console_format_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("console")
    structlog.get_logger().info("serving", port=8080)
    text = capsys.readouterr().err
    assert "serving" in text
    with pytest.raises(json.JSONDecodeError):
        lines(text)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_and_not_for_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure("console")
    structlog.get_logger().info("serving")
    assert "\x1b" not in capsys.readouterr().err
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    log.configure("console")
    structlog.get_logger().info("serving")
    assert "\x1b" in terminal.getvalue()


def test_text_of_an_exception_stays_out_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    structlog.get_logger().error("ours", exc_info=ValueError(f"Key (email)=({PERSON}) already exists."))
    text = capsys.readouterr().err
    assert "ValueError" in text
    assert PERSON not in text
