"""Builds the store and the webhook of batches from the settings."""

from pathlib import Path
from urllib.parse import urlsplit

from app.assembly.building import state_folder
from app.batches.store import BatchStore
from app.batches.webhook import Webhook
from app.settings import PREFIX, Settings
from tasks.inputs.fetch.fetcher import Fetcher


def build_batch_store(settings: Settings) -> BatchStore:
    return BatchStore(batches_file(settings), name_of_storage(settings))


def batches_file(settings: Settings) -> Path:
    return state_folder(settings) / "batches.sqlite"


def name_of_storage(settings: Settings) -> str:
    """Return a name for the file storage. The name survives a new password and a move of the parent folder. A folder's
    own name is enough, because the batch store is in the same parent folder."""
    url = urlsplit(settings.files_dir)
    return f"{url.scheme}://{url.hostname or ''}{url.path}" if url.scheme else Path(settings.files_dir).resolve().name


def build_webhook(settings: Settings, fetcher: Fetcher) -> Webhook | None:
    """Return the webhook that the settings name, if any. Raises ValueError."""
    url, secret = settings.batch_webhook_url, settings.batch_webhook_secret
    if url is None:
        return None
    if secret is None:
        raise ValueError(
            f"{PREFIX}BATCH_WEBHOOK_URL needs {PREFIX}BATCH_WEBHOOK_SECRET, which signs what is sent there"
        )
    try:
        return Webhook(url, secret.get_secret_value(), fetcher)
    except ValueError as error:
        raise ValueError(f"{PREFIX}BATCH_WEBHOOK_SECRET: {error}") from None
