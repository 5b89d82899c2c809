"""Clauses and the statements of the documents that they were read from."""

import pytest

from spec import load
from spec.model import Clause
from spec.pages import editions, excluded

STATED = {"S4": 323, "S3": 75, "S1": 20, "S0": 12, "S2": 6}
"""How many statements each document of the start makes: 436."""

SAID = {
    id
    for edition in editions()
    for clause in load(edition).clauses.values()
    for id in clause.source
}


@pytest.mark.parametrize(("document", "count"), STATED.items())
def test_every_statement_is_the_source_of_a_clause_or_excluded(document, count):
    stated = {f"{document}-{number:03}" for number in range(1, count + 1)}

    assert stated - SAID - excluded().keys() == set()
    assert stated <= load().sources.keys()


def test_every_observed_behaviour_is_the_source_of_a_clause_or_excluded(spec):
    observed = {id for id in spec.sources if "-" not in id and id[0] != "A"}

    assert len(observed) > 90
    assert observed - SAID - excluded().keys() == set()


def test_what_is_excluded_is_a_known_statement_that_no_clause_says(spec):
    assert excluded().keys() <= spec.sources.keys()
    assert excluded().keys() & SAID == set()
    assert all(reason.endswith(".") for reason in excluded().values())


def test_every_source_of_a_clause_is_known(spec):
    unknown = {
        clause.id: set(clause.source) - spec.sources.keys()
        for clause in spec.clauses.values()
        if set(clause.source) - spec.sources.keys()
    }

    assert unknown == {}


def test_a_source_has_a_document_a_date_and_a_section(spec):
    source = spec.sources["S4-022"]

    assert (source.document, source.section) == ("API reference", "Models")
    assert source.date == "2023-04"
    assert source.url is not None


def test_a_clause_speaks_of_operations_that_there_are(spec):
    for clause in spec.clauses.values():
        assert set(clause.operations) <= spec.operations.keys(), clause.id


def test_a_clause_of_no_operation_speaks_of_all_but_the_control_page(spec):
    clause = Clause("api.x", "MUST", "It is.", "stated", ("S4-001",), "api")

    concerned = spec.concerned(clause)

    assert {op.id for op in concerned} == {
        op.id for op in spec.operations.values() if not op.capability
    }


def test_a_clause_said_on_a_field_points_to_it(spec):
    assert spec.clauses["chat.role-known"].pointer == ("messages", "[]", "role")
    assert spec.clauses["completions.n-type"].pointer == ("n",)


def test_every_operation_that_answers_is_spoken_of_by_clauses_of_its_page(spec):
    spoken = {name for clause in spec.clauses.values() for name in clause.operations}

    plain = {op.id for op in spec.operations.values() if not op.capability}
    assert plain <= spoken
