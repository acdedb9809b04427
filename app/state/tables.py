"""The tables of the database, as SQLAlchemy Core describes them. `migrations` holds the steps that make them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

STATE = MetaData()
"""Tables of the state that servers share: uploads, batches, responses and usage."""
CACHE = MetaData()
"""Table of the cache, which has a database of its own, because it may be deleted at any time."""


def _entries(name: str, metadata: MetaData) -> Table:
    """Return a table of values that expire. `written` and `ends` are times in seconds since 1970."""
    return Table(
        name,
        metadata,
        Column("key", LargeBinary, primary_key=True),
        Column("tenant", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("ends", Float, nullable=False),
        Column("used", Float, key="written", nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Index(f"{name}_by_end", "ends"),
        Index(f"{name}_by_tenant", "tenant", "written", "size"),
        Index(f"{name}_by_use", "written", "size"),
    )


ANSWERS = _entries("entries", CACHE)
RESPONSES = _entries("responses", STATE)

UPLOADS = Table(
    "uploads",
    STATE,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text),
    Column("purpose", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", BigInteger),
    Index("uploads_by_owner", "owner", "created", "id"),
    Index("uploads_by_expiry", "expires"),
)

BATCHES = Table(
    "batches",
    STATE,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("input_file", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("metadata", JSON),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("moments", JSON, nullable=False),
    Column("errors", JSON, nullable=False),
    Column("total", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("answer_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("result_bytes", BigInteger, nullable=False),
    Column("output_file", Text),
    Column("error_file", Text),
    Column("output_keep_s", Float),
    Column("key_digest", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    # The server that runs the batch, and the end of its lease.
    Column("holder", Text),
    Column("held_until", Float, nullable=False, default=0.0),
    # The time at which the webhook is to be called.
    Column("notice_due", Float),
    Index("batches_by_tenant", "tenant", "created", "id"),
    Index("batches_by_status", "status", "held_until"),
    Index("batches_by_notice", "notice_due"),
)

LINES = Table(
    "batch_lines",
    STATE,
    Column("batch", Text, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("is_answer", Boolean, nullable=False),
    Column("record", LargeBinary, nullable=False),
)

USAGE = Table(
    "usage",
    STATE,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("money", BigInteger, nullable=False),
)

SPENT = Table(
    "spent",
    STATE,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("money", BigInteger, nullable=False),
)
