"""Fuzz tests of the API, generated from its OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from storify_site.wsgi import application
from tests.fuzz.conftest import Site, fuzzing

CHECKS = [
    *(not_a_server_error, status_code_conformance),
    *(content_type_conformance, response_schema_conformance),
]
# Of each operation and kind of data; there are about twenty operations.
per_operation = hypothesis_settings(fuzzing, max_examples=max(fuzzing.max_examples // 60, 1))


@pytest.fixture
def operations(site: Site) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_api_answers_as_its_document_says(
    site: Site, operations: list[Any], mode: GenerationMode
) -> None:
    assert len(operations) > 15
    for operation in operations:
        if mode is GenerationMode.POSITIVE or takes_something(operation):
            try_out(site, operation, mode)


def takes_something(operation: Any) -> bool:
    """Whether it takes any input that can be invalid."""
    return bool(operation.body or operation.path_parameters or operation.query)


def try_out(site: Site, operation: Any, mode: GenerationMode) -> None:
    @per_operation
    @given(operation.as_strategy(generation_mode=mode))
    def attack(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:  # to what there is
            case.path_parameters = {name: site.real[name] for name in case.path_parameters}
        with transaction.atomic():
            response = case.call(headers=dict(site.people["program"]))
            transaction.set_rollback(True)
        cache.clear()
        case.validate_response(response, checks=CHECKS)

    attack()
