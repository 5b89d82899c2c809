import subprocess
import sys
import time
from itertools import islice
from math import log, sqrt
from threading import Semaphore

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.cache import Cache
from reference_model.decoder import Decoder
from reference_model.engine import Engine, Job, load_engine
from reference_model.model import Llama, Shape, causal
from reference_model.sampling import Sampling, penalty_of_reference
from reference_model.tokenizer import load_tokenizer

TOKENIZER = load_tokenizer()
END = TOKENIZER.end_of_text


def prompt(text):
    return tuple(TOKENIZER.encode(text))


def chat(text):
    return tuple(TOKENIZER.chat([{"role": "user", "content": text}]))


class Counted:
    """The honest penalty policy, which counts how often it was asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *arguments):
        self.calls += 1
        return penalty_of_reference(*arguments)


def mixed_jobs():
    settings = (
        Sampling(),
        Sampling(temperature=0),
        Sampling(temperature=1.7, top_p=0.9),
        Sampling(presence_penalty=1.0, frequency_penalty=0.5),
        Sampling(logit_bias=((11, 2.5), (END, -100.0))),
    )
    texts = ("Once upon a time", "Hello", "", "Anna baked some bread " * 20)
    return [
        Job(
            prompt(texts[seed % len(texts)]),
            10 + seed,
            settings[seed % len(settings)],
            seed,
            top=seed % 4,
            stop_at_end=bool(seed % 3),
        )
        for seed in range(32)
    ]


def test_a_reply_is_bit_equal_alone_and_among_31_others(model):
    alone, together = Engine(model, END, rows=1), Engine(model, END, rows=32)

    among = [together.submit(job) for job in mixed_jobs()]

    for job, reply in zip(mixed_jobs(), among, strict=True):
        assert list(reply) == list(alone.submit(job))
    alone.close()
    together.close()


def test_more_jobs_than_rows_are_all_answered(model, engine):
    small = Engine(model, END, rows=3)

    replies = [small.submit(job) for job in mixed_jobs()]

    roomy = [engine.submit(job) for job in mixed_jobs()]
    assert [list(reply) for reply in replies] == [list(reply) for reply in roomy]
    small.close()


@settings(max_examples=20)
@given(st.data())
def test_cached_states_equal_a_full_forward(data):
    shape = Shape(50, 16, 24, 2, 2, max_position_embeddings=64)
    texts = data.draw(st.lists(st.lists(st.integers(0, 49), min_size=2), min_size=1))
    torch.manual_seed(1)
    model, cache = Llama(shape).double().requires_grad_(False), Cache(shape, len(texts))

    cache.prefill(model, [text[:-1] for text in texts])
    for row in data.draw(st.permutations(range(len(texts))))[1:]:
        if row < len(texts) - 1:  # the last row moves, and its text with it
            texts[row] = texts[-1]
        texts.pop()
        cache.drop(min(row, len(texts)))
    states = cache.decode(Decoder(model), [text[-1] for text in texts])

    for text, state in zip(texts, states, strict=True):
        whole = model(torch.tensor(text), torch.arange(len(text)), causal)
        torch.testing.assert_close(state, whole[-1], rtol=0, atol=1e-9)


def test_a_prompt_that_comes_again_is_computed_once():
    shape = Shape(50, 16, 24, 2, 2, max_position_embeddings=64)
    torch.manual_seed(1)
    model, cache = Llama(shape).double().requires_grad_(False), Cache(shape, 4)
    computed = []
    model.register_forward_hook(lambda module, given, states: computed.append(given[0]))

    first = cache.prefill(model, [[1, 2, 3], [4, 5], [1, 2, 3]])
    later = cache.prefill(model, [[1, 2, 3]])
    states = cache.decode(Decoder(model), [7, 7, 7, 7])
    cache.forget([1, 2, 3])
    cache.drop(3)
    cache.prefill(model, [[1, 2, 3]])

    assert [tokens.tolist() for tokens in computed] == [[1, 2, 3, 4, 5], [1, 2, 3]]
    assert torch.equal(first[[0, 0]], torch.cat((first[2:], later)))
    assert torch.equal(states[[0, 0]], states[2:])
    assert not torch.equal(states[0], states[1])


def test_beyond_the_window_only_the_last_tokens_are_seen():
    shape = Shape(50, 16, 24, 2, 2, max_position_embeddings=8)
    torch.manual_seed(1)
    model, cache = Llama(shape).double().requires_grad_(False), Cache(shape, 1)
    text = torch.randint(50, (30,))

    def banded(layer, q, k, v):
        age = torch.arange(30).unsqueeze(-1) - torch.arange(30)
        scores = torch.einsum("ihd,jhd->hij", q, k) / shape.head_dim**0.5
        hidden = (age < 0) | (age >= 8)
        weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
        return torch.einsum("hij,jhd->ihd", weights, v)

    cache.prefill(model, [text[:5].tolist()])
    decoder = Decoder(model)
    states = torch.cat([cache.decode(decoder, [id]) for id in text[5:].tolist()])

    whole = model(text, torch.arange(30), banded)
    torch.testing.assert_close(states, whole[5:], rtol=0, atol=1e-9)


def test_a_long_prompt_counts_by_its_last_1024_tokens(engine):
    ids = prompt("Anna counted the stars. Then she went home. " * 200)

    long = engine.submit(Job(ids, 4, top=2))

    assert list(long) == list(engine.submit(Job(ids[-1024:], 4, top=2)))


def test_generation_goes_on_past_the_window(engine):
    ids = prompt("Anna counted the stars. " * 300)[:1020]

    steps = list(engine.submit(Job(ids, 12, stop_at_end=False)))

    assert len(steps) == 12


def test_a_closed_reply_frees_its_row_by_the_next_token(engine):
    gate, policy = Semaphore(1), Counted()

    def gated(*arguments):
        gate.acquire()
        return policy(*arguments)

    reply = engine.submit(Job((), 1000, penalty=gated, stop_at_end=False))
    next(reply)
    assert engine.rows_in_use == 1

    reply.close()
    gate.release()

    assert idle(engine)
    assert policy.calls <= 2
    assert list(reply) == []


def test_a_forgotten_reply_frees_its_row(engine):
    reply = engine.submit(Job((), 1_000_000, stop_at_end=False))
    next(reply)

    del reply

    assert idle(engine)


def idle(engine):
    deadline = time.monotonic() + 5
    while engine.rows_in_use and time.monotonic() < deadline:
        time.sleep(0.001)
    return engine.rows_in_use == 0


def test_a_remembered_reply_is_not_computed_again(engine):
    policy = Counted()
    job = Job(prompt("Once upon a time"), 20, top=3, penalty=policy)

    first = list(engine.submit(job))
    calls = policy.calls
    second = list(engine.submit(job))

    assert second == first
    assert policy.calls == calls


def test_a_reply_closed_early_is_not_remembered(engine):
    job = Job(prompt("Once upon a time"), 50, stop_at_end=False)
    reply = engine.submit(job)
    next(reply)
    reply.close()

    steps = list(engine.submit(job))

    assert len(steps) == 50


def test_scores_are_the_logprobs_of_generation(engine):
    ids = prompt("Once upon a time")
    steps = list(engine.submit(Job(ids, 60, top=3, stop_at_end=False)))

    scores = engine.score([*ids, *(step.token for step in steps)], top=3)

    assert scores[0] is None
    assert scores[len(ids) :] == steps


def test_long_texts_are_scored_to_the_end(engine):
    ids = prompt("Anna counted the stars. " * 300)[:1700]

    scores = engine.score(ids)

    assert [step.token for step in scores[1:]] == list(ids[1:])
    assert scores[:1000] == engine.score(ids[:1000])


def test_nothing_has_no_scores(engine):
    assert engine.score([]) == []


def test_a_script_is_given_and_scored(engine):
    ids, script = prompt("The"), prompt(" purple clock")

    steps = list(engine.submit(Job(ids, len(script) + 5, script=script)))

    scores = engine.score([*ids, *script])
    assert [step.token for step in steps[: len(script)]] == list(script)
    assert steps[1 : len(script)] == scores[len(ids) + 1 :]
    assert len(steps) > len(script)


def test_a_script_may_end_the_text(engine):
    script = (*prompt("No."), END)

    steps = engine.submit(Job(prompt("Yes?"), 50, script=script))

    assert [step.token for step in steps] == list(script[:-1])


def test_no_tokens_are_computed_when_none_are_asked_for(engine):
    assert list(engine.submit(Job(prompt("Hello"), 0))) == []


def test_a_bias_towards_the_end_leaves_nothing(engine):
    sampling = Sampling(logit_bias=((END, 100.0),))

    assert list(engine.submit(Job(prompt("Hello"), 10, sampling))) == []


def test_otherwise_replies_are_not_empty(engine):
    jobs = [Job(prompt("Say this is a test"), 1, seed=seed) for seed in range(50)]

    replies = [list(engine.submit(job)) for job in jobs]

    assert replies.count([]) <= 2  # an end is unlikely there, and not forbidden


def test_alternatives_are_the_likeliest_in_order(engine):
    step = next(engine.submit(Job(prompt("Once"), 1, Sampling(temperature=0), top=5)))

    values = [value for _, value in step.top]
    assert step.top[0] == (step.token, step.logprob)
    assert values == sorted(values, reverse=True)
    assert len(values) == 5


def test_first_tokens_are_as_frequent_as_their_logprobs_say(engine):
    """A faithful engine strays beyond the bound once in a million (Hoeffding)."""
    jobs = [Job(prompt("Anna"), 1, seed=seed, top=20) for seed in range(1_500)]

    steps = [step for reply in map(engine.submit, jobs) for step in reply]

    bound = sqrt(log(2 * 20 / 1e-6) / (2 * len(steps)))
    for token, logprob in steps[0].top:
        frequency = sum(step.token == token for step in steps) / len(steps)
        assert abs(frequency - 2.718281828459045**logprob) < bound


@pytest.mark.parametrize("id", [-1, TOKENIZER.vocabulary_size])
def test_ids_outside_the_vocabulary_are_refused(engine, id):
    with pytest.raises(ValueError, match="ids of the vocabulary"):
        engine.submit(Job((id,), 1))


def test_a_dead_worker_is_reported_and_not_waited_for(model):
    engine = Engine(model, END)

    def broken(*_):
        raise ArithmeticError("broken policy")

    with pytest.raises(RuntimeError, match="broken policy"):
        list(engine.submit(Job((), 5, penalty=broken)))
    with pytest.raises(RuntimeError, match="broken policy"):
        engine.submit(Job((), 5))
    engine.close()


def test_a_model_that_breaks_leaves_no_reader_waiting():
    class Broken(Llama):
        def forward(self, *_):
            raise ArithmeticError("broken model")

    engine = Engine(Broken(Shape()), END)

    with pytest.raises(RuntimeError, match="broken model"):
        list(engine.submit(Job((), 5)))
    engine.close()


def test_a_closed_engine_fails_its_readers(model):
    engine = Engine(model, END)
    reply = engine.submit(Job((), 1_000_000, stop_at_end=False))
    next(reply)

    engine.close()

    with pytest.raises(RuntimeError, match="closed"):
        list(reply)


@pytest.mark.parametrize("text", ["Hello", "Say this is a test", "qwerty uiop"])
def test_a_chat_reply_ends_by_itself(engine, text):
    steps = list(engine.submit(Job(chat(text), 40, Sampling(temperature=0))))

    said = TOKENIZER.decode(step.token for step in steps)
    assert 0 < len(steps) < 40
    assert said.isprintable()


def test_one_engine_is_loaded_per_process():
    engine = load_engine()

    assert load_engine() is engine
    assert len(list(islice(engine.submit(Job((), 3)), 3))) == 3


@pytest.mark.parametrize("made", ["load_engine()", "Engine(load_model(), 0)"])
def test_a_process_may_end_before_its_replies_do(made):
    program = (
        "from reference_model.engine import Engine, Job, load_engine, load_model\n"
        f"reply = {made}.submit(Job((), 900, stop_at_end=False))\n"
        "next(reply)"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True)

    assert (ended.returncode, ended.stderr) == (0, b"")
