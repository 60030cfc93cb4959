"""Mutation testing of what decides who sees what and whether an answer is current (``make mutation``)."""
