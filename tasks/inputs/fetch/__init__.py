"""Downloads the URLs that a client names. `fetcher` checks the URL by `url_policy`, resolves the host, connects through
`network` to permitted addresses only, and reads a bounded `body`. `cache` keeps responses; `politeness` obeys
robots.txt."""
