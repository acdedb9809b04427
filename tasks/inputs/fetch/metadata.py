"""The metadata services of clouds: who reaches one from a virtual machine gets that machine's credentials.

They stay closed even where an operator opens the network around them: only naming the very address or host opens one.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from tasks.inputs.fetch.addresses import Address, carried_ipv4

HOSTS = frozenset(
    {
        "instance-data",  # AWS
        "instance-data.ec2.internal",
        "metadata",  # Google Cloud
        "metadata.goog",
        "metadata.google.internal",
        "metadata.internal",
        "metadata.packet.net",  # Equinix Metal
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "rancher-metadata",
    }
)

_ADDRESSES = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "169.254.0.23",  # Tencent
        "169.254.10.10",  # Tencent
        "169.254.42.42",  # Scaleway
        "169.254.169.250",  # Rancher
        "169.254.169.253",  # AWS, names
        "169.254.169.254",  # AWS, Google, Azure, Oracle, DigitalOcean, OpenStack and most others
        "169.254.170.2",  # AWS, credentials of containers
        "169.254.170.23",  # AWS, credentials of pods
        "192.0.0.192",  # Oracle
        "fd00:42::42",  # Scaleway
        "fd00:ec2::23",  # AWS, credentials of pods
        "fd00:ec2::253",  # AWS, names
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
        "fe80::a9fe:a9fe",  # OpenStack
    )
)


def is_metadata(address: Address) -> bool:
    """Whether `address` is a metadata service's, or carries the IPv4 address of one."""
    plain = address if isinstance(address, IPv4Address) else IPv6Address(int(address))  # without its scope
    return not _ADDRESSES.isdisjoint({plain, *carried_ipv4(address)})
