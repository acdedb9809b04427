"""The safe fetcher, against real servers on loopback. Names are resolved by the tests."""

import asyncio
import gzip
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.media.fetch import Fetched, Fetcher, FetchPolicy

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]

OPEN = FetchPolicy(allow=("127.0.0.1", "good.test"), total_timeout=10)


def response(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"", f"Location: {location}", status=status)


class Server:
    """Answers each path with its bytes or its handler, and keeps what it was asked."""

    def __init__(self, **pages: bytes | Handler) -> None:
        self.pages = pages
        self.requests: list[str] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode())
            page = self.pages.get(head.split()[1].decode().strip("/"), response(b"?", status="404 Not Found"))
            if isinstance(page, bytes):
                writer.write(page)
            else:
                await page(head, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return  # the client left
        finally:
            writer.close()

    def url(self, path: str = "", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/{path}"


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None, **pages: bytes | Handler) -> AsyncIterator[Server]:
    server = Server(**pages)
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


class Names:
    """A resolver that knows `addresses`, and counts the questions."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.addresses and host != "127.0.0.1":
            raise OSError("no such host")
        return self.addresses.get(host, [host])


async def fetch(
    url: str,
    policy: FetchPolicy = OPEN,
    names: Names | None = None,
    tls: ssl.SSLContext | None = None,
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
        fetcher = Fetcher(OPEN)
        await fetcher.fetch(server.url("page"))
        await fetcher.fetch(server.url("page"))
        await fetcher.close()
    names = [line.partition(":")[0].lower() for line in server.requests[1].split("\r\n")[1:] if line]
    assert names == ["host", "user-agent", "accept", "accept-encoding", "connection"]
    assert "User-Agent: openfaze" in server.requests[1]
    assert f"Host: 127.0.0.1:{server.port}\r\n" in server.requests[1]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "127.0.0.1.",
        "127。0。0。1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
    ],
)
async def test_no_spelling_of_an_inner_address_gets_through(host: str) -> None:
    async with serving(secret=response(b"secret")) as server:
        error = await refusal(server.url("secret", host=host), FetchPolicy(total_timeout=10))
    assert error.code in {"url_not_allowed", "fetch_failed"}  # some systems cannot resolve the odd ones
    assert server.requests == []


@pytest.mark.parametrize(
    "host", ["[fe80::1%25lo]", "[::1%25lo]", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127.0.0.1\\@a.test", "127.0.0.1%00.a.test"]
)
async def test_hosts_that_only_confuse_are_refused(host: str) -> None:
    async with serving(secret=response(b"secret")) as server:
        await refusal(server.url("secret", host=host), FetchPolicy(total_timeout=10))
    assert server.requests == []


async def test_the_message_for_an_inner_address_says_only_what_was_asked() -> None:
    names = Names(inner_test=["10.1.2.3"])
    error = await refusal("http://inner.test/x", FetchPolicy(), names)
    assert error.code == "url_not_allowed"
    assert error.message == "'http://inner.test/x' is not on the public internet."


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
    assert "a host that cannot be found" in error.message


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
    policy = FetchPolicy(allow=("good.test",), total_timeout=10)
    async with serving(a=redirect(target)) as server:
        error = await refusal(server.url("a", host="good.test"), policy, names)
    assert error.code == "url_not_allowed"
    assert error.message == (
        f"'{server.url('a', host='good.test')}' redirects to an address that is not on the public internet."
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
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=5, total_timeout=0.3)
    async with serving(page=drip) as server:
        error = await refusal(server.url("page"), policy)
    assert error.code == "fetch_failed"
    assert "took longer than 0.3 s" in error.message


async def test_silence_is_ended_by_the_read_time() -> None:
    async def silence(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    policy = FetchPolicy(allow=("127.0.0.1",), read_timeout=0.2, total_timeout=20)
    async with serving(page=silence) as server:
        error = await refusal(server.url("page"), policy)
    assert (error.code, "did not answer in time" in error.message) == ("fetch_failed", True)


async def test_redirects_share_the_total_time() -> None:
    async def slowly(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(redirect("/a"))

    policy = FetchPolicy(allow=("127.0.0.1",), total_timeout=0.4, max_redirects=50)
    async with serving(a=slowly) as server:
        error = await refusal(server.url("a"), policy)
    assert "took longer than" in error.message


async def test_a_slow_name_server_counts_too() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        return await asyncio.Event().wait() or []

    fetcher = Fetcher(FetchPolicy(total_timeout=0.1), resolver=never)
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
    [(b"not gzip", "gzip"), (gzip.compress(bytes(9999))[:-12], "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
)
async def test_compression_that_cannot_be_undone_fails(body: bytes, encoding: str) -> None:
    async with serving(page=response(body, f"Content-Encoding: {encoding}")) as server:
        assert (await refusal(server.url("page"))).code == "fetch_failed"


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
                await asyncio.sleep(0.01)
        finally:
            left.set()

    async with serving(page=wait) as server:
        task = asyncio.create_task(fetch(server.url("page")))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 5)


async def test_connections_are_bounded_and_shared_fairly() -> None:
    policy = FetchPolicy(allow=("127.0.0.1",), max_connections=2)
    async with serving(page=response(b"x")) as server:
        fetcher = Fetcher(policy)
        fetched = await asyncio.gather(*(fetcher.fetch(server.url("page")) for _ in range(10)))
        await fetcher.close()
    assert [one.data for one in fetched] == [b"x"] * 10


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for good.test, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=good.test"
    names = ["-addext", "subjectAltName=DNS:good.test"]
    try:
        subprocess.run(
            [*command.split(), *names, "-out", paths[0], "-keyout", paths[1]],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    return paths


async def test_tls_is_verified_for_the_name_though_the_address_is_pinned(
    certificate: tuple[Path, Path],
) -> None:
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])
    names = Names(good_test=["127.0.0.1"], other_test=["127.0.0.1"])
    async with serving(tls=inside, page=response(b"safe")) as server:
        fetched = await fetch(server.url("page", "good.test", "https"), names=names, tls=trusting)
        assert fetched.data == b"safe"
        policy = FetchPolicy(allow=("127.0.0.1",))
        wrong_name = await refusal(server.url("page", "other.test", "https"), policy, names, tls=trusting)
        assert wrong_name.code == "fetch_failed"
        assert (await refusal(server.url("page", "good.test", "https"), policy, names)).code == "fetch_failed"


async def test_https_does_not_redirect_to_http(certificate: tuple[Path, Path]) -> None:
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])
    names = Names(good_test=["127.0.0.1"])
    async with serving(tls=inside, page=redirect("http://good.test/")) as server:
        error = await refusal(server.url("page", "good.test", "https"), names=names, tls=trusting)
    assert error.code == "url_not_allowed"
    assert "redirects to an address that is not encrypted" in error.message
