"""Two values of one quantity, side by side; their difference only where they may be compared."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_NOTHING = "not recorded"


@dataclass(frozen=True, slots=True)
class Pair:
    """A quantity at the baseline and at the follow-up."""

    quantity: str
    """'diameter_mm', 'depth_mm', 'reflux_s', 'flow_cm_s', 'compressible' or 'outcome'."""
    unit: str
    """UCUM; empty for words."""
    baseline: float | str | None
    follow_up: float | str | None
    reason: str = ""
    """Why the two are not compared; empty where they are."""
    baseline_is_lower_bound: bool = False
    follow_up_is_lower_bound: bool = False

    @property
    def comparable(self) -> bool:
        """Whether both values are there and posture and landmark agree."""
        return not self.reason

    @property
    def difference(self) -> float | None:
        """Follow-up minus baseline, in `unit`; None where they may not be compared."""
        if not self.comparable or isinstance(self.baseline, str) or isinstance(self.follow_up, str):
            return None
        if self.baseline is None or self.follow_up is None:
            return None
        return round(self.follow_up - self.baseline, 6) + 0.0

    @property
    def percent(self) -> float | None:
        """The difference as a share of the baseline, in percent; None without it or from zero."""
        change = self.difference
        if change is None or not isinstance(self.baseline, float | int) or self.baseline == 0:
            return None
        return 100.0 * change / self.baseline

    @property
    def changed(self) -> bool | None:
        """Whether the two differ; None where they may not be compared."""
        return None if not self.comparable else self.baseline != self.follow_up

    @property
    def name(self) -> str:
        """The quantity in words: 'diameter', 'reflux'."""
        return self.quantity.removesuffix("_cm_s").removesuffix("_mm").removesuffix("_s")

    def values(self) -> str:
        """'2.4 -> 1.1 mm': both values, whatever may be compared; 'not recorded' where neither is there."""
        if self.baseline is None and self.follow_up is None:
            return _NOTHING
        before = self._shown(self.baseline, self.baseline_is_lower_bound)
        after = self._shown(self.follow_up, self.follow_up_is_lower_bound)
        unit = f" {self.unit}" if self.unit else ""
        return f"{before}{unit if self.follow_up is None else ''} -> {after}" + (
            "" if self.follow_up is None else unit
        )

    @property
    def shown_change(self) -> tuple[str, str]:
        """'-1.3' and '-54 %', of the values as they are shown, so that what stands there adds up.

        Both empty where no difference is shown; the share also from a baseline that is shown as zero.
        """
        if self.difference is None:
            return "", ""
        before, after = (Decimal(f"{value:.{self.digits}f}") for value in (self.baseline, self.follow_up))
        change = after - before
        share = f"{float(100 * change / before):+.0f} %" if before else ""
        return f"{change + 0:+.{self.digits}f}", share

    def change(self) -> str:
        """'-1.3 mm, -54 %'; empty where no difference is shown."""
        change, share = self.shown_change
        return ", ".join(filter(None, (f"{change} {self.unit}" if change else "", share)))

    def short(self) -> str:
        """Both values, with the difference where there is one."""
        change = self.change()
        return f"{self.values()} ({change})" if change else self.values()

    def words(self) -> str:
        """'2.4 -> 1.1 mm (-1.3 mm, -54 %)', or both values and the reason."""
        if self.baseline is None and self.follow_up is None and self.reason.endswith("at either"):
            return self.values()  # which says it already
        return f"{self.values()} ({self.reason})" if self.reason else self.short()

    @property
    def digits(self) -> int:
        """Decimals that are shown."""
        return {"s": 2, "mm": 1}.get(self.unit, 0)

    def _shown(self, value: float | str | None, is_lower_bound: bool) -> str:
        if value is None:
            return _NOTHING
        if isinstance(value, str):
            return value_words(value)
        return f"{'> ' if is_lower_bound else ''}{value:.{self.digits}f}"


def value_words(value: StrEnum | str) -> str:
    """A coded value for a person: 'reverse trendelenburg', 'SFJ'."""
    text = str(value).replace("_", " ")
    return text.upper() if text in ("sfj", "spj") else text


def words_pair(quantity: str, baseline: StrEnum | None, follow_up: StrEnum | None, reason: str) -> Pair:
    """A pair of coded values."""
    return Pair(
        quantity,
        "",
        None if baseline is None else baseline.value,
        None if follow_up is None else follow_up.value,
        reason,
    )
