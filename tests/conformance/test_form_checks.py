"""What is derived for fields of forms, put to the spec's own word on refusals."""

from io import BytesIO

import pytest

from conformance.derived import WHOLE, _lawful, _unlawful
from conformance.forms import FORM, Form
from mockserver import forms
from spec import load
from spec.pages import editions
from spec.validation import coerced, refusal

MOST = 1 << 24  # bytes of text


def said():
    """Every clause that derives something of a form: its operation, and what."""
    for edition in editions():
        spec = load(edition)
        for clause in spec.clauses.values():
            for operation in spec.concerned(clause):
                for kind in clause.derive if operation.media_type == FORM else ():
                    name = f"{edition} {clause.id} {operation.id} {kind}"
                    yield pytest.param(clause, operation, kind, id=name)


FIELDS = [case for case in said() if case.values[2] not in WHOLE]
RULES = [case for case in said() if case.values[2] == "rule"]


def refused(operation, body):
    """Whether the body is, after its way through a form."""
    raw, form = Form(body).encoded()
    boundary = form.partition("boundary=")[2]
    parts = forms.form(BytesIO(raw), boundary, MOST)
    try:
        return refusal(operation, coerced(operation.fields, parts)) is not None
    finally:
        forms.close(parts)


@pytest.mark.parametrize(("clause", "operation", "kind"), FIELDS)
def test_each_side_of_a_keyword_is_what_it_says(clause, operation, kind):
    asked = (clause.pointer, operation, kind, operation.sample)
    inside, outside = list(_lawful(*asked)), list(_unlawful(*asked))

    assert inside or outside
    assert [what for what, body in inside if refused(operation, body)] == []
    assert [what for what, body in outside if not refused(operation, body)] == []


@pytest.mark.parametrize(("clause", "operation", "kind"), RULES)
def test_the_files_of_a_rule_are_what_they_are_said_to_be(clause, operation, kind):
    rule = next(rule for rule in operation.rules if rule.id == clause.id)

    assert not refused(operation, {**operation.sample, **rule.accept})
    assert refused(operation, {**operation.sample, **rule.reject})


def test_there_are_fields_and_rules_of_forms():
    assert len(FIELDS) > 40
    assert len(RULES) > 20
