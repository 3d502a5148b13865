"""`dim_date` and `dim_time`."""

from datetime import date

import pytest

from tests.loading import rows_of, value_of
from warehouse.calendar import date_key, date_row, holidays_by_day
from warehouse.errors import ConfigurationError
from warehouse.migrations import migrate


def test_every_day_and_every_minute_is_there(database_url: str) -> None:
    days = rows_of(
        database_url, "SELECT count(*), min(full_date), max(full_date), count(DISTINCT date_key) FROM dwh.dim_date"
    )
    assert days == [(14_976, date(2000, 1, 1), date(2040, 12, 31), 14_976)]
    assert rows_of(database_url, "SELECT count(*), min(time_key), max(time_key) FROM dwh.dim_time") == [(1440, 0, 1439)]


def test_days_agree_with_postgresql(database_url: str) -> None:
    wrong = value_of(
        database_url,
        """
        SELECT count(*) FROM dwh.dim_date
        WHERE date_key <> to_char(full_date, 'YYYYMMDD')::int OR year <> extract(year FROM full_date)
           OR quarter <> extract(quarter FROM full_date) OR month_number <> extract(month FROM full_date)
           OR month_name <> trim(to_char(full_date, 'Month')) OR iso_week <> extract(week FROM full_date)
           OR day_of_week <> extract(isodow FROM full_date) OR is_weekend <> (extract(isodow FROM full_date) IN (6, 7))
           OR is_month_end <> (extract(day FROM full_date + 1) = 1) OR is_holiday <> (holiday_countries <> '')
        """,
    )
    assert wrong == 0


def test_minutes(database_url: str) -> None:
    wrong = value_of(
        database_url,
        "SELECT count(*) FROM dwh.dim_time WHERE time_key <> hour * 60 + minute"
        " OR is_business_hours <> (hour BETWEEN 8 AND 17)"
        " OR day_part <> (ARRAY['night', 'morning', 'afternoon', 'evening'])[hour / 6 + 1]",
    )
    assert wrong == 0


def test_holidays_of_a_country() -> None:
    assert holidays_by_day(("CI",))[date(2024, 8, 7)] == "CI"
    assert holidays_by_day(("CI", "SN"))[date(2024, 1, 1)] == "CI,SN"


def test_a_country_without_known_holidays() -> None:
    with pytest.raises(ConfigurationError, match="CAURI_HOLIDAY_COUNTRIES"):
        holidays_by_day(("XX",))


def test_holidays_follow_the_setting(database_url: str) -> None:
    independence = "SELECT holiday_countries FROM dwh.dim_date WHERE full_date = '2024-08-07'"
    assert value_of(database_url, independence) == "CI"
    migrate(database_url, holiday_countries=("GH",))
    assert value_of(database_url, independence) == ""
    assert value_of(database_url, "SELECT holiday_countries FROM dwh.dim_date WHERE full_date = '2024-03-06'") == "GH"
    migrate(database_url, holiday_countries=())
    assert value_of(database_url, "SELECT count(*) FROM dwh.dim_date WHERE is_holiday") == 0


@pytest.mark.parametrize(("day", "key"), [(date(2024, 2, 29), 20240229), (date(2000, 1, 1), 20000101)])
def test_a_day_as_a_key(day: date, key: int) -> None:
    assert date_key(day) == date_row(day, "")[0] == key
