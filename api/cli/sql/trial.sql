-- name: forget_gems
-- every gem of the transaction's tenant, with all that is under it
DELETE FROM gem;

-- name: forget_lattice
-- the last row of the transaction's tenant
DELETE FROM lattice;
