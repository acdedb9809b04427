"""Web servers on loopback whose answers a test defines to the byte, and names that resolve as the test defines."""

import asyncio
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Function that gets the head of a request, and writes any answer."""


TLS = ssl.create_default_context()
"""Default trust, made once, because making it takes longer than most tests."""


def response(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"", f"Location: {location}", status=status)


class Server:
    """Server that answers each path with its bytes or by its handler, and records the requests."""

    def __init__(self, **pages: bytes | Handler) -> None:
        self.pages = pages
        self.requests: list[str] = []
        """Heads of the requests."""
        self.bodies: list[bytes] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode())
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            self.bodies.append(await reader.readexactly(int(length[1])) if length else b"")
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
    """Resolver that knows `addresses`, and records the requested names."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.addresses and host != "127.0.0.1":
            raise OSError("no such host")
        return self.addresses.get(host, [host])


@dataclass(frozen=True)
class Certificate:
    server: ssl.SSLContext
    client: ssl.SSLContext
    """Context that trusts the server's certificate, and no other."""


def certificate_for(name: str, folder: Path) -> Certificate:
    """Return a self-signed certificate for the host `name`, made in `folder`."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -addext subjectAltName=DNS:{name}"
    try:
        subprocess.run([*command.split(), "-out", certificate, "-keyout", key], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Certificate(server, ssl.create_default_context(cafile=certificate))


class ConnectProxy:
    """HTTP proxy on loopback that opens tunnels, all of them to one port, and records the requests."""

    def __init__(self, target: int, *, answers: dict[str, str] | None = None) -> None:
        self.target = target
        self.answers = answers or {}
        """Refusals of CONNECT, by host."""
        self.requests: list[str] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            host = head.split()[1].rpartition(":")[0]
            if host in self.answers:
                writer.write(f"HTTP/1.1 {self.answers[host]}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            inner, outer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_copy(reader, outer), _copy(inner, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client left
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # the other side left
    finally:
        writer.close()


@asynccontextmanager
async def proxying(
    target: int, *, answers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ConnectProxy]:
    proxy = ConnectProxy(target, answers=answers)
    listening = await asyncio.start_server(proxy.answer, "127.0.0.1", 0, ssl=tls)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
