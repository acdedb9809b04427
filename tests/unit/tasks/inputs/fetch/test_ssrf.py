"""Ways into this machine's networks and its cloud's metadata, and that none of them so much as opens a connection.

The sockets are real and watched. Names are resolved by the tests, to whatever an attacker would have them resolve to.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tests.conftest import each_case
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.internet.web import TLS, Names, redirect, response, serving

INNER = (
    # Loopback, and this host
    "127.0.0.1", "127.0.0.1.", "127.255.255.254", "0.0.0.0", "[::1]", "[::]", "localhost", "LOCALHOST.",
    # Spellings that inet_aton takes for an IPv4 address
    "127.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "00000127.0.0.1", "127.0.0.1.0x",
    # Unicode that turns into digits and dots
    "127。0。0。1", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "٠x7f.1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost",
    # Percent-encoded
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "%6cocalhost", "127.0.0.1%00.a.test",
    # IPv4 inside IPv6
    "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::7f00:1]", "[64:ff9b:1:7f00:0:100::]", "[2002:7f00:1::]",
    "[2002:a00:1::1]", "[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2606:4700::5efe:127.0.0.1]",
    "[2606:4700::200:5efe:10.0.0.1]", "[fe80::5efe:127.0.0.1]",
    # Zones
    "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]",
    # Private, shared, link-local, reserved
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.1.1", "192.0.0.8", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]",
    "[2001:db8::1]", "[2001:10::1]",
    # Metadata services
    "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
    "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "[fd00:ec2::254]", "[fd20:ce::254]",
    "[fe80::a9fe:a9fe]", "metadata.google.internal", "metadata.google.internal.", "METADATA.google.internal",
    "metadata", "instance-data",
    # What programs disagree about
    "1.1.1.1:80@127.0.0.1", "a.test@127.0.0.1", "@127.0.0.1", "127.0.0.1\\@a.test", "a.test\\.127.0.0.1",
    "a.test#@127.0.0.1", "a.test\t.127.0.0.1", "127.0.0.1 .a.test", "127.0.0.1\r\nHost:a.test", "[::1].a.test",
    "[127.0.0.1]", "127.0.0.1..", "..127.0.0.1", "a..test", "a_b!.test", "",
)  # fmt: skip

INNER_URLS = (
    "file:///etc/passwd", "FILE:///etc/passwd", "ftp://a.test/", "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stats", "ldap://127.0.0.1/", "jar:http://127.0.0.1!/", "data:text/plain,x",
    "javascript:alert(1)", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "//127.0.0.1/", "127.0.0.1/", "http:127.0.0.1/", "http:/127.0.0.1/", "http:///127.0.0.1/", "http:\\\\127.0.0.1\\",
    "\thttp://127.0.0.1/", " http://127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://[::1/",
    "http://user:word@a.test/", "http://a.test\x00.b.test/", "",
)  # fmt: skip

PUBLIC = "93.184.216.34"


@dataclass
class Sockets:
    """What this process tried to connect to."""

    tried: list[tuple[str, int]] = field(default_factory=list)
    passed_on_to: int | None = None
    """A port on loopback that gets the connections to public addresses."""


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Sockets:
    """Every way to connect is watched; what does not go to loopback is passed on, or fails."""
    seen = Sockets()
    original = asyncio.base_events.BaseEventLoop.create_connection

    async def create(
        loop: asyncio.base_events.BaseEventLoop,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        **options: Any,
    ) -> object:
        seen.tried.append((host, port))
        if host == "127.0.0.1":
            return await original(loop, factory, host, port, **options)
        if seen.passed_on_to is None:
            raise ConnectionRefusedError
        return await original(loop, factory, "127.0.0.1", seen.passed_on_to)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "create_connection", create)
    return seen


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Stays empty, or the test fails."""
    touched: list[object] = []

    def touch(*arguments: object, **_: object) -> None:
        touched.append(arguments)
        raise ConnectionRefusedError

    for owner, name in (
        (asyncio.base_events.BaseEventLoop, "create_connection"),
        (asyncio.selector_events.BaseSelectorEventLoop, "sock_connect"),
        (socket, "create_connection"),
    ):
        monkeypatch.setattr(owner, name, touch)
    return touched


