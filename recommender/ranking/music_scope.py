"""Whether a person wants music of their own, new music, or both."""

from __future__ import annotations

from enum import StrEnum

from recommender.models import LibraryTrack


class MusicScope(StrEnum):
    """Whose music may be suggested."""

    MINE = "mine"
    MIX = "mix"
    NEW = "new"

    @property
    def library_sources(self) -> list[str]:
        """The sources of library tracks that may be suggested."""
        recommended = LibraryTrack.Source.RECOMMENDED
        own = [source.value for source in LibraryTrack.Source if source != recommended]
        return {
            MusicScope.MINE: own,
            MusicScope.MIX: [*own, recommended.value],
            MusicScope.NEW: [recommended.value],
        }[self]
