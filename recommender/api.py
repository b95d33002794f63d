"""/api/v1/tracks/ and /api/v1/suggestions/."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from recommender import selectors, services
from recommender.errors import SuggestionNotFoundError
from recommender.serializers import FeedbackSerializer, SuggestionSerializer, TrackSerializer


class TrackSearchView(APIView):
    @extend_schema(
        operation_id="tracks_search",
        tags=["tracks"],
        parameters=[OpenApiParameter("q", str, description="words of title and artists")],
        responses=TrackSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Up to 20 songs whose title and artists hold all words, the best known first.

        After them come songs with words spelt nearly so; a song with several ids comes once.
        """
        found = selectors.search_tracks(request.query_params.get("q", ""))
        return Response(TrackSerializer(found, many=True).data)


class FeedbackView(APIView):
    @extend_schema(
        operation_id="suggestions_feedback",
        tags=["suggestions"],
        request=FeedbackSerializer,
        responses=SuggestionSerializer,
    )
    def post(self, request: Request, suggestion_id: UUID) -> Response:
        """Say what you think of a suggestion; "not_this_one" takes it off the story's list."""
        if not isinstance(request.user, User):
            raise NotAuthenticated
        given = FeedbackSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            suggestion = services.give_feedback(
                user=request.user, suggestion_id=suggestion_id, **given.validated_data
            )
        except SuggestionNotFoundError as error:
            raise NotFound(str(error)) from error
        return Response(SuggestionSerializer(suggestion).data)
