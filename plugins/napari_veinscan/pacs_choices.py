"""What goes into an archive together with a plan: two ticks, kept for each archive."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtWidgets import QCheckBox, QGroupBox, QVBoxLayout

from napari_veinscan import window_state


@dataclass(frozen=True, slots=True)
class With:
    """What is sent beside the plan itself."""

    segmentation: bool = False
    page: bool = False


def kept(archive: str) -> With:
    """As it was chosen last for an archive; nothing but the plan before anybody chose."""
    chosen = window_state.choice(_name(archive)).split()
    return With("segmentation" in chosen, "page" in chosen)


def keep(archive: str, chosen: With) -> None:
    """Remember what goes with a plan into an archive."""
    words = [("segmentation", chosen.segmentation), ("page", chosen.page)]
    window_state.choose(_name(archive), " ".join(word for word, on in words if on))


def _name(archive: str) -> str:
    return f"send to {archive}"


class SendChoices(QGroupBox):
    """The two ticks, as they are kept for an archive."""

    def __init__(self, archive: str) -> None:
        super().__init__(f"Goes to {archive} at once")
        chosen = kept(archive)
        self.segmentation = QCheckBox("with the outlines of its veins, as a DICOM segmentation")
        self.segmentation.setChecked(chosen.segmentation)
        self.page = QCheckBox("with the printed page, as a PDF in DICOM")
        self.page.setChecked(chosen.page)
        layout = QVBoxLayout(self)
        layout.addWidget(self.segmentation)
        layout.addWidget(self.page)

    @property
    def chosen(self) -> With:
        """As they are ticked."""
        return With(self.segmentation.isChecked(), self.page.isChecked())
