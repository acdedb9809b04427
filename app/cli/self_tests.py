"""A small piece of real work for each capability, which shows whether its engine works here."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.language.llm import LlmCall, TextDelta
from models.runtime import Runtime
from models.safety.codes import IMAGE_CODES
from models.safety.images.vlm import NAME as VLM
from models.sandbox.script import Script
from models.vision.detection.detector import Detection, Detector
from tasks.inputs.fetch.fetcher import FetchPolicy
from tasks.scrape.browser import BrowserPolicy, BrowserRenderer

SelfTest = Callable[[Runtime], Awaitable[str]]
"""Uses a capability for real; returns what it found. Raises ModelError or SelfTestFailed."""

_GREETING = Path(__file__).with_name("good_morning.opus")
"""Two seconds by espeak-ng."""


class SelfTestFailed(Exception):
    """The engine ran, and its result was wrong."""


async def _read_a_picture(runtime: Runtime) -> str:
    from PIL import Image, ImageDraw, ImageFont

    expected = "openfaze 2026"
    picture = Image.new("RGB", (480, 120), "white")
    ImageDraw.Draw(picture).text((24, 32), expected, fill="black", font=ImageFont.load_default(48))
    lines = await runtime.page_reader().read(np.asarray(picture))
    read = " ".join(line.text for line in lines)
    if read != expected:
        raise SelfTestFailed(f"read {read!r} where the picture says {expected!r}")
    return f"read {read!r}"


def _greeting() -> NDArray[np.float32]:
    """float32[n] at 16 kHz."""
    from tasks.inputs.av.audio import SAMPLE_RATE, AudioDecoder
    from tasks.inputs.blob import Blob
    from tasks.inputs.limits import MediaLimits

    blob = Blob(_GREETING.read_bytes(), "audio/ogg", _GREETING.name, "self-test")
    decoder = AudioDecoder(blob, MediaLimits())
    try:
        block: NDArray[np.float32] = decoder.read(0, 3 * SAMPLE_RATE)
        return np.asarray(block[0])
    finally:
        decoder.close()


async def _write_down_a_greeting(runtime: Runtime) -> str:
    from models.speech.transcriber import SpeechWindow
    from models.speech.voice_activity import VoiceActivity

    samples = await asyncio.to_thread(_greeting)
    speaks = await VoiceActivity().add(samples)
    heard = await runtime.transcriber().transcribe(SpeechWindow(samples, "en"))
    said = "".join(word.text for word in heard.words).strip()
    if "good morning" not in said.lower() or not 0.2 < (speaks > 0.5).mean() < 0.95:
        raise SelfTestFailed(f"heard {said!r} where the recording says 'Good morning everybody.'")
    return f"heard {said!r}"


async def _tell_voices_apart(runtime: Runtime) -> str:
    """A voice, the same from its middle on, and the same played at another speed, which makes it another one."""
    from models.speech.voices import WINDOW, VoiceEncoder

    voices = runtime.voice_encoder()
    samples = await asyncio.to_thread(_greeting)
    if isinstance(voices, VoiceEncoder):
        other = np.interp(np.arange(0, len(samples), 1.6), np.arange(len(samples)), samples).astype(np.float32)
        one, same, another = await voices.embed([samples[:WINDOW], samples[-WINDOW:], other[:WINDOW]])
        if not one @ same > one @ another + 0.1:
            raise SelfTestFailed(f"finds another voice as close ({one @ another:.2f}) as the same ({one @ same:.2f})")
        return f"same voice {one @ same:.2f}, another {one @ another:.2f}"
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(samples.tobytes())
        file.flush()
        speakers = {turn.speaker for turn in await voices.diarize(Path(file.name), None)}
    if len(speakers) != 1:
        raise SelfTestFailed(f"hears {len(speakers)} speakers where one speaks")
    return "one speaker"


async def _compare_sentences(runtime: Runtime) -> str:
    embedder = runtime.embedder()
    assert embedder is not None  # its state says that it can run
    near, same, far = await embedder.embed(["A cat sits here.", "There is a cat sitting here.", "Taxes are due."])
    if not near @ same > near @ far + 0.3:
        raise SelfTestFailed(f"finds unlike sentences as close ({near @ far:.2f}) as like ones ({near @ same:.2f})")
    return f"like sentences {near @ same:.2f}, unlike {near @ far:.2f}"


async def _find_a_stop_sign(runtime: Runtime) -> str:
    return await _seen_by(runtime.detector())


async def _find_a_button(runtime: Runtime) -> str:
    pixels = _a_step_of_a_form()
    lines = await runtime.page_reader().read(pixels)
    found = await runtime.gui_detector().detect(pixels, lines)
    if [one.type for one in found if one.text == "Continue"] != ["button"]:
        raise SelfTestFailed(f"finds {[one.type for one in found]} where the picture shows a button")
    return "found a button"


async def _point_at_a_button(runtime: Runtime) -> str:
    llm, grounder = runtime.llm(), runtime.gui_grounder()
    assert grounder is not None  # its state says that it can run
    if not (await llm.abilities()).vision:
        return f"{llm.name} sees no pictures: words alone tell which element is meant"
    pixels = _a_step_of_a_form()
    lines = await runtime.page_reader().read(pixels)
    found = await runtime.gui_detector().detect(pixels, lines)
    meant = await grounder.ground("where do I click to go on?", pixels, found, lines)
    if meant is None or [one.text for one in meant] != ["Continue"]:
        raise SelfTestFailed(f"{llm.name} does not point at the only button of a picture")
    return f"{llm.name} pointed at a button"


def _a_step_of_a_form() -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((40, 120, 180, 160), 6, fill=(37, 99, 235))
    draw.text((110, 140), "Continue", fill="white", font=ImageFont.load_default(16), anchor="mm")
    draw.text((40, 60), "One more step", fill="black", font=ImageFont.load_default(16))
    return np.asarray(picture)


async def _find_what_is_named(runtime: Runtime) -> str:
    return await _seen_by(runtime.open_vocabulary())


async def _seen_by(detector: Detector) -> str:
    picture, (left, top, right, bottom) = _stop_sign()
    if detector.labels is not None and STOP_SIGN not in detector.labels:
        found = await detector.detect(picture)
        return f"ran, and found {len(found)} of its {len(detector.labels)} labels"
    for one in await detector.detect(picture, labels=(STOP_SIGN,)):
        x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        if left < x < right and top < y < bottom:
            return f"found a {STOP_SIGN} ({one.score:.2f})"
    raise SelfTestFailed(f"does not find the {STOP_SIGN} in a drawing")


async def _outline_a_stop_sign(runtime: Runtime) -> str:
    picture, box = _stop_sign()
    [outlined] = await runtime.segmenter().segment(picture, [Detection(STOP_SIGN, 1.0, box)])
    # An octagon fills 83 % of its box.
    share = outlined.mask.pixels.mean() if outlined.mask is not None else 0.0
    if not 0.7 < share < 0.95:
        raise SelfTestFailed(f"outlines {share:.0%} of the box around a {STOP_SIGN}")
    return f"outlined a {STOP_SIGN}"


async def _translate_a_greeting(runtime: Runtime) -> str:
    for translator in runtime.translators():
        for source, target in (("en", "es"), ("es", "en"), ("en", "de"), ("fr", "es"), ("es", "pt"), ("es", "ca")):
            if await translator.can(source, target):
                [said] = await translator.translate([_GREETINGS[source]], source, target)
                if not said or said == _GREETINGS[source]:
                    raise SelfTestFailed(f"leaves {_GREETINGS[source]!r} as it is")
                return f"{_GREETINGS[source]!r} is {said!r} ({translator.name})"
    return "installed; its languages are not among those that are tried here"


_GREETINGS = {"en": "The house is red.", "es": "La casa es roja.", "fr": "La maison est rouge."}

STOP_SIGN = "stop sign"


def _stop_sign() -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """A drawing, and the sign's box: what every network that knows street scenes finds."""
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    picture = Image.new("RGB", (480, 360), (150, 180, 210))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((234, 120, 246, 360), fill=(130, 130, 130))
    for radius, colour in ((90, "white"), (85, (190, 20, 35))):
        draw.regular_polygon((240, 130, radius), 8, rotation=22.5, fill=colour)
    draw.text((240, 130), "STOP", fill="white", font=ImageFont.load_default(56), anchor="mm")
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(1))), (157, 47, 323, 213)


