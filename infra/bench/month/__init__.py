"""A merchant's month, made up: shops, what they sold, what providers and banks say of it, and what is wrong in it."""
