"""The API's description as one page of HTML: no script, nothing loaded from anywhere."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
th { background: var(--soft); }
:target { outline: 2px solid; }
"""


def render_page(schema: Json) -> str:
    """Return the page that describes a schema."""
    info = schema["info"]
    title = escape(info["title"])
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>{title} <small>{escape(info['version'])}</small></h1>"
        f"<p>{escape(info.get('description', ''))}</p>"
        '<p>For programs: <a href="/schema/openapi.json">openapi.json</a>.</p>'
        f"{''.join(_tags(schema))}<h2>Schemas</h2>{''.join(_components(schema))}</body></html>"
    )


def _tags(schema: Json) -> Iterator[str]:
    for tag in schema.get("tags", ()):
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag.get('description', ''))}</p>"
        for path, item in schema["paths"].items():
            for method in METHODS:
                operation = item.get(method)
                if operation and tag["name"] in operation.get("tags", ()):
                    yield _operation(method, path, operation)


def _operation(method: str, path: str, operation: Json) -> str:
    parts = [f"<p>{escape(part)}</p>" for part in operation.get("description", "").split("\n\n")]
    if parameters := operation.get("parameters"):
        rows = [
            (f"{each['name']} ({each['in']})", each["schema"], each.get("required", False), each.get("description"))
            for each in parameters
        ]
        parts.append(_table("Parameter", rows))
    if body := operation.get("requestBody"):
        parts.append(f"<p>Body: {_contents(body)}</p>")
    for status, response in operation.get("responses", {}).items():
        parts.append(f"<p><code>{escape(status)}</code> {_contents(response)} {escape(response['description'])}</p>")
    head = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{head}</summary>{''.join(parts)}</details>"


def _components(schema: Json) -> Iterator[str]:
    for name, component in sorted(schema.get("components", {}).get("schemas", {}).items()):
        required = component.get("required", ())
        rows = [
            (field, each, field in required, each.get("description"))
            for field, each in component.get("properties", {}).items()
        ]
        text = escape(component.get("description", ""))
        yield f'<details id="{escape(name)}" open><summary><b>{escape(component.get("title", name))}</b></summary>'
        yield f"<p>{text}</p>{_table('Field', rows)}</details>"


def _table(head: str, rows: list[tuple[str, Json, bool, str | None]]) -> str:
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_kind(schema)}</td>"
        f"<td>{'required' if required else ''}</td><td>{escape(text or '')}</td></tr>"
        for name, schema, required, text in rows
    )
    return f"<table><tr><th>{head}</th><th>Type</th><th></th><th></th></tr>{cells}</table>"


def _contents(holder: Json) -> str:
    return ", ".join(
        f"{_kind(content.get('schema', {}))} as {escape(media_type)}"
        for media_type, content in (holder.get("content") or {}).items()
    )


def _kind(schema: Json) -> str:
    """Say in a word or two what values a schema allows."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for union in ("oneOf", "anyOf", "allOf"):
        if union in schema:
            return " or ".join(_kind(each) for each in schema[union])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    kind = schema.get("type", "any")
    word = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return escape(" ".join([word, *([f"({schema['format']})"] if "format" in schema else [])])) + _bounds(schema)


def _bounds(schema: Json) -> str:
    names = {"minimum": "≥", "maximum": "≤", "minLength": "length ≥", "maxLength": "length ≤"}
    found = [f"{sign} {schema[name]:,}" for name, sign in names.items() if schema.get(name) is not None]
    return f" <small>{escape(', '.join(found))}</small>" if found else ""
