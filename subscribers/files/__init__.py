"""From a file on disk to rows of text: CSV in any dress, a ZIP of CSVs, a workbook. Knows nothing of people.

Memory is flat and a bomb is refused before it goes off. Nothing is guessed silently: every table says how it was read.
"""
