"""Where targets of the baseline were seen again, drawn in the follow-up's picture under their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_veinscan.follow_up_state import Compared
from napari_veinscan.layer_parts import Place
from napari_veinscan.palette import Look

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class FollowUpMarks:
    """Hands the marks of the visit to the layers; `bench.part(FollowUpMarks)`."""

    def __init__(self, bench: Workbench) -> None:
        self._session, self._layers = bench.session, bench.layers
        self._compared = bench.part(Compared)
        bench.layers.marks.more = self.marks
        for signal in (self._compared.changed, self._compared.target_changed, self._compared.rows_changed):
            signal.connect(bench.layers.marks.show_targets)

    def marks(self) -> list[tuple[Place, str, Look]]:
        """Marks of the clip on show: place, name, look."""
        visit, clip = self._compared.visit, self._session.clip
        if visit is None or clip is None or not self._compared.is_on:
            return []
        found = []
        for outcome in visit.outcomes:
            place = outcome.place
            if place is not None and place.sop_instance_uid == clip.sop_instance_uid:
                name = self._compared.name_of(outcome.target_id)
                chosen = "▸" * (outcome.target_id == self._compared.target_id)
                found.append(((float(place.frame_index), *place.point), f"{chosen}{name}", Look.TARGET))
        return found
