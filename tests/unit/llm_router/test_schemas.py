import json

import pytest
from pydantic import BaseModel, Field

from llm_router.providers.schemas import make_closed, make_strict

PLACE = {
    "type": "object",
    "title": "Place",
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "of the town"},
        "default": {"type": "integer", "minimum": 0, "default": 3},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
        "main": {"$ref": "#/$defs/Part", "description": "the oldest"},
        "mayor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["name"],
    "$defs": {"Part": {"type": "object", "properties": {"minimum": {"type": "string"}}}},
}
PART = {
    "type": "object",
    "properties": {"minimum": {"type": "string"}},
    "required": ["minimum"],
    "additionalProperties": False,
}


def test_a_strict_schema_is_closed_and_asks_for_everything() -> None:
    before = json.dumps(PLACE)
    assert make_strict(PLACE) == {
        "type": "object",
        "title": "Place",
        "properties": {
            "name": {"type": "string", "description": "of the town (minLength: 1)"},
            "default": {"type": "integer", "minimum": 0, "description": "(default: 3)"},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 2},
            "main": {"anyOf": [{"$ref": "#/$defs/Part"}], "description": "the oldest"},
            "mayor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name", "default", "parts", "main", "mayor"],
        "additionalProperties": False,
        "$defs": {"Part": PART},
    }
    assert json.dumps(PLACE) == before


def test_a_closed_schema_leaves_optional_what_was_and_tells_bounds_in_words() -> None:
    before = json.dumps(PLACE)
    assert make_closed(PLACE) == {
        "type": "object",
        "title": "Place",
        "properties": {
            "name": {"type": "string", "description": "of the town (minLength: 1)"},
            "default": {"type": "integer", "description": "(minimum: 0)", "default": 3},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "description": "(minItems: 2)"},
            "main": {"$ref": "#/$defs/Part", "description": "the oldest"},
            "mayor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name"],
        "additionalProperties": False,
        "$defs": {"Part": {key: value for key, value in PART.items() if key != "required"}},
    }
    assert json.dumps(PLACE) == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": ["object", "null"]}}}},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"not": {"type": "null"}}]}}},
        {"type": "object", "properties": {}, "$defs": {"A": {"type": "object", "patternProperties": {}}}},
    ],
)
def test_what_strictness_would_change_is_not_made_strict(schema: dict[str, object]) -> None:
    assert make_strict(schema) is None


def test_what_is_open_on_purpose_stays_open() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    assert make_closed(schema) == schema
    either = {"oneOf": [{"type": "object", "properties": {}}, {"type": "null"}]}
    assert make_closed(either) == {
        "anyOf": [{"type": "object", "properties": {}, "additionalProperties": False}, {"type": "null"}]
    }


class Town(BaseModel):
    name: str = Field(max_length=40)
    twins: list["Town"] = []


def test_the_schemas_of_pydantic_become_strict_also_where_they_refer_to_themselves() -> None:
    strict = make_strict(Town.model_json_schema() | {"type": "object", "properties": {}})
    assert strict is not None
    assert strict["$defs"] == {
        "Town": {
            "title": "Town",
            "type": "object",
            "properties": {
                "name": {"title": "Name", "type": "string", "description": "(maxLength: 40)"},
                "twins": {
                    "title": "Twins",
                    "type": "array",
                    "items": {"$ref": "#/$defs/Town"},
                    "description": "(default: [])",
                },
            },
            "required": ["name", "twins"],
            "additionalProperties": False,
        }
    }
