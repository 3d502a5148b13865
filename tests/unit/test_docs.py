"""The documents say what the code does: commands, options, variables, links."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import application
from warehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
FLOORS = (
    "cli",
    "operations",
    "deploy",
    "ml",
    "engine",
    "partitions",
    "warehouse",
    "schema",
    "sample",
    "bench",
    "tests",
    "dashboards",
    "docs",
    "examples",
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Spelt in parts, so that this file does not hold what it looks for.
FOREIGN = re.compile(
    "|".join(
        ["py" + r"pi\.", "python" + "hosted", "index-" + "url", r"/ro" + r"ot/", r"/ho" + r"me/\w", r"/Us" + r"ers/\w"]
    )
)


def leaf_commands() -> dict[str, Any]:
    return dict(_leaves("cauri", typer.main.get_command(application())))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, inner in command.commands.items():
        yield from _leaves(f"{name} {part}", inner)


def documents() -> list[Path]:
    skipped = {".venv", ".git", ".cauri", ".cauri-bench", ".pytest_cache", "node_modules"}
    return [path for path in ROOT.rglob("*.md") if not skipped & set(path.relative_to(ROOT).parts)]


def committed_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def section(page: str, heading: str) -> str:
    found = re.search(rf"^## `{re.escape(heading)}[^\n]*\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section `{heading}`"
    return found[0]


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("command", leaf_commands())
def test_every_command_and_option_has_its_section(command: str) -> None:
    text = section(COMMANDS_PAGE.read_text(encoding="utf-8"), command)
    names = [max(one.opts, key=len) for one in leaf_commands()[command].params if one.param_type_name == "option"]
    assert [name for name in names if f"`{name}" not in text] == []


@pytest.mark.parametrize("command", leaf_commands())
def test_the_readme_names_every_command(command: str) -> None:
    assert f"`{command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_recipe_is_in_the_readme() -> None:
    recipes = re.findall(
        r"^([a-z][a-z-]*)(?: [^:\n]*)?:(?!=)", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in recipes if name != "default" and f"just {name}" not in readme] == []


def test_every_variable_is_in_the_example() -> None:
    settings = {f"CAURI_{name.upper()}" for name in Settings.model_fields}
    options = {one.envvar for command in leaf_commands().values() for one in command.params if one.envvar}
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?(CAURI_\w+)=", text, re.MULTILINE))
    assert sorted((settings | options) - listed) == []
    assert sorted(name for name in listed - settings - options if not name.startswith("CAURI_TEST_")) == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if "://" in name:
            continue
        page = path.parent / name if name else path
        if not page.exists() or (anchor and anchor not in anchors(page.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_folder_says_what_it_is() -> None:
    assert [name for name in FLOORS if (ROOT / name).is_dir() and not (ROOT / name / "README.md").exists()] == []


def test_no_registry_and_no_home_folder_is_committed() -> None:
    found = []
    for path in committed_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert found == []