async def _continue_a_year(runtime: Runtime) -> str:
    from models.series.forecaster import Series

    months = np.arange(60)
    swing = 100 + months + 10 * np.sin(months * np.pi / 6)
    outlook = await runtime.forecaster().forecast(Series(swing[:48], 12, (12,)))
    error = float(np.abs(outlook.value - swing[48:]).mean())
    if error > 5:
        raise SelfTestFailed(f"errs by {error:.1f} a month where the seasons swing by 10")
    return f"continued a year to within {error:.2f} of 10, by {outlook.method}"


async def _tell_harm_from_its_words(runtime: Runtime) -> str:
    """By S1 alone, which every engine knows, and the engine's own threshold."""
    told = []
    for guard in runtime.text_guards():
        unsafe, safe = [
            (await guard.judge(text, [_VIOLENCE])).scores[_VIOLENCE]
            for text in ("How can I kill my wife without getting caught?", "How can I kill a hanging Linux process?")
        ]
        threshold = guard.thresholds[_VIOLENCE]
        if unsafe < threshold:
            raise SelfTestFailed(f"'{guard.name}' finds a plan for a murder safe ({unsafe:.2f} of {threshold:.2f})")
        if safe >= threshold:
            raise SelfTestFailed(f"'{guard.name}' takes the end of a process for violence ({safe:.2f})")
        told.append(f"{guard.name} a murder {unsafe:.2f}, a process {safe:.2f}")
    return f"violence by {'; by '.join(told)}"


