"""The values that a coded field of the plan may have.

'unknown' (or 'not tested', 'not asked' and the like) is a value of its own:
it never means no.  New members go to the end of their class; none is renamed
or taken away, since saved records hold them.  Levels, aspects and the lists
of findings follow the names in general use (CEAP 2020, UIP 2011, VEIN-TERM).
"""

from __future__ import annotations

from enum import StrEnum

from veinscan.plan.visit_vocabulary import (
    Agent as Agent,
)
from veinscan.plan.visit_vocabulary import (
    CeapC as CeapC,
)
from veinscan.plan.visit_vocabulary import (
    CeapE as CeapE,
)
from veinscan.plan.visit_vocabulary import (
    CeapP as CeapP,
)
from veinscan.plan.visit_vocabulary import (
    ComplicationKind as ComplicationKind,
)
from veinscan.plan.visit_vocabulary import (
    CompressionKind as CompressionKind,
)
from veinscan.plan.visit_vocabulary import (
    ContraindicationItem as ContraindicationItem,
)
from veinscan.plan.visit_vocabulary import (
    Course as Course,
)
from veinscan.plan.visit_vocabulary import (
    DeepVeins as DeepVeins,
)
from veinscan.plan.visit_vocabulary import (
    FoamMethod as FoamMethod,
)
from veinscan.plan.visit_vocabulary import (
    Form as Form,
)
from veinscan.plan.visit_vocabulary import (
    Gas as Gas,
)
from veinscan.plan.visit_vocabulary import (
    Guidance as Guidance,
)
from veinscan.plan.visit_vocabulary import (
    ImmediateEvent as ImmediateEvent,
)
from veinscan.plan.visit_vocabulary import (
    Indication as Indication,
)
from veinscan.plan.visit_vocabulary import (
    JunctionClass as JunctionClass,
)
from veinscan.plan.visit_vocabulary import (
    NextStep as NextStep,
)
from veinscan.plan.visit_vocabulary import (
    Outcome as Outcome,
)
from veinscan.plan.visit_vocabulary import (
    PatientPosition as PatientPosition,
)
from veinscan.plan.visit_vocabulary import (
    Rater as Rater,
)
from veinscan.plan.visit_vocabulary import (
    Severity as Severity,
)
from veinscan.plan.visit_vocabulary import (
    SkinPrep as SkinPrep,
)
from veinscan.plan.visit_vocabulary import (
    Symptom as Symptom,
)


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


class MeasurementKind(StrEnum):
    """What a person measured with calipers; each has one unit (`Measurement.unit`)."""

    DISTANCE = "distance"
    """Between two points of a picture, mm."""
    DEPTH = "depth"
    """From the skin straight down, mm."""
    DIAMETER = "diameter"
    """Inner wall to inner wall, mm."""
    TIME = "time"
    """Between two columns of a strip, s."""
    VELOCITY = "velocity"
    """At a point of a spectral strip, cm/s, towards the probe positive."""


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
