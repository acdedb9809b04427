"""Records all that extraction considers while it fills a schema, for a request that asks why a field has its value.
`explain` makes an explanation of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.extraction.fields import WantedField
from tasks.extraction.object_lists import ObjectList
from tasks.extraction.records.record_lists import RecordFilling
from tasks.extraction.score_steps import ScoreSteps
from tasks.extraction.table_lists import ComparedTables
from tasks.schema.paths import JsonPath


@dataclass(slots=True)
class Trace:
    steps: ScoreSteps = field(default_factory=ScoreSteps)
    lists: Mapping[JsonPath, Sequence[WantedField]] = field(default_factory=dict)
    """The fields of the lists of objects, by the path of their list."""
    tables: ComparedTables = field(default_factory=ComparedTables)
    runs: list[tuple[JsonPath, RecordFilling]] = field(default_factory=list)
    """The runs of records that may fill each list, those with the highest score first."""
    by_network: Mapping[JsonPath, ObjectList] = field(default_factory=dict)
    """The lists as the network alone fills them."""
