from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from valueaudit.record import RecordLine
from valueaudit.report import Report

PAGE = Path(__file__).parents[2] / "docs" / "report.md"
_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def names_of(annotation: Any) -> set[str]:
    """Every field name of the Structs in a type, those of their fields included."""
    if not (isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)):
        return {name for part in get_args(annotation) for name in names_of(part)}
    fields = msgspec.structs.fields(annotation)
    tag = annotation.__struct_config__.tag_field
    own = {field.encode_name for field in fields} | ({tag} if tag else set())
    return own.union(*(names_of(field.type) for field in fields))


def test_page_explains_every_key_and_no_other() -> None:
    """Each key of the report and of the records file has a row in docs/report.md, and no row is of a key long gone."""
    keys = names_of(Report) | names_of(RecordLine)
    assert {"span", "by_response_type", "probability", "confirmed"} <= keys
    assert set(_ROW.findall(PAGE.read_text("utf-8"))) == keys


def test_page_lists_the_sections_in_their_order() -> None:
    """The top level keys of the report stand in its own table, in its order."""
    table = PAGE.read_text("utf-8").partition("## The report")[2].partition("###")[0]
    assert _ROW.findall(table) == [field.encode_name for field in msgspec.structs.fields(Report)]
