"""Names of veins: the international ones, with the public code where there is one.

Names follow the 2002 and 2005 consensus on the nomenclature of leg veins and
the CEAP 2020 abbreviations.  'LSV' is refused: it stood for the long (great)
and for the lesser (small) saphenous vein.  'Superficial femoral vein' is a
deep vein and is called femoral vein here, though the code meaning in DICOM
still reads otherwise.

Public codes are those of DICOM PS3.16 CID 12110 'Lower Extremity Vein' (and
CID 4 for Dodd's perforator); a name without one is coded in `99VEINSCAN`.
"""

from __future__ import annotations

from dataclasses import dataclass

from veinscan.errors import InvalidInputError

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Vein:
    """One name that a target's `vein` may hold."""

    name: str
    """What the model, the JSON and the tables show."""
    display: str
    """The name in full."""
    sct: str = ""
    """SNOMED CT code; empty where DICOM's context groups have none."""
    meaning: str = ""
    """Code meaning as PS3.16 writes it, where it differs from `display`."""
    synonyms: tuple[str, ...] = ()
    deep: bool = False


VEINS: tuple[Vein, ...] = (
    Vein("GSV", "great saphenous vein", "60734001", "Great saphenous vein"),
    Vein(
        "GSV thigh",
        "great saphenous vein of the thigh",
        "414369008",
        "Great saphenous vein of thigh",
        ("GSVa",),
    ),
    Vein(
        "GSV calf", "great saphenous vein of the calf", "414368000", "Great saphenous vein of calf", ("GSVb",)
    ),
    Vein("SSV", "small saphenous vein", "26805005", "Lesser saphenous vein"),
    Vein("AASV", "anterior accessory saphenous vein", synonyms=("AAGSV", "ASV", "anterior saphenous vein")),
    Vein("PASV", "posterior accessory saphenous vein", synonyms=("PAGSV",)),
    Vein("SFJ", "saphenofemoral junction", "128587003", "Saphenofemoral junction"),
    Vein("SPJ", "saphenopopliteal junction", "244415001", "Saphenopopliteal junction"),
    Vein("Giacomini", "vein of Giacomini", "397437000", "Giacomini vein", ("Giacomini vein",)),
    Vein("SSV thigh extension", "thigh extension of the small saphenous vein"),
    Vein("intersaphenous", "intersaphenous vein"),
    Vein("posterior arch", "posterior arch vein", "397435008", "Posterior arch vein"),
    Vein("anterior arch", "anterior arch vein"),
    Vein("tributary", "tributary", synonyms=("varicose tributary",)),
    Vein("reticular", "reticular vein"),
    Vein("telangiectasia", "telangiectasia", synonyms=("spider vein",)),
    Vein("lateral subdermic", "lateral subdermic plexus", synonyms=("Albanese",)),
    Vein("pudendal", "pudendal or perineal vein"),
    Vein("NSV", "non-saphenous vein"),
    Vein("perforator", "perforating vein"),
    Vein("thigh perforator", "perforating vein of the thigh", "714759009", synonyms=("TPV",)),
    Vein("calf perforator", "perforating vein of the calf", synonyms=("CPV",)),
    Vein("lateral calf perforator", "lateral perforating vein of the calf", "714754004"),
    Vein("Hunterian perforator", "perforator of the femoral canal (Hunterian)", "128560002"),
    Vein("Dodd perforator", "perforator of the femoral canal (Dodd)", "128554002"),
    Vein("Boyd perforator", "paratibial perforator (Boyd)", "128548003"),
    Vein("Cockett perforator", "posterior tibial perforator (Cockett)", "128549006"),
    Vein("CFV", "common femoral vein", "397363009", "Common femoral vein", deep=True),
    Vein("FV", "femoral vein", "397364003", "Superficial femoral vein", deep=True),
    Vein("DFV", "deep femoral vein", "23438002", "Profunda femoris vein", deep=True),
    Vein("POPV", "popliteal vein", "56849005", "Popliteal vein", deep=True),
    Vein("ATV", "anterior tibial vein", "26703007", "Anterior tibial vein", deep=True),
    Vein("PTV", "posterior tibial vein", "4258007", "Posterior tibial vein", deep=True),
    Vein("PRV", "peroneal vein", "71758008", "Peroneal vein", deep=True),
    Vein("GAV", "gastrocnemius vein", "264481007", "Gastrocnemius vein", deep=True),
    Vein("SOV", "soleal vein", "397427005", "Soleal vein", deep=True),
    Vein("CIV", "common iliac vein", "46027005", "Common iliac vein", deep=True),
    Vein("EIV", "external iliac vein", "63507001", "External iliac vein", deep=True),
    Vein("IIV", "internal iliac vein", "40300007", "Internal iliac vein", deep=True),
)
"""Every name a target may have besides 'unknown', in the order to offer them."""

NAMES: tuple[str, ...] = (UNKNOWN, *(vein.name for vein in VEINS))


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


_BY_FOLDED = {
    _folded(text): vein.name for vein in reversed(VEINS) for text in (*vein.synonyms, vein.display, vein.name)
} | {_folded(UNKNOWN): UNKNOWN, "": UNKNOWN}

_AMBIGUOUS = {"lsv", "long saphenous vein", "lesser saphenous vein"}


def vein_name(text: str) -> str:
    """The one name for what a person wrote ('gsv', 'great saphenous vein' -> 'GSV').

    Raises InvalidInputError for a name that is not in the table, and for 'LSV'.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"vein is {text!r}", do="pass a name such as GSV")
    folded = _folded(text)
    if folded in _AMBIGUOUS:
        raise InvalidInputError(
            f"{text!r} is not used: LSV has meant both the long and the lesser saphenous vein",
            do="pass GSV (great) or SSV (small)",
        )
    try:
        return _BY_FOLDED[folded]
    except KeyError:
        raise InvalidInputError(
            f"{text!r} is not a vein name veinscan knows", do=f"pass one of: {', '.join(NAMES)}"
        ) from None
