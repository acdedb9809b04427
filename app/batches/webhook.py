"""Calls the operator's webhook when a batch has ended, with OpenAI's event and the signature of Standard Webhooks.

OpenAI's SDKs verify and read the event: `client.webhooks.unwrap(body, headers, secret=…)`.
"""

import base64
import binascii
import hashlib
import hmac
import json

import structlog

from app.batches.store import Batch
from app.settings import PREFIX, Settings
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher

PAUSES_S = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""Pauses after the failed tries, in seconds. After the last pause, there is one more try."""
_PREFIX = "whsec_"

log = structlog.get_logger(__name__)


class Webhook:
    def __init__(self, url: str, secret: str, fetcher: Fetcher) -> None:
        """Create a webhook. `secret` is any text, or `whsec_` followed by base64. Raises ValueError for invalid
        base64."""
        self._url = url
        self._secret = _decode_secret(secret)
        self._fetcher = fetcher
        self.failures = 0
        """Number of failed tries."""

    @property
    def patience_s(self) -> float:
        """Largest number of seconds that one try may take."""
        return 2 * self._fetcher.policy.total_timeout

    async def send(self, batch: Batch, now: float) -> float | None:
        """Send the event that `batch` has ended. Return the seconds until the next try; None if the event was accepted
        or there is no next try."""
        event_id = f"evt_{batch.id.removeprefix('batch_')}"
        event = {
            "id": event_id,
            "object": "event",
            "created_at": int(now),
            "type": f"batch.{batch.status}",
            "data": {"id": batch.id},
        }
        body = json.dumps(event).encode()
        stamp = str(int(now))
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": stamp,
            "webhook-signature": self._signature(event_id, stamp, body),
        }
        try:
            # A receiver that answers with status 2xx has the event, whatever else it answers.
            await self._fetcher.fetch(self._url, json=body, headers=headers, reads_body=False)
        except InputError as error:
            self.failures += 1
            pause_s = PAUSES_S[batch.tries] if batch.tries < len(PAUSES_S) else None
            # The exception's message begins with the address in quotes, which is left out because it may contain a
            # token.
            reason = error.message.rpartition("' ")[2]
            log.warning("webhook_failed", batch=batch.id, tries=batch.tries + 1, reason=reason, pause_s=pause_s)
            return pause_s
        return None

    def _signature(self, event_id: str, stamp: str, body: bytes) -> str:
        signed = b".".join((event_id.encode(), stamp.encode(), body))
        return f"v1,{base64.b64encode(hmac.digest(self._secret, signed, hashlib.sha256)).decode()}"


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


def _decode_secret(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"what follows {_PREFIX} is not base64") from None
