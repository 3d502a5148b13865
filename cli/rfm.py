"""`cauri rfm`: recency, frequency and value of clients, and the five segments."""

import typer

from cli import rfm_assign, rfm_fit, rfm_report

app = typer.Typer(help="Segments of clients by recency, frequency and value.", no_args_is_help=True)
app.command("fit")(rfm_fit.fit)
app.command("assign")(rfm_assign.assign)
app.command("report")(rfm_report.report)
