"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version


def read_version() -> str:
    """Return the installed version; "unknown" where the sources run without having been installed."""
    try:
        return version("crystal-lattice")
    except PackageNotFoundError:
        return "unknown"
