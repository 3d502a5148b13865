"""`dim_date` and `dim_time`: the conformed calendar."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta

from warehouse.connection import Connection
from warehouse.errors import ConfigurationError

FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2040, 12, 31)
DAY_PARTS = ("night", "morning", "afternoon", "evening")


def fill_calendar(connection: Connection, countries: tuple[str, ...]) -> None:
    """Fill both tables where they are empty; mark holidays again when the countries changed."""
    if is_filled_for(connection, countries):
        return
    closed = holidays_by_day(countries)
    if _stored_countries(connection) is None:
        _fill_times(connection)
        _fill_dates(connection, closed)
    else:
        _mark_holidays(connection, closed)
    connection.execute(
        "INSERT INTO ops.setting VALUES ('holiday_countries', %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (",".join(countries),),
    )


def is_filled_for(connection: Connection, countries: tuple[str, ...]) -> bool:
    """Whether both tables are there, with the holidays of these countries."""
    return _stored_countries(connection) == ",".join(countries)


def _stored_countries(connection: Connection) -> str | None:
    row = connection.execute("SELECT value FROM ops.setting WHERE name = 'holiday_countries'").fetchone()
    return None if row is None else str(row[0])


def holidays_by_day(countries: tuple[str, ...]) -> dict[date, str]:
    """Days off -> the countries that are off, joined by commas.

    Raises:
        ConfigurationError: the holidays library does not know a country.
    """
    # A third of a second that only the first `init` of a warehouse needs.
    import holidays  # noqa: PLC0415

    years = range(FIRST_DAY.year, LAST_DAY.year + 1)
    closed: dict[date, list[str]] = {}
    for country in countries:
        try:
            days = holidays.country_holidays(country, years=years)
        except NotImplementedError:
            raise ConfigurationError(
                f"CAURI_HOLIDAY_COUNTRIES: no holidays are known for {country!r}",
                remedy="use ISO 3166 codes of countries, such as CI,SN",
            ) from None
        for day in days:
            closed.setdefault(day, []).append(country)
    return {day: ",".join(names) for day, names in closed.items()}


def _fill_dates(connection: Connection, closed: dict[date, str]) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY dwh.dim_date FROM STDIN") as copy:
        for day in _days():
            copy.write_row(date_row(day, closed.get(day, "")))


def _days() -> Iterator[date]:
    return (FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))


def date_row(day: date, closed_in: str) -> tuple[object, ...]:
    """The row of `dim_date` for a day."""
    iso = day.isocalendar()
    return (
        date_key(day),
        day,
        day.year,
        (day.month + 2) // 3,
        day.month,
        calendar.month_name[day.month],
        iso.week,
        iso.weekday,
        iso.weekday >= 6,
        (day + timedelta(days=1)).day == 1,
        bool(closed_in),
        closed_in,
    )


def date_key(day: date) -> int:
    """Day as YYYYMMDD."""
    return day.year * 10_000 + day.month * 100 + day.day


def _fill_times(connection: Connection) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY dwh.dim_time FROM STDIN") as copy:
        for minute in range(24 * 60):
            hour = minute // 60
            copy.write_row((minute, hour, minute % 60, DAY_PARTS[hour // 6], 8 <= hour < 18))


def _mark_holidays(connection: Connection, closed: dict[date, str]) -> None:
    connection.execute("UPDATE dwh.dim_date SET is_holiday = false, holiday_countries = '' WHERE is_holiday")
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE dwh.dim_date SET is_holiday = true, holiday_countries = %s WHERE full_date = %s",
            [(names, day) for day, names in closed.items()],
        )
