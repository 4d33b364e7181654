"""Every way in: REST and the command line. Nothing stands above it, so its door offers nothing (see `api.app`)."""
