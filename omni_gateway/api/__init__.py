"""The gateway's own routes: what it is, how it is, and how long work goes on."""
