"""`openfaze mcp`: serve the tools to a program on this machine, on this process's standard input and output."""

import asyncio
import base64
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp.server.stdio import stdio_server

from app.assembly.building import without_keys
from app.assembly.services import Services
from app.cli import fail
from app.errors import BadRequest, PayloadTooLarge
from app.mcp.server import ToolContext, build_server
from app.settings import Settings
from tasks.inputs.limits import MB, megabytes


def serve(settings: Settings, folders: Sequence[Path]) -> None:
    """Serve the tools until standard input ends. Calls may name files in `folders` by their paths."""
    try:
        asyncio.run(_serve(settings, LocalFiles(folders, int(settings.max_part_mb * MB))))
    except ValueError as error:  # from settings that cannot be used
        fail(str(error))


async def _serve(settings: Settings, files: "LocalFiles") -> None:
    services = Services(without_keys(settings))
    try:
        server = build_server(services, lambda _: ToolContext(), files.inline_file)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        await services.close()


class LocalFiles:
    """Files that calls may name by their paths. Only files in the given folders are read."""

    def __init__(self, folders: Sequence[Path], max_bytes: int) -> None:
        self._folders = [folder.resolve() for folder in folders]
        self._max_bytes = max_bytes

    async def inline_file(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return `arguments`, with a path in `source` replaced by the file as a data URL. Raises BadRequest and
        PayloadTooLarge."""
        source = arguments.get("source")
        if not isinstance(source, str) or not source.startswith(("/", "~", "./", "../", "file://")):
            return dict(arguments)
        return {**arguments, "source": await asyncio.to_thread(self._read, source)}

    def _read(self, source: str) -> str:
        # The path is resolved before the check, because a link in one of the folders may point to a file outside.
        path = Path(source.removeprefix("file://")).expanduser().resolve()
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise BadRequest(
                f"Field 'source': '{source[:200]}' is outside the folders that `openfaze mcp` was given: start it with "
                "--files FOLDER.",
                param="source",
            )
        try:
            size = path.stat().st_size
            if size > self._max_bytes:
                raise PayloadTooLarge(
                    f"Field 'source': the file is {megabytes(size)}; the limit is {megabytes(self._max_bytes)} "
                    "(OPENFAZE_MAX_PART_MB)."
                )
            content = path.read_bytes()
        except OSError as error:
            raise BadRequest(
                f"Field 'source': '{source[:200]}' cannot be read: {error.strerror}.", param="source"
            ) from None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"
