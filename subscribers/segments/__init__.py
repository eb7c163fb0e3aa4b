"""Saved queries over people, written in a small language of its own and read into SQL that only ever selects.

tree      what a query says, as frozen data
fields    the words it may name, and of which type each is
words     text into tokens
reading   tokens into a tree, or a fault that names its place
meaning   a tree into a condition on the audience's rows
saved     segments by slug; counting and looking at whom one names
"""
