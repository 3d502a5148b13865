"""How a file is written: separator, decimal mark, encoding, dates, headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

from sample.plan import SamplePlan

FRENCH_HEADINGS = {
    # transactions
    "transaction_id": "identifiant_transaction",
    "transaction_ts": "date_transaction",
    "client_id": "identifiant_client",
    "service_id": "identifiant_service",
    "channel_code": "code_canal",
    "location_code": "code_lieu",
    "beneficiary_id": "identifiant_beneficiaire",
    "currency": "devise",
    "amount": "montant",
    "commission": "commission",
    "status": "statut",
    "processing_ms": "duree_ms",
    "updated_at": "mis_a_jour_le",
    # clients
    "company_name": "raison_sociale",
    "msisdn": "telephone",
    "email": "courriel",
    "customer_segment": "segment",
    "company_size": "taille",
    "risk_level": "risque",
    "sector": "secteur",
    "country_code": "code_pays",
    "city": "ville",
    "kyc_level": "niveau_kyc",
    "onboarded_on": "date_entree",
    "effective_at": "date_effet",
    # services, channels, locations
    "service_name": "libelle_service",
    "category": "categorie",
    "commission_rate": "taux_commission",
    "is_active": "actif",
    "channel_name": "libelle_canal",
    "region": "region",
    "latitude": "latitude",
    "longitude": "longitude",
    # fraud_labels
    "is_fraud": "est_fraude",
    "reported_at": "signale_le",
}

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d:\d\d)Z)?")
_DECIMAL = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True)
class Dialect:
    separator: str
    extension: str
    encoding: str = "utf-8"
    bom: bytes = b""
    decimal_mark: str = "."
    french: bool = False

    def heading(self, column: str) -> str:
        return FRENCH_HEADINGS[column] if self.french else column

    def field(self, value: str) -> str:
        """A canonical value (ISO moment, decimal point) as this dialect writes it."""
        if not self.french:
            return value
        if moment := _MOMENT.fullmatch(value):
            year, month, day, clock = moment.groups()
            return f"{day}/{month}/{year}" + (f" {clock}" if clock else "")
        return value.replace(".", ",") if _DECIMAL.fullmatch(value) else value


ISO = Dialect(",", ".csv")
FRENCH = Dialect(";", ".csv", "cp1252", decimal_mark=",", french=True)
TABBED = Dialect("\t", ".tsv", bom=b"\xef\xbb\xbf")
PIPED = Dialect("|", ".txt", "utf-16-le", bom=b"\xff\xfe")

Packing = Literal["none", "gzip", "zstd"]
PACKED_EXTENSION = {"none": "", "gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True)
class Form:
    """The dialect of a file and what it is packed in."""

    dialect: Dialect
    packing: Packing = "none"
    parquet: bool = False

    @property
    def extension(self) -> str:
        return ".parquet" if self.parquet else self.dialect.extension + PACKED_EXTENSION[self.packing]


_MIXED_DIMENSIONS = {
    "services": Form(ISO),
    "channels": Form(PIPED),
    "locations": Form(FRENCH),
    "clients": Form(FRENCH),
    "fraud_labels": Form(TABBED),
}
_MIXED_MONTHS = (
    Form(ISO),
    Form(FRENCH),
    Form(TABBED),
    Form(ISO, "gzip"),
    Form(FRENCH, "zstd"),
    Form(ISO, parquet=True),
)


def form_of(plan: SamplePlan, feed: str, month: int = 0) -> Form:
    """How a feed's file, or its file of the month with this number, is written."""
    if plan.format == "parquet":
        return Form(FRENCH if plan.dialect == "french" else ISO, plan.compression, parquet=True)
    if plan.dialect == "mixed":
        one_of_six = _MIXED_MONTHS[month if month < len(_MIXED_MONTHS) else month % 3]
        form = one_of_six if feed == "transactions" else _MIXED_DIMENSIONS[feed]
        return form if plan.compression == "none" or form.parquet else Form(form.dialect, plan.compression)
    return Form(FRENCH if plan.dialect == "french" else ISO, plan.compression)


def as_text(frame: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """A small frame of typed columns as text in this dialect (large ones have their own way: see `text`)."""
    day = "%d/%m/%Y" if dialect.french else "%Y-%m-%d"
    moment = "%d/%m/%Y %H:%M:%S" if dialect.french else "%Y-%m-%dT%H:%M:%SZ"
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if dtype == pl.Date:
            column = column.dt.strftime(day)
        elif dtype == pl.Datetime:
            column = column.dt.strftime(moment)
        elif dtype.is_float():
            column = column.cast(pl.String).str.replace(".", dialect.decimal_mark, literal=True)
        columns.append(column.cast(pl.String))
    return frame.select(columns)
