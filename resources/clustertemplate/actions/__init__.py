"""The actions of templates: each on a kept one, and on one that is only sent."""
