"""The routes of REST, one module a noun; each route names who may call it."""
