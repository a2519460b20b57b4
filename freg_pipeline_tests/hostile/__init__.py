"""Peers that answer as no server should, and commands that meet them."""
