"""Images as text."""

from base64 import b64encode

from llm_router.prompt import Image


def encode(image: Image) -> str:
    """Return the bytes in base64."""
    return b64encode(image.data).decode("ascii")


def data_url(image: Image) -> str:
    """Return an address that holds the image itself."""
    return f"data:{image.media_type};base64,{encode(image)}"
