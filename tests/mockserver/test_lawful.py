"""Whatever is lawful is served, whole or streamed, and the answer is lawful too."""

import pytest
import schemathesis
from asking import Mock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from mockserver.app import house
from mockserver.registry import built
from spec import load
from spec.export import export
from spec.rules import broken

SPEC = load()
EXPORTED = schemathesis.openapi.from_dict(export(SPEC))
BUILT = [SPEC.operations[id] for id in sorted(built(SPEC))]
JSON = [op for op in BUILT if op.media_type == "application/json"]
TAKING_BODIES = [op for op in JSON if not op.capability]
CONTROL = [op for op in JSON if op.capability]
STREAMED = [op for op in TAKING_BODIES if op.stream is not None]
SMALL = {"max_tokens": 4, "n": 2, "best_of": 3}
FILES = ("training_file", "validation_file")
FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 0,
    "created_at": 0,
    "filename": "train.jsonl",
    "purpose": "fine-tune",
    "fault": None,
}
FEW = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)


def lawful(operation):
    """Lawful bodies that name a model of ours and do not ask for much work."""
    made = EXPORTED[operation.path]["POST"]
    cases = made.as_strategy(generation_mode=GenerationMode.POSITIVE)
    models = [model.id for model in SPEC.served(operation.resource)]
    names = st.sampled_from(models) if "model" in operation.fields else st.none()
    return st.builds(lambda case, name: small(case.body, name), cases, names)


def small(body, model):
    kept = {**body, "model": model} if model else dict(body)
    if "messages" in kept and kept.get("max_tokens") is None:
        kept["max_tokens"] = SMALL["max_tokens"]  # else as long as the context
    for name in kept.keys() & SMALL.keys():
        if kept[name] is not None:
            kept[name] = min(kept[name], SMALL[name])
    for name in kept.keys() & {"prompt", "input"}:
        if isinstance(kept[name], list):
            kept[name] = kept[name][:3]
    return kept


def choices_of(body):
    """How many prompts there are, and how many choices of each."""
    prompt = body.get("prompt")
    listed = isinstance(prompt, list) and not isinstance(prompt[0], int | float)
    return len(prompt) if listed else 1, int(body.get("n") or 1)


@pytest.mark.parametrize("operation", TAKING_BODIES, ids=lambda op: op.id)
def test_a_lawful_request_has_a_lawful_answer(operation, mind):
    @FEW
    @given(lawful(operation))
    def answered(body):
        mock = Mock(house(SPEC, mind=mind))
        mock.rooms.store.put("file", "org-assay", FILE)
        body = {key: value for key, value in body.items() if key != "stream"}
        body |= {key: FILE["id"] for key in FILES if body.get(key) is not None}

        answer = mock.ask(operation.id, body)
        mock.rooms.jobs.close()

        if any(broken(operation.rules, body)):
            assert answer.status == 400
        else:
            assert answer.status == 200, answer.raw
            assert list(operation.answer.faults(answer.json)) == []

    answered()


@pytest.mark.parametrize("operation", CONTROL, ids=lambda op: op.id)
def test_the_control_page_takes_what_is_lawful(operation, mind):
    content = {"application/json": {"schema": operation.body}}
    answers = {"200": {"description": "Taken."}}
    sent = {"required": True, "content": content}
    call = {"requestBody": sent, "responses": answers}
    page = {
        "openapi": "3.1.0",
        "info": {"title": "Control", "version": "1"},
        "paths": {operation.path: {"post": call}},
    }
    made = schemathesis.openapi.from_dict(page)[operation.path]["POST"]

    @FEW
    @given(made.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def taken(case):
        mock = Mock(house(SPEC, mind=mind))

        answer = mock.ask(operation.id, case.body)

        unknown = operation.id == "controlAddModel" and case.body["base"] != "ada"
        assert answer.status == (404 if unknown else 200), answer.raw
        assert unknown or not list(operation.answer.faults(answer.json))
        assert mock.ask("controlCounters").status == 200

    taken()


@pytest.mark.parametrize("operation", STREAMED, ids=lambda op: op.id)
def test_a_lawful_stream_has_lawful_chunks_that_add_up_to_the_whole(operation, mind):
    @FEW
    @given(lawful(operation))
    def added_up(body):
        streamed = {**body, "stream": True}
        if any(broken(operation.rules, streamed)):
            return
        plain = {**body, "stream": False}

        chunks = Mock(house(SPEC, mind=mind, seed=1)).ask(operation.id, streamed).chunks
        whole = Mock(house(SPEC, mind=mind, seed=1)).ask(operation.id, plain).json

        for chunk in chunks:
            assert list(operation.stream.part.faults(chunk)) == []
        assert {chunk["id"] for chunk in chunks} == {whole["id"]}
        assert folded(chunks) == {
            choice["index"]: said(choice) for choice in whole["choices"]
        }

    added_up()


def said(choice):
    """Text, reason and log probabilities of a whole choice."""
    text = choice["text"] if "text" in choice else choice["message"]["content"]
    return text, choice["finish_reason"], choice.get("logprobs")


def folded(chunks):
    """The same of each choice of a stream."""
    found = {}
    for chunk in chunks:
        (choice,) = chunk["choices"]
        text, finish, scores = found.get(choice["index"], ("", None, None))
        assert finish is None
        text += choice["delta"].get("content", "") if "delta" in choice else ""
        text += choice.get("text", "")
        more = choice.get("logprobs")
        if scores is not None and more is not None:
            more = {
                key: scores[key] if scores[key] is None else scores[key] + more[key]
                for key in scores
            }
        found[choice["index"]] = (text, choice["finish_reason"], more)
    return found


@pytest.mark.parametrize("operation", STREAMED, ids=lambda op: op.id)
def test_each_prompt_has_n_choices_numbered_from_0(operation, mind):
    @FEW
    @given(lawful(operation))
    def numbered(body):
        body = {**body, "stream": False}
        if any(broken(operation.rules, body)):
            return

        answer = Mock(house(SPEC, mind=mind)).ask(operation.id, body).json

        prompts, n = choices_of(body)
        indexes = [choice["index"] for choice in answer["choices"]]
        assert indexes == list(range(prompts * n))
        usage = answer["usage"]
        most = prompts * max(n, int(body.get("best_of") or 1))
        most *= 16 if body.get("max_tokens") is None else int(body["max_tokens"])
        assert usage["completion_tokens"] <= most
        assert usage["total_tokens"] == (
            usage["prompt_tokens"] + usage["completion_tokens"]
        )

    numbered()
