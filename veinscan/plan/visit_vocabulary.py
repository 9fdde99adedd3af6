"""The values that a coded field of a session or a follow-up may have; `vocabulary` has them all."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """Form in which a drug was given."""

    LIQUID = "liquid"
    FOAM = "foam"
    UNKNOWN = "unknown"


class Agent(StrEnum):
    """Sclerosant."""

    POLIDOCANOL = "polidocanol"
    STS = "sts"
    DEXTROSE = "dextrose"
    GLYCERIN = "glycerin"
    OTHER = "other"
    UNKNOWN = "unknown"


class Gas(StrEnum):
    """Gas of a foam."""

    AIR = "air"
    CO2 = "co2"
    CO2_O2 = "co2_o2"
    OTHER = "other"
    UNKNOWN = "unknown"


class FoamMethod(StrEnum):
    """How a foam was made."""

    TESSARI = "tessari"
    DSS = "dss"
    MICROFOAM = "microfoam"
    OTHER = "other"
    UNKNOWN = "unknown"


class Indication(StrEnum):
    """Why a session was held."""

    COSMETIC = "cosmetic"
    SYMPTOMATIC = "symptomatic"
    MEDICAL_COMPLICATION = "medical_complication"
    RECURRENCE = "recurrence"
    UNKNOWN = "unknown"


class Symptom(StrEnum):
    """What the patient tells."""

    NIGHT_CRAMPS = "night_cramps"
    SWELLING = "swelling"
    BURNING = "burning"
    ACHING = "aching"
    ITCHING = "itching"
    HEAVINESS = "heaviness"
    NONE = "none"
    OTHER = "other"


class PatientPosition(StrEnum):
    """Of the patient during treatment (not during the reflux examination)."""

    SUPINE_LEGS_ELEVATED = "supine_legs_elevated"
    SUPINE = "supine"
    PRONE = "prone"
    LATERAL = "lateral"
    REVERSE_TRENDELENBURG = "reverse_trendelenburg"
    OTHER = "other"
    UNKNOWN = "unknown"


class SkinPrep(StrEnum):
    """What the skin was cleansed with."""

    ALCOHOL = "alcohol"
    CHLORHEXIDINE = "chlorhexidine"
    OTHER = "other"
    UNKNOWN = "unknown"


class Guidance(StrEnum):
    """How the vein was found during treatment."""

    DIRECT_VISION = "direct_vision"
    TRANSILLUMINATION = "transillumination"
    NEAR_INFRARED = "near_infrared"
    ULTRASOUND = "ultrasound"


class ImmediateEvent(StrEnum):
    """What was seen at once."""

    NONE = "none"
    PAIN = "pain"
    CRAMP = "cramp"
    EXTRAVASATION = "extravasation"
    INTRA_ARTERIAL_SUSPECTED = "intra_arterial_suspected"
    VISUAL = "visual"
    COUGH = "cough"
    MIGRAINE = "migraine"
    VASOVAGAL = "vasovagal"
    ALLERGY = "allergy"
    ANAPHYLAXIS = "anaphylaxis"
    TIA = "tia"
    OTHER = "other"


class CompressionKind(StrEnum):
    """What is worn after treatment."""

    NOT_REQUIRED = "not_required"
    STOCKING = "stocking"
    BANDAGE = "bandage"
    ECCENTRIC = "eccentric"
    OTHER = "other"
    UNKNOWN = "unknown"


class ContraindicationItem(StrEnum):
    """Items of the checklist before treatment."""

    ALLERGY = "allergy"
    ACUTE_THROMBOEMBOLISM = "acute_thromboembolism"
    INFECTION = "infection"
    IMMOBILITY = "immobility"
    SYMPTOMATIC_SHUNT = "symptomatic_shunt"
    ARTERIAL_DISEASE = "arterial_disease"
    THROMBOSIS_RISK = "thrombosis_risk"
    PREGNANCY_BREAST_FEEDING = "pregnancy_breast_feeding"
    ACUTE_SUPERFICIAL_THROMBOSIS = "acute_superficial_thrombosis"
    SYSTEMIC_DISEASE = "systemic_disease"
    DEEP_INCOMPETENCE = "deep_incompetence"
    MIGRAINE_AURA = "migraine_aura"
    EARLIER_NEUROLOGICAL = "earlier_neurological"
    ANTICOAGULATION_TRAVEL_AGE = "anticoagulation_travel_age"
    OTHER = "other"


class CeapC(StrEnum):
    """Clinical class of CEAP 2020."""

    C0 = "C0"
    C1 = "C1"
    C2 = "C2"
    C2R = "C2r"
    C3 = "C3"
    C4A = "C4a"
    C4B = "C4b"
    C4C = "C4c"
    C5 = "C5"
    C6 = "C6"
    C6R = "C6r"


class CeapE(StrEnum):
    """Etiology of CEAP 2020."""

    PRIMARY = "Ep"
    SECONDARY_INTRAVENOUS = "Esi"
    SECONDARY_EXTRAVENOUS = "Ese"
    CONGENITAL = "Ec"
    NONE = "En"


class CeapP(StrEnum):
    """Pathophysiology of CEAP 2020."""

    REFLUX = "Pr"
    OBSTRUCTION = "Po"
    BOTH = "Pr,o"
    NONE = "Pn"


class Outcome(StrEnum):
    """What became of a treated target; 'recanalised' is set by a person only."""

    NOT_VISIBLE = "not_visible"
    OCCLUDED_FULL = "occluded_full"
    OCCLUDED_PARTIAL = "occluded_partial"
    PATENT_NO_REFLUX = "patent_no_reflux"
    PATENT_REFLUX = "patent_reflux"
    RECANALISED = "recanalised"
    NOT_ASSESSED = "not_assessed"


class DeepVeins(StrEnum):
    """What was seen of the deep veins."""

    NORMAL = "normal"
    DVT_SUSPECTED = "dvt_suspected"
    DVT = "dvt"
    NOT_EXAMINED = "not_examined"


class JunctionClass(StrEnum):
    """Thrombus at the junction, by the geometry of the AVF classes."""

    NONE = "none"
    I = "I"  # noqa: E741 - the class is called so
    II = "II"
    III = "III"
    IV = "IV"
    NOT_ASSESSED = "not_assessed"


class ComplicationKind(StrEnum):
    """Complications and side effects."""

    BRUISE = "bruise"
    RAISED_RED_AREA = "raised_red_area"
    SKIN_ULCER = "skin_ulcer"
    HYPERPIGMENTATION = "hyperpigmentation"
    MATTING = "matting"
    DISCOLORATION = "discoloration"
    PALPABLE_CORD = "palpable_cord"
    COAGULUM = "coagulum"
    THROMBOPHLEBITIS = "thrombophlebitis"
    NEUROLOGICAL = "neurological"
    ALLERGY = "allergy"
    NERVE_INJURY = "nerve_injury"
    OEDEMA = "oedema"
    BLISTER = "blister"
    FOLLICULITIS = "folliculitis"
    PAIN = "pain"
    ITCH = "itch"
    REDNESS = "redness"
    OTHER = "other"


class Severity(StrEnum):
    """How severe a complication is."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    UNKNOWN = "unknown"


class Course(StrEnum):
    """Where a complication stands."""

    PRESENT = "present"
    IMPROVING = "improving"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


class Rater(StrEnum):
    """Who judged the appearance."""

    CLINICIAN = "clinician"
    PATIENT = "patient"
    BLINDED = "blinded"
    UNKNOWN = "unknown"


class NextStep(StrEnum):
    """What a person decided after a follow-up."""

    DISCHARGE = "discharge"
    NEXT_SESSION = "next_session"
    DUPLEX_RECHECK = "duplex_recheck"
    REFER = "refer"
    OTHER = "other"
    UNKNOWN = "unknown"
