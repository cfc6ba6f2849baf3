"""Keeps a fleet of GES graphs up to date: the package behind `index.handler`."""
