"""The specification of the dashboards against the views that there are."""

import pytest

from dashboards.specification import specification
from tests.loading import rows_of

TYPES = {
    "date": {"date"},
    "integer": {"smallint", "integer", "bigint"},
    "amount": {"numeric"},
    "number": {"numeric", "double precision", "integer", "bigint"},
    "text": {"text", "character", "character varying"},
    "flag": {"boolean"},
}
KINDS = {"view": "v", "materialized_view": "m"}


@pytest.mark.parametrize("name", specification().views)
def test_a_view_has_the_columns_that_the_specification_names(database_url: str, name: str) -> None:
    spec = specification()
    found = rows_of(
        database_url,
        "SELECT a.attname::text, regexp_replace(format_type(a.atttypid, a.atttypmod), '\\(.*', ''), c.relkind::text"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.oid = to_regclass('dwh.' || %s) AND a.attnum > 0",
        name,
    )
    types = {column: kind for column, kind, _ in found}
    view = spec.views[name]
    assert {kind for _, _, kind in found} == {KINDS[view.kind]}
    assert [one for one in view.columns if one not in types] == []
    assert [one for one in view.columns if types[one] not in TYPES[spec.columns[one].type]] == []


def test_each_view_has_its_freshness(database_url: str) -> None:
    told = {name for (name,) in rows_of(database_url, "SELECT view_name FROM dwh.v_freshness")}
    assert {tile.view for _, tile in specification().tiles} <= told
