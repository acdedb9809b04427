"""A recording, as events: what is said in it, while it is listened to."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.chat.events import Progress
from app.chat.work import Work, as_progress
from app.telemetry import Stages
from tasks.inputs.source import Source
from tasks.speech.phrases import Phrase
from tasks.speech_to_text import SpeechToTextTask, Transcript
from tasks.wording.transcripts import SpeechOptions

Heard = Progress | Phrase | Transcript
"""What comes out, in order: phrases as soon as they are sure, the transcript last."""


async def hear(
    task: SpeechToTextTask, source: Source, options: SpeechOptions, stages: Stages
) -> AsyncGenerator[Heard, None]:
    """Raises InputError and ModelError."""
    work = Work[Progress | Phrase, Transcript](
        lambda report: task.transcribe(source, options, as_progress(report), report)
    )
    async with aclosing(work.reports()) as reports:
        async for report in reports:
            yield report
    stages.done("task")
    yield work.result
