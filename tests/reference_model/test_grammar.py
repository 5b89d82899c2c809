import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockserver.generation import pieces, whole
from reference_model import grammar
from reference_model.engine import Engine, Job
from reference_model.grammar import Grammar, json_object, json_schema, started
from reference_model.sampling import Sampling, penalty_of_reference
from reference_model.tokenizer import load_tokenizer

TOKENIZER = load_tokenizer()
END = TOKENIZER.end_of_text
CHAT = tuple(TOKENIZER.chat([{"role": "user", "content": "Tell me about Anna"}]))
TOOL = {
    "type": "object",
    "properties": {
        "place": {"type": "string", "maxLength": 12},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["place", "days"],
}


@pytest.fixture(scope="module")
def engine(model):
    engine = Engine(model, END)
    yield engine
    engine.close()


def said(reply):
    return TOKENIZER.decode(step.token for step in reply)


def asked(grammar, max_tokens=1500, **sampling):
    seed = sampling.pop("seed", 0)
    return Job(CHAT, max_tokens, Sampling(**sampling), seed, grammar=grammar)


def script(text):
    return tuple(TOKENIZER.encode(text))


def scalars():
    numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.decimals(-9999, 9999, places=4)
    numbers = numbers.map(lambda one: one if isinstance(one, int) else float(one))
    return st.none() | st.booleans() | numbers | st.text('aé日😀 /\\"\n', max_size=5)


@st.composite
def numbers(draw):
    kind = draw(st.sampled_from(["integer", "number"]))
    low, high = sorted(draw(st.lists(st.integers(-300, 300), min_size=2, max_size=2)))
    least = draw(st.sampled_from([{}, {"minimum": low}, {"exclusiveMinimum": low}]))
    most = {"maximum": high + 2}, {"exclusiveMaximum": high + 2}, {}
    return {"type": kind, **least, **draw(st.sampled_from(most))}


@st.composite
def texts(draw):
    least = draw(st.integers(0, 3))
    most = draw(st.integers(least, 9))
    return {"type": "string", "minLength": least, "maxLength": most}


@st.composite
def lists(draw, inner):
    least = draw(st.integers(0, 2))
    most = draw(st.integers(least, 3))
    items = draw(inner)
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


@st.composite
def objects(draw, inner):
    listed = draw(st.dictionaries(st.text(max_size=4), inner, max_size=3))
    chosen = [name for name in listed if draw(st.booleans())]
    choices = ({}, {"additionalProperties": False}, {"additionalProperties": TOOL})
    others = draw(st.sampled_from(choices))
    return {"type": "object", "properties": listed, "required": chosen, **others}


def schemas():
    leaf = st.one_of(
        st.sampled_from([{"type": "null"}, {"type": "boolean"}]),
        numbers(),
        texts(),
        st.lists(scalars(), min_size=1, max_size=3).map(lambda some: {"enum": some}),
        st.builds(lambda one: {"const": one}, scalars() | st.lists(scalars())),
        texts().map(lambda one: one | {"type": ["string", "null"]}),
    )

    def wrapped(inner):
        options = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            lists(inner), objects(inner), options.map(lambda some: {"anyOf": some})
        )

    return st.recursive(leaf, wrapped, max_leaves=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas(), st.integers(0, 2**32))
def test_whatever_is_sampled_follows_the_schema_and_ends(engine, schema, seed):
    follows = json_schema(schema)
    heats = (0, 0.7, 1, 2)

    jobs = [asked(follows, 3000, temperature=heat, seed=seed) for heat in heats]
    replies = [engine.submit(job) for job in jobs]

    for steps in map(list, replies):
        assert len(steps) < 3000
        Draft202012Validator(schema).validate(json.loads(said(steps)))


@pytest.mark.parametrize("heat", [0, 0.7, 1, 2])
def test_json_mode_gives_an_object_that_ends(engine, heat):
    jobs = [asked(json_object(), temperature=heat, seed=seed) for seed in range(3)]

    replies = [engine.submit(job) for job in jobs]

    assert all(isinstance(json.loads(said(reply)), dict) for reply in replies)


