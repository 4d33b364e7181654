"""The lattice live: what it is like at this moment, told to all who watch from one reading."""
