"""Attacks: what strangers, and vendors that are not themselves, may try on the real code."""
