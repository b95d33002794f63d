"""/api/v1/stories/{id}/spotify/: save the story's track to Spotify, or remove it again."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from stories.api.problem_details import as_problems
from stories.api.views import StoriesView
from stories.models import SpotifySave
from stories.saving import selectors, services, spotify
from stories.saving.services import chosen_on_spotify


class SaveSerializer(serializers.ModelSerializer[SpotifySave]):
    to = serializers.CharField(read_only=True, help_text="library, or the key of the playlist")
    name = serializers.CharField(
        source="playlist.name", default=None, allow_null=True, help_text="of the playlist"
    )
    playlist_id = serializers.CharField(
        source="playlist.spotify_id", default=None, allow_null=True, help_text="at Spotify"
    )
    next_try_at = serializers.SerializerMethodField(help_text="null unless it's queued")

    class Meta:
        model = SpotifySave
        fields: ClassVar[list[str]] = [
            *("id", "to", "name", "playlist_id", "wanted", "state", "error", "next_try_at"),
        ]
        read_only_fields = fields

    def get_next_try_at(self, save: SpotifySave) -> str | None:
        return save.due_at.isoformat() if save.state == SpotifySave.State.QUEUED else None


class SavesSerializer(serializers.Serializer[Any]):
    spotify_id = serializers.CharField()
    in_library = serializers.BooleanField(
        allow_null=True, help_text="as Spotify says; null if it can't be asked"
    )
    saves = SaveSerializer(many=True)


class SaveRequestSerializer(serializers.Serializer[Any]):
    to = serializers.CharField(
        max_length=40,
        help_text="library; storify, the playlist of that name, which is made when it's missing;"
        " month, a playlist for this month; or the id of one of your own private playlists",
    )


class PlaylistSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class StorySpotifyView(StoriesView):
    @extend_schema(operation_id="stories_spotify", tags=["spotify"], responses=SavesSerializer)
    def get(self, _request: Request, story_id: UUID) -> Response:
        """Where the story's track is saved at Spotify, and what is still on its way."""
        with as_problems():
            choice, spotify_id = chosen_on_spotify(self.story(story_id))
        allowed = spotify.permission(choice.user)
        known = allowed.account if allowed.may_save else None
        shown = {
            "spotify_id": spotify_id,
            "in_library": spotify.is_in_library(known, spotify_id) if known else None,
            "saves": selectors.saves_of(choice.user, spotify_id),
        }
        return Response(SavesSerializer(shown).data)

    @extend_schema(
        operation_id="stories_save_to_spotify",
        tags=["spotify"],
        request=SaveRequestSerializer,
        responses={202: SaveSerializer},
    )
    def post(self, request: Request, story_id: UUID) -> Response:
        """Save the story's track to the library or a playlist.

        A worker does it, again and again while Spotify is away. Asking twice changes nothing.
        """
        story = self.story(story_id)
        form = SaveRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with as_problems():
            choice, spotify_id = chosen_on_spotify(story)
            save = services.save_to_spotify(
                user=choice.user, spotify_id=spotify_id, **form.validated_data
            )
        return Response(SaveSerializer(save).data, status=202)


class StorySpotifySaveView(StoriesView):
    @extend_schema(
        operation_id="stories_remove_from_spotify", tags=["spotify"], responses={204: None}
    )
    def delete(self, _request: Request, story_id: UUID, save_id: UUID) -> Response:
        """Undo a save: the track is removed at Spotify, too, by a worker."""
        with as_problems():
            choice, spotify_id = chosen_on_spotify(self.story(story_id))
        save = next(
            (one for one in selectors.saves_of(choice.user, spotify_id) if one.pk == save_id), None
        )
        if save is None:
            raise NotFound("There's no such save.")
        services.remove_from_spotify(user=choice.user, spotify_id=spotify_id, to=save.to)
        return Response(status=204)


class SpotifyPlaylistsView(StoriesView):
    @extend_schema(
        operation_id="spotify_playlists",
        tags=["spotify"],
        responses=PlaylistSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Your own private playlists at Spotify; tracks can be added to these alone."""
        with as_problems():
            return Response(
                PlaylistSerializer(services.own_playlists(user=self.person()), many=True).data
            )
