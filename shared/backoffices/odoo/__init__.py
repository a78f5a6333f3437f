"""Odoo 19 over JSON-2, and 17 and 18 over JSON-RPC."""
