"""Which saved versions of a record go into an archive: the final ones that no other final one replaces.

A withdrawal goes too, since it has to withdraw what lies there.  Work in
progress goes only when a person asks for it.  A version that holds a candidate
which nobody reviewed never goes, whoever asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from veinscan.errors import RecordError
from veinscan.plan.model import Decision, Record
from veinscan.plan.vocabulary import RecordState
from veinscan.record.document import FINAL_STATES
from veinscan.record.versions import Version, behind, heads

ASK_FOR_DRAFTS = "finalise it, or ask for drafts to be sent as well"


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """Of the versions of one study."""

    chosen: tuple[Version, ...]
    """What is replaced before what replaces it."""
    left_out: tuple[tuple[Version, str], ...]
    """Latest versions that are not sent, with the reason and what to do."""

    @property
    def records(self) -> tuple[Record, ...]:
        """What the chosen versions say."""
        return tuple(version.content.record for version in self.chosen)


def why_not(version: Version, versions: Mapping[str, Version], *, drafts: bool) -> str:
    """Why a version is not to be sent, and what to do; empty where it may be."""
    try:
        record = version.content.record
    except RecordError as error:
        return f"it is damaged, and may be the latest version of the plan: {error.what}"
    if record.read_only:
        return f"what it holds cannot be judged: {record.read_only}; update veinscan"
    if never := unreviewed(record):
        return never
    if drafts or _is_final(version, record):
        return ""
    if record.status.state is RecordState.WITHDRAWN:
        if _may_withdraw(version, versions):
            return ""
        return "it was withdrawn before it was final: the archive holds nothing to withdraw"
    if record.status.state in FINAL_STATES:
        return f"its header does not say that it is complete and verified; {ASK_FOR_DRAFTS}"
    if record.status.state is RecordState.AMENDING:
        return f"it is an amendment that is not final yet; {ASK_FOR_DRAFTS}"
    return f"it is work in progress that nobody finalised; {ASK_FOR_DRAFTS}"


def unreviewed(record: Record) -> str:
    """A sentence where a record holds candidates that nobody reviewed; empty where it holds none."""
    count = sum(review.decision is Decision.UNREVIEWED for review in record.reviews)
    if not count:
        return ""
    return f"it holds {count} candidate(s) that nobody reviewed: those are never sent; review them and save"


def choose(
    versions: Mapping[str, Version], *, drafts: bool = False, held: Collection[str] = ()
) -> VersionChoice:
    """The versions of a study to be sent, of every reading.

    With `drafts` the latest versions go as they are, the last final ones behind
    them, and what links them to versions that the archive holds (`held`).
    """
    chosen = _last(versions, drafts=False)
    if drafts:
        chosen |= {
            version.sop_instance_uid
            for version in _heads(versions)
            if not why_not(version, versions, drafts=True)
        }
        chosen |= links(chosen, versions, held)
    left_out = [
        (version, why_not(version, versions, drafts=drafts))
        for version in _heads(versions)
        if version.sop_instance_uid not in chosen
    ]
    return VersionChoice(
        tuple(sorted((versions[uid] for uid in chosen), key=lambda version: version.when)),
        tuple((version, reason) for version, reason in left_out if reason),
    )


def links(chosen: Collection[str], versions: Mapping[str, Version], held: Collection[str]) -> set[str]:
    """Versions between those that are sent and those that an archive holds.

    Work in progress names only what it was read from: without what lies between,
    an earlier draft in the archive would pass for a second latest version.
    """
    behind_chosen = set(behind(chosen, versions)) & versions.keys()
    there = set(held) & versions.keys()
    found: set[str] = set()
    while True:
        present = there | found | set(chosen)
        named = {before for uid in present for before in versions[uid].predecessors}
        loose = (behind_chosen & present) - named - set(chosen)
        following = {
            uid
            for uid in behind_chosen - present
            if loose.intersection(versions[uid].predecessors)
            and not why_not(versions[uid], versions, drafts=True)
        }
        if not following:
            return found
        found |= following


def withdrawn_since(version: Version, versions: Mapping[str, Version]) -> bool:
    """Whether a later version withdrew what a version says."""
    uid = version.sop_instance_uid
    for head in _heads(versions):
        if head.sop_instance_uid != uid and uid in behind(head.predecessors, versions):
            try:
                if head.content.record.status.state is RecordState.WITHDRAWN:
                    return True
            except RecordError:
                continue
    return False


def _last(versions: Mapping[str, Version], *, drafts: bool) -> set[str]:
    fit = {uid for uid, version in versions.items() if not why_not(version, versions, drafts=drafts)}
    replaced = {before for uid in fit for before in behind(versions[uid].predecessors, versions)}
    return fit - replaced


def _heads(versions: Mapping[str, Version]) -> list[Version]:
    """As `versions.heads`, with those that are damaged, which have no time, last."""
    whole, damaged = {}, []
    for uid, version in versions.items():
        try:
            _ = version.content
        except RecordError:
            damaged.append(version)
        else:
            whole[uid] = version
    replaced = {before for version in versions.values() for before in version.predecessors}
    return [*(one for one in heads(whole) if one.sop_instance_uid not in replaced), *damaged]


def _is_final(version: Version, record: Record) -> bool:
    dataset = version.dataset
    return (
        record.status.state in FINAL_STATES
        and dataset.get("CompletionFlag") == "COMPLETE"
        and dataset.get("VerificationFlag") == "VERIFIED"
    )


def _may_withdraw(version: Version, versions: Mapping[str, Version]) -> bool:
    """Whether a version behind it may lie in an archive: it was final, or is not here (pulled)."""
    for uid in behind(version.predecessors, versions):
        if uid not in versions:
            return True
        try:
            if _is_final(versions[uid], versions[uid].content.record):
                return True
        except RecordError:
            return True
    return False
