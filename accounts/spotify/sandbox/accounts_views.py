"""The sandbox's accounts.spotify.com: consent page and token endpoint."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.spotify import app
from accounts.spotify.sandbox import memory
from accounts.spotify.sandbox.guard import sandbox_only
from accounts.spotify.sandbox.listeners import LISTENERS

SCOPE_DESCRIPTIONS = {
    "user-library-read": "See what is in your library",
    "user-library-modify": "Save tracks to your library, and remove them",
    "user-top-read": "See which tracks and artists you play most",
    "user-read-recently-played": "See what you played last",
    "playlist-read-private": "See your private playlists",
    "playlist-modify-private": "Create private playlists and change them",
}
# The cookie that remembers who is signed in at the sandbox, whoever signs out of Storify.
SIGNED_IN = "sandbox_listener"


@never_cache
@sandbox_only
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask which listener signs in (GET); redirect back with a code or an error (POST)."""
    problem = _problem_with(request)
    if problem:
        # Never redirect to an unregistered address.
        return HttpResponse(problem, status=400, content_type="text/plain")
    if request.method == "POST":
        return _answer(request)
    scopes = request.GET.get("scope", "").split()
    current = LISTENERS.get(request.COOKIES.get(SIGNED_IN, ""))
    others = [listener for listener in LISTENERS.values() if listener != current]
    context = {
        "current": current,
        "listeners": [listener for listener in others if not listener.is_trouble],
        "troubles": [listener for listener in others if listener.is_trouble],
        "permissions": [SCOPE_DESCRIPTIONS.get(scope, scope) for scope in scopes],
    }
    return render(request, "accounts/sandbox_consent.html", context)


def _problem_with(request: HttpRequest) -> str:
    """The error that the real page would show; "" if the request is valid."""
    ask = request.GET
    if ask.get("client_id") != app.SANDBOX_CREDENTIALS[0]:
        return "INVALID_CLIENT: Invalid client"
    if not _is_registered(ask.get("redirect_uri", "")):
        return "INVALID_CLIENT: Invalid redirect URI"
    if ask.get("response_type") != "code":
        return "response_type must be code"
    if ask.get("code_challenge_method") != "S256" or not ask.get("code_challenge"):
        return "code_challenge_method must be S256"
    return ""


def _is_registered(uri: str) -> bool:
    """Whether it's HTTPS or HTTP to a loopback address, with the callback's path."""
    parts = urlsplit(uri)
    secure = parts.scheme == "https"
    loopback = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1"}
    return (secure or loopback) and parts.path == reverse("social:complete", args=["spotify"])


def _answer(request: HttpRequest) -> HttpResponseRedirect:
    ask, listener = request.GET, LISTENERS.get(request.POST.get("listener", ""))
    answer = {"error": "access_denied"}
    if listener:
        code = memory.Code(
            listener=listener.key,
            client_id=ask["client_id"],
            redirect_uri=ask["redirect_uri"],
            challenge=ask["code_challenge"],
            scope=ask.get("scope", ""),
        )
        answer = {"code": memory.keep_code(code)}
    if ask.get("state"):
        answer["state"] = ask["state"]
    response = HttpResponseRedirect(f"{ask['redirect_uri']}?{urlencode(answer)}")
    if listener:
        response.set_cookie(SIGNED_IN, listener.key, httponly=True, samesite="Lax")
    return response


@csrf_exempt
@never_cache
@require_POST
@sandbox_only
def token(request: HttpRequest) -> HttpResponse:
    if not _is_our_client(request):
        return _refusal("invalid_client", "Invalid client secret")
    grant_type = request.POST.get("grant_type")
    if grant_type == "authorization_code":
        return _exchange(request)
    if grant_type == "refresh_token":
        return _renew(request)
    return _refusal("unsupported_grant_type", "grant_type parameter is missing or unknown")


def _is_our_client(request: HttpRequest) -> bool:
    expected = base64.b64encode(":".join(app.SANDBOX_CREDENTIALS).encode()).decode()
    header = request.headers.get("Authorization", "")
    return hmac.compare_digest(header.encode(), f"Basic {expected}".encode())


def _exchange(request: HttpRequest) -> HttpResponse:
    code = memory.take_code(request.POST.get("code", ""))
    if code is None:
        return _refusal("invalid_grant", "Invalid authorization code")
    if code.redirect_uri != request.POST.get("redirect_uri"):
        return _refusal("invalid_grant", "Invalid redirect URI")
    if not _verifies(code.challenge, request.POST.get("code_verifier", "")):
        return _refusal("invalid_grant", "code_verifier was incorrect")
    permission = memory.Permission(code.listener, code.scope)
    return _granted(permission, refresh_token=memory.keep_refresh(permission))


def _verifies(challenge: str, verifier: str) -> bool:
    """Check the verifier against the challenge (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())


def _renew(request: HttpRequest) -> HttpResponse:
    old = request.POST.get("refresh_token", "")
    permission = memory.find_refresh(old)
    if permission is None or LISTENERS[permission.listener].expired:
        return _refusal("invalid_grant", "Refresh token revoked")
    if not LISTENERS[permission.listener].rotates:
        return _granted(permission)
    memory.forget_refresh(old)
    return _granted(permission, refresh_token=memory.keep_refresh(permission))


def _granted(permission: memory.Permission, **more: str) -> JsonResponse:
    answer: dict[str, Any] = {
        "access_token": memory.keep_access(permission),
        "token_type": "Bearer",
        "scope": permission.scope,
        "expires_in": LISTENERS[permission.listener].access_seconds,
    }
    return JsonResponse(answer | more)


def _refusal(error: str, description: str) -> JsonResponse:
    return JsonResponse({"error": error, "error_description": description}, status=400)
