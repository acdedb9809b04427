"""Redirects of the safe fetcher, each of which is checked anew; and what goes along: headers, a body, secrets."""

import pytest

from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.url_policy import FetchFailed
from tasks.inputs.source import LONGEST_URL
from tests.kit.internet.fetching import OPEN, fetch, refusal
from tests.kit.internet.web import TLS, Names, redirect, response, serving


async def test_a_redirect_to_a_long_url_is_refused() -> None:
    async with serving(a=redirect("/".ljust(LONGEST_URL + 1, "b"))) as server:
        error = await refusal(server.url("a"))
    assert error.code == "url_not_allowed"
    assert "redirects to an address that is longer than 8192 characters" in error.message


async def test_redirects_are_counted() -> None:
    async with serving(a=redirect("/a")) as server:
        error = await refusal(server.url("a"), FetchPolicy(allow=("127.0.0.1",), max_redirects=3))
    assert (error.code, len(server.requests)) == ("fetch_failed", 4)
    assert "redirects more than 3 times" in error.message


async def test_a_post_follows_no_redirect() -> None:
    async with serving(a=redirect("/b", "307 Temporary"), b=response(b"x")) as server:
        fetcher = Fetcher(OPEN, tls=TLS)
        with pytest.raises(FetchFailed, match="answered with status 307"):
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


async def test_a_cookie_of_a_redirect_stays_with_its_host_and_its_fetch() -> None:
    names = Names(good_test=["127.0.0.1"], other_test=["127.0.0.1"])
    async with serving(d=response(b"x")) as server:
        sets = [
            "Set-Cookie: own=1; Path=/; HttpOnly",
            "Set-Cookie: theirs=1; Domain=other.test",
            "Set-Cookie: all=1; Domain=test",
        ]
        server.pages["a"] = response(b"", "Location: /b", *sets, f"Set-Cookie: long={'x' * 4096}", status="302 Found")
        server.pages["b"] = redirect(server.url("c", host="other.test"))
        server.pages["c"] = redirect(server.url("d", host="good.test"))
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",)), resolver=names)
        await fetcher.fetch(server.url("a", host="good.test"))
        await fetcher.fetch(server.url("b", host="good.test"))
        await fetcher.close()
    cookies = [[line for line in head.split("\r\n") if line.startswith("Cookie")] for head in server.requests]
    assert cookies == [[], ["Cookie: own=1"], [], ["Cookie: own=1"], [], [], []]


async def test_the_cookies_of_a_fetch_are_bounded() -> None:
    async with serving(b=response(b"x")) as server:
        sets = [f"Set-Cookie: c{number}=1" for number in range(60)]
        server.pages["a"] = response(b"", "Location: /b", *sets, status="302 Found")
        await fetch(server.url("a"))
    [line] = [line for line in server.requests[1].split("\r\n") if line.startswith("Cookie")]
    assert len(line.split(";")) == 50
