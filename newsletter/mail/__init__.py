"""Pure knowledge of messages: headers, markers, compiling and splicing, DKIM, tokens, replies, checks.

Nothing here reads a row, opens a socket or asks the time; whoever calls brings the facts. Addresses are revealed in
one place only: `compile.Message`, on its way to an envelope or a To header.
"""
