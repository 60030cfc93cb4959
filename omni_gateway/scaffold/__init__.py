"""Packages of plugins, made of templates: ``omni-gateway plugin new``, ``update`` and ``types``.

:mod:`.omni_types` reads the tables of Omni's types, :mod:`.schema_source` writes a schema of them, :mod:`.package`
renders a package of an author's :mod:`.answers`, and :mod:`.update` applies newer templates to a package that was
changed since.
"""
