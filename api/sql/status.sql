-- name: read_revision
-- the revision of the schema as the migrations left it
SELECT version_num FROM alembic_version;
