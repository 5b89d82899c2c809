import re
from collections.abc import Iterator
from itertools import product

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from conformance.oracle import embeddings
from reference_model.checksum import WEIGHTS, proven
from reference_model.engine import Job
from reference_model.export import CHAT_TEMPLATE, export
from reference_model.sampling import LEAST_LOGPROB, Sampling
from reference_model.tokenizer import ROLES, SPECIAL, load_tokenizer

TOKENIZER = load_tokenizer()
END = TOKENIZER.end_of_text
STARTS = ("", "Once upon a time, ", "Later ", "The old ", "What is ")
SUBJECTS = (
    *("Anna", "the river", "bread", "Paris", "seven stars", "a dog", "Monday", "rain"),
    *("red and blue", "1, 2, 3", "“Quoted”", "é 中 😀", "def f(x):\n    ", "HELLO"),
    *("x" * 40, "  spaces  ", "tea. Then he", "my friend said", "why", "not"),
)
STEPS = 8
GREEDY = Sampling(temperature=0)
MARGIN = 1e-6  # a nearer second may come first where norms are summed in float32
LOGPROB_ERROR = 1e-4  # transformers computes norms and rotary angles in float32

# A text that spells a special token is that token where templates render text.
SPELLED = re.compile("|".join(map(re.escape, SPECIAL)))
TEXTS = st.text().filter(lambda text: not SPELLED.search(text))


def prompts():
    """200 of them: half begin a text, half are a question in a chat."""
    texts = [start + subject for start, subject in product(STARTS, SUBJECTS)]
    asked = [TOKENIZER.chat([{"role": "user", "content": text}]) for text in texts]
    return [tuple(ids) for ids in (*map(TOKENIZER.encode, texts), *asked)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hf")
    export("hf", folder)
    return folder


@pytest.fixture(scope="module")
def theirs(folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)


@pytest.fixture(scope="module")
def their_tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def batches(texts, size=50) -> Iterator[list[tuple[int, ...]]]:
    """Texts of like length together."""
    ranked = sorted(texts, key=len)
    for start in range(0, len(ranked), size):
        yield ranked[start : start + size]


@torch.inference_mode()
def their_logits(theirs, texts):
    """The logits of transformers for every text of a batch, (texts, T, V)."""
    longest = max(map(len, texts))
    padded = torch.tensor([[*text, *[END] * (longest - len(text))] for text in texts])
    seen = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in texts])
    logits = theirs(padded, attention_mask=seen).logits
    logits[..., END + 1 :] = LEAST_LOGPROB  # generation_config.json suppresses them
    return logits


def test_transformers_goes_on_as_we_do(theirs, engine):
    """Fed with our tokens, it finds each the likeliest and as likely as we do."""
    jobs = [Job(ids, STEPS, GREEDY, stop_at_end=False) for ids in prompts()]
    replies = [list(reply) for reply in map(engine.submit, jobs)]
    told = {
        (END, *job.prompt, *(step.token for step in steps)): steps
        for job, steps in zip(jobs, replies, strict=True)
    }

    compared, near, apart = 0, 0, 0.0
    for texts in batches(told):
        for text, logits in zip(texts, their_logits(theirs, texts), strict=True):
            steps = told[text]
            ours = torch.tensor(text[len(text) - len(steps) :])
            likely = logits[len(text) - 1 - len(steps) : len(text) - 1].log_softmax(-1)
            best, second = likely.topk(2).values.unbind(-1)
            clear = best - second >= MARGIN
            assert torch.equal(likely.argmax(-1)[clear], ours[clear]), text
            own = likely.gather(-1, ours.unsqueeze(-1)).squeeze(-1)
            far = own - torch.tensor([step.logprob for step in steps])
            compared, near = compared + len(steps), near + int((~clear).sum())
            apart = max(apart, float(far.abs().max()))

    assert (len(told), compared) == (200, 200 * STEPS)
    assert near <= compared // 1000, f"{near} of {compared} were too near to compare"
    assert apart < LOGPROB_ERROR


