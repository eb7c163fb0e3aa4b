"""Text as publishers write it: bytes decoded and mended, markup cleaned; dates, names, languages, links. Pure."""
