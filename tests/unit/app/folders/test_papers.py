"""The papers of a job: what counts as one, and in which order they come."""

import mailbox
import os
import zipfile
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.folders.failures import Failed
from app.folders.papers import addresses_in, papers_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*sources: str, **options: list[Path]) -> list[str]:
    return [paper.name for paper in papers_of(sources, **options)]


def write(*files: str) -> None:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(file)


def test_a_folder_is_its_files_by_name() -> None:
    write("in/b.txt", "in/a.txt", "in/deep/c.pdf", "in/.hidden", "in/~$open.docx", "in/Thumbs.db", "in/.git/x")
    assert names("in") == ["in/a.txt", "in/b.txt", "in/deep/c.pdf"]
    assert names("in", "in/a.txt", left_out=[Path("in/b.txt")]) == ["in/a.txt", "in/deep/c.pdf"]


def test_a_link_that_leaves_the_folder_is_no_paper() -> None:
    write("in/a.txt", "private.txt")
    Path("in/own.txt").symlink_to("a.txt")
    Path("in/theirs.txt").symlink_to(Path("private.txt").resolve())
    assert names("in") == ["in/a.txt", "in/own.txt"]
    assert names("in/theirs.txt") == ["in/theirs.txt"]  # the person named it


def test_an_archive_is_its_members() -> None:
    with zipfile.ZipFile("in.zip", "w") as archive:
        for name in ("b/2.txt", "1.txt", "__MACOSX/1.txt", "b/.DS_Store"):
            archive.writestr(name, f"text of {name}")
    papers = list(papers_of(["in.zip"]))
    assert [paper.name for paper in papers] == ["in.zip/1.txt", "in.zip/b/2.txt"]
    assert [paper.read() for paper in papers if paper.read] == [b"text of 1.txt", b"text of b/2.txt"]
    assert papers[1].filename == "2.txt"


def test_a_damaged_member_is_its_own_error() -> None:
    with zipfile.ZipFile("in.zip", "w") as archive:
        archive.writestr("1.txt", "text")
    content = Path("in.zip").read_bytes().replace(b"text", b"tixt", 1)
    Path("in.zip").write_bytes(content)
    [paper] = papers_of(["in.zip"])
    assert paper.read is not None
    with pytest.raises(ValueError, match="CRC"):
        paper.read()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("b.zip", "not a zip file"),
        ("b.mbox", "no messages"),
        ("b.pdf", "it has 21,474,836,480 bytes"),
        ("b.link", "too long"),
    ],
)
def test_what_cannot_be_read_is_its_own_error(name: str, reason: str) -> None:
    write("in/a.txt", "in/c.txt")
    if name == "b.link":
        Path("in", name).symlink_to(300 * "x")
    else:
        write(f"in/{name}")
    if name == "b.pdf":
        os.truncate(f"in/{name}", 20 << 30)
    Path("in/loop").symlink_to("loop")
    os.mkfifo("in/pipe")
    papers = list(papers_of(["in"]))
    assert [paper.name for paper in papers] == ["in/a.txt", f"in/{name}", "in/c.txt"]
    assert papers[1].read is not None
    with pytest.raises(ValueError, match=reason):
        papers[1].read()


def test_a_damaged_file_that_is_named_does_not_end_the_job_either() -> None:
    write("broken.zip", "a.txt")
    assert names("broken.zip", "a.txt") == ["broken.zip", "a.txt"]


def test_a_mailbox_is_its_messages() -> None:
    box = mailbox.mbox("in.mbox")
    for subject in ("first", "second"):
        message = EmailMessage()
        message["Subject"] = subject
        message.set_content("hello")
        box.add(message)
    box.close()
    papers = list(papers_of(["in.mbox"]))
    assert [(paper.name, paper.filename) for paper in papers] == [
        ("in.mbox/1", "in-1.eml"),
        ("in.mbox/2", "in-2.eml"),
    ]
    assert papers[1].read is not None
    assert b"Subject: second" in papers[1].read()
    with closing(mailbox.mbox("in.mbox")) as again:
        # By its fingerprint, a message that was read by an earlier version keeps its answer and its reviews.
        assert [paper.read() for paper in papers if paper.read] == [again.get_bytes(key) for key in again.iterkeys()]


def test_an_address_is_a_paper_that_the_server_fetches() -> None:
    Path("list.txt").write_text("# of today\nhttps://example.org/a.pdf\n\nhttp://example.org/b\n")
    papers = list(papers_of(addresses_in(Path("list.txt"))))
    assert [(paper.link, paper.filename, paper.read) for paper in papers] == [
        ("https://example.org/a.pdf", "a.pdf", None),
        ("http://example.org/b", "b", None),
    ]
    Path("list.txt").write_text("file:///etc/passwd\n")
    with pytest.raises(Failed, match="'file:///etc/passwd' is not an address"):
        addresses_in(Path("list.txt"))


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(Failed, match="'nowhere' is neither"):
        names("nowhere")
