"""Which known article an item is, and so which items are new, corrected, held or left: decisions over keys. Pure."""
