"""`cauri report`, and its page in a browser: what a person clicks, sees and reads."""

import base64
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

from dashboards.specification import specification
from tests.database import copied_database
from tests.loading import IDENTIFIERS, Done, cauri, load, rows_of, sample_folder, value_of
from tests.missing import without_extra
from tests.reported import PLAN, browser, screenshots, whole_warehouse

TIMEOUT_MS = 120_000
PAGES = [page.id for page in specification().pages]
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
UNTIL = date(2024, 4, 30)
SERVICE = "Supplier payment"

FIGURES: LiteralString = """
WITH chosen (since, until, country, segment, service, currency) AS (
    VALUES (%s::date, %s::date, %s::text, %s::text, %s::text, %s::text)
)
SELECT count(*), count(*) FILTER (WHERE status_code = 'SUCCESS'), count(*) FILTER (WHERE status_code = 'FAILED'),
       coalesce(sum(amount_minor / power(10, exponent)) FILTER (WHERE status_code = 'SUCCESS'), 0)::float8,
       coalesce(sum(commission_minor / power(10, exponent)) FILTER (WHERE status_code = 'SUCCESS'), 0)::float8,
       count(*) FILTER (WHERE is_fraud),
       coalesce(sum(amount_minor / power(10, exponent)) FILTER (WHERE is_fraud), 0)::float8,
       coalesce(sum(amount_minor / power(10, exponent)) FILTER (WHERE is_fraud AND band = 'block'), 0)::float8,
       avg(processing_ms)::float8
FROM dwh.fact_transactions f
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_location p USING (location_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_currency USING (currency_key)
JOIN dwh.dim_status USING (status_key)
LEFT JOIN ml.fraud_label USING (transaction_id)
LEFT JOIN ml.fraud_score USING (transaction_id, date_key)
CROSS JOIN chosen w
WHERE f.date_key BETWEEN to_char(w.since, 'YYYYMMDD')::integer AND to_char(w.until, 'YYYYMMDD')::integer
  AND w.country IN ('', coalesce(c.country_code, p.country_code, 'UNKNOWN')) AND w.segment IN ('', c.customer_segment)
  AND w.service IN ('', s.service_name) AND w.currency IN ('', currency_code)
"""


@dataclass
class Looking:
    """A report in a browser: its page, and what went wrong or over the network in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, file: Path) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-ready=true]", state="attached")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(request.url)

    def turn_to(self, name: str) -> None:
        self.page.click(f"#tab-{name}")
        self.page.wait_for_selector(f"#page-{name}:not([hidden])")

    def choose(self, **filters: str) -> None:
        for name, value in filters.items():
            self.page.select_option(f"#filter-{name}", value)

    def tile(self, name: str) -> Locator:
        return self.page.locator(f"#tile-{name}")

    def figure(self, name: str) -> float:
        """The number of a tile, not rounded."""
        value = self.tile(name).get_attribute("data-value")
        assert value, f"{name} has no figure"
        return float(value)

    def drawn(self) -> list[str]:
        """Charts that are to be seen, and show something."""
        found: list[str] = self.page.eval_on_selector_all(
            ".tile:not(.number)",
            "all => all.filter(one => one.offsetParent && one.querySelector("
            "'.bars path, .scatterlayer path, .heatmaplayer image, tbody tr')).map(one => one.id.slice(5))",
        )
        return found

    def picture(self, name: str) -> None:
        folder = screenshots()
        if folder is not None:
            self.page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def url(template_database: tuple[str, str]) -> Iterator[str]:
    with whole_warehouse(*template_database) as one:
        yield one


@pytest.fixture(scope="module")
def written(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The report, and what the command said."""
    out = tmp_path_factory.mktemp("out") / "deep" / "report.html"
    return out, cauri("report", "--out", out, "--json", url=url)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def opened(chromium: Browser, written: tuple[Path, Done]) -> Iterator[Looking]:
    """The report, opened once: that takes a browser a second."""
    with new_page(chromium) as one:
        one.open(written[0])
        yield one


