"""Environment variables as fields of dataclasses, in a file of variables, and secrets in files of their own."""
