"""The safe fetcher, against real servers on loopback. Names are resolved by the tests."""

import asyncio
import gzip
import json
import random
import ssl
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tasks.inputs.fetch.url_policy import FetchFailed
from tests.conftest import each_case
from tests.loop_time import LoopTime
from tests.web import TLS, Certificate, Names, certificate_for, redirect, response, serving

OPEN = FetchPolicy(allow=("127.0.0.1", "good.test"), read_timeout=60, total_timeout=60)


async def fetch(
    url: str,
    policy: FetchPolicy = OPEN,
    names: Names | None = None,
    tls: ssl.SSLContext = TLS,
    max_bytes: int | None = None,
) -> Fetched:
    fetcher = Fetcher(policy, resolver=names, tls=tls) if names else Fetcher(policy, tls=tls)
    try:
        return await fetcher.fetch(url, param="p", max_bytes=max_bytes)
    finally:
        await fetcher.close()


async def refusal(url: str, policy: FetchPolicy = OPEN, names: Names | None = None, **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        await fetch(url, policy, names, **options)  # type: ignore[arg-type]
    assert caught.value.param == "p"
    return caught.value


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
    assert error.message == "'http://nowhere.test/' could not be reached: host not found."


async def test_a_refused_connection_is_told() -> None:
    async with serving() as server:
        url = server.url("page")
    error = await refusal(url, OPEN)
    assert (error.code, error.message) == ("fetch_failed", f"'{url}' could not be reached: the connection was refused.")


async def test_a_redirect_to_a_host_that_is_not_there_is_told_apart() -> None:
    async with serving(page=redirect("http://nowhere.test/")) as server:
        error = await refusal(server.url("page"), OPEN, Names())
    assert "redirects to an address that could not be reached: host not found" in error.message


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
async def test_redirects_are_followed(status: str) -> None:
    async with serving(a=redirect("/b", status), b=response(b"there")) as server:
        fetched = await fetch(server.url("a"))
    assert (fetched.data, fetched.url) == (b"there", server.url("b"))


@pytest.mark.parametrize(
    "target",
    [
        "http://inner.test/secret",
        "//inner.test/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://localhost/",
    ],
)
async def test_each_redirect_is_checked_again(target: str) -> None:
    names = Names(good_test=["127.0.0.1"], inner_test=["127.0.0.1"], localhost=["127.0.0.1"])
    names.addresses |= {"169.254.169.254": ["169.254.169.254"], "::1": ["::1"]}
    policy = FetchPolicy(allow=("good.test",), read_timeout=60, total_timeout=60)
    async with serving(a=redirect(target)) as server:
        error = await refusal(server.url("a", host="good.test"), policy, names)
    assert error.code == "url_not_allowed"
    assert error.message == (
        f"'{server.url('a', host='good.test')}' redirects to an address that "
        "is not on the public internet (OPENFAZE_FETCH_ALLOW opens it)."
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "target",
    ["ftp://good.test/x", "file:///etc/passwd", "http://user:word@good.test/", "http://good.test:99999/"],
)
async def test_a_redirect_to_no_proper_url_is_refused(target: str) -> None:
    async with serving(a=redirect(target)) as server:
        error = await refusal(server.url("a"))
    assert error.code == "url_not_allowed"
    assert "redirects to an address that" in error.message
    assert "good.test" not in error.message


async def test_redirects_are_counted() -> None:
    async with serving(a=redirect("/a")) as server:
        error = await refusal(server.url("a"), FetchPolicy(allow=("127.0.0.1",), max_redirects=3))
    assert (error.code, len(server.requests)) == ("fetch_failed", 4)
    assert "redirects more than 3 times" in error.message


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.test/", "a scheme other than http and https"),
        ("http://user:word@a.test/", "carries credentials"),
        ("http://user@a.test/", "carries credentials"),
        ("http:///path", "names no host"),
        ("http://a.test:99999/", "names no host, or no port"),
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


async def test_a_declared_length_above_the_limit_is_not_read() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        await asyncio.Event().wait()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert isinstance(error, InputTooLarge)
    assert "is larger than 80 MB (OPENFAZE_MAX_FETCH_MB)" in error.message


async def test_a_body_that_never_ends_is_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"), max_bytes=1_000_000)
    assert isinstance(error, InputTooLarge)


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    async with serving(page=response(bytes(1000)), more=response(bytes(1001))) as server:
        assert len((await fetch(server.url("page"), max_bytes=1000)).data) == 1000
        assert isinstance(await refusal(server.url("more"), max_bytes=1000), InputTooLarge)


async def test_the_policys_limit_cannot_be_raised() -> None:
    policy = FetchPolicy(allow=("127.0.0.1",), max_bytes=10)
    async with serving(page=response(bytes(11))) as server:
        assert isinstance(await refusal(server.url("page"), policy, max_bytes=100), InputTooLarge)


async def test_a_drip_is_ended_by_the_total_time() -> None:
    time, sent = LoopTime(), 0

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            sent += 1
            await time.passes_by(1)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=25, total_timeout=30)
    async with serving(page=drip) as server:
        error = await refusal(server.url("page"), policy)
    assert error.code == "fetch_failed"
    assert "took longer than 30 s" in error.message
    assert sent > 10


