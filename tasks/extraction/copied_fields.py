"""The fields of an answer that were copied, with their places."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.extraction.decisions import Decision
from tasks.extraction.fields import column_path, without_items
from tasks.extraction.passages import is_text
from tasks.extraction.probability import FieldScores, ValuePlace, probability_of_cell
from tasks.extraction.table_lists import FilledList
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath
from tasks.schema.remainder import LEFT_OUT


@dataclass(frozen=True, slots=True)
class CopiedFields:
    """The fields of an answer that no LLM has to write."""

    values: Mapping[JsonPath, Any]
    """Value of each field by its path; LEFT_OUT for a field that the answer lacks."""
    scored: FieldScores | None = None
    """The extractor's scores, or None if the extractor did not run."""
    tables: Mapping[JsonPath, FilledList] = field(default_factory=dict)
    """The lists that were filled from tables, by path."""
    warnings: Sequence[str] = ()
    """Warnings for the client, such as fields that no column of a table answers."""
    decided: Mapping[JsonPath, Decision] = field(default_factory=dict)
    """Booleans and enums that printed marks or words decide, by path."""
    improbable: Mapping[JsonPath, Any] = field(default_factory=dict)
    """Most likely values, by path, of fields that must have a value by the schema, although the texts probably do not
    answer them. These values are not in `values`."""
    from_results: Collection[JsonPath] = ()
    """Paths of the lists that specialists' results fill, perhaps with no items."""

    @property
    def likeliest(self) -> dict[JsonPath, Any]:
        """Return the copied values, and the improbable ones of fields that must have one."""
        return {path: value for path, value in self.values.items() if value is not LEFT_OUT} | {**self.improbable}

    @property
    def can_place(self) -> bool:
        return self.scored is not None or bool(self.tables)

    def place(self, path: JsonPath, value: Any, *, copied: bool = True) -> ValuePlace | None:
        """Return the place of a value: its cell, if it was copied from a table or from records, or else its most likely
        place."""
        path = self.path_of_cell(path)
        cell = next((one.cells[path] for one in self.tables.values() if path in one.cells), None) if copied else None
        if cell is not None:
            chance = probability_of_cell(cell)
            return ValuePlace(chance, cell.entry, cell.cell.pointer, copied=True, cell=cell)
        return self.scored.place(path, value, copied=copied) if self.scored else None

    def path_of_cell(self, path: JsonPath) -> JsonPath:
        """Return the path of a field in a list as the cells have it, with one step below the item; any other path
        unchanged."""
        index = next((number for number, step in enumerate(path) if isinstance(step, int)), len(path))
        if path[:index] in self.values and (inside := without_items(path[index + 1 :])):
            return (*path[: index + 1], *column_path((), inside))
        return path

    @property
    def document(self) -> Entry | None:
        """Return the request's own text if values were copied from it, or else None."""
        cells = (cell for one in self.tables.values() for cell in one.cells.values())
        own = next((cell.entry for cell in cells if not is_text(cell.entry)), None)
        return own or (self.scored.document if self.scored else None)
