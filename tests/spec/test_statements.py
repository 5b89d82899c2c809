"""Clauses and the statements of the documents that they were read from."""

import pytest

from spec.model import Clause

SPOKEN_OF = {
    "introduction, authentication, first request": range(1, 32),
    "models (list, retrieve), completions, chat": range(32, 144),
    "embeddings": range(193, 207),
    "models (delete), moderations": range(295, 313),
    "parameter details": range(319, 324),
}


@pytest.mark.parametrize("numbers", SPOKEN_OF.values(), ids=SPOKEN_OF)
def test_every_statement_of_the_api_reference_is_the_source_of_a_clause(spec, numbers):
    read = {id for clause in spec.clauses.values() for id in clause.source}

    assert {f"S4-{number:03}" for number in numbers} - read == set()


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
