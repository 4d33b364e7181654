"""The statements that distribute the schema by tenant on Citus, made from the tables as they are declared.

Run as `python -m scripts.distribute_citus`; docs/scale.md shows them, and a test holds the page to them.
"""

from sqlalchemy import Table

from migrations.models import METADATA

KEY = "tenant_id"
FIRST = "gem"  # which all others lie beside


def list_tables() -> list[Table]:
    """Return every table of ours, each after those that it refers to; equals by name."""
    remaining = dict(sorted(METADATA.tables.items(), key=lambda item: (item[0] != FIRST, item[0])))
    ordered: list[Table] = []
    while remaining:
        done = {table.name for table in ordered}
        for name, table in remaining.items():
            if {key.referred_table.name for key in table.foreign_key_constraints} <= done | {name}:
                ordered.append(remaining.pop(name))
                break
    return ordered


def list_statements() -> list[str]:
    """Return the statements, in an order in which each finds what it refers to distributed already."""
    distributed = [table.name for table in list_tables() if KEY in table.columns]
    beside = {name: "none" if name == FIRST else FIRST for name in distributed}
    return [
        f"SELECT create_distributed_table('{name}', '{KEY}', colocate_with => '{other}');"
        for name, other in beside.items()
    ]


def main() -> None:
    """Print them."""
    print("\n".join(list_statements()))


if __name__ == "__main__":
    main()