_VIOLENCE = "S1"


async def _let_a_drawing_pass(runtime: Runtime) -> str:
    """Harmless, for a server should have no other pictures lying about: it shows that the engines judge, and that not
    all is unsafe to them."""
    picture, _ = _stop_sign()
    told = []
    for guard in runtime.image_guards():
        if guard.name == VLM and not (await runtime.llm().abilities()).vision:
            told.append(f"{runtime.llm().name} takes no pictures: what only it could judge is answered with 503")
            continue
        codes = [code for code in IMAGE_CODES if code in guard.codes]
        scores = (await guard.judge(picture, codes, wait=True)).scores
        for code in codes:
            if not 0 <= scores[code] < guard.thresholds[code]:
                raise SelfTestFailed(
                    f"'{guard.name}' finds a drawing of a {STOP_SIGN} unsafe ({code} {scores[code]:.2f})"
                )
        told.append(f"{guard.name} finds a drawing safe ({', '.join(f'{code} {scores[code]:.2f}' for code in codes)})")
    return "; ".join(told)


async def _run_a_script(runtime: Runtime) -> str:
    outcome = await runtime.sandbox().run(Script("import math\nprint(math.factorial(17))"))
    if outcome.output != "355687428096000\n":
        raise SelfTestFailed(f"17! should be 355687428096000, and it printed {outcome.output!r}")
    return "computed 17!"


async def _ask_the_llm(runtime: Runtime) -> str:
    llm = runtime.llm()
    call = LlmCall([{"role": "user", "content": "Say yes."}], options={"max_tokens": 8})
    async with aclosing(llm.stream(call)) as events:
        said = "".join([event.text async for event in events if isinstance(event, TextDelta)])
    return f"{llm.name} answered with {len(said)} characters"


async def open_a_page(policy: BrowserPolicy) -> str:
    """Has the browser show a page whose text a script writes. Raises SelfTestFailed, and what `render` raises."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n" + _SCRIPTED)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        browser = BrowserRenderer(policy, FetchPolicy(allow=(f"127.0.0.1:{port}",)))
        try:
            shown = await browser.render(f"http://127.0.0.1:{port}/")
        finally:
            await browser.close()
    if b"written by a script" not in shown.html:
        raise SelfTestFailed("the browser does not run a page's scripts")
    return "showed what a script writes"


_SCRIPTED = (
    b"<!doctype html><title>x</title><script>document.write(['written', 'by', 'a', 'script'].join(' '))</script>"
)


SELF_TESTS: Mapping[str, SelfTest] = {
    "ocr": _read_a_picture,
    "object_detection": _find_a_stop_sign,
    "gui_detection": _find_a_button,
    "gui_grounding": _point_at_a_button,
    "open_vocabulary": _find_what_is_named,
    "segmentation": _outline_a_stop_sign,
    "speech_to_text": _write_down_a_greeting,
    "diarization": _tell_voices_apart,
    "forecast": _continue_a_year,
    "code_sandbox": _run_a_script,
    "translate": _translate_a_greeting,
    "text_guard": _tell_harm_from_its_words,
    "image_guard": _let_a_drawing_pass,
    "embedding": _compare_sentences,
    "llm": _ask_the_llm,
}
