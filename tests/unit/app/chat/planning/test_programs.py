"""What a user wrote, apart from what a chat program wrote around it."""

import pytest

from app.chat.planning.programs import document_in_instructions, read_message

QUESTION = "What is the total on this receipt?"
NOTE = "Minutes of the harbour committee, 12 March 2026.\nThe new crane costs 48,200 euros."
TEMPLATE = "### Task:\nAnswer with the context, and cite the <source> tag.\n\n### Output:\nA clear answer.\n\n"


@pytest.mark.parametrize(
    "message",
    [
        QUESTION,
        f'<attached_files>\n<file type="file" id="5a" name="receipt.jpg"/>\n</attached_files>\n\n{QUESTION}',
        f"{QUESTION}\n\n<!-- SYSTEM CONTEXT -->\n<context.instruction>the following is from the system, use it only "
        f'when needed</context.instruction>\n<images>\n<image name="a.jpg"></image>\n</images>\n<!-- END -->',
        f"<files>receipt.jpg</files>\n<user_query>\n{QUESTION}\n</user_query>",
        f"{QUESTION}\n\n<environment_details>\n# Current time\n11/29/2026, 9:03 AM\n</environment_details>",
        f"<image>\n{QUESTION}",
        f"<|image_1|>\n{QUESTION}",
        f"[receipt.jpg]\n{QUESTION}",
        f'<anhang>\n<datei name="beleg.jpg"/>\n</anhang>\n{QUESTION}',
    ],
)
def test_the_words_are_outside_of_what_a_program_wrote(message: str) -> None:
    read = read_message(message)
    assert (read.words.strip(), read.document) == (QUESTION, "")


@pytest.mark.parametrize(
    "message",
    [
        f'{TEMPLATE}<context>\n<source id="1" name="note.txt">{NOTE}</source>\n</context>\n\n{QUESTION}',
        f'{QUESTION}\n\n<documents>\n<document index="1">\n{NOTE}\n</document>\n</documents>',
    ],
)
def test_the_documents_of_a_program_are_apart_from_its_template_and_the_words(message: str) -> None:
    read = read_message(message)
    assert (read.words, read.document) == (QUESTION, NOTE)


@pytest.mark.parametrize(
    "message",
    [
        "Translate <b>Hello</b> into French",
        "<p>Hello</p>",
        "Explain this XML:\n<config>\n<a>1</a>\n</config>",
        "What is the total?\n<invoice>\n<number>1</number>\n<total>9.00</total>\n</invoice>",
        f"Extract: <document>{NOTE}</document>",
        "if a < b and c > d: x",
        "List<String> x\n<T> foo",
        "",
    ],
)
def test_the_users_own_markup_stays(message: str) -> None:
    assert read_message(message).words == message


@pytest.mark.parametrize(
    "instructions",
    [
        f"Answer the question.\nContext:\n    [CONTEXT 0]:\n{NOTE}\n[END CONTEXT 0]\n",
        f"Use the context as your knowledge.\n\n<context>\n{NOTE}\n</context>\n\nBe brief.",
        f"You are kind.\nAttached document(s):\n```md\n{NOTE}\n```",
    ],
)
def test_a_document_may_be_in_a_system_message(instructions: str) -> None:
    assert document_in_instructions(instructions) == NOTE
