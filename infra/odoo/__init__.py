"""A real Odoo on loopback, for the tests and for developers. Nothing of it is deployed."""
