"""The check of plugins by rules in four grades, without a server: ``omni-gateway plugin check``.

A rule (:mod:`.rule`) is a function of a :class:`.subject.Subject`; :mod:`.catalogue` lists them all, and
``docs/plugins/checks.md`` explains each. Those of :mod:`.at_start` stop the start of a gateway too.
"""
