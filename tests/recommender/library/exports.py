"""Spotify's data export, made small."""

import json
import zipfile
from pathlib import Path
from typing import Any

from accounts.models import User
from recommender.models import LibraryTrack


def uri(spotify_id: str) -> str:
    return f"spotify:track:{spotify_id}"


def make_export(folder: Path, **files: Any) -> Path:
    """A zip as Spotify sends it; a file's value is its JSON document or its text."""
    path = folder / "my_spotify_data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Spotify Account Data/ReadMeFirst.pdf", "%PDF")
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            archive.writestr(f"Spotify Account Data/{name}.json", text)
    return path


def saved(title: str, spotify_id: str, artist: str = "An Artist") -> dict[str, str]:
    return {"artist": artist, "album": "Album", "track": title, "uri": uri(spotify_id)}


def listed(title: str, spotify_id: str) -> dict[str, Any]:
    track = {"trackName": title, "artistName": "B", "albumName": "C", "trackUri": uri(spotify_id)}
    return {"track": track, "episode": None, "localTrack": None, "addedDate": "2023-05-06"}


def played(title: str, ms: int = 200_000, artist: str = "B") -> dict[str, Any]:
    return {"endTime": "2024-01-01 10:00", "artistName": artist, "trackName": title, "msPlayed": ms}


def titles(user: User) -> set[str]:
    return {held.track.title for held in LibraryTrack.objects.filter(user=user, source="import")}
