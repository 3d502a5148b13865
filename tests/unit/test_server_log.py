import pytest

from warehouse.server_log import without_secrets


@pytest.mark.parametrize(
    "line",
    [
        "LOG:  connecting to postgresql://cauri:hunter2@host/db",
        "FATAL:  bad conninfo password=hunter2 host=x",
        "ERROR:  ALTER ROLE a PASSWORD 'hunter2'",
        "STATEMENT:  SELECT 'hunter2'",
        "DETAIL:  Key (msisdn)=(hunter2) already exists.",
        'CONTEXT:  COPY t, line 1, column a: "hunter2"',
    ],
)
def test_secrets_and_rows_stay_in_the_log(line: str) -> None:
    text = without_secrets(f"{line}\nFATAL:  could not map anonymous shared memory")

    assert "hunter2" not in text
    assert text.endswith("FATAL:  could not map anonymous shared memory")


def test_the_last_lines_count() -> None:
    text = without_secrets("\n".join(f"LOG:  line {number}" for number in range(100)))

    assert text.splitlines()[-1] == "LOG:  line 99"
    assert len(text.splitlines()) == 12
