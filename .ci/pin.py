"""Pin every dependency, of all groups and extras, in `[tool.uv] constraint-dependencies` of pyproject.toml.

Versions that uv.lock has stay; `--upgrade` takes the newest. The file holds names and versions and no address, unlike a
lock file, so that it can be committed wherever the packages come from.
"""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PINS = re.compile(r"^constraint-dependencies = \[\n(?:    .*\n)*\]\n", re.MULTILINE)
EXPORT = ["export", "--frozen", "--no-hashes", "--no-annotate", "--no-header", "--no-emit-project"]


def main() -> None:
    """Rewrite the table; what `uv lock` takes as options can be given."""
    pyproject = PROJECT / "pyproject.toml"
    before = pyproject.read_text(encoding="utf-8")
    try:
        pyproject.write_text(with_pins(before, []), encoding="utf-8")
        uv("lock", *sys.argv[1:])
        pins = uv(*EXPORT, "--all-groups", "--all-extras").splitlines()
        pyproject.write_text(with_pins(before, pins), encoding="utf-8")
        uv("lock")
    except BaseException:
        pyproject.write_text(before, encoding="utf-8")
        raise
    sys.stdout.write(f"Pinned {len(pins)} dependencies in {pyproject.name}.\n")


def with_pins(text: str, pins: list[str]) -> str:
    """The text of pyproject.toml with other pins."""
    table = "".join(["constraint-dependencies = [\n", *(f'    "{pin}",\n' for pin in pins), "]\n"])
    changed, found = PINS.subn(lambda _: table, text)
    if found != 1:
        raise SystemExit("pyproject.toml has no constraint-dependencies to rewrite")
    return changed


def uv(*arguments: str) -> str:
    """Run uv in the project; its messages go to stderr as they are."""
    return subprocess.run(["uv", *arguments], cwd=PROJECT, check=True, text=True, stdout=subprocess.PIPE).stdout  # noqa: S603, S607


if __name__ == "__main__":
    main()
