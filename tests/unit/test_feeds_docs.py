"""`docs/feeds.md` says to people exactly what the feeds and contracts say to files."""

import re
from pathlib import Path

import pytest

from engine.contracts import CONTRACTS
from engine.feeds import FEEDS, HEADINGS, canonical_name
from engine.fields import FAULTS_OF_FIELDS, FAULTS_OF_LINES
from engine.outcomes import CONFLICTING_DUPLICATE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
ENDINGS = ("missing", "invalid", "unknown", "too_old", "in_future", "negative", "too_precise", "too_large", "too_long")


def section(heading: str) -> str:
    found = re.search(rf"^## [^\n]*\b{heading}\b.*?(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/feeds.md has no section {heading}"
    return found.group()


def in_code_font(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", text))


def part_about(feed: str) -> str:
    """The section of a feed; the small dimensions share one, with a line for each."""
    text = section(feed)
    lines = [line for line in text.splitlines() if line.startswith(f"| {feed} |")]
    return "\n".join(lines) or text


@pytest.mark.parametrize("feed", FEEDS)
def test_the_document_lists_exactly_the_rules_of_a_contract(feed: str) -> None:
    documented = {word for word in in_code_font(part_about(feed)) if word.endswith(ENDINGS)}
    rules = {rule.split("|")[0] for rule in CONTRACTS[feed]._schema_validation_rules()}
    assert documented == rules


@pytest.mark.parametrize("feed", FEEDS)
def test_the_document_lists_every_column(feed: str) -> None:
    assert set(FEEDS[feed].names) <= in_code_font(part_about(feed))


@pytest.mark.parametrize("feed", ["transactions", "clients"])
def test_the_document_knows_which_columns_are_required(feed: str) -> None:
    documented = {
        name
        for names, required in re.findall(r"^\| ([^|]+) \| (yes|no) \|", part_about(feed), re.MULTILINE)
        for name in in_code_font(names)
        if required == "yes"
    }
    assert documented == set(FEEDS[feed].required)


def test_the_document_lists_exactly_the_faults_of_form() -> None:
    documented = in_code_font("".join(re.findall(r"^\|([^|]+)\|", section("Every feed"), re.MULTILINE)))
    assert documented == {*FAULTS_OF_LINES, *FAULTS_OF_FIELDS}


def test_the_document_names_the_reason_of_a_conflict() -> None:
    assert CONFLICTING_DUPLICATE in in_code_font(section("transactions"))


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("transaction_id", "transaction_id"),
        (" Transaction ID ", "transaction_id"),
        ("TRANSACTION-ID", "transaction_id"),
        ("\ufeffamount", "amount"),
        ("Bénéficiaire", "beneficiary_id"),
        ("Libellé  service", "service_name"),
        ("Date d'effet", "date_d'effet"),
        ("", ""),
    ],
)
def test_headings_are_known_whatever_their_case_accents_and_blanks(heading: str, name: str) -> None:
    assert canonical_name(heading) == name


def test_every_known_heading_leads_to_a_column_of_some_feed() -> None:
    columns = {name for feed in FEEDS.values() for name in feed.names}
    assert set(HEADINGS.values()) <= columns
    assert not set(HEADINGS) & columns
