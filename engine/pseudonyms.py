"""Identifiers become pseudonyms: HMAC-SHA-256 over a domain tag and the normalised value."""

import base64

import phonenumbers
import polars as pl
import polars_hash as plh

from warehouse.keyring import Keyring

# The plug-in answers in hexadecimal, twice the size: in parts, so that millions of them never stand side by side.
HASHED_AT_ONCE = 500_000

_SEPARATOR = "\x1f"
_E164 = r"^\+[1-9]\d{6,14}$"
_PHONE_LIKE = r"^(\+|00)[\d\s().\-]{7,}$"
_READABLE = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def pseudonyms(values: pl.Series, domain: str, keyring: Keyring) -> pl.Series:
    """Pseudonyms (Binary, 32 bytes) of identifiers (String); null stays null. Phone numbers are normalised first."""
    parts = [
        _hashed(part, domain, keyring) for part in normalised(values).to_frame("value").iter_slices(HASHED_AT_ONCE)
    ]
    return pl.concat(parts).alias(values.name) if parts else pl.Series(values.name, [], pl.Binary)


def _hashed(part: pl.DataFrame, domain: str, keyring: Keyring) -> pl.Series:
    # The key goes to the plug-in as an argument; nothing prints this plan.
    secret = keyring.pseudonym.get_secret_value()
    tagged = part.select(value=domain + _SEPARATOR + pl.col("value"))
    return tagged.select(plh.col("value").chash.hmac_sha256(key=secret)).to_series().str.decode("hex")


def normalised(values: pl.Series) -> pl.Series:
    """Phone numbers in international form as E.164, everything else as it is."""
    other_form = (values.str.contains(_PHONE_LIKE) & ~values.str.contains(_E164)).fill_null(value=False)
    if not other_form.any():
        return values
    numbers = values.filter(other_form).map_elements(_e164, return_dtype=pl.String)
    return values.clone().scatter(other_form.arg_true(), numbers)  # `scatter` changes the series it is called on


def _e164(text: str) -> str:
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        parsed = phonenumbers.parse(international, None)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_phone(values: pl.Series) -> pl.Series:
    """Whether each (normalised) identifier is a phone number."""
    return values.str.contains(_E164)


def calling_countries(values: pl.Series) -> pl.Series:
    """Country (ISO 3166 alpha-2) of each E.164 number by its calling code; null where several countries share one."""
    codes = {
        f"+{code}": regions[0]
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if len(regions) == 1 and regions[0] != "001"
    }
    frame = values.alias("value").to_frame().with_columns(country=pl.lit(None, pl.String))
    for length in (2, 3, 4):
        prefixes = {prefix: country for prefix, country in codes.items() if len(prefix) == length}
        found = pl.col("value").str.slice(0, length).replace_strict(prefixes, default=None, return_dtype=pl.String)
        frame = frame.with_columns(country=pl.coalesce("country", found))
    return frame["country"]


def readable_code(pseudonym: bytes) -> str:
    """Ten characters without look-alikes, such as `7Q4M2-KXD90`: 50 bits, so that clients rarely share one."""
    text = base64.b32encode(pseudonym[:10]).decode().translate(_READABLE)[:10]
    return f"{text[:5]}-{text[5:]}"
