"""Fences around text from outside."""

import hashlib
import re

from models.language.llm import fence_around, new_fence

FORM = re.compile("==[0-9a-f]{16}==")


def test_a_fence_for_what_is_to_come_cannot_be_guessed() -> None:
    fences = {new_fence() for _ in range(1000)}
    assert len(fences) == 1000
    assert all(FORM.fullmatch(fence) for fence in fences)


def test_the_same_texts_have_the_same_fence_and_others_another() -> None:
    texts = [["nine"], ["nine", ""], ["", "nine"], ["nin", "e"], [], ["nine\0"], ["\ud800"]]
    fences = [fence_around(text) for text in texts]
    assert len(set(fences)) == len(texts)
    assert all(FORM.fullmatch(fence) for fence in fences)
    assert fences == [fence_around(text) for text in texts]


def test_a_text_that_holds_what_would_be_its_fence_gets_another() -> None:
    """A digest cannot be held by what it is of, save by the luck of 64 bits: here the luck is lent."""
    would_be = f"=={hashlib.sha256(b'1' + bytes(1) + b'nine').hexdigest()[:16]}=="
    assert fence_around(["nine"]) == would_be

    class Lucky(str):
        def __contains__(self, part: object) -> bool:
            return part == would_be

    assert fence_around([Lucky("nine")]) not in (would_be, "")
