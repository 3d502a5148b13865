"""Write the dashboards of Metabase and Power BI as files, from the specification: `just dashboards`."""

import shutil
import sys
from pathlib import Path

import yaml

from dashboards.metabase.representations import representations
from dashboards.powerbi.project import project_files
from dashboards.specification import specification

HERE = Path(__file__).parent


def generated() -> dict[Path, str]:
    """Path below this folder -> text, of every file that is made."""
    found = specification()
    metabase = {
        name: yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        for name, document in representations(found).items()
    }
    return {
        **{Path("metabase/files") / name: text for name, text in metabase.items()},
        **{Path("powerbi/files") / name: text for name, text in project_files(found).items()},
    }


FOLDERS = ("metabase/files", "powerbi/files")


def main() -> None:
    """Replace the folders of files that are made."""
    files = generated()
    for folder in FOLDERS:
        shutil.rmtree(HERE / folder, ignore_errors=True)
    for name, text in files.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(files)} files written below {HERE.name}/.\n")


if __name__ == "__main__":
    main()
