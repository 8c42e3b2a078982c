"""Figures: how fast one issuance is, beside what it could at best be. ``bin/bench --help``."""
