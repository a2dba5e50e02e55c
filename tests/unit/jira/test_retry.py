from datetime import UTC, datetime, timedelta

import pytest

from addon import errands, hints
from addon.jira import errors, retry
from addon.jira.retry import Again, Dead

UNREACHABLE = errors.Unreachable("GET /: ConnectError")
TROUBLED = errors.Troubled("GET /: 503")
THROTTLED = errors.Throttled("GET /: 429", timedelta())
CORRUPT = errors.Corrupt("GET /: 1 part")
REFUSED = errors.Unauthorized("GET /: 401")

MIDDLE = 0.5  # a spread that leaves the delay as it is


@pytest.mark.parametrize("error", [UNREACHABLE, TROUBLED, THROTTLED, CORRUPT])
def test_delays_double_up_to_30_seconds(error: errors.JiraError) -> None:
    decisions = [retry.decide(error, failures=failures, spread=MIDDLE) for failures in range(5)]
    assert decisions == [Again(delay=timedelta(seconds=seconds)) for seconds in (2, 4, 8, 16, 30)]


@pytest.mark.parametrize(("spread", "first", "longest"), [(0.0, 1.4, 21.0), (0.5, 2.0, 30.0), (1.0, 2.6, 39.0)])
def test_delays_are_spread_by_30_percent(spread: float, first: float, longest: float) -> None:
    assert retry.decide(TROUBLED, failures=0, spread=spread) == Again(delay=timedelta(seconds=first))
    assert retry.decide(TROUBLED, failures=119, spread=spread) == Again(delay=timedelta(seconds=longest))


@pytest.mark.parametrize(
    ("retry_after_s", "failures", "delay_s"), [(0, 0, 2), (1, 0, 2), (17, 0, 17), (17, 4, 30), (1800, 0, 1800)]
)
def test_retry_after_is_the_least(retry_after_s: int, failures: int, delay_s: int) -> None:
    error = errors.Throttled("GET /: 429", timedelta(seconds=retry_after_s))
    assert retry.decide(error, failures=failures, spread=MIDDLE) == Again(delay=timedelta(seconds=delay_s))


@pytest.mark.parametrize("error", [errors.Forbidden("GET /: 403"), errors.Rejected("GET /: 400", 400)])
def test_refusal_ends_the_run_at_once(error: errors.JiraError) -> None:
    assert isinstance(retry.decide(error, failures=0, spread=MIDDLE), Dead)


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (UNREACHABLE, retry.MAX_FAILURES),
        (TROUBLED, retry.MAX_FAILURES),
        (THROTTLED, retry.MAX_FAILURES),
        (CORRUPT, retry.MAX_CORRUPT),
        (REFUSED, retry.MAX_REFUSED),
    ],
)
def test_trouble_is_borne_so_often_and_no_more(error: errors.JiraError, last: int) -> None:
    assert isinstance(retry.decide(error, failures=last - 1, spread=MIDDLE), Again)
    assert isinstance(retry.decide(error, failures=last, spread=MIDDLE), Dead)


@pytest.mark.parametrize("told", [errands.PATIENT, hints.MAX_FAILURES - 1])
def test_work_that_never_tires_ends_where_jira_refuses_the_app(told: int) -> None:
    assert isinstance(retry.decide(TROUBLED, failures=told, spread=MIDDLE), Again)
    assert isinstance(retry.decide(REFUSED, failures=told, spread=MIDDLE), Dead)


def test_site_that_is_down_is_tried_for_about_an_hour() -> None:
    waited = timedelta()
    for failures in range(retry.MAX_FAILURES):
        decision = retry.decide(TROUBLED, failures=failures, spread=MIDDLE)
        assert isinstance(decision, Again)
        waited += decision.delay
    assert timedelta(minutes=55) < waited < timedelta(minutes=65)


def test_reasons_say_nothing_of_people_or_addresses() -> None:
    for error in (errors.Unauthorized("GET /x?accountId=ana"), errors.Rejected("GET /x?accountId=ana", 400)):
        decision = retry.decide(error, failures=retry.MAX_REFUSED, spread=MIDDLE)
        assert isinstance(decision, Dead)
        assert "ana" not in decision.reason


@pytest.mark.parametrize(
    ("wait_s", "spread", "delay_s"),
    [(10, 0.0, 10), (10, 1.0, 11), (300, 0.5, 315), (3_000, 0.0, 3_000), (3_000, 1.0, 3_060)],
)
def test_limit_is_waited_for_and_a_little_longer_however_often(wait_s: int, spread: float, delay_s: int) -> None:
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    limit = errors.Waiting("GET /: 429", what="a limit", until=now + timedelta(seconds=wait_s), now=now)
    for failures in (0, retry.MAX_FAILURES):
        assert retry.decide(limit, failures=failures, spread=spread) == Again(delay=timedelta(seconds=delay_s))
