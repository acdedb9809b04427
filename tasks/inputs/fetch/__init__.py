"""Downloads the URLs that a client names. `fetcher` checks the URL by `url_policy`, resolves the host, connects through
`network` only to permitted addresses, and reads a bounded `body`. `politeness` obeys robots.txt."""
