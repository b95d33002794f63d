"""Captions in ten languages, sorted by hand: a head trained on English must carry over."""

import multiprocessing

import numpy as np
import pytest

from ml.caption.data import GROUP, shares
from ml.caption.encoder import LONGEST, clean
from ml.caption.predict import predict, read
from ml.labels import EMOTIONS
from ml.mood import MUSIC_MEAN, fuse

CAPTIONS = {
    "Best day ever with my favourite people!": "happy",
    "I can't believe she is gone. I miss her every day": "sad",
    "This is an outrage, I am furious with them": "angry",
    "So scared in this dark house, something is moving": "fear",
    "Ew, that food was rotten and disgusting": "disgust",
    "Wow, I did not expect that at all!": "surprise",
    "¡Qué alegría estar todos juntos otra vez!": "happy",
    "Te extraño tanto, no puedo dejar de llorar": "sad",
    "Quel bonheur, nous nous sommes mariés !": "happy",
    "J'ai tellement peur de ce qui va arriver": "fear",
    "Ich bin so wütend, das ist eine Frechheit!": "angry",
    "Der schönste Tag meines Lebens": "happy",
    "Как же я счастлив сегодня!": "happy",
    "Мне так грустно и одиноко": "sad",
    "Che rabbia, sono stufo di queste bugie": "angry",
    "Estou com tanto medo do exame amanhã": "fear",
    "今日は本当に楽しかった!": "happy",
    "悲しくて涙が止まらない": "sad",
    "今天太开心了，和朋友们在海边": "happy",
    "我非常害怕": "fear",
    "أنا سعيد جدا اليوم": "happy",
    "أنا حزين جدا وأشعر بالوحدة": "sad",
}


def test_captions_in_ten_languages_are_read_as_a_person_would() -> None:
    named = [EMOTIONS[k] for k in predict(list(CAPTIONS)).argmax(axis=1)]
    wrong = [
        (text, name, right)
        for (text, right), name in zip(CAPTIONS.items(), named, strict=True)
        if name != right
    ]
    assert len(wrong) <= 4, wrong


def test_every_glad_caption_lies_above_every_low_one() -> None:
    valence = {
        name: [
            fuse(caption=dict(zip(EMOTIONS, predict([text])[0], strict=True))).valence
            for text, right in CAPTIONS.items()
            if right == name
        ]
        for name in ("happy", "sad")
    }
    assert min(valence["happy"]) > max(valence["sad"]) + 0.1
    assert max(valence["sad"]) < MUSIC_MEAN[0] < min(valence["happy"])


def test_batch_gives_what_single_captions_give() -> None:
    texts = list(CAPTIONS)[:3]
    single = np.concatenate([predict([text]) for text in texts])
    assert np.allclose(predict(texts), single, atol=1e-4)


def test_reading_has_the_probabilities_and_a_mood_on_the_captions_side() -> None:
    glad, low = read(["Best day ever with my favourite people!", "I miss her every day"])
    (row,) = predict(list(CAPTIONS)[:1])
    assert list(glad.probabilities) == list(EMOTIONS)
    assert list(glad.probabilities.values()) == pytest.approx(row.tolist(), abs=1e-4)
    assert glad.mood.mean[0] > 0.6 > 0.4 > low.mood.mean[0]


@pytest.mark.parametrize("nothing", ["", " \n\t", "\x00\x07", "\u200f\u202e"])
def test_empty_caption_decides_nothing(nothing: str) -> None:
    (reading,) = read([nothing])
    assert reading.mood.mean.tolist() == [0.5, 0.5]
    assert (np.linalg.eigvalsh(reading.mood.covariance) >= 0.5**2).all()
    assert set(reading.probabilities.values()) == {1 / 7}


def test_clean_drops_control_characters_and_bounds_the_length() -> None:
    assert clean(" a\x00b\n\tc\ud800 ") == "a b c"
    assert len(clean("long " * 1000)) == LONGEST


def test_every_goemotions_label_has_its_emotion() -> None:
    assert len(GROUP) == 28
    assert set(GROUP.values()) == set(EMOTIONS)
    assert shares(["joy", "love", "anger"]).tolist() == [0.5, 0, 0, 0.5, 0, 0, 0]
    with pytest.raises(KeyError):
        shares(["boredom"])


def test_forked_child_reads_captions_of_its_own() -> None:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    predict(["the parent has its encoder already"])
    child = context.Process(target=_read_one, args=(results,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert abs(results.get() - 1) < 1e-6


def _read_one(results: "multiprocessing.SimpleQueue[float]") -> None:
    from ml.caption.encoder import embed

    results.put(float(np.linalg.norm(embed(["hello"])[0])))
