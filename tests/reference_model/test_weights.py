import shutil
from itertools import islice

import pytest
import torch

from reference_model.checksum import WEIGHTS, proven, record
from reference_model.corpus import Chat, Infill, Prose, documents
from reference_model.train import train


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


def test_the_corpus_is_the_same_for_the_same_seed():
    first, again, other = (list(islice(documents(seed), 200)) for seed in (7, 7, 8))

    assert first == again != other
    assert {type(document) for document in first} == {Prose, Chat, Infill}


def test_training_makes_the_stored_tokenizer_and_lowers_the_loss(tmp_path, capsys):
    train(3, tmp_path)

    losses = [line.split()[3] for line in capsys.readouterr().out.splitlines()]
    assert float(losses[-1].rstrip(",")) < float(losses[0].rstrip(","))
    assert proven("tokenizer.json", tmp_path) == proven("tokenizer.json")
    assert proven("config.json", tmp_path) == proven("config.json")
    assert torch.get_num_threads() == 1
