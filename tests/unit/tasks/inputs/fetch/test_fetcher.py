"""The safe fetcher, against real servers on loopback. Names are resolved by the tests."""

import asyncio

import pytest

from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tests.kit.internet.fetching import OPEN, fetch, refusal
from tests.kit.internet.web import TLS, Certificate, Names, certificate_for, redirect, response, serving


async def test_a_body_is_fetched_with_its_type() -> None:
    async with serving(page=response(b"hello", "Content-Type: Text/Plain; Charset=UTF-8")) as server:
        fetched = await fetch(server.url("page"))
    assert fetched == Fetched(b"hello", "Text/Plain; Charset=UTF-8", server.url("page"))
    assert (fetched.media_type, fetched.charset) == ("text/plain", "utf-8")


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


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "304 Not Modified", "302 No Location"])
async def test_a_status_other_than_success_is_named(status: str) -> None:
    async with serving(page=response(b"x", status=status)) as server:
        error = await refusal(server.url("page"))
    assert error.code == "fetch_failed"
    assert error.message == f"'{server.url('page')}' answered with status {status[:3]}."


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


async def test_https_does_not_redirect_to_http(certificate: Certificate) -> None:
    names = Names(good_test=["127.0.0.1"])
    async with serving(tls=certificate.server, page=redirect("http://good.test/")) as server:
        error = await refusal(server.url("page", "good.test", "https"), names=names, tls=certificate.client)
    assert error.code == "url_not_allowed"
    assert "redirects to an address that is not encrypted" in error.message
