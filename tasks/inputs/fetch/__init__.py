"""Fetching what a client named: `fetcher` asks `url_policy`, looks the host up, connects through `network` to addresses
that may be reached, and reads a bounded `body`. `cache` keeps answers, `politeness` heeds a host's robots.txt."""
