import pytest
from structlog.testing import capture_logs

from lifecycle import errors


def leaves(error: type[errors.LifecycleError]) -> list[type[errors.LifecycleError]]:
    subclasses = error.__subclasses__()
    return [leaf for subclass in subclasses for leaf in leaves(subclass)] if subclasses else [error]


def test_tree_is_drawn_with_every_reason_code() -> None:
    drawing = errors.__doc__ or ""
    for error in leaves(errors.LifecycleError):
        (line,) = [line for line in drawing.splitlines() if error.__name__ in line.split()]
        assert error.reason in line.replace(",", "").split()


def test_reason_codes_are_unique() -> None:
    reasons = [error.reason for error in leaves(errors.LifecycleError)]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("error", leaves(errors.Refused))
def test_every_refusal_looks_the_same_from_outside(error: type[errors.Refused]) -> None:
    assert (error.status, error.code, error.title) == (401, "not-authenticated", "Not authenticated")


def test_logged_error_leaves_one_line_without_its_details_and_is_raised_on() -> None:
    with capture_logs() as lines, pytest.raises(errors.WrongQsh), errors.logged("/pages/contacts"):
        raise errors.WrongQsh("details")
    assert lines == [
        {
            "event": "request refused",
            "log_level": "warning",
            "reason": "wrong-qsh",
            "status": 401,
            "path": "/pages/contacts",
        }
    ]


def test_our_own_failure_is_logged_as_an_error() -> None:
    with capture_logs() as lines, pytest.raises(errors.KeysUnreachable), errors.logged("/lifecycle/installed"):
        raise errors.KeysUnreachable
    assert [(line["log_level"], line["reason"]) for line in lines] == [("error", "keys-unreachable")]
