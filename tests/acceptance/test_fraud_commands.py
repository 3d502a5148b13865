"""`cauri fraud`, by its words, and nights that score."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from cli.afterwards import Afterwards, attempted
from cli.context import Context
from cli.load_summary import tell
from cli.nightly import _end
from cli.nightly_scores import score_night
from engine.maintenance import Maintenance
from engine.summary import Summary
from tests.loading import Done, cauri, new_folder, rows_of, transaction, write_feed
from tests.missing import without_extra
from tests.scoring import Scoring, Trained, copied
from warehouse.errors import CauriError, ModelError, NothingToDoError
from warehouse.lock import single_writer


@pytest.fixture(scope="module")
def unchanged(trained_warehouse: Trained) -> Iterator[Scoring]:
    """For tests that only read."""
    with copied(trained_warehouse) as one:
        yield one


@pytest.fixture
def warehouse(trained_warehouse: Trained) -> Iterator[Scoring]:
    with copied(trained_warehouse) as one:
        yield one


def run(warehouse: Scoring, *arguments: object) -> Done:
    return cauri("fraud", *arguments, url=warehouse.url, home=warehouse.home)


def night(warehouse: Scoring, *rows: dict[str, str]) -> Done:
    """A nightly run that brings these transactions."""
    folder = warehouse.home / "arrivals"
    if rows:
        write_feed(folder, "transactions", rows, ending=f"_{rows[0]['transaction_id']}")
    folder.mkdir(exist_ok=True)
    return cauri("nightly", folder, "--settle", 0, "--json", url=warehouse.url, home=warehouse.home)


def new_row(warehouse: Scoring, number: int) -> dict[str, str]:
    ((service,),) = rows_of(warehouse.url, "SELECT min(service_id) FROM dwh.dim_service WHERE service_key > 0")
    return transaction(number, transaction_ts="2024-04-20T10:00:00Z", service_id=service)


def test_a_day_with_the_officer(warehouse: Scoring) -> None:
    done = run(warehouse, "score", "--all")
    assert done.code == 0, done.told
    assert done.out.startswith("Scored ")
    query = "SELECT transaction_id FROM ml.fraud_score WHERE band <> 'allow' ORDER BY fraud_score DESC LIMIT 1"
    ((transaction_id,),) = rows_of(warehouse.url, query)
    english, french = (run(warehouse, "explain", transaction_id, "--language", one) for one in ("en", "fr"))
    assert english.out.startswith("Score 0.")
    assert "Unusual amount for this client" in english.out
    assert "Montant inhabituel pour ce client" in french.out
    document = json.loads(run(warehouse, "explain", transaction_id, "--json").out)
    assert abs(document["base"] + sum(document["contributions"].values()) - document["margin"]) < 1e-4
    assert document["stored"]["fraud_score"] == document["fraud_score"]
    drift = run(warehouse, "drift", "--json")
    assert drift.code == (3 if drift.json["status"] == "retrain" else 0)
    assert drift.json["columns"][0]["name"] == "fraud_score"


def test_models_come_and_go(warehouse: Scoring) -> None:
    champion = warehouse.registry.stages.champion
    trained = run(warehouse, "train", "--calibration-days", 21, "--threshold-days", 21, "--json", "--quiet")
    assert trained.code == 0, trained.told
    version = trained.json["model_version"]
    assert (trained.json["stage"], trained.json["champion_on_the_same_days"]["model_version"]) == ("shadow", champion)
    listed = {one["model_version"]: one["stage"] for one in run(warehouse, "models", "--json").json["models"]}
    assert listed == {champion: "champion", version: "shadow"}
    assert "no transaction has a score of the champion" in run(warehouse, "shadow").err
    assert f"The shadow {version} scored" in run(warehouse, "score", "--since", "2024-04-01").out
    shown = run(warehouse, "shadow", "--since", "2024-04-10", "--until", "2024-04-20")
    assert f"Next: cauri fraud promote {version}" in shown.out
    document = run(warehouse, "shadow", "--since", "2024-04-10", "--until", "2024-04-20", "--json").json
    assert (document["since"], document["until"]) == ("2024-04-10", "2024-04-21")
    assert document["shadow"]["model_version"] == version
    assert sum(sum(counts.values()) for counts in document["bands"].values()) == document["transactions"] > 0
    assert f"Champion: {version}" in run(warehouse, "promote", version).out
    assert run(warehouse, "score", "--since", "2024-04-30", "--json").json["model_version"] == version
    assert run(warehouse, "rollback", "--json").json["champion"] == champion
    assert "there is no champion before" in run(warehouse, "rollback").err
    manifest = warehouse.registry.folder / version / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 0', '"seed": 1'))
    assert "was changed" in run(warehouse, "models").out
    assert (refused := run(warehouse, "promote", version)).code == 1
    assert "was changed" in refused.err
    assert warehouse.registry.stages.champion == champion


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["score", "--all", "--since", "2024-01-01"], 2, "leave --since and --until out"),
        (["score", "--model", "x"], 2, "say which days"),
        (["score", "--all", "--model", "x"], 1, "no model x"),
        (["score", "--since", "2099-01-01"], 99, "there are some from 2024-01-01 to 2024-04-30"),
        (["score", "--since", "yesterday"], 2, "yesterday"),
        (["score"], 99, "no transaction was loaded since"),
        (["explain", "nobody"], 2, "no transaction of this id"),
        (["promote", "x"], 1, "there are: 2024"),
        (["train", "--as-of", "2020-01-01"], 1, "no transactions before 2020-01-01"),
        (["train", "--imbalance", "smoke"], 2, "smoke"),
        (["train", "--calibration-days", "0"], 2, "--calibration-days"),
        (["drift", "--since", "2099-01-01"], 99, "no transactions on these days"),
        (["shadow"], 99, "no model waits to be promoted"),
    ],
)
def test_what_cannot_be_done_is_said(unchanged: Scoring, arguments: list[str], code: int, said: str) -> None:
    done = run(unchanged, *arguments)
    assert (done.code, said in " ".join(done.err.split())) == (code, True), done.told


def test_a_warehouse_without_a_model(database_url: str) -> None:
    home = new_folder("home")
    for arguments in (["score"], ["score", "--all"], ["explain", "T1"], ["drift"], ["shadow"]):
        done = cauri("fraud", *arguments, url=database_url, home=home)
        assert (done.code, "cauri fraud train makes one" in done.err) == (2, True), done.told
    assert "Next: cauri fraud train" in cauri("fraud", "models", url=database_url, home=home).out


def test_nights_score_what_they_brought_and_make_up_for_what_one_could_not(warehouse: Scoring) -> None:
    champion = warehouse.registry.stages.champion
    assert champion
    model = warehouse.registry.folder / champion / "model.ubj"
    whole = model.read_bytes()
    model.write_bytes(b"")
    failed = night(warehouse, new_row(warehouse, 1))
    assert (failed.code, "model.ubj differs" in failed.json["scores"]["message"]) == (1, True)
    assert rows_of(warehouse.url, "SELECT count(*) FROM dwh.fact_transactions WHERE transaction_id = 'T1'") == [(1,)]
    model.write_bytes(whole)
    done = night(warehouse, new_row(warehouse, 2))
    assert (done.code, done.json["scores"]["transactions"]) == (0, 2), done.told
    assert done.json["scores"]["model_version"] == champion
    assert rows_of(warehouse.url, "SELECT transaction_id FROM ml.fraud_score ORDER BY 1") == [("T1",), ("T2",)]
    # By now there is a leaf for every month: the last night had steps, this one has none, nor a file, nor a score.
    night(warehouse)
    assert night(warehouse).code == 99


@pytest.mark.parametrize(
    ("became", "shown", "code"),
    [
        (None, "", 99),
        (NothingToDoError("no transaction was loaded"), "Scores: none; no transaction was loaded", 99),
        (ModelError("model x differs"), "Scores: not written; what was loaded stays.", 1),
        (ZeroDivisionError(), "Scores: not written; what was loaded stays.", 1),
        (Afterwards("scores", "done", "Scored 7 transactions"), "Scored 7 transactions", 0),
    ],
)
def test_how_a_night_ends_by_what_became_of_the_scores(
    became: Exception | Afterwards | None, shown: str, code: int
) -> None:
    def work() -> Afterwards | None:
        if isinstance(became, Exception):
            raise became
        return became

    after = [one for one in [attempted("scores", work)] if one]
    summary = Summary("nothing", maintenance=Maintenance())
    said = io.StringIO()
    with redirect_stdout(said):
        tell(summary, json=False, after=after)
    assert shown in said.getvalue()
    try:
        _end(summary, Path("arrivals"), after, json=False)
        ended = 0
    except CauriError as error:
        ended = error.exit_code
    assert ended == code


def test_without_the_extra_the_remedy_is_to_install_it(warehouse: Scoring, tmp_path: Path) -> None:
    done = without_extra(warehouse.url, warehouse.home, "fraud", "score", "--all")
    assert (done.returncode, "uv run --extra ml cauri fraud score" in done.stderr) == (2, True), done.stderr
    write_feed(tmp_path, "transactions", [new_row(warehouse, 1)])
    brought = without_extra(warehouse.url, warehouse.home, "nightly", tmp_path, "--settle", 0, "--json")
    assert brought.returncode == 0, brought.stderr
    assert "not installed" in json.loads(brought.stdout)["scores"]["message"]


def test_a_night_whose_lock_is_taken_before_it_scores_says_try_again(
    warehouse: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_rival(context: Context) -> Afterwards | None:
        with single_writer(warehouse.url):
            return score_night(context)

    monkeypatch.setattr("cli.nightly.AFTERWARDS", (with_a_rival,))
    done = night(warehouse, new_row(warehouse, 1))
    assert (done.code, "another run is writing" in done.json["scores"]["message"]) == (75, True), done.told


def test_models_are_judged_forward_in_time(unchanged: Scoring) -> None:
    html = new_folder("report") / "fraud.html"
    done = run(unchanged, "evaluate", "--from", "2024-04-01", "--to", "2024-04-07", "--out", html)
    assert done.code == 0, done.told
    assert "two-line rule" in done.out
    assert f"Written: {html}" in done.err
    assert "Precision over recall" in html.read_text(encoding="utf-8")


def test_days_without_transactions_are_told(unchanged: Scoring) -> None:
    done = run(unchanged, "evaluate", "--protocol", "handbook", "--from", "2018-07-04", "--to", "2018-07-31")
    assert done.code == 1
    assert "transactions begin on 2024-01-01" in done.told


def test_a_page_that_cannot_be_written_is_told_before_the_work(unchanged: Scoring) -> None:
    done = run(unchanged, "evaluate", "--out", "/proc/fraud.html")
    assert (done.code, "cannot be written" in done.err) == (2, True), done.told
    assert "features of" not in done.err
