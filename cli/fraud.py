"""`cauri fraud`: models that score transactions, their scores and the reasons."""

import typer

from cli import fraud_drift, fraud_evaluate, fraud_explain, fraud_models, fraud_score, fraud_shadow, fraud_train

app = typer.Typer(
    help="Scores of fraud from 0 to 1, with their reasons, and the models that give them.", no_args_is_help=True
)
app.command("train")(fraud_train.train)
app.command("evaluate")(fraud_evaluate.evaluate)
app.command("score")(fraud_score.score)
app.command("explain")(fraud_explain.explain)
app.command("models")(fraud_models.models)
app.command("shadow")(fraud_shadow.shadow)
app.command("promote")(fraud_models.promote)
app.command("rollback")(fraud_models.rollback)
app.command("drift")(fraud_drift.drift)
