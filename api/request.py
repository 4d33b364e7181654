"""A request as our routes see it: who calls, the use cases, and a body that is checked strictly."""

import re
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException

from api.auth import Principal
from api.choices import tell_choices
from api.service import Service
from core.errors import BodyTooLargeError, InvalidInputError, MalformedBodyError, UnsupportedMediaTypeError

T = TypeVar("T")

LONGEST_PLACE = 500

_PLACE = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_NAMED = re.compile(r"^Object (missing required|contains unknown) field `(.+)`$", re.DOTALL)


class ApiRequest(Request[Principal, None, State]):
    """A request of the API."""

    @property
    def service(self) -> Service:
        """The use cases."""
        service: Service = self.app.state.service
        return service

    @property
    def tenant(self) -> UUID:
        """Whose lattice the caller sees."""
        return self.user.tenant_id

    @property
    def request_id(self) -> str:
        """The id under which everything about this request is logged."""
        request_id: str = self.scope["state"]["request_id"]
        return request_id

    async def body(self) -> bytes:
        """Return the whole body.

        Raises:
            MalformedBodyError: the client went away before its end.
        """
        try:
            return await super().body()
        except InternalServerException as e:
            raise MalformedBodyError("the request broke off before the end of its body") from e

    async def json(self) -> Any:  # noqa: ANN401 - as the framework declares it
        """Return the body as the type that the route declares for `data`.

        Raises:
            UnsupportedMediaTypeError: it is declared as something other than JSON.
            BodyTooLargeError: it is larger than this route takes, which its option `most_bytes` may say.
            MalformedBodyError: it is no JSON.
            InvalidInputError: it is JSON of another shape; the message names the field by its path.
        """
        media_type = self.content_type[0].strip().lower()
        if media_type != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", media_type):
            given = f"not {media_type}" if media_type else "which is missing"
            raise UnsupportedMediaTypeError(f"send JSON with the header Content-Type: application/json, {given}")
        body, most = await self.body(), self.route_handler.opt.get("most_bytes")
        if most is not None and len(body) > most:
            raise BodyTooLargeError("body", f"may have at most {most:,} bytes here")
        field = self.route_handler.parsed_data_field
        return decode_body(body, object if field is None else field.raw)


def decode_body(body: bytes, type_: type[T]) -> T:
    """Decode JSON strictly into a type.

    Raises:
        MalformedBodyError: it is no JSON.
        InvalidInputError: it is JSON of another shape.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as e:
        raise _to_invalid_input(str(e), type_) from e
    except RecursionError as e:
        raise MalformedBodyError("the body is nested too deeply") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedBodyError(f"the body is no JSON: {e}") from e


def _to_invalid_input(message: str, type_: object) -> InvalidInputError:
    """Split "Expected `str`, got `int` - at `$.documents[3].text`" into the field's path and what is wrong with it."""
    place = _PLACE.search(message)
    path, problem = (place.group(1), message[: place.start()]) if place else ("", message)
    if named := _NAMED.match(problem):
        kind, name = named.groups()
        path = f"{path}.{name}" if path else name
        problem = "is missing" if kind == "missing required" else "is not a known field; see /schema"
    else:
        problem = tell_choices(problem[:1].lower() + problem[1:], type_, path)
    return InvalidInputError(_clip(path) or "body", _clip(problem))


def _clip(text: str) -> str:
    """Cut what a caller may have made as long as the body, such as the name of a field."""
    return text if len(text) <= LONGEST_PLACE else f"{text[: LONGEST_PLACE - 1]}…"