def resolving_to(*answers: Sequence[str]) -> Callable[[str, int], Any]:
    """Knows every name, as an attacker's name server would: each answer once, the last for good."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def fetch(url: str, policy: FetchPolicy | None = None, resolver: Any = None) -> Fetched:
    fetcher = Fetcher(policy or FetchPolicy(), resolver=resolver or resolving_to(["127.0.0.1"]), tls=TLS)
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.close()


async def refused(url: str, policy: FetchPolicy | None = None, resolver: Any = None) -> InputError:
    with pytest.raises(InputError) as caught:
        await fetch(url, policy, resolver)
    assert caught.value.code == "url_not_allowed"
    return caught.value


async def test_a_connection_would_be_seen(no_sockets: list[object]) -> None:
    with pytest.raises(InputError, match="could not be reached"):
        await fetch("http://outer.test/", resolver=resolving_to([PUBLIC]))
    assert len(no_sockets) == 1


@each_case("scheme", ["http", "https"])
@each_case("host", INNER)
async def test_no_spelling_of_an_inner_host_opens_a_connection(
    host: str, scheme: str, no_sockets: list[object]
) -> None:
    await refused(f"{scheme}://{host}/latest/meta-data/")
    assert no_sockets == []


@each_case("url", INNER_URLS)
async def test_no_odd_url_opens_a_connection(url: str, no_sockets: list[object]) -> None:
    error = await refused(url)
    assert "word" not in error.message
    assert no_sockets == []


@each_case("host", [host for host in INNER if "\r" not in host])
async def test_no_redirect_leads_to_an_inner_host(host: str, sockets: Sockets) -> None:
    sockets.tried.clear()
    names = resolving_to([PUBLIC], ["127.0.0.1"])
    async with serving(a=redirect(f"http://{host}/secret"), secret=response(b"secret")) as server:
        sockets.passed_on_to = server.port
        error = await refused("http://outer.test/a", resolver=names)
    assert error.message.startswith("'http://outer.test/a' redirects to an address that ")
    assert sockets.tried == [(PUBLIC, 80)]


@each_case(
    "address",
    [
        "127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "169.254.169.254",
        "fd00:ec2::254", "100.100.100.200", "10.0.0.1",
    ],
)  # fmt: skip
@each_case("others", [[], [PUBLIC], [PUBLIC, "1.1.1.1", "8.8.8.8", "9.9.9.9"]])
async def test_a_name_with_an_inner_address_among_public_ones_is_refused(
    address: str, others: list[str], no_sockets: list[object]
) -> None:
    error = await refused("http://mixed.test/", resolver=resolving_to([*others, address]))
    assert error.message.startswith("'http://mixed.test/' is not on the public internet (")
    assert no_sockets == []


async def test_a_name_that_turns_inward_after_the_check_gains_nothing(sockets: Sockets) -> None:
    """The connection goes to the address that was checked; a second answer is never asked for."""
    async with serving(page=response(b"outer")) as server:
        sockets.passed_on_to = server.port
        fetched = await fetch("http://rebinding.test/page", resolver=resolving_to([PUBLIC], ["127.0.0.1"]))
    assert fetched.data == b"outer"
    assert sockets.tried == [(PUBLIC, 80)]


async def test_a_name_that_turns_inward_between_two_hops_is_refused(sockets: Sockets) -> None:
    async with serving(a=redirect("http://rebinding.test/b"), b=response(b"inner")) as server:
        sockets.passed_on_to = server.port
        error = await refused("http://rebinding.test/a", resolver=resolving_to([PUBLIC], ["127.0.0.1"]))
    assert "redirects to an address that is not on the public internet" in error.message
    assert sockets.tried == [(PUBLIC, 80)]


@pytest.mark.parametrize("port", [1, 22, 6379])
async def test_ports_of_other_services_are_closed(port: int, no_sockets: list[object]) -> None:
    error = await refused(f"http://outer.test:{port}/", resolver=resolving_to([PUBLIC]))
    assert "uses a port that is not allowed; allowed are 80, 443, 8080, 8443" in error.message
    assert no_sockets == []


@pytest.mark.parametrize(("url", "port"), [("http://o.test/", 80), ("https://o.test/", 443), ("http://o.test:9/", 9)])
async def test_ports_that_the_operator_opens_are_open(url: str, port: int, sockets: Sockets) -> None:
    with pytest.raises(InputError, match="could not be reached"):
        await fetch(url, FetchPolicy(ports=(80, 443, 9)), resolving_to([PUBLIC]))
    assert sockets.tried == [(PUBLIC, port)]


@each_case(
    ("allow", "url", "address"),
    [
        ("wiki.lan", "http://wiki.lan/", "10.1.2.3"),
        ("wiki.lan", "http://wiki.lan:22/", "10.1.2.3"),
        ("wiki.lan:8000", "http://wiki.lan:8000/", "10.1.2.3"),
        ("bücher.lan", "http://BÜCHER.lan:1/", "10.1.2.3"),
        ("10.0.0.0/8", "http://wiki.lan:22/", "10.1.2.3"),
        ("10.1.2.3:22", "http://10.1.2.3:22/", "10.1.2.3"),
        ("[fd00::1]:22", "http://[fd00:0::1]:22/", "fd00::1"),
        (f"{PUBLIC}:22", f"http://{PUBLIC}:22/", PUBLIC),
        ("169.254.169.254", "http://169.254.169.254/", "169.254.169.254"),
        ("169.254.169.254/32", "http://aws.test/", "169.254.169.254"),
        ("fd00:ec2::254", "http://[fd00:ec2::254]/", "fd00:ec2::254"),
        ("metadata.google.internal", "http://metadata.google.internal/", "169.254.169.254"),
    ],
)
async def test_what_the_operator_names_is_open(allow: str, url: str, address: str, sockets: Sockets) -> None:
    sockets.tried.clear()
    with pytest.raises(InputError, match="could not be reached"):
        await fetch(url, FetchPolicy(allow=(allow,)), resolving_to([address]))
    assert [host for host, _ in sockets.tried] == [address]


@each_case(
    ("allow", "url", "address"),
    [
        ("wiki.lan:8000", "http://wiki.lan/", "10.1.2.3"),
        ("wiki.lan", "http://evil.wiki.lan/", "10.1.2.3"),
        ("10.0.0.0/8", "http://wiki.lan/", "11.0.0.1,192.168.0.1"),
        ("10.1.2.3:22", "http://10.1.2.3:23/", "10.1.2.3"),
        # Metadata services stay closed in an open network, behind an open name, and inside another address.
        ("169.254.0.0/16", "http://169.254.169.254/", "169.254.169.254"),
        ("0.0.0.0/0", "http://169.254.169.254/", "169.254.169.254"),
        ("0.0.0.0/0", "http://a.test/", "100.100.100.200"),
        ("fd00::/8", "http://[fd00:ec2::254]/", "fd00:ec2::254"),
        ("fe80::/10", "http://a.test/", "fe80::a9fe:a9fe%eth0"),
        ("::/0", "http://a.test/", "::ffff:169.254.169.254"),
        ("wiki.lan", "http://wiki.lan/", "169.254.169.254"),
        ("169.254.169.254", "http://metadata.google.internal/", "169.254.169.254"),
        ("169.254.169.254:80", "http://169.254.169.254:81/", "169.254.169.254"),
        ("0.0.0.0/0", "http://metadata.google.internal/", "10.0.0.1"),
    ],
)
async def test_what_the_operator_does_not_name_stays_closed(
    allow: str, url: str, address: str, no_sockets: list[object]
) -> None:
    await refused(url, FetchPolicy(allow=(allow,)), resolving_to(address.split(",")))
    assert no_sockets == []


async def test_an_allowed_host_may_not_redirect_to_one_that_is_not() -> None:
    def redirecting(origin: Origin, target: str) -> str:
        return origin.redirect_to(target).replace("127.0.0.1", "wiki.lan", 1)

    names = Names(wiki_lan=["127.0.0.1"])
    policy = FetchPolicy(allow=("wiki.lan",))
    with serving_origin() as origin:
        for target in (origin.url("/secret"), f"http://[::1]:{origin.port}/secret", "http://169.254.169.254/"):
            await refused(redirecting(origin, target), policy, names)
        assert all(path.startswith("/redirect") for path in origin.seen)
        assert len(origin.seen) == 3


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://a.test/", "http://a.test:22/"])
async def test_a_refusal_says_nothing_of_where_the_name_leads(url: str, no_sockets: list[object]) -> None:
    error = await refused(url, resolver=resolving_to(["10.9.8.7"]))
    assert error.message == (f"'{url}' is not on the public internet (OPENFAZE_FETCH_ALLOW opens it).")
    assert no_sockets == []