async def test_silence_is_ended_by_the_read_time() -> None:
    time = LoopTime()

    async def silence(head: bytes, writer: asyncio.StreamWriter) -> None:
        await time.passes_by(20)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=10, total_timeout=60)
    async with serving(page=silence) as server:
        error = await refusal(server.url("page"), policy)
    assert (error.code, "did not answer in time" in error.message) == ("fetch_failed", True)


async def test_redirects_share_the_total_time() -> None:
    time = LoopTime()

    async def slowly(head: bytes, writer: asyncio.StreamWriter) -> None:
        await time.passes_by(8)
        writer.write(redirect("/a"))

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=25, total_timeout=30, max_redirects=50)
    async with serving(a=slowly) as server:
        error = await refusal(server.url("a"), policy)
        assert "took longer than 30 s" in error.message
        assert 1 < len(server.requests) <= 4


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


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
async def test_a_broken_answer_fails(answer: bytes) -> None:
    async with serving(page=answer) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_a_closed_port_fails() -> None:
    async with serving() as server:
        pass
    assert (await refusal(server.url("page"))).code == "fetch_failed"


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compression_that_was_not_asked_for_is_undone(name: str, compress: Callable[[bytes], bytes]) -> None:
    body = bytes(range(256)) * 1000
    async with serving(page=response(compress(body), f"Content-Encoding: {name}")) as server:
        assert (await fetch(server.url("page"))).data == body


async def test_a_compressed_bomb_is_cut_off_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    async with serving(page=response(bomb, "Content-Encoding: gzip")) as server:
        error = await refusal(server.url("page"), max_bytes=1_000_000)
    assert isinstance(error, InputTooLarge)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"not gzip", "gzip"), (gzip.compress(bytes(9999), mtime=0)[:-12], "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
)
async def test_compression_that_cannot_be_undone_fails(body: bytes, encoding: str) -> None:
    async with serving(page=response(body, f"Content-Encoding: {encoding}")) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_files_that_follow_each_other_in_a_compressed_body_are_one() -> None:
    body = b"".join(gzip.compress(part) for part in (b"one ", b"", b"two ", bytes(3_000_000)))
    async with serving(page=response(body, "Content-Encoding: gzip")) as server:
        assert (await fetch(server.url("page"))).data == b"one two " + bytes(3_000_000)


async def test_a_body_that_inflates_beyond_the_limit_takes_hardly_any_memory() -> None:
    limit, block = 20_000_000, bytes(2**20)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([*(packer.compress(block) for _ in range(128)), packer.flush()])
    assert len(bomb) < 140_000
    async with serving(page=response(bomb, "Content-Encoding: gzip")) as server:
        tracemalloc.start()
        error = await refusal(server.url("page"), max_bytes=limit)
        grown, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert isinstance(error, InputTooLarge)
    assert peak < 10_000_000
    assert grown < 5_000_000


async def test_a_body_of_the_limits_size_is_held_once() -> None:
    limit = 20_000_000
    async with serving(page=response(bytes(limit))) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",), cache_bytes=0))
        tracemalloc.start()
        fetched = await fetcher.fetch(server.url("page"), max_bytes=limit)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await fetcher.close()
    assert len(fetched.data) == limit
    # The test's server holds its answer too, most of it written to the transport's buffer.
    assert peak < 2.5 * limit


async def test_a_compressed_body_of_the_limits_size_is_read_whatever_it_is_packed_to() -> None:
    noise = random.Random(0).randbytes(3_000_000)
    for body in (noise, bytes(3_000_000)):
        async with serving(page=response(gzip.compress(body), "Content-Encoding: gzip")) as server:
            assert (await fetch(server.url("page"), max_bytes=len(body))).data == body
            assert isinstance(await refusal(server.url("page"), max_bytes=len(body) - 1), InputTooLarge)


async def test_compressed_files_of_nothing_that_never_end_are_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        while True:
            writer.write(gzip.compress(b"") * 1000)
            await writer.drain()

    async with serving(page=endless) as server:
        assert isinstance(await refusal(server.url("page"), max_bytes=1000), InputTooLarge)


async def test_what_follows_a_compressed_body_does_not_pile_up() -> None:
    """A body that is over, and goes on: what decompressors put aside is what memory runs out of."""

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"the end"))
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert "a damaged compressed body" in error.message


@each_case(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000 + b"\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Flood: yes\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Flood: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad\x00Name: x\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"x" * 300_000,
    ],
)
async def test_an_answer_that_lies_about_itself_fails(answer: bytes) -> None:
    async with serving(page=answer) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


