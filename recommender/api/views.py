"""REST API of tracks, suggestions, preferences and taste."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from recommender import selectors, services
from recommender.api.serializers import (
    FeedbackSerializer,
    FoundSerializer,
    PreferencesSerializer,
    SearchSerializer,
    SuggestionSerializer,
    TasteSerializer,
    TrackSerializer,
)
from recommender.catalogue.spotify_search import search_spotify, years_of
from recommender.errors import SuggestionNotFoundError


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class TrackSearchView(APIView):
    @extend_schema(
        operation_id="tracks_search",
        tags=["tracks"],
        parameters=[OpenApiParameter("q", str, description="words of the title and artists")],
        responses=TrackSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Up to 20 songs whose title and artists contain all words, most popular first.

        Songs with similarly spelt words follow; a song with several ids appears once.
        """
        tracks = selectors.search_tracks(request.query_params.get("q", ""))
        return Response(TrackSerializer(tracks, many=True).data)


class MusicSearchView(APIView):
    @extend_schema(
        operation_id="music_search",
        tags=["tracks"],
        parameters=[SearchSerializer],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        """Songs of the catalogue, then those that Spotify's search finds, ten a page up to 50.

        While Spotify is away, the catalogue's part still answers, and `spotify.state` says so.
        """
        form = SearchSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        words, offset = {"genre": asked["genre"], "year": asked["year"]}, asked["offset"]
        years = years_of(asked["year"])
        found = {
            "catalogue": []
            if offset
            else selectors.search_tracks(asked["q"], genre=asked["genre"], years=years),
            "spotify": search_spotify(_person(request), asked["q"], offset=offset, **words),
        }
        return Response(FoundSerializer(found).data)


class FeedbackView(APIView):
    @extend_schema(
        operation_id="suggestions_feedback",
        tags=["suggestions"],
        request=FeedbackSerializer,
        responses=SuggestionSerializer,
    )
    def post(self, request: Request, suggestion_id: UUID) -> Response:
        """Give feedback on a suggestion.

        "not_this_one" removes it from the story's list; empty feedback brings it back.
        """
        serializer = FeedbackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            suggestion = services.give_feedback(
                user=_person(request), suggestion_id=suggestion_id, **serializer.validated_data
            )
        except SuggestionNotFoundError as error:
            raise NotFound(str(error)) from error
        return Response(SuggestionSerializer(suggestion).data)


class PreferencesView(APIView):
    @extend_schema(
        operation_id="preferences_retrieve", tags=["music"], responses=PreferencesSerializer
    )
    def get(self, request: Request) -> Response:
        """Your music preferences: what you like, and filters on what's suggested."""
        return Response(PreferencesSerializer(selectors.music_preferences(_person(request))).data)

    @extend_schema(
        operation_id="preferences_update",
        tags=["music"],
        request=PreferencesSerializer,
        responses=PreferencesSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change some preferences; they apply to new suggestions."""
        user = _person(request)
        preferences = selectors.music_preferences(user)
        serializer = PreferencesSerializer(preferences, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = services.set_preferences(user=user, **serializer.validated_data)
        return Response(PreferencesSerializer(changed).data)


class TasteView(APIView):
    @extend_schema(operation_id="taste_retrieve", tags=["music"], responses=TasteSerializer)
    def get(self, request: Request) -> Response:
        """How many saved tracks your taste is learned from."""
        return Response(_taste_of(_person(request)))


class TasteResetView(APIView):
    @extend_schema(
        operation_id="taste_reset", tags=["music"], request=None, responses=TasteSerializer
    )
    def post(self, request: Request) -> Response:
        """Reset your taste; saved tracks stay with their stories."""
        services.reset_taste(user=_person(request))
        return Response(_taste_of(_person(request)))

    @extend_schema(
        operation_id="taste_undo_reset", tags=["music"], responses={200: TasteSerializer}
    )
    def delete(self, request: Request) -> Response:
        """Undo the latest reset for tracks that are still saved."""
        services.undo_taste_reset(user=_person(request))
        return Response(_taste_of(_person(request)))


def _taste_of(user: User) -> dict[str, Any]:
    reset = selectors.latest_reset(user)
    return {
        "learned_from": selectors.learned_choices(user).count(),
        "reset_at": reset.at if reset else None,
    }