@pytest.fixture
def looking(opened: Looking) -> Iterator[Looking]:
    """The report as it opens; at the end nothing may have gone wrong in it."""
    opened.page.set_viewport_size(DESK)
    opened.page.click("#reset")
    opened.turn_to("kpi")
    yield opened
    assert opened.complaints == []


@contextmanager
def new_page(chromium: Browser) -> Iterator[Looking]:
    context = chromium.new_context(viewport=DESK, color_scheme="light")
    context.set_default_timeout(TIMEOUT_MS)
    yield Looking(context.new_page())
    context.close()


def figures(url: str, **chosen: Any) -> tuple[Any, ...]:
    """What a choice comes to, from the facts."""
    every = {"since": date(2024, 1, 1), "until": UNTIL, "country": "", "segment": "", "service": "", "currency": ""}
    (found,) = rows_of(url, FIGURES, *({**every, **chosen}).values())
    return found


def test_what_the_command_says(url: str, written: tuple[Path, Done]) -> None:
    out, done = written
    assert done.code == 0, done.told
    assert done.json["bytes"] == out.stat().st_size
    assert (done.json["from"], done.json["until"]) == ("2024-01-01", "2024-04-30")
    assert done.json["missing"] == []
    assert done.json["stale"] == []
    assert done.json["rows"]["v_activity_by_day"] == value_of(url, "SELECT count(*) FROM dwh.v_activity_by_day")
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    text = out.read_text(encoding="utf-8")
    packed = re.search(r'id="rows">([^<]+)<', text)
    assert packed
    rows = gzip.decompress(base64.b64decode(packed[1])).partition(b"\n")[0].decode()
    about = text.partition('id="about">')[2].partition("</script>")[0]
    assert "Supplier payment" in rows
    assert not [one for one in IDENTIFIERS if one in rows + about]


def test_each_page_draws_each_tile(looking: Looking) -> None:
    for page in specification().pages:
        looking.turn_to(page.id)
        assert looking.page.url.endswith(f"#{page.id}")
        assert set(looking.drawn()) == {tile.id for tile in page.tiles if tile.kind != "number"}
        for tile in page.tiles:
            if tile.kind == "number":
                assert looking.figure(tile.id) >= 0
        looking.picture(f"light-{page.id}")


def test_figures_are_those_of_the_facts(looking: Looking, url: str) -> None:
    days = {"since": UNTIL - timedelta(days=29), "until": UNTIL}
    choices: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({}, {"currency": "XOF"}),
        ({"country": "SN"}, {"currency": "XOF", "country": "SN"}),
        ({"segment": "BASIC"}, {"currency": "XOF", "country": "SN", "segment": "BASIC"}),
        ({"country": "", "segment": "", "service": SERVICE}, {"currency": "XOF", "service": SERVICE}),
        ({"service": "", "period": "month", "currency": "GHS"}, {"currency": "GHS", **days}),
    ]  # fmt: skip
    seen = set()
    for clicks, chosen in choices:
        # That page has fewest charts to draw.
        looking.turn_to("fraud")
        looking.choose(**clicks)
        expected = figures(url, **chosen)
        count, successes, failures, paid, commission, frauds, fraud_amount, saved, milliseconds = expected
        looking.turn_to("kpi")
        told = [looking.figure(f"kpi_{one}") for one in ("transactions", "amount", "revenue", "success_rate")]
        assert told == pytest.approx([count, paid, commission, successes / count])
        looking.turn_to("fraud")
        told = [looking.figure(f"fraud_{one}") for one in ("frauds", "amount", "saved")]
        assert told == pytest.approx([frauds, fraud_amount, saved])
        looking.turn_to("services")
        told = [looking.figure(f"services_{one}") for one in ("failure_rate", "mean_time")]
        assert told == pytest.approx([failures / count, milliseconds])
        seen.add(expected)
    assert len(seen) == len(choices)


def test_without_a_currency_there_are_counts_and_no_amounts(looking: Looking, url: str) -> None:
    looking.choose(currency="")
    assert looking.figure("kpi_transactions") == figures(url)[0]
    assert "Choose one currency" in looking.tile("kpi_revenue").inner_text()
    assert "Choose one currency" in looking.tile("kpi_take_rate").inner_text()
    looking.page.click("#reset")
    assert looking.figure("kpi_revenue") > 0