async def test_no_more_is_read_than_a_length_says() -> None:
    async with serving(page=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort and then some") as server:
        assert (await fetch(server.url("page"))).data == b"short"


async def test_headers_that_never_end_are_cut_off() -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Flood: yes\r\n" * 1000)
            await writer.drain()

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert (error.code, "broke off" in error.message) == ("fetch_failed", True)


async def test_heads_of_no_answer_that_never_end_are_ended_by_the_total_time() -> None:
    time = LoopTime()

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
            await writer.drain()
            await time.passes_by(1)

    async with serving(page=endless) as server:
        error = await refusal(server.url("page"))
    assert (error.code, "took longer than 60 s" in error.message) == ("fetch_failed", True)


async def test_the_status_that_was_seen_can_be_told() -> None:
    async with serving(page=response(b"secret", status="451 Censored")) as server:
        error = await refusal(server.url("page"))
    assert isinstance(error, FetchFailed)
    assert error.status == 451
    assert "secret" not in error.message


async def test_headers_of_the_caller_go_along() -> None:
    async with serving(page=response(b"x")) as server:
        fetcher = Fetcher(OPEN, tls=TLS)
        await fetcher.fetch(server.url("page"), headers={"X-API-KEY": "k", "accept": "text/html", "User-Agent": "me"})
        await fetcher.close()
    head = server.requests[0].lower()
    assert "x-api-key: k\r\n" in head
    assert "accept: text/html\r\n" in head
    assert "*/*" not in head
    assert "openfaze" not in head


@pytest.mark.parametrize("name", ["Host", "host", "Connection", "Content-Length", "Accept-Encoding"])
async def test_headers_that_are_the_fetchers_cannot_be_given(name: str) -> None:
    fetcher = Fetcher(OPEN, tls=TLS)
    with pytest.raises(ValueError, match=name.lower()):
        await fetcher.fetch("http://good.test/", headers={name: "x"})
    await fetcher.close()


async def test_json_is_posted() -> None:
    async with serving(search=response(b'{"results":[]}')) as server:
        fetcher = Fetcher(OPEN, tls=TLS)
        fetched = await fetcher.fetch(server.url("search"), json={"query": "Größe"}, headers={"Authorization": "k"})
        await fetcher.close()
    assert fetched.data == b'{"results":[]}'
    head = server.requests[0]
    assert head.startswith("POST /search HTTP/1.1\r\n")
    assert "Content-Type: application/json\r\n" in head
    assert json.loads(server.bodies[0]) == {"query": "Größe"}
    assert "Authorization: k\r\n" in head


@pytest.mark.parametrize("status", ["301 Moved", "303 Other", "307 Temporary", "308 Permanent"])
async def test_a_post_follows_no_redirect(status: str) -> None:
    async with serving(a=redirect("/b", status), b=response(b"x")) as server:
        fetcher = Fetcher(OPEN, tls=TLS)
        with pytest.raises(FetchFailed, match=f"answered with status {status[:3]}"):
            await fetcher.fetch(server.url("a"), json={})
        await fetcher.close()
    assert len(server.requests) == 1


SECRETS = {"Authorization": "Bearer s", "Cookie": "c=s", "Proxy-Authorization": "p", "X-Subscription-Token": "t"}


async def test_secrets_stay_with_the_origin_they_are_for() -> None:
    names = Names(good_test=["127.0.0.1"], other_test=["127.0.0.1"])
    async with serving(c=redirect("/d")) as server, serving(x=response(b"x")) as second:
        server.pages["a"] = redirect("/b")
        server.pages["b"] = redirect(server.url("c", host="other.test"))
        server.pages["d"] = redirect(server.url("e", host="good.test"))
        server.pages["e"] = redirect(second.url("x", host="good.test"))
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",)), resolver=names)
        await fetcher.fetch(server.url("a", host="good.test"), headers={**SECRETS, "Accept-Language": "de"})
        await fetcher.close()
    heads = [*server.requests, *second.requests]
    assert [head.split()[1] for head in heads] == ["/a", "/b", "/c", "/d", "/e", "/x"]
    for head, is_same_origin in zip(heads, [True, True, False, False, False, False], strict=True):
        assert [name in head for name in SECRETS] == [is_same_origin] * 4
        assert "Accept-Language: de" in head


async def test_at_most_five_redirects_are_followed() -> None:
    pages: dict[str, Any] = {str(n): redirect(f"/{n + 1}") for n in range(6)}
    async with serving(**pages | {"6": response(b"there")}) as server:
        assert (await fetch(server.url("1"))).data == b"there"
        assert "redirects more than 5 times" in (await refusal(server.url("0"))).message


async def test_a_location_beyond_ascii_is_what_the_server_means() -> None:
    async with serving(a=response(b"", "Location: /stra\u00dfe", status="302 Found")) as server:
        server.pages["stra%C3%9Fe"] = response(b"there")
        assert (await fetch(server.url("a"))).data == b"there"


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
    assert "could not be reached: it does not speak TLS as it should" in error.message


async def test_https_does_not_redirect_to_http(certificate: Certificate) -> None:
    names = Names(good_test=["127.0.0.1"])
    async with serving(tls=certificate.server, page=redirect("http://good.test/")) as server:
        error = await refusal(server.url("page", "good.test", "https"), names=names, tls=certificate.client)
    assert error.code == "url_not_allowed"
    assert "redirects to an address that is not encrypted" in error.message
