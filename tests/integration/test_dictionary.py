from warehouse.connection import connect
from warehouse.dictionary import PAGE, CatalogRow, dictionary, read_catalog


def test_the_page_is_what_the_database_says(database_url: str) -> None:
    with connect(database_url) as connection:
        page = dictionary(read_catalog(connection))
    assert page == PAGE.read_text(encoding="utf-8"), "run `uv run just dictionary`"


def test_every_schema_table_and_column_of_a_table_has_a_comment(database_url: str) -> None:
    with connect(database_url) as connection:
        rows = read_catalog(connection)
    assert [row.schema for row in rows if not row.schema_comment] == []
    assert [row.relation for row in rows if row.relation and not row.relation_comment] == []
    tables = [row for row in rows if row.kind in ("table", "partitioned table")]
    assert [f"{row.relation}.{row.name}" for row in tables if not row.comment] == []


def test_a_bar_in_a_comment_does_not_break_the_table() -> None:
    row = CatalogRow("dwh", "Star.", "dim_x", "table", "One row a x.", "x_key", "integer", False, "a | b")
    assert "| `x_key` | integer |  | a \\| b |" in dictionary([row])
