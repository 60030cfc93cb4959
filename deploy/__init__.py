"""What operators install from."""
