"""Lines of the log about requests without a key."""

from structlog.testing import capture_logs

from app.access.keyless_log import MAX_PER_MINUTE, KeylessLog


async def test_the_first_requests_of_a_minute_have_lines_and_the_others_are_counted() -> None:
    requests = KeylessLog()
    assert [requests.has_line(200) for _ in range(MAX_PER_MINUTE + 2)] == [True] * MAX_PER_MINUTE + [False] * 2
    assert not requests.has_line(401)
    with capture_logs() as logged:
        requests.report()
    [line] = logged
    assert (line["event"], line["count"], line["statuses"]) == ("requests_without_key", 3, {"200": 2, "401": 1})
    assert requests.has_line(200)
    requests.report()


async def test_few_requests_are_not_counted() -> None:
    requests = KeylessLog()
    assert requests.has_line(200)
    with capture_logs() as logged:
        requests.report()
    assert logged == []
