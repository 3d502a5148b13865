"""`cauri fraud explain`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.console import print_json, stdout, table
from cli.context import open_warehouse
from cli.extra import models_needed
from cli.fraud_options import Model
from cli.options import Json

if TYPE_CHECKING:
    from ml.fraud.explanation import Explanation


def explain(
    transaction_id: Annotated[str, typer.Argument(metavar="TRANSACTION_ID", help="As the source calls it.")],
    model: Model = None,
    language: Annotated[
        Literal["en", "fr"], typer.Option(envvar="CAURI_FRAUD_LANGUAGE", help="Of the reasons.")
    ] = "en",
    json: Json = False,
) -> None:
    """Say why a transaction has its score: reasons, what each family of features adds, and the features' values."""
    with models_needed():
        from ml.fraud.explanation import explain_transaction  # noqa: PLC0415 - its packages may be missing
        from ml.fraud.registry import registry_of  # noqa: PLC0415

        context = open_warehouse()
        found = explain_transaction(context.url, registry_of(context.settings).load(model), transaction_id)
    if json:
        print_json(found.to_json(language))
    else:
        _show(found, language)


def _show(found: "Explanation", language: str) -> None:
    document = found.to_json(language)
    stdout.print(f"Score {document['fraud_score']:.4f}, {document['band']}; margin {document['margin']:+.3f} log-odds,")
    stdout.print(f"by model {document['model_version']}, with what was known at the moment of the transaction.")
    for reason in document["reasons"]:
        stdout.print(f"  - {reason['text']} ({reason['contribution']:+.3f})", markup=False)
    shown = table("What each family adds to the margin", "family", "log-odds", numbers=1)
    shown.add_row("where every transaction begins", f"{document['base']:+.3f}")
    for family, contribution in document["contributions"].items():
        shown.add_row(family, f"{contribution:+.3f}")
    stdout.print(shown)
    values = table("Features", "feature", "family", "value", "log-odds", numbers=2)
    for feature in document["features"]:
        value = "unknown" if feature["value"] is None else f"{feature['value']:,.4g}"
        values.add_row(feature["name"], feature["family"], value, f"{feature['contribution']:+.3f}")
    stdout.print(values)
    stored = document["stored"]
    if stored is None:
        stdout.print("The warehouse has no score of this transaction. Next: cauri fraud score")
    elif stored["model_version"] != document["model_version"] or stored["fraud_score"] != document["fraud_score"]:
        stdout.print(
            f"The warehouse has the score {stored['fraud_score']:.4f}, {stored['band']},"
            f" of model {stored['model_version']}, written {stored['scored_at']}."
        )
