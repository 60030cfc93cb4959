"""A PATCH of a machine: labels, lock and extensions, in three objects of Omni, all or none."""