def test_own_days_and_the_period_before(looking: Looking, url: str) -> None:
    looking.page.fill("#filter-since", "2024-04-01")
    looking.page.dispatch_event("#filter-since", "change")
    looking.page.fill("#filter-until", "2024-04-10")
    looking.page.dispatch_event("#filter-until", "change")
    now = figures(url, currency="XOF", since=date(2024, 4, 1), until=date(2024, 4, 10))[0]
    earlier = figures(url, currency="XOF", since=date(2024, 3, 22), until=date(2024, 3, 31))[0]
    assert looking.figure("kpi_transactions") == now
    assert f"{now / earlier - 1:+.1%} against the 10 days before" in looking.tile("kpi_transactions").inner_text()
    assert looking.page.input_value("#filter-period") == "own"
    looking.page.fill("#filter-since", "2024-04-10")
    looking.page.dispatch_event("#filter-since", "change")
    day = date(2024, 4, 10)
    assert looking.figure("kpi_transactions") == figures(url, currency="XOF", since=day, until=day)[0]
    looking.picture("one-day")


def test_segments_are_those_of_the_view(looking: Looking, url: str) -> None:
    looking.turn_to("segments")
    newest: LiteralString = "FROM dwh.v_client_segments WHERE is_newest"
    assert looking.figure("segments_clients") == value_of(url, f"SELECT count(*) {newest}")
    looking.choose(country="CI")
    assert looking.figure("segments_clients") == value_of(url, f"SELECT count(*) {newest} AND country_code = 'CI'")
    assert looking.page.is_disabled("#filter-currency")
    assert "As of 1 May 2024" in looking.tile("segments_clients").inner_text()
    assert "From 1 Apr 2024 to 1 May 2024" in looking.tile("segments_migration").inner_text()


def test_the_data_beneath_a_chart(looking: Looking, url: str) -> None:
    tile = looking.tile("kpi_by_country")
    tile.locator("summary").click()
    senegal = tile.locator("tbody tr", has_text="Senegal").locator("td").last
    expect(senegal).to_have_text(f"{figures(url, currency='XOF', country='SN')[0]:,}", timeout=TIMEOUT_MS)
    # It stays open when something else is chosen.
    looking.choose(segment="BASIC")
    expected = figures(url, currency="XOF", country="SN", segment="BASIC")[0]
    expect(senegal).to_have_text(f"{expected:,}", timeout=TIMEOUT_MS)


def test_by_keyboard(looking: Looking) -> None:
    looking.page.focus("#tab-kpi")
    looking.page.keyboard.press("ArrowRight")
    assert looking.page.locator("#tab-fraud").get_attribute("aria-selected") == "true"
    assert looking.page.evaluate("document.activeElement.id") == "tab-fraud"
    looking.page.focus("#filter-country")
    looking.page.keyboard.press("ArrowDown")
    # The control was made anew, and has the focus.
    assert looking.page.evaluate("document.activeElement.id") == "filter-country"
    assert looking.page.input_value("#filter-country") != ""


def test_in_the_dark(looking: Looking) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.xtick text')).fill"
    light, light_ink = looking.page.evaluate(back), looking.page.evaluate(ink)
    looking.page.emulate_media(color_scheme="dark")
    # The policy of the page forbids what the browser would have to evaluate to wait for a condition.
    expect(looking.page.locator(".xtick text").first).not_to_have_css("fill", light_ink, timeout=TIMEOUT_MS)
    assert looking.page.evaluate(back) != light
    for page in PAGES:
        looking.turn_to(page)
        looking.picture(f"dark-{page}")
    looking.page.emulate_media(color_scheme="light")
    # The button has the last word.
    looking.page.click("#theme")
    looking.turn_to("kpi")
    assert looking.page.evaluate(back) != light
    looking.page.click("#theme")
    assert (looking.page.evaluate(back), looking.page.evaluate(ink)) == (light, light_ink)


