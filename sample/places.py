"""The countries and cities in which the operator works. The first city of a country is its busiest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sample.dice import Floats


@dataclass(frozen=True)
class Country:
    code: str
    currency: str
    exponent: int
    units_per_franc: float  # rough exchange rate: how many units of the currency make one XOF
    utc_offset_hours: int
    weight: float
    ramadan: bool
    phone_prefixes: tuple[str, ...]  # all but the last six digits


def _prefixes(head: str, operators: str, free_digits: int) -> tuple[str, ...]:
    return tuple(
        f"{head}{operator}{free:0{free_digits}d}" if free_digits else f"{head}{operator}"
        for operator in operators.split()
        for free in range(10**free_digits)
    )


COUNTRIES = (
    Country("CI", "XOF", 0, 1.0, 0, 0.34, False, _prefixes("+225", "07 05 01", 2)),
    Country("SN", "XOF", 0, 1.0, 0, 0.20, True, _prefixes("+221", "77 78 76 70", 1)),
    Country("GN", "GNF", 0, 14.0, 0, 0.07, True, _prefixes("+224", "62 66 61", 1)),
    Country("GH", "GHS", 2, 0.024, 0, 0.14, False, _prefixes("+233", "24 54 55 20 50 27", 1)),
    Country("KE", "KES", 2, 0.21, 3, 0.15, False, _prefixes("+254", "70 71 72 79", 1)),
    Country("MA", "MAD", 2, 0.0165, 1, 0.10, True, _prefixes("+212", "60 61 62 66 67", 1)),
)
CURRENCIES = tuple(dict.fromkeys(country.currency for country in COUNTRIES))
EXPONENTS = tuple(next(c.exponent for c in COUNTRIES if c.currency == code) for code in CURRENCIES)


@dataclass(frozen=True)
class Place:
    code: str
    city: str
    region: str
    latitude: float
    longitude: float


# Country, code, city, region, latitude, longitude.
_CITIES = """
CI;ABJ;Abidjan;Abidjan;5.3600;-4.0083
CI;BKE;Bouaké;Gbêkê;7.6906;-5.0300
CI;YAM;Yamoussoukro;Yamoussoukro;6.8276;-5.2893
CI;DAL;Daloa;Haut-Sassandra;6.8774;-6.4502
CI;SPY;San-Pédro;San-Pédro;4.7485;-6.6363
CI;KGO;Korhogo;Poro;9.4580;-5.6296
CI;MAN;Man;Tonkpi;7.4125;-7.5538
CI;GAG;Gagnoa;Gôh;6.1319;-5.9506
CI;ABE;Abengourou;Indénié-Djuablin;6.7297;-3.4964
CI;DIV;Divo;Lôh-Djiboua;5.8372;-5.3572
CI;SOU;Soubré;Nawa;5.7856;-6.6083
CI;BDK;Bondoukou;Gontougo;8.0402;-2.8000
CI;ODI;Odienné;Kabadougou;9.5100;-7.5692
CI;FER;Ferkessédougou;Tchologo;9.5928;-5.1944
SN;DKR;Dakar;Dakar;14.7167;-17.4677
SN;THI;Thiès;Thiès;14.7910;-16.9256
SN;TBA;Touba;Diourbel;14.8500;-15.8833
SN;KLK;Kaolack;Kaolack;14.1652;-16.0758
SN;STL;Saint-Louis;Saint-Louis;16.0326;-16.4818
SN;MBR;Mbour;Thiès;14.4220;-16.9637
SN;ZIG;Ziguinchor;Ziguinchor;12.5833;-16.2719
SN;RFQ;Rufisque;Dakar;14.7167;-17.2667
SN;DIO;Diourbel;Diourbel;14.6550;-16.2314
SN;TMB;Tambacounda;Tambacounda;13.7707;-16.3000
SN;KLD;Kolda;Kolda;12.8939;-14.9406
SN;MTM;Matam;Matam;15.6559;-13.2554
GN;CKY;Conakry;Conakry;9.6412;-13.5784
GN;NZE;Nzérékoré;Nzérékoré;7.7562;-8.8179
GN;KAN;Kankan;Kankan;10.3854;-9.3057
GN;KND;Kindia;Kindia;10.0569;-12.8658
GN;LAB;Labé;Labé;11.3182;-12.2833
GN;BOK;Boké;Boké;10.9409;-14.2967
GN;MAM;Mamou;Mamou;10.3755;-12.0915
GN;SIG;Siguiri;Kankan;11.4228;-9.1685
GN;KIS;Kissidougou;Faranah;9.1848;-10.0999
GN;FRN;Faranah;Faranah;10.0404;-10.7434
GH;ACC;Accra;Greater-Accra;5.6037;-0.1870
GH;KUM;Kumasi;Ashanti;6.6885;-1.6244
GH;TAM;Tamale;Northern;9.4034;-0.8424
GH;TKD;Takoradi;Western;4.8845;-1.7554
GH;TEM;Tema;Greater-Accra;5.6698;-0.0166
GH;CAP;Cape Coast;Central;5.1053;-1.2466
GH;OBU;Obuasi;Ashanti;6.2028;-1.6670
GH;KOF;Koforidua;Eastern;6.0941;-0.2591
GH;SUN;Sunyani;Bono;7.3399;-2.3268
GH;HOH;Ho;Volta;6.6008;0.4713
GH;WAW;Wa;Upper West;10.0601;-2.5099
GH;BOL;Bolgatanga;Upper East;10.7856;-0.8514
KE;NBO;Nairobi;Nairobi;-1.2921;36.8219
KE;MBA;Mombasa;Mombasa;-4.0435;39.6682
KE;KIS;Kisumu;Kisumu;-0.0917;34.7680
KE;NAK;Nakuru;Nakuru;-0.3031;36.0800
KE;ELD;Eldoret;Uasin Gishu;0.5143;35.2698
KE;THK;Thika;Kiambu;-1.0332;37.0690
KE;MAL;Malindi;Kilifi;-3.2192;40.1169
KE;KIT;Kitale;Trans Nzoia;1.0157;35.0062
KE;GAR;Garissa;Garissa;-0.4536;39.6461
KE;KAK;Kakamega;Kakamega;0.2827;34.7519
KE;NYE;Nyeri;Nyeri;-0.4201;36.9476
KE;MAC;Machakos;Machakos;-1.5177;37.2634
KE;MER;Meru;Meru;0.0463;37.6559
KE;LAM;Lamu;Lamu;-2.2717;40.9020
MA;CAS;Casablanca;Casablanca-Settat;33.5731;-7.5898
MA;RBA;Rabat;Rabat-Salé-Kénitra;34.0209;-6.8416
MA;FES;Fès;Fès-Meknès;34.0331;-5.0003
MA;RAK;Marrakech;Marrakech-Safi;31.6295;-7.9811
MA;TNG;Tanger;Tanger-Tétouan-Al Hoceïma;35.7595;-5.8340
MA;AGA;Agadir;Souss-Massa;30.4278;-9.5981
MA;MEK;Meknès;Fès-Meknès;33.8935;-5.5473
MA;OUD;Oujda;Oriental;34.6814;-1.9086
MA;KEN;Kénitra;Rabat-Salé-Kénitra;34.2610;-6.5802
MA;TET;Tétouan;Tanger-Tétouan-Al Hoceïma;35.5785;-5.3684
MA;SAF;Safi;Marrakech-Safi;32.2994;-9.2372
MA;LAA;Laâyoune;Laâyoune-Sakia El Hamra;27.1253;-13.1625
"""


def _place(line: str) -> Place:
    country, code, city, region, latitude, longitude = line.split(";")
    return Place(f"{country}-{code}", city, region, float(latitude), float(longitude))


PLACES = tuple(_place(line) for line in _CITIES.split("\n") if line)
PLACE_COUNTRY = np.array([[c.code for c in COUNTRIES].index(place.code[:2]) for place in PLACES], dtype=np.uint8)
PLACES_IN = np.bincount(PLACE_COUNTRY)
FIRST_PLACE = np.cumsum(PLACES_IN) - PLACES_IN
NOWHERE = len(PLACES)  # rows without a location


def place_weights() -> Floats:
    """Share of business in each city: the country's weight, falling with the city's rank in it."""
    rank = np.arange(len(PLACES)) - FIRST_PLACE[PLACE_COUNTRY]
    weights = 1.0 / (1.0 + rank) ** 1.1
    totals = np.bincount(PLACE_COUNTRY, weights)
    shares = np.array([country.weight for country in COUNTRIES])
    result: Floats = weights / totals[PLACE_COUNTRY] * shares[PLACE_COUNTRY]
    return result


def locations() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "location_code": [place.code for place in PLACES],
            "city": [place.city for place in PLACES],
            "region": [place.region for place in PLACES],
            "country_code": [place.code[:2] for place in PLACES],
            "latitude": [place.latitude for place in PLACES],
            "longitude": [place.longitude for place in PLACES],
        }
    )
