"""The stored weights in the forms that other servers load.

Every form begins a text with end of text, as the engine does before a prompt: a chat
template renders that token and then the ids of `Tokenizer.chat`. A text that spells a
special token is ordinary text here, but that token there, as their templates render.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load

from reference_model.checksum import proven
from reference_model.tokenizer import END, SPECIAL

_TEMPLATE = Path(__file__).with_name("chat_template.jinja")
CHAT_TEMPLATE = "{{ bos_token }}" + _TEMPLATE.read_text()


def export(form: str, folder: Path) -> list[Path]:
    """Write the files of a form; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(FORMS[form](folder))


def hf(folder: Path) -> Iterator[Path]:
    """A folder that transformers and vLLM load."""
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(proven(name))
        yield folder / name
    documents = {
        "generation_config.json": _generation_config(),
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": _tokenizer_config(),
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n")
        yield folder / name


def gguf(folder: Path) -> Iterator[Path]:
    """Files for llama.cpp, whose sums run in the type that the weights have."""
    for kind in ("f32", "f16"):
        path = folder / f"assay-{kind}.gguf"
        _write_gguf(path, kind)
        yield path


FORMS = {"hf": hf, "gguf": gguf}


def _stored(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(proven(name))
    return document


def _generation_config() -> dict[str, object]:
    """Sample as the engine does: from all tokens that are not for prompts alone."""
    config = _stored("config.json")
    end = config["eos_token_id"]
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "do_sample": True,
        "temperature": 1.0,
        "top_k": 0,  # all; transformers would take 50
        "top_p": 1.0,
        "min_new_tokens": 1,
        "suppress_tokens": list(range(end + 1, config["vocab_size"])),
    }


def _tokenizer() -> dict[str, Any]:
    """tokenizer.json, except that a text begins with end of text."""
    begin = {"SpecialToken": {"id": END, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    end = _stored("config.json")["eos_token_id"]
    processor = {
        "type": "TemplateProcessing",
        "single": [begin, first],
        "pair": [begin, first, second],
        "special_tokens": {END: {"id": END, "ids": [end], "tokens": [END]}},
    }
    return _stored("tokenizer.json") | {"post_processor": processor}


def _tokenizer_config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "pad_token": END,
        "additional_special_tokens": list(SPECIAL[1:]),
        "clean_up_tokenization_spaces": False,
        "model_max_length": _stored("config.json")["max_position_embeddings"],
        "chat_template": CHAT_TEMPLATE,
    }


def _write_gguf(path: Path, kind: str) -> None:
    from gguf import MODEL_ARCH, GGUFWriter, LlamaFileType, get_tensor_name_map

    config = _stored("config.json")
    writer = GGUFWriter(path, "llama")
    writer.add_name("assay reference model")
    writer.add_file_type(
        LlamaFileType.ALL_F32 if kind == "f32" else LlamaFileType.MOSTLY_F16
    )
    _tell_shape(writer, config)
    _tell_tokenizer(writer, config["eos_token_id"])
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, value in load(proven("model.safetensors")).items():
        matrix = value.ndim == 2  # llama.cpp wants norms in float32
        dtype = np.float16 if matrix and kind == "f16" else np.float32
        laid = _laid_out(name, value, config["num_attention_heads"]).astype(dtype)
        writer.add_tensor(names.get_name(name, (".weight",)) or name, laid)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tell_shape(writer: Any, config: dict[str, Any]) -> None:
    heads = config["num_attention_heads"]
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])


def _tell_tokenizer(writer: Any, end: int) -> None:
    """Byte-level BPE that splits words as GPT-2 did."""
    from gguf import TokenType

    document = _stored("tokenizer.json")
    ids: dict[str, int] = document["model"]["vocab"]
    special = {token["content"]: token["id"] for token in document["added_tokens"]}
    tokens = sorted(ids | special, key=(ids | special).__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [
            TokenType.CONTROL if token in special else TokenType.NORMAL
            for token in tokens
        ]
    )
    writer.add_token_merges([" ".join(pair) for pair in document["model"]["merges"]])
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def _laid_out(name: str, value: np.ndarray[Any, Any], heads: int) -> Any:
    """Rotary pairs of a head side by side, not a half of it apart: rows of q and k."""
    if not name.endswith(("q_proj.weight", "k_proj.weight")):
        return value
    halves = value.reshape(heads, 2, -1, value.shape[-1])  # (H, 2, D / 2, C)
    return halves.swapaxes(1, 2).reshape(value.shape)
