"""A service that runs elsewhere, asked over REST."""

from typing import TypeVar

import httpx2
import msgspec
import typer
from pydantic import SecretStr

from core.errors import ForbiddenError, LatticeError, NotReadyError, UnauthenticatedError

T = TypeVar("T")

WAIT_S = 10.0


async def ask_service(url: str, path: str, token: SecretStr | None, type_: type[T]) -> T:
    """Return what a running service answers.

    Args:
        url: of the service, such as http://127.0.0.1:8000.
        path: of the route, below /api/v1/.
        token: sent as a bearer token.
        type_: of the answer.

    Raises:
        typer.BadParameter: the URL is none.
        UnauthenticatedError: the service wants another token.
        ForbiddenError: the token's role does not reach.
        NotReadyError: nobody answers there, or no service of ours.
    """
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    whole = f"{url.rstrip('/').removesuffix('/api/v1')}/api/v1/{path}"
    try:
        async with httpx2.AsyncClient(headers=headers, timeout=WAIT_S) as client:
            answer = await client.get(whole)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as e:
        raise typer.BadParameter("must look like http://127.0.0.1:8000", param_hint="--url") from e
    except httpx2.HTTPError as e:
        raise NotReadyError(f"{url} did not answer ({type(e).__name__})") from e
    if answer.status_code != httpx2.codes.OK:
        raise _refusal(url, answer)
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except msgspec.MsgspecError as e:
        raise NotReadyError(f"{url} does not answer like this version of the service: {e}") from e


def _refusal(url: str, answer: httpx2.Response) -> LatticeError:
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = "no service of ours"
    kinds: dict[int, type[LatticeError]] = {401: UnauthenticatedError, 403: ForbiddenError}
    return kinds.get(answer.status_code, NotReadyError)(f"{url} answered {answer.status_code}: {detail}")
