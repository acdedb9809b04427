"""Fetching what a client named: `fetcher` asks `url_policy`, looks the host up, lets `addresses` say which may be
reached, and reads a bounded `body` through `network`. `cache` keeps answers, `politeness` heeds a host's robots.txt.
"""