def test_in_french(looking: Looking) -> None:
    looking.page.click("#language")
    assert looking.page.get_attribute("html", "lang") == "fr"
    for page in specification().pages:
        looking.turn_to(page.id)
        told = looking.page.inner_text(f"#page-{page.id}")
        assert not [tile.id for tile in page.tiles if tile.title.fr not in told or tile.about.fr not in told]
        english = {tile.title.en for tile in page.tiles} - {tile.title.fr for tile in page.tiles}
        assert not english & set(told.splitlines())
        looking.picture(f"french-{page.id}")
    looking.page.click("#language")


def test_on_a_phone_nothing_is_wider_than_the_screen(looking: Looking) -> None:
    looking.page.set_viewport_size(PHONE)
    looking.page.click("#reset")
    for page in PAGES:
        looking.turn_to(page)
        assert looking.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        looking.picture(f"phone-{page}")


def test_on_paper_stand_all_four_pages(looking: Looking, tmp_path: Path) -> None:
    paper = looking.page.pdf(path=(screenshots() or tmp_path) / "print.pdf", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) >= len(PAGES)
    # What is printed is what the page shows between these two events.
    looking.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    titles = [page.title.en for page in specification().pages]
    assert looking.page.locator(".page:visible h2").all_inner_texts() == titles
    assert "30 Apr 2024 · All countries · All segments" in looking.page.inner_text(".chosen")
    assert set(looking.drawn()) == {tile.id for _, tile in specification().tiles if tile.kind != "number"}
    looking.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert looking.page.locator(".page:visible h2").all_inner_texts() == titles[:1]


def test_an_empty_warehouse_says_how_to_fill_it(
    chromium: Browser, template_database: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    with copied_database(*template_database) as url:
        done = cauri("report", "--out", out, "--language", "fr", url=url)
    assert done.code == 0, done.told
    with new_page(chromium) as looking:
        looking.open(out)
        for page in PAGES:
            looking.turn_to(page)
            told = looking.page.inner_text(f"#page-{page}")
            assert "n'a encore rien à montrer" in told
            assert "uv run just load" in told
        looking.picture("empty")
        assert looking.complaints == []


def test_what_is_missing_is_told_with_its_command(
    chromium: Browser, template_database: tuple[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    with copied_database(*template_database) as url:
        load(sample_folder(PLAN), url)
        done = cauri("report", "--out", out, "--json", url=url)
    assert done.json["missing"] == ["scores", "segments", "moves"]
    assert "v_activity_by_day" in done.json["stale"]
    with new_page(chromium) as looking:
        looking.open(out)
        assert "v_activity_by_day" in looking.page.inner_text(".stale")
        for page, command in (
            ("kpi", "uv run cauri refresh"),
            ("fraud", "uv run just fraud train && uv run just fraud score --all"),
            ("segments", "uv run just rfm fit"),
        ):
            looking.turn_to(page)
            assert command in looking.page.inner_text(f"#page-{page}")
        looking.picture("missing")
        assert looking.complaints == []


def test_a_file_of_one_day(url: str, tmp_path: Path) -> None:
    out, day = tmp_path / "report.html", date(2024, 2, 5)
    done = cauri("report", "--out", out, "--from", day, "--until", day, "--json", url=url)
    assert (done.json["from"], done.json["until"]) == (str(day), str(day))
    expected = value_of(url, "SELECT count(*) FROM dwh.v_activity_by_day WHERE full_date = %s", day)
    assert done.json["rows"]["v_activity_by_day"] == expected > 0


def test_without_its_package_it_names_the_extra(url: str, tmp_path: Path) -> None:
    done = without_extra(url, tmp_path, "report", "--out", tmp_path / "report.html")
    assert done.returncode == 2
    assert "extra report" in done.stderr
    assert "uv run --extra report cauri report" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "/proc/none/report.html"), "cannot be written"),
        (("--language", "de"), "de"),
        (("--from", "2024-05-01", "--until", "2024-04-01"), "is after --until"),
        (("--from", "yesterday"), "yesterday"),
    ],
)
def test_what_cannot_be_done_is_told(url: str, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = cauri("report", *arguments, url=url, variables={"CAURI_REPORT_OUT": str(tmp_path / "report.html")})
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []
