"""The safe fetcher, against real servers on loopback. Names are resolved by the tests."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tasks.inputs.fetch.url_policy import FetchFailed
from tests.fetching import OPEN, fetch, refusal
from tests.loop_time import LoopTime
from tests.web import TLS, Certificate, Names, certificate_for, redirect, response, serving


async def test_a_body_is_fetched_with_its_type() -> None:
    async with serving(page=response(b"hello", "Content-Type: Text/Plain; Charset=UTF-8")) as server:
        fetched = await fetch(server.url("page"))
    assert fetched == Fetched(b"hello", "Text/Plain; Charset=UTF-8", server.url("page"))
    assert (fetched.media_type, fetched.charset) == ("text/plain", "utf-8")


async def test_a_missing_content_type_is_none() -> None:
    async with serving(page=response(b"hello")) as server:
        fetched = await fetch(server.url("page"))
    assert (fetched.content_type, fetched.media_type, fetched.charset) == (None, None, None)


async def test_the_request_says_who_asks_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serving(page=response(b"x", "Set-Cookie: a=b")) as server:
        fetcher = Fetcher(OPEN, tls=TLS)
        await fetcher.fetch(server.url("page"))
        await fetcher.fetch(server.url("page"))
        await fetcher.close()
    names = [line.partition(":")[0].lower() for line in server.requests[1].split("\r\n")[1:] if line]
    assert names == ["host", "user-agent", "accept", "accept-encoding", "connection"]
    assert "User-Agent: openfaze" in server.requests[1]
    assert f"Host: 127.0.0.1:{server.port}\r\n" in server.requests[1]


async def test_the_message_for_an_inner_address_says_only_what_was_asked() -> None:
    names = Names(inner_test=["10.1.2.3"])
    error = await refusal("http://inner.test/x", FetchPolicy(), names)
    assert error.code == "url_not_allowed"
    assert error.message == "'http://inner.test/x' is not on the public internet (OPENFAZE_FETCH_ALLOW opens it)."


@pytest.mark.parametrize("others", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["::1", "1.1.1.1"]])
async def test_one_inner_address_among_public_ones_is_enough_to_refuse(others: list[str]) -> None:
    assert (await refusal("http://mixed.test/", FetchPolicy(), Names(mixed_test=others))).code == "url_not_allowed"


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that would resolve to something else a moment later gains nothing: it is asked for once."""
    names = Names(good_test=["127.0.0.1"])
    async with serving(page=response(b"hello")) as server:
        fetched = await fetch(server.url("page", host="good.test"), names=names)
    assert fetched.data == b"hello"
    assert names.asked == ["good.test"]
    assert f"Host: good.test:{server.port}" in server.requests[0]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    names = Names(good_test=["127.0.0.2", "127.0.0.1"])
    async with serving(page=response(b"hello")) as server:
        assert (await fetch(server.url("page", host="good.test"), names=names)).data == b"hello"


@pytest.mark.parametrize("answer", [[], None])
async def test_a_name_without_addresses_fails(answer: list[str] | None) -> None:
    names = Names(**({} if answer is None else {"nowhere_test": answer}))
    error = await refusal("http://nowhere.test/", OPEN, names)
    assert error.code == "fetch_failed"
    assert error.message == "'http://nowhere.test/' could not be reached: there is no host of this name."


@pytest.mark.parametrize("port", ["", ":80", ":8311"])
async def test_the_log_names_a_refused_host_only_for_debugging(port: str) -> None:
    with capture_logs() as logs:
        await refusal(f"http://inner.test{port}/", FetchPolicy(), Names(inner_test=["10.1.2.3"]))
    assert [(line["log_level"], line["reason"], line.get("host")) for line in logs] == [
        ("info", "address_not_public", None),
        ("debug", "address_not_public", "inner.test"),
    ]


async def test_a_refused_connection_is_told() -> None:
    async with serving() as server:
        url = server.url("page")
    error = await refusal(url, OPEN)
    assert (error.code, error.message) == ("fetch_failed", f"'{url}' could not be reached: the connection was refused.")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.test/", "a scheme other than http and https"),
        ("http://user:word@a.test/", "carries credentials"),
        ("http://user@a.test/", "carries credentials"),
        ("http:///path", "has no host"),
        ("http://a.test:99999/", "has no host, or an invalid port"),
        ("http://a\r\nb.test/", "is not a valid URL"),
        ("http://[::1/", "is not a valid URL"),
    ],
)
async def test_a_url_that_cannot_be_right_is_refused_before_anything_is_asked(url: str, reason: str) -> None:
    names = Names()
    error = await refusal(url, OPEN, names)
    assert error.code == "url_not_allowed"
    assert reason in error.message
    assert "word" not in error.message
    assert names.asked == []


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "304 Not Modified", "302 No Location"])
async def test_a_status_other_than_success_is_named(status: str) -> None:
    async with serving(page=response(b"x", status=status)) as server:
        error = await refusal(server.url("page"))
    assert error.code == "fetch_failed"
    assert error.message == f"'{server.url('page')}' answered with status {status[:3]}."


async def test_a_slow_name_server_counts_too() -> None:
    time = LoopTime()

    async def never(host: str, port: int) -> Sequence[str]:
        time.passes(30)
        await asyncio.Event().wait()
        return []

    fetcher = Fetcher(FetchPolicy(total_timeout=30), resolver=never)
    with pytest.raises(InputError, match="took longer than"):
        await fetcher.fetch("http://slow.test/")
    await fetcher.close()


async def test_a_closed_port_fails() -> None:
    async with serving() as server:
        pass
    assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_the_status_that_was_seen_can_be_told() -> None:
    async with serving(page=response(b"secret", status="451 Censored")) as server:
        error = await refusal(server.url("page"))
    assert isinstance(error, FetchFailed)
    assert error.status == 451
    assert "secret" not in error.message


async def test_a_space_in_a_path_is_encoded() -> None:
    pages: dict[str, Any] = {"my%20file": response(b"x")}
    async with serving(**pages) as server:
        assert (await fetch(server.url("my file"))).data == b"x"


async def test_a_name_that_is_slow_to_resolve_does_not_hold_up_others() -> None:
    waiting = asyncio.Event()

    async def resolve(host: str, port: int) -> Sequence[str]:
        if host == "slow.test":
            waiting.set()
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    async with serving(page=response(b"x")) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",)), resolver=resolve)
        slow = asyncio.create_task(fetcher.fetch(server.url("page", host="slow.test")))
        await waiting.wait()
        assert (await fetcher.fetch(server.url("page", host="good.test"))).data == b"x"
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        await fetcher.close()


async def test_a_fragment_is_not_sent() -> None:
    async with serving(page=response(b"x")) as server:
        await fetch(server.url("page#part"))
    assert server.requests[0].startswith("GET /page HTTP/1.1")


async def test_a_long_url_is_shortened_in_messages() -> None:
    error = await refusal("http://nowhere.test/" + "a" * 5000, OPEN, Names())
    assert len(error.message) < 300


async def test_cancelling_closes_the_connection() -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.set()
        try:
            while True:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            left.set()

    async with serving(page=wait) as server:
        task = asyncio.create_task(fetch(server.url("page")))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 60)


async def test_connections_are_bounded_and_shared_fairly() -> None:
    policy = FetchPolicy(allow=("127.0.0.1",), max_connections=2)
    async with serving(page=response(b"x")) as server:
        fetcher = Fetcher(policy)
        fetched = await asyncio.gather(*(fetcher.fetch(server.url("page")) for _ in range(10)))
        await fetcher.close()
    assert [one.data for one in fetched] == [b"x"] * 10


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_for("good.test", tmp_path_factory.mktemp("tls"))


async def test_tls_is_verified_for_the_name_though_the_address_is_pinned(
    certificate: Certificate,
) -> None:
    names = Names(good_test=["127.0.0.1"], other_test=["127.0.0.1"])
    async with serving(tls=certificate.server, page=response(b"safe")) as server:
        fetched = await fetch(server.url("page", "good.test", "https"), names=names, tls=certificate.client)
        assert fetched.data == b"safe"
        policy = FetchPolicy(allow=("127.0.0.1",))
        wrong_name = await refusal(server.url("page", "other.test", "https"), policy, names, tls=certificate.client)
        assert wrong_name.code == "fetch_failed"
        untrusted = await refusal(server.url("page", "good.test", "https"), policy, names)
    assert untrusted.code == "fetch_failed"
    assert "could not be reached: its certificate is not valid (" in untrusted.message


async def test_a_server_that_does_not_speak_tls_is_told() -> None:
    async def plainly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status="400 Bad Request"))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plainly, "127.0.0.1", 0) as server:
        error = await refusal(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", OPEN)
    assert "could not be reached: it does not use TLS correctly" in error.message


async def test_https_does_not_redirect_to_http(certificate: Certificate) -> None:
    names = Names(good_test=["127.0.0.1"])
    async with serving(tls=certificate.server, page=redirect("http://good.test/")) as server:
        error = await refusal(server.url("page", "good.test", "https"), names=names, tls=certificate.client)
    assert error.code == "url_not_allowed"
    assert "redirects to an address that is not encrypted" in error.message
