import shutil

import pytest
import torch

from reference_model.beginning import begin
from reference_model.checksum import WEIGHTS, proven, record
from reference_model.model import Llama, Shape
from reference_model.tokenizer import load_tokenizer
from reference_model.train import teach, train


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_stored_files_are_the_recorded_ones(name):
    assert proven(name) == (WEIGHTS / name).read_bytes()


def test_a_changed_file_is_refused(tmp_path):
    copied = shutil.copytree(WEIGHTS, tmp_path / "weights")
    (copied / "config.json").write_text("{}")

    with pytest.raises(ValueError, match=r"sha256 .* of 'config.json'"):
        proven("config.json", copied)


def test_a_file_without_a_sum_is_refused(tmp_path):
    record(tmp_path)
    (tmp_path / "late.txt").write_text("late")

    with pytest.raises(ValueError, match="expected sha256 None"):
        proven("late.txt", tmp_path)


def test_weights_are_small():
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 6_000_000


def test_parameters_have_the_names_of_hugging_face(model):
    names = set(model.state_dict())

    assert {
        "model.embed_tokens.weight",
        "model.layers.3.self_attn.q_proj.weight",
        "model.layers.0.mlp.down_proj.weight",
        "model.layers.0.post_attention_layernorm.weight",
        "model.norm.weight",
    } <= names
    assert len(names) == 2 + 9 * model.shape.num_hidden_layers


STEPS = 12


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two folders, each with what a short training made by the same tokenizer."""
    first, again = (tmp_path_factory.mktemp(name) for name in ("first", "again"))
    train(STEPS, first, first)
    shutil.copy(first / "tokenizer.json", again)
    teach(load_tokenizer(first), STEPS, again, again)
    return [first, again]


def test_training_makes_the_stored_tokenizer_and_config(trained):
    for name in ("tokenizer.json", "config.json"):
        assert proven(name, trained[0]) == proven(name)


def test_training_again_makes_the_same_weights(trained):
    sums = [(folder / "SHA256SUMS").read_text() for folder in trained]

    assert sums[0] == sums[1]


def test_training_lowers_the_loss_and_draws_it(trained):
    rows = (trained[0] / "training.tsv").read_text().splitlines()[1:]

    losses = [float(row.split()[1]) for row in rows]
    assert len(losses) == STEPS
    assert losses[-1] < losses[0]
    assert "<polyline" in (trained[0] / "training.svg").read_text()


def test_tokens_that_are_spelled_alike_begin_alike():
    torch.manual_seed(1)
    model = Llama(Shape())

    begin(model, ["garden", " Garden", "gardens", "rden", "blue"])

    one, *others = model.model.embed_tokens.weight[:5, 1:]
    variant, near, end, other = (torch.cosine_similarity(one, two, 0) for two in others)
    assert variant > near > other + 0.2
    assert end > other + 0.2


@pytest.mark.parametrize(
    ("kinds", "twice", "least"), [(30, (), 0.45), (2000, range(20, 100, 10), 0.5)]
)
def test_copying_begins_with_heads_that_find_the_last_time(
    tokenizer, kinds, twice, least
):
    """The untrained model attends to what stood behind the same tokens before.

    Where there are few kinds, each stands at many places: several together stand at
    one. Where there are many, runs of five stand there twice: only what was before
    them tells which.
    """
    torch.manual_seed(1)
    model = Llama(Shape())
    begin(model, [tokenizer.decode([id]) for id in range(tokenizer.ordinary)])
    seen = {}

    def attend(layer, q, k, v):
        likely = torch.einsum("qhd,khd->hqk", q, k) / q.shape[-1] ** 0.5
        hidden = torch.ones(len(q), len(q), dtype=torch.bool).triu(1)
        seen[layer] = likely.masked_fill(hidden, -torch.inf).softmax(-1)
        return torch.einsum("hqk,khd->qhd", seen[layer], v)

    found, shares = [], []
    for _ in range(20):
        text = torch.randint(kinds, (200,))
        for start in twice:
            text[start + 100 : start + 105] = text[start : start + 5]
        with torch.no_grad():
            model(text.repeat(2), torch.arange(400), attend)

        for back in (1, 2, 3, 4):
            heads = seen[0][back - 1]
            near, far = (heads.diagonal(-way)[6:] for way in (back, back + 6))
            assert near.mean() > 0.6
            assert far.mean() > 0.3
            assert near.mean() + far.mean() > 0.9
        copied = seen[1][:, range(204, 400), range(5, 201)]
        shares.append(copied.mean(-1))
        best = seen[1].mean(0).argmax(-1)
        assert (best[204:] == torch.arange(5, 201)).float().mean() > 0.95
        behind = [start + 204 + more for start in twice for more in (0, 100)]
        found += [int(best[place]) == place - 199 for place in behind]
    assert (torch.stack(shares).mean(0) > 0.5).all()  # of each head, in all texts
    assert torch.stack(shares).min() > least  # in any text
    assert sum(found) >= 0.98 * len(found)
