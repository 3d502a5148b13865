"""What leaves there are, read from PostgreSQL's catalogs alone."""

from partitions.grain import PARTITIONED, Month
from warehouse.connection import Connection
from warehouse.queries import query


def attached_months(connection: Connection) -> set[Month]:
    """Months for which `fact_transactions` has a leaf."""
    rows = connection.execute(query("partitions/attached_leaves"), ("dwh.fact_transactions",)).fetchall()
    return {Month(int(name[-7:].replace("_", ""))) for (name,) in rows}


def built_months(connection: Connection) -> set[Month]:
    """Months whose leaves stand complete in `staging`, ready to be attached."""
    rows = connection.execute(query("partitions/staged_tables")).fetchall()
    prefix = f"{PARTITIONED[0]}_"
    return {Month(int(name.removeprefix(prefix).replace("_", ""))) for (name,) in rows if name.startswith(prefix)}
