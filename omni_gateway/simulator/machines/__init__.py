"""The emulated machines: their hardware, logs and images, and the resources that describe them."""
