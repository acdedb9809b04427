"""Which addresses are public, in every spelling and embedding."""

from ipaddress import ip_address

import pytest

from tasks.inputs.fetch.url_policy import AllowList, is_public
from tests.conftest import each_case


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
    ],
)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@each_case(
    "text",
    [
        "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "168.63.129.16", "169.254.169.254", "172.31.255.255",
        "192.0.0.192", "192.88.99.1", "192.168.0.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
@each_case("form", ["{}", "::ffff:{}", "64:ff9b::{}"])
def test_special_addresses_are_not_whatever_they_are_wrapped_in(text: str, form: str) -> None:
    assert not is_public(ip_address(form.format(text)))


@each_case(
    "text",
    [
        "::1", "::127.0.0.1", "64:ff9b:1::1.1.1.1", "100::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
        "2002:7f00:1::", "fd00:ec2::254", "fe80::1%eth0", "2606:4700:4700::1111%1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_special_ipv6_addresses_are_not(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("entry", ["", "host:port", "10.0.0.0/33", "http://x", "a/b"])
def test_an_entry_that_is_neither_is_an_error_of_the_operator(entry: str) -> None:
    with pytest.raises(ValueError, match="is not a host, host:port, address or CIDR"):
        AllowList.parse([entry])
