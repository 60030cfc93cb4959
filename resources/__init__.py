"""The built-in resources: one package each, on the same footing as any third party's."""
