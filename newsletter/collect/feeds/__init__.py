"""Feeds of every kind (RSS, RDF, Atom, JSON Feed) read tolerantly into items. Pure."""
