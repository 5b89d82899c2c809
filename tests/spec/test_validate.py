"""Validation as a library: what the API refuses, and how it says so."""

import json
from functools import cache

import pytest
from drawing import lawful, unlawful
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spec import Request, load, validate
from spec.pages import editions
from spec.rules import broken

TAKING = [
    (edition, op.id)
    for edition in editions()
    for op in load(edition).operations.values()
    if op.body is not None and not op.capability
]
ASKING = [
    (edition, op.id)
    for edition in editions()
    for op in load(edition).operations.values()
    if op.query.node["properties"] and not op.capability
]
few = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def operation(edition, name):
    return load(edition).operations[name]


@cache
def bodies(edition, name):
    """Lawful bodies of an operation, asking for a model that serves it."""
    op = operation(edition, name)
    sample = op.body_sample
    served = load(edition).served(op.resource)

    def mended(body):
        """The body with a model and files that there are, and every rule kept."""
        if isinstance(body.get("model"), str):
            body["model"] = sample.get("model", served[0].id)
        body |= {key: v for key, v in sample.items() if is_file(op.fields[key])}
        for rule in broken(op.rules, body):
            body = {key: v for key, v in body.items() if key not in rule.fields}
            body |= {key: sample[key] for key in rule.fields if key in sample}
        return body

    return (
        lawful(op.body).map(mended).filter(lambda body: not any(broken(op.rules, body)))
    )


def is_file(field):
    return "bytes" in field.get("required", ())


@pytest.mark.parametrize(("edition", "name"), TAKING)
@few
@given(data=st.data())
def test_a_lawful_body_is_accepted(edition, name, data):
    body = data.draw(bodies(edition, name))

    assert validate(edition, name, whole(edition, name, body)) is None


@pytest.mark.parametrize(("edition", "name"), TAKING)
@few
@given(data=st.data())
def test_a_body_with_one_fault_is_refused_by_the_name_of_its_field(edition, name, data):
    op = operation(edition, name)
    assume(op.fields)
    field = data.draw(st.sampled_from(sorted(op.fields)))
    wrong = data.draw(unlawful(op.fields[field]))
    body = {**op.body_sample, field: wrong}

    refused = validate(edition, name, whole(edition, name, body))

    assert refused is not None
    assert refused.status in (400, 404)
    assert field in f"{refused.message} {refused.param}"


@pytest.mark.parametrize(("edition", "name"), TAKING)
def test_a_body_without_a_required_field_is_refused_by_its_name(edition, name):
    op = operation(edition, name)
    for field in op.body.get("required", ()):
        body = {key: v for key, v in op.body_sample.items() if key != field}

        refused = validate(edition, name, whole(edition, name, body))

        assert refused is not None
        assert refused.status == 400
        assert field in refused.message


@pytest.mark.parametrize(("edition", "name"), TAKING)
def test_each_rule_refuses_its_witness_as_it_says(edition, name):
    op = operation(edition, name)
    for rule in op.rules:
        body = {**op.body_sample, **rule.reject}

        refused = validate(edition, name, whole(edition, name, body))

        assert refused == rule.refuse


@pytest.mark.parametrize(("edition", "name"), ASKING)
@few
@given(data=st.data())
def test_a_query_is_judged_as_the_texts_that_it_is(edition, name, data):
    op = operation(edition, name)
    known = op.query.node["properties"]
    field = data.draw(st.sampled_from(sorted(known)))
    value = data.draw(lawful(known[field]))
    assume(value is not None)
    query = {**asked(op), field: texted(value)}

    assert validate(edition, name, whole(edition, name, None, query)) is None
    if known[field].get("type") == "integer":
        refused = validate(
            edition, name, whole(edition, name, None, {**query, field: "many"})
        )
        assert refused.status == 400
        assert field in refused.message


def whole(edition, name, body, query=None):
    """A request that is lawful in everything but perhaps its body."""
    op = operation(edition, name)
    return Request(
        body=body,
        query=asked(op) if query is None else query,
        headers=op.header_sample,
    )


def asked(op):
    known = op.query.node["properties"]
    return {name: texted(v) for name, v in op.sample.items() if name in known}


def texted(value):
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request(b"{"), 400),
        (Request(b"[]"), 400),
        (Request(None), 400),
        (Request(b"{}", content_type="text/plain"), 415),
        (Request(b'{"model":"ada","prompt":1e400}'), 400),
        (Request({"model": "ada"}, content_type="application/json; charset=x"), None),
        ({"model": "no-such-model"}, 404),
        ({"model": "gpt-4"}, 404),
        ({"prompt": "a"}, 400),
        ({"model": "ada", "n": 2, "best_of": 1}, 400),
        ({"model": "ada"}, None),
    ],
)
def test_a_request_is_judged_in_the_order_of_the_live_api(request_, status):
    refused = validate("2023-04", "POST /completions", request_)

    assert (refused and refused.status) == status


def test_a_server_may_bring_models_of_its_own():
    spec = load("2023-04")
    mine = {"mine": spec.models["ada"]}

    assert validate(None, "createCompletion", {"model": "mine"}, mine) is None
    assert validate(None, "createCompletion", {"model": "ada"}, mine).status == 404


def test_a_form_is_judged_as_the_texts_that_it_is():
    image = {"filename": "a.png", "bytes": 99, "format": "png"}
    square = {**image, "width": 64, "height": 64, "alpha": "transparent"}
    form = {"image": square, "n": "2"}

    assert validate("2023-04", "createImageVariation", Request(form)) is None
    refused = validate("2023-04", "createImageVariation", Request({**form, "n": "x"}))
    assert "'n'" in refused.message


@pytest.mark.parametrize(
    ("edition", "name"), [("2023-04", "nothing"), ("1999-01", "createCompletion")]
)
def test_an_unknown_edition_or_operation_is_told(edition, name):
    with pytest.raises(ValueError, match="expected an"):
        validate(edition, name, {})