@pytest.mark.parametrize("heat", [0, 2])
def test_what_is_left_open_ends_too(engine, heat):
    tree = {"properties": {"kids": {"items": {"$ref": "#"}}}, "required": ["kids"]}
    open_ = {"text": {"type": "string"}, "count": {"type": "integer"}, "any": {}}
    part = {"type": "number", "minimum": 0, "maximum": 1}
    listed = {"tree": {"$ref": "#/$defs/tree"}, "part": part, **open_}
    defs = {"tree": {"items": {"$ref": "#/$defs/tree"}, "type": "array"}}
    schema = {"properties": listed, "required": [*listed], "$defs": defs}

    for one in (tree, schema):
        steps = list(engine.submit(asked(json_schema(one), 3000, temperature=heat)))

        assert len(steps) < 3000
        Draft202012Validator(one).validate(json.loads(said(steps)))


@given(st.integers(0, 100), st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_a_cut_reply_begins_one_that_is_whole(engine, seed, size):
    job = asked(json_schema(TOOL), temperature=2, seed=seed)
    steps = list(engine.submit(job))

    cut = list(engine.submit(asked(job.grammar, size, temperature=2, seed=seed)))

    assert cut == steps[:size]
    finish = whole(pieces(iter(cut), TOKENIZER, (), size)).finish
    assert finish == ("length" if size <= len(steps) else "stop")


def test_rows_with_and_without_a_grammar_are_bit_equal_alone(model):
    grammars = (None, json_object(), json_schema(TOOL))
    settings = (
        Sampling(),
        Sampling(temperature=0),
        Sampling(temperature=1.7, top_p=0.9),
        Sampling(presence_penalty=1.0, frequency_penalty=0.5),
        Sampling(logit_bias=((11, 2.5), (END, -100.0))),
    )
    jobs = [
        Job(CHAT, 10 + at, settings[at % 5], at, at % 4, at % 7 > 0, grammar=kind)
        for at, kind in enumerate(grammars * 8)
    ]
    alone, together = Engine(model, END, rows=1), Engine(model, END, rows=24)

    among = [together.submit(job) for job in jobs]

    for job, reply in zip(jobs, among, strict=True):
        assert list(reply) == list(alone.submit(job))
    alone.close()
    together.close()


@pytest.mark.parametrize(
    "banned",
    [range(TOKENIZER.vocabulary_size), [END], script('"}{:,]0123456789')],
    ids=["all", "end", "signs"],
)
def test_a_ban_cannot_break_the_json(engine, banned):
    bans = tuple((id, -100.0) for id in sorted({*banned}))

    steps = list(engine.submit(asked(json_schema(TOOL), 300, logit_bias=bans)))

    assert len(steps) < 300
    Draft202012Validator(TOOL).validate(json.loads(said(steps)))


def test_a_bias_cannot_force_what_is_not_json(engine):
    forced = (*script("Hello }{"), END, END + 1)
    biases = tuple((id, 100.0) for id in sorted({*forced}))

    steps = list(engine.submit(asked(json_schema(TOOL), 300, logit_bias=biases)))

    assert len(steps) < 300
    Draft202012Validator(TOOL).validate(json.loads(said(steps)))


def test_penalties_count_in_a_grammar_too(engine):
    many = {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 20}
    plain = asked(json_schema(many), temperature=0)
    averse = asked(json_schema(many), temperature=0, frequency_penalty=2.0)

    repeated, varied = said(engine.submit(plain)), said(engine.submit(averse))

    (_, often), (_, less) = (
        Counter(json.loads(reply)).most_common(1)[0] for reply in (repeated, varied)
    )
    assert often > less


def test_a_remembered_reply_is_not_computed_again(engine):
    calls = []

    def counted(*arguments):
        calls.append(1)
        return penalty_of_reference(*arguments)

    jobs = [
        Job(CHAT, 40, grammar=json_schema(dict(TOOL)), penalty=counted)
        for _ in range(2)
    ]
    first = list(engine.submit(jobs[0]))
    count = len(calls)
    second = list(engine.submit(jobs[1]))
    other = list(engine.submit(Job(CHAT, 40, penalty=counted)))

    assert first == second != other
    assert count < len(calls)


def test_logprobs_are_those_of_what_may_come(engine):
    schema = {"const": "a\n"}

    steps = list(engine.submit(Job(CHAT, 20, top=5, grammar=json_schema(schema))))

    assert json.loads(said(steps)) == "a\n"
    for step in steps:
        assert len(step.top) == 5
        assert all(TOKENIZER.token_bytes(id) for id, _ in step.top)
        odds = [2.718281828459045**logprob for _, logprob in step.top]
        assert sum(odds) == pytest.approx(1, abs=1e-5)
    assert -9999.0 in [logprob for step in steps for _, logprob in step.top]


def test_the_end_is_forced_where_nothing_may_follow(engine):
    ends = json_schema({"type": "null"})

    steps = list(engine.submit(Job(CHAT, 9, stop_at_end=False, grammar=ends)))

    assert said(steps) == "null"
    assert {step.token for step in steps[-5:]} == {END}
    assert steps[-1].logprob == 0.0


def test_a_script_begins_the_json(engine):
    job = Job(CHAT, 300, script=script('{"place": "'), grammar=json_schema(TOOL))

    reply = said(engine.submit(job))

    assert reply.startswith('{"place": "')
    Draft202012Validator(TOOL).validate(json.loads(reply))


@pytest.mark.parametrize(
    "text",
    ["Hello", '{"days":', '{"place":"x","days":0', '{"place":  "', ' {"place', "{ "],
)
def test_a_script_that_strays_is_refused(engine, text):
    with pytest.raises(ValueError, match="script of the grammar"):
        engine.submit(Job(CHAT, 9, script=script(text), grammar=json_schema(TOOL)))


def test_no_second_spelling_hides_a_name():
    schema = {
        "properties": {"a": {"type": "null"}},
        "required": ["b"],
        "additionalProperties": {"const": 1},
    }
    guide = started(json_schema(schema))

    assert guide.fits(script('{"a":null,"b":1}'))
    assert not guide.fits(script('{"a":null,"b":1,"\\u0061'))
    assert not guide.fits(script('{"a":null,"b":1,"a"'))


def test_names_that_are_not_listed_do_not_come():
    assert not started(json_schema(TOOL)).fits(script('{"place":"x","days":1,"b'))


def test_unique_items_are_at_most_one():
    guide = started(json_schema({"items": {"const": 1}, "uniqueItems": True}))

    assert guide.fits(script("[1]"))
    assert not guide.fits(script("[1,"))


REFUSED = {
    "no-schema": {"type": "thing"},
    "no-object": True,
    "not-a-number": {"minimum": float("nan")},
    "deep": json.loads('{"items":' * 300 + "{}" + "}" * 300),
    "draft": {"$schema": "https://example.com/mine"},
    "not": {"not": {"type": "null"}},
    "if": {"if": {"type": "null"}, "then": False},
    "contains": {"contains": {"type": "null"}},
    "dependentRequired": {"dependentRequired": {"a": ["b"]}},
    "dependentSchemas": {"dependentSchemas": {"a": False}},
    "dependencies": {"dependencies": {"a": ["b"]}},
    "propertyNames": {"propertyNames": {"pattern": "^a"}},
    "unevaluatedProperties": {"unevaluatedProperties": False},
    "unevaluatedItems": {"unevaluatedItems": False},
    "dynamic": {"$dynamicRef": "#a"},
    "foreign": {"$ref": "https://example.com/schema"},
    "elsewhere": {"$ref": "#/mine/a", "mine": {"a": {"minProperties": 9}}},
    "missing": {"$ref": "#/$defs/none"},
    "circle": {"$ref": "#"},
    "format": {"type": "string", "format": "colour"},
    "pattern": {"type": "string", "pattern": "("},
    "lookaround": {"type": "string", "pattern": "(?=a)"},
    "lenient": {"not": {}, "x-guidance": {"lenient": True}},
    "unique": {"type": "array", "uniqueItems": True, "minItems": 2},
    "unique-any": {"anyOf": [{"type": "array"}], "uniqueItems": True},
    "distinct": {"type": "object", "minProperties": 2},
    "overlap": {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    "bounded-apart": {
        "oneOf": [
            {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {}}, "required": ["b"]},
        ]
    },
    "blurred": {"enum": [2**53 + 1]},
    "digits": {"const": 993.3646086332647},
    "nothing": {"type": "integer", "minimum": 2, "maximum": 1},
}


@pytest.mark.parametrize("schema", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_to_is_refused(schema):
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        json_schema(schema)


def test_a_grammar_made_by_hand_is_proven_before_it_is_used(engine):
    with pytest.raises(ValueError, match="JSON Schema"):
        engine.submit(Job(CHAT, 9, grammar=Grammar('{"type": "thing"}')))


def test_a_oneof_of_schemas_that_exclude_each_other_is_followed(engine):
    options = [
        {"properties": {"kind": {"const": kind}, kind: {}}, "required": ["kind", kind]}
        for kind in ("cat", "dog")
    ]
    schema = {"type": "object", "oneOf": options}

    reply = said(engine.submit(asked(json_schema(schema))))

    Draft202012Validator(schema).validate(json.loads(reply))


def test_signs_of_many_bytes_come_whole(engine):
    schema = {"type": "string", "pattern": "^[ぁ-ん日😀]{3,6}$"}

    replies = [
        engine.submit(asked(json_schema(schema), seed=seed)) for seed in range(5)
    ]

    for reply in replies:
        assert re.fullmatch("[ぁ-ん日😀]{3,6}", json.loads(said(reply)))


def test_a_guide_that_fails_ends_its_row_alone(engine, monkeypatch):
    follows = json_schema({"enum": ["stuck"]})
    monkeypatch.setattr(grammar.Guide, "failure", "too complex")

    with pytest.raises(RuntimeError, match="too complex"):
        list(engine.submit(asked(follows)))

    assert list(engine.submit(Job(CHAT, 3)))


def test_every_token_spells_the_same_to_the_masks():
    tokens = grammar._tokens()
    lone = {
        id for id in range(TOKENIZER.ordinary) if TOKENIZER.token_bytes(id) == b"\xff"
    }

    spelled = {id: tokens.decode_bytes([id]) for id in range(TOKENIZER.ordinary)}

    assert tokens.vocab_size == TOKENIZER.vocabulary_size == 2816
    assert tokens.eos_token == END
    assert len(lone) == 1  # their sign for a special token; no text has it
    for id in {*spelled} - lone:
        assert spelled[id] == TOKENIZER.token_bytes(id)
    for id in range(TOKENIZER.ordinary, TOKENIZER.vocabulary_size):
        assert tokens.is_special_token(id)


def test_inside_a_string_all_text_may_come_and_nothing_else():
    guide = started(json_schema({"type": "string"}))
    guide.take(*script('"'))

    for id in range(TOKENIZER.vocabulary_size):
        spelling = TOKENIZER.token_bytes(id)
        plain = re.fullmatch(rb'[^\x00-\x1f"\\\x7f-\xff]+', spelling)
        multiple = spelling[:1] >= b"\xc2" and _is_text(spelling)
        if plain or multiple:
            assert guide.fits([id])
        if not spelling or re.search(rb"[\x00-\x1f\xc0\xc1\xf5-\xff]", spelling):
            assert not guide.fits([id])


def _is_text(spelling):
    try:
        return not {*'"\\'} & {*spelling.decode()}
    except UnicodeDecodeError:
        return False


def test_the_masks_are_loaded_by_the_first_grammar_alone():
    code = "import sys, reference_model.engine; sys.exit('llguidance' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
