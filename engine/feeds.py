"""The feeds that Cauri knows, their columns, and the headings under which the world writes them."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "moment", "day", "money", "whole", "number", "boolean"]

# Part of the identity of a load: a file read under another contract is another piece of work.
CONTRACT_VERSION = "1"


@dataclass(frozen=True)
class Column:
    """A canonical column: its kind, and whether a file must have it."""

    name: str
    kind: Kind = "text"
    required: bool = False


@dataclass(frozen=True)
class Feed:
    """A feed and its columns; `docs/feeds.md` is the same for people."""

    name: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


TRANSACTIONS = Feed(
    "transactions",
    (
        Column("transaction_id", required=True),
        Column("transaction_ts", "moment", required=True),
        Column("client_id", required=True),
        Column("service_id", required=True),
        Column("channel_code"),
        Column("location_code"),
        Column("beneficiary_id"),
        Column("currency", required=True),
        Column("amount", "money", required=True),
        Column("commission", "money"),
        Column("status", required=True),
        Column("processing_ms", "whole"),
        Column("updated_at", "moment"),
    ),
)
CLIENTS = Feed(
    "clients",
    (
        Column("client_id", required=True),
        Column("company_name"),
        Column("msisdn"),
        Column("email"),
        Column("customer_segment", required=True),
        Column("company_size", required=True),
        Column("risk_level", required=True),
        Column("sector"),
        Column("country_code"),
        Column("city"),
        Column("kyc_level", "whole"),
        Column("onboarded_on", "day"),
        Column("effective_at", "moment", required=True),
        Column("updated_at", "moment"),
        Column("is_deleted", "boolean"),
    ),
)
SERVICES = Feed(
    "services",
    (
        Column("service_id", required=True),
        Column("service_name", required=True),
        Column("category"),
        Column("commission_rate", "number"),
        Column("is_active", "boolean"),
    ),
)
CHANNELS = Feed("channels", (Column("channel_code", required=True), Column("channel_name", required=True)))
LOCATIONS = Feed(
    "locations",
    (
        Column("location_code", required=True),
        Column("city"),
        Column("region"),
        Column("country_code"),
        Column("latitude", "number"),
        Column("longitude", "number"),
    ),
)
FRAUD_LABELS = Feed(
    "fraud_labels",
    (
        Column("transaction_id", required=True),
        Column("is_fraud", "boolean", required=True),
        Column("reported_at", "moment", required=True),
    ),
)

# Dimensions stand first: transactions are checked against the services of the same run.
FEEDS: dict[str, Feed] = {
    feed.name: feed for feed in (SERVICES, CHANNELS, LOCATIONS, CLIENTS, TRANSACTIONS, FRAUD_LABELS)
}

HEADINGS: dict[str, str] = {
    "identifiant_transaction": "transaction_id",
    "id_transaction": "transaction_id",
    "date_transaction": "transaction_ts",
    "date_heure": "transaction_ts",
    "identifiant_client": "client_id",
    "id_client": "client_id",
    "identifiant_service": "service_id",
    "id_service": "service_id",
    "code_canal": "channel_code",
    "canal": "channel_code",
    "code_lieu": "location_code",
    "lieu": "location_code",
    "identifiant_beneficiaire": "beneficiary_id",
    "id_beneficiaire": "beneficiary_id",
    "beneficiaire": "beneficiary_id",
    "devise": "currency",
    "montant": "amount",
    "statut": "status",
    "duree_ms": "processing_ms",
    "mis_a_jour_le": "updated_at",
    "date_mise_a_jour": "updated_at",
    "raison_sociale": "company_name",
    "telephone": "msisdn",
    "courriel": "email",
    "segment": "customer_segment",
    "taille": "company_size",
    "risque": "risk_level",
    "secteur": "sector",
    "code_pays": "country_code",
    "pays": "country_code",
    "ville": "city",
    "niveau_kyc": "kyc_level",
    "date_entree": "onboarded_on",
    "date_effet": "effective_at",
    "supprime": "is_deleted",
    "libelle_service": "service_name",
    "categorie": "category",
    "taux_commission": "commission_rate",
    "actif": "is_active",
    "libelle_canal": "channel_name",
    "est_fraude": "is_fraud",
    "signale_le": "reported_at",
}


def canonical_name(heading: str) -> str:
    """A heading as Cauri names it: case, accents, blanks and dashes do not matter; French ones are translated."""
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    plain = "_".join(plain.strip().lower().replace("-", " ").split())
    return HEADINGS.get(plain, plain)
