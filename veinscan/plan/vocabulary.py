"""The values that a coded field of the plan may have.

'unknown' (or 'not tested', 'not asked' and the like) is a value of its own:
it never means no.  New members go to the end of their class; none is renamed
or taken away, since saved records hold them.  Levels, aspects and the lists
of findings follow the names in general use (CEAP 2020, UIP 2011, VEIN-TERM).
"""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Which leg."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"


class Legs(StrEnum):
    """Which legs a session treated."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"
    UNKNOWN = "unknown"


class Checked(StrEnum):
    """Whether a person did a check; 'unknown' is not 'no'."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Answer(StrEnum):
    """An answer on a checklist."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class ValueSource(StrEnum):
    """Where a measured number comes from."""

    CANDIDATE = "candidate"
    """Measured by the program on a candidate."""
    CLICK = "click"
    """Measured by the program in the lumen a person clicked."""
    CALIPER = "caliper"
    """Measured by a person with two clicks."""
    ENTERED = "entered"
    """Typed by a person."""


class FlowSource(StrEnum):
    """Where a number read off a Doppler strip or the colour comes from."""

    MEASURED = "measured"
    """By the program."""
    CORRECTED = "corrected"
    """By the program, then moved by a person."""
    ENTERED = "entered"
    """Typed by a person."""


class Level(StrEnum):
    """Height on the leg."""

    GROIN = "groin"
    THIGH_PROX = "thigh_prox"
    THIGH_MID = "thigh_mid"
    THIGH_DIST = "thigh_dist"
    KNEE = "knee"
    CALF_PROX = "calf_prox"
    CALF_MID = "calf_mid"
    CALF_DIST = "calf_dist"
    ANKLE = "ankle"
    FOOT = "foot"
    UNKNOWN = "unknown"


class Aspect(StrEnum):
    """Way round the leg."""

    ANTERIOR = "anterior"
    ANTEROMEDIAL = "anteromedial"
    MEDIAL = "medial"
    POSTEROMEDIAL = "posteromedial"
    POSTERIOR = "posterior"
    POSTEROLATERAL = "posterolateral"
    LATERAL = "lateral"
    ANTEROLATERAL = "anterolateral"
    UNKNOWN = "unknown"


class Segment(StrEnum):
    """Part of the named vein (PS3.16 CID 12116)."""

    ORIGIN = "origin"
    PROXIMAL = "proximal"
    MIDDLE = "middle"
    DISTAL = "distal"
    UNKNOWN = "unknown"


class Landmark(StrEnum):
    """What a distance along the leg is counted from."""

    SFJ = "sfj"
    SPJ = "spj"
    GROIN_CREASE = "groin_crease"
    KNEE_CREASE = "knee_crease"
    PATELLA = "patella"
    MEDIAL_MALLEOLUS = "medial_malleolus"
    LATERAL_MALLEOLUS = "lateral_malleolus"
    FLOOR = "floor"
    OTHER = "other"
    UNKNOWN = "unknown"


class MapView(StrEnum):
    """Which drawing of the leg a place on the leg map is on."""

    FRONT = "front"
    BACK = "back"
    MEDIAL = "medial"
    LATERAL = "lateral"
    UNKNOWN = "unknown"


class Posture(StrEnum):
    """Of the patient during the ultrasound."""

    STANDING = "standing"
    SITTING = "sitting"
    REVERSE_TRENDELENBURG = "reverse_trendelenburg"
    SUPINE = "supine"
    PRONE = "prone"
    OTHER = "other"
    UNKNOWN = "unknown"


class Manoeuvre(StrEnum):
    """How flow was provoked."""

    VALSALVA = "valsalva"
    MANUAL_COMPRESSION = "manual_compression"
    CUFF = "cuff"
    DORSIFLEXION = "dorsiflexion"
    ACTIVE = "active"
    AUGMENTATION = "augmentation"
    """Compression and release, by whatever means."""
    NONE = "none"
    UNKNOWN = "unknown"


class Plane(StrEnum):
    """Plane of the picture relative to the vein."""

    TRANSVERSE = "transverse"
    LONGITUDINAL = "longitudinal"
    OBLIQUE = "oblique"
    UNKNOWN = "unknown"


class Searched(StrEnum):
    """How far a reader went through a clip; without 'complete' nothing on it is a true negative."""

    COMPLETE = "complete"
    PARTLY = "partly"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class VeinClass(StrEnum):
    """Class of the vein, set by a person."""

    TELANGIECTASIA = "telangiectasia"
    RETICULAR = "reticular"
    TRIBUTARY = "tributary"
    VARICOSE = "varicose"
    TRUNK = "trunk"
    PERFORATOR = "perforator"
    UNKNOWN = "unknown"


class VesselType(StrEnum):
    """What the marked structure is."""

    VEIN = "vein"
    ARTERY = "artery"
    NERVE = "nerve"
    LYMPHATIC = "lymphatic"
    UNKNOWN = "unknown"


class Compressible(StrEnum):
    """How far the lumen closes under light pressure."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    NOT_TESTED = "not_tested"


class Compartment(StrEnum):
    """Where the vein lies relative to the fasciae."""

    INTRADERMAL = "intradermal"
    EPIFASCIAL = "epifascial"
    SAPHENOUS = "saphenous"
    SUBFASCIAL = "subfascial"
    UNKNOWN = "unknown"


class IsFeeder(StrEnum):
    """Whether a person judges that the vein feeds what is seen; the program never does."""

    YES = "yes"
    NO = "no"
    SUSPECTED = "suspected"
    NOT_JUDGED = "not_judged"


class Modality(StrEnum):
    """How a target is to be treated."""

    LIQUID = "liquid"
    FOAM = "foam"
    LASER = "laser"
    LASER_PLUS_INJECTION = "laser_plus_injection"
    NONE = "none"
    UNKNOWN = "unknown"


class Polarity(StrEnum):
    """Which way antegrade flow points on a strip."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class FlowDirection(StrEnum):
    """Direction of flow in a vein; inward and outward are those of a perforator."""

    ANTEGRADE = "antegrade"
    RETROGRADE = "retrograde"
    BIDIRECTIONAL = "bidirectional"
    INWARD = "inward"
    OUTWARD = "outward"
    NONE = "none"
    UNKNOWN = "unknown"


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


class RecordState(StrEnum):
    """What a saved version says of itself; each is reached by a person's act."""

    SAVED = "saved"
    """PARTIAL, UNVERIFIED: work in progress."""
    FINAL = "final"
    """COMPLETE, VERIFIED by a named reader."""
    AMENDING = "amending"
    """Opened again with a reason; PARTIAL until it is finalised again."""
    AMENDED = "amended"
    """Finalised again after an amendment."""
    WITHDRAWN = "withdrawn"
    """Not to be used (wrong patient, wrong side ...), with a reason."""