@pytest.mark.parametrize("text", ["Once upon a time", "Hello", "Say this is a test"])
def test_transformers_generates_what_the_engine_does(
    theirs, their_tokenizer, engine, text
):
    """With the settings that we export, up to the end of text."""
    messages = [{"role": "user", "content": text}]
    asked = their_tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )

    found = theirs.generate(**asked, do_sample=False, max_new_tokens=40)

    steps = engine.submit(Job(tuple(TOKENIZER.chat(messages)), 40, GREEDY))
    expected = [*(step.token for step in steps), END][:40]
    assert found[0, asked["input_ids"].shape[1] :].tolist() == expected


def test_the_suite_knows_what_servers_pool_to_embeddings(theirs):
    text = "The old painter"
    ids = torch.tensor([[END, *TOKENIZER.encode(text)]])
    with torch.inference_mode():
        states = theirs.model(ids).last_hidden_state[0]

    known = embeddings(text, states.shape[-1])

    pooled = {"the mean state": states.mean(0), "the last state": states[-1]}
    assert known.keys() == pooled.keys()
    for how, vector in pooled.items():
        assert known[how] == pytest.approx(vector.tolist(), abs=1e-5)


MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(ROLES) | TEXTS, "content": TEXTS | st.none()},
    optional={"name": TEXTS | st.none()},
)


@settings(max_examples=200)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=5))
def test_their_template_renders_the_ids_of_our_chat(their_tokenizer, messages):
    ids = their_tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False
    )

    assert ids == [END, *TOKENIZER.chat(messages)]


@given(text=TEXTS)
def test_their_text_begins_with_the_end_of_another(their_tokenizer, text):
    assert their_tokenizer(text)["input_ids"] == [END, *TOKENIZER.encode(text)]


def test_special_tokens_are_declared(theirs, their_tokenizer):
    ids = {TOKENIZER.ordinary + place for place in range(len(SPECIAL))}

    assert set(their_tokenizer.all_special_ids) == ids
    assert their_tokenizer.bos_token_id == their_tokenizer.eos_token_id == END
    assert theirs.generation_config.eos_token_id == END
    assert theirs.generation_config.suppress_tokens == sorted(ids - {END})


def test_weights_and_shape_are_the_stored_ones(folder):
    for name in ("config.json", "model.safetensors"):
        assert (folder / name).read_bytes() == proven(name)


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(KeyError, match="onnx"):
        export("onnx", tmp_path)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {path.stem: path for path in export("gguf", tmp_path_factory.mktemp("gguf"))}


def field(reader, name):
    return reader.fields[name].contents()


def test_gguf_tells_the_tokenizer(files):
    reader = gguf.GGUFReader(files["assay-f32"])

    tokens = field(reader, "tokenizer.ggml.tokens")
    kinds = field(reader, "tokenizer.ggml.token_type")
    assert len(tokens) == TOKENIZER.vocabulary_size
    assert tokens[TOKENIZER.ordinary :] == list(SPECIAL)
    assert [gguf.TokenType(kind).name for kind in kinds] == (
        ["NORMAL"] * TOKENIZER.ordinary + ["CONTROL"] * len(SPECIAL)
    )
    assert field(reader, "tokenizer.ggml.eos_token_id") == END
    assert field(reader, "tokenizer.ggml.bos_token_id") == END
    assert field(reader, "tokenizer.chat_template") == CHAT_TEMPLATE


@pytest.mark.parametrize("kind", ["f32", "f16"])
def test_gguf_holds_the_stored_numbers(files, kind):
    reader = gguf.GGUFReader(files[f"assay-{kind}"])
    stored = load_file(WEIGHTS / "model.safetensors")

    held = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 99)
    for name, value in stored.items():
        found = held.pop(names.get_name(name, (".weight",)))
        turned = name.endswith(("q_proj.weight", "k_proj.weight"))
        assert (found == (in_pairs(value) if turned else value)).all(), name
        assert found.dtype == (f"float{kind[1:]}" if value.ndim == 2 else "float32")
    assert not held


def in_pairs(rows, width=32):
    """Of each head the first row, the first of its second half, the second, ..."""
    half = width // 2
    order = [
        start + place
        for start in range(0, len(rows), width)
        for first in range(half)
        for place in (first, first + half)
    ]
    return rows[order]
