"""What is told when a batch has ended: to whom, signed how, and how often."""

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import openai
import pytest
import structlog
from pydantic import ValidationError

from app.batches.store import Batch
from app.batches.webhook import PAUSES_S, Webhook, build_webhook
from app.settings import Settings
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tests.kit.servers.webhooks import Receiver, receiving

SECRET = f"whsec_{base64.b64encode(b'a secret of 24 bytes....').decode()}"
NOW = 1_700_000_000.0
BATCH = Batch("batch_1", "me", "/v1/chat/completions", "file-1", NOW, NOW, status="completed")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",)))
    yield fetcher
    await fetcher.close()


@pytest.mark.parametrize("secret", [SECRET, "any text"])
async def test_openais_sdk_reads_it_and_trusts_it(secret: str, receiver: Receiver, fetcher: Fetcher) -> None:
    assert await Webhook(receiver.url, secret, fetcher).send(BATCH, time.time()) is None
    [(headers, body)] = receiver.taken
    with openai.OpenAI(api_key="k", webhook_secret=secret) as client:
        event = client.webhooks.unwrap(body, headers)
        assert (event.type, event.id) == ("batch.completed", headers["webhook-id"])
        assert event.data.id == "batch_1"
        with pytest.raises(openai.InvalidWebhookSignatureError):
            client.webhooks.unwrap(body + b" ", headers)


async def test_a_repetition_has_the_same_id(receiver: Receiver, fetcher: Fetcher) -> None:
    webhook = Webhook(receiver.url, SECRET, fetcher)
    for later in (0, 5):
        await webhook.send(BATCH, NOW + later)
    (first, _), (second, body) = receiver.taken
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
    assert json.loads(body)["data"] == {"id": "batch_1"}, "nothing of what the batch says"


async def test_what_is_refused_is_tried_again_after_a_pause_and_at_last_left(
    receiver: Receiver, fetcher: Fetcher
) -> None:
    receiver.refusals = [500, 301, 404]
    webhook = Webhook(f"{receiver.url}?token=a-secret'", SECRET, fetcher)
    with structlog.testing.capture_logs() as lines:
        assert [await webhook.send(replace(BATCH, tries=tries), NOW) for tries in (0, 1, len(PAUSES_S))] == [
            PAUSES_S[0],
            PAUSES_S[1],
            None,
        ]
    assert lines[0]["reason"] == "answered with status 500."
    assert "a-secret" not in str(lines)
    assert webhook.failures == 3
    assert await webhook.send(replace(BATCH, tries=2), NOW) is None


@pytest.mark.parametrize("status", [200, 202, 206])
@pytest.mark.parametrize("headers", [{}, {"content-encoding": "br"}, {"content-length": "10000000"}])
async def test_whoever_accepts_it_may_answer_what_he_likes(
    status: int, headers: dict[str, str], receiver: Receiver, fetcher: Fetcher
) -> None:
    receiver.refusals, receiver.answer, receiver.answer_headers = [status], b"x" * 2_000_000, headers
    assert await Webhook(receiver.url, SECRET, fetcher).send(BATCH, NOW) is None
    assert len(receiver.taken) == 1


async def test_a_private_address_is_told_nothing_unless_it_is_allowed(receiver: Receiver) -> None:
    fetcher = Fetcher(FetchPolicy())
    assert await Webhook(receiver.url, SECRET, fetcher).send(BATCH, NOW) == PAUSES_S[0]
    assert receiver.taken == []
    await fetcher.close()


async def test_an_address_needs_a_secret_that_can_be_read(fetcher: Fetcher) -> None:
    def built(**settings: str) -> Webhook | None:
        return build_webhook(Settings(_env_file=None, **settings), fetcher)  # type: ignore[arg-type]

    url = {"batch_webhook_url": "https://example.com/hook"}
    assert built() is None
    assert built(**url, batch_webhook_secret=SECRET) is not None
    with pytest.raises(ValueError, match="needs OPENFAZE_BATCH_WEBHOOK_SECRET"):
        built(**url)
    with pytest.raises(ValueError, match="OPENFAZE_BATCH_WEBHOOK_SECRET: .*base64"):
        built(**url, batch_webhook_secret="whsec_???")
    with pytest.raises(ValidationError, match="http"):
        built(batch_webhook_url="example.com/hook")
