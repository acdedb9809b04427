"""Fetching through a proxy: the checks stay here, and the proxy is told the address that passed them."""

import base64
from collections.abc import Sequence

import pytest

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetched, Fetcher, FetchPolicy
from tasks.inputs.fetch.network import Proxy
from tests.kit.internet.web import TLS, Certificate, Names, certificate_for, proxying, response, serving

PUBLIC = "93.184.216.34"
NAMES = Names(outer_test=[PUBLIC], six_test=["2606:4700::1111"], inner_test=["10.0.0.1"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_for("outer.test", tmp_path_factory.mktemp("tls"))


async def fetch(
    url: str, proxy: str, certificate: Certificate | None = None, resolver: Names = NAMES, allow: Sequence[str] = ()
) -> Fetched:
    policy = FetchPolicy(proxy=proxy, allow=tuple(allow))
    fetcher = Fetcher(policy, resolver=resolver, tls=certificate.client if certificate else TLS)
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.close()


async def test_http_goes_through_a_tunnel_to_the_checked_address_with_the_host_it_is_for() -> None:
    async with serving(page=response(b"hello")) as server, proxying(server.port) as proxy:
        fetched = await fetch("http://outer.test/page", f"http://127.0.0.1:{proxy.port}")
    assert fetched.data == b"hello"
    [connect] = proxy.requests
    assert connect.startswith(f"CONNECT {PUBLIC}:80 HTTP/1.1\r\nHost: {PUBLIC}:80\r\n")
    assert "authorization" not in connect.lower()
    assert server.requests[0].startswith("GET /page HTTP/1.1\r\nHost: outer.test\r\n")


async def test_https_is_verified_for_the_name_inside_the_tunnel(certificate: Certificate) -> None:
    async with (
        serving(tls=certificate.server, page=response(b"safe")) as server,
        proxying(server.port) as proxy,
    ):
        url = f"http://127.0.0.1:{proxy.port}"
        assert (await fetch("https://outer.test/page", url, certificate)).data == b"safe"
        with pytest.raises(InputError, match="could not be reached"):
            await fetch("https://other.test/page", url, certificate, Names(other_test=[PUBLIC]))
    assert [head.split()[1] for head in proxy.requests] == [f"{PUBLIC}:443"] * 2


async def test_the_proxy_gets_its_credentials_and_the_server_does_not() -> None:
    async with serving(page=response(b"x")) as server, proxying(server.port) as proxy:
        await fetch("http://outer.test/page", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
    expected = base64.b64encode(b"me:p@ss").decode()
    assert f"Proxy-Authorization: Basic {expected}\r\n" in proxy.requests[0]
    assert "authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("url", ["http://inner.test/", "http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]/"])
async def test_the_proxy_is_never_asked_for_an_inner_address(url: str) -> None:
    async with serving() as server, proxying(server.port) as proxy:
        with pytest.raises(InputError, match="is not on the public internet"):
            await fetch(url, f"http://127.0.0.1:{proxy.port}")
    assert proxy.requests == []


async def test_a_proxy_that_refuses_is_named_by_its_status_alone() -> None:
    answers = {PUBLIC: "407 Proxy Authentication Required"}
    async with serving() as server, proxying(server.port, answers=answers) as proxy:
        with pytest.raises(InputError) as caught:
            await fetch("http://outer.test/page", f"http://127.0.0.1:{proxy.port}")
    assert caught.value.code == "fetch_failed"
    assert caught.value.message == ("'http://outer.test/page' could not be reached: this server's proxy answered 407.")


def test_the_proxys_password_is_not_printed() -> None:
    assert "word" not in repr(FetchPolicy(proxy="http://me:word@proxy:3128"))
    assert "Basic" not in repr(Proxy.parse("http://me:word@proxy:3128", TLS))
