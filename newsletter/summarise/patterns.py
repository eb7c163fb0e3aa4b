"""What must not stand in a summary: markup, links, orders to a machine. Patterns only, shared by extract and guard."""

import re

_MARKUP = re.compile(
    r"https?://|\bwww\.|</?[a-z!][^>]{0,80}>?|\*\*|^#{1,6}\s|```|\[[^\]]*\]\(|\{\{|\{%|&(?:[a-z]{2,8}|#\d{2,5});"
    r"|\w@\w[\w.-]*\.\w{2,}|\[/?(?:caption|gallery|embed|video|audio)\b",
    re.I | re.M,
)
# One of these stands in everything _MARKUP matches, and in few plain sentences.
_MARKUP_HINT = re.compile(r"[<*#`\[{&@]|://|www", re.I)
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|the\s+|your\s+|these\s+)*(?:previous|above|prior|earlier|preceding)"
    r"\s+(?:instructions?|prompts?|text|messages?|rules?)"
    r"|\byou are now (?:a|an|in)\b|\bsystem\s*(?:prompt|message)\s*:|<\|?(?:im_start|im_end|system|assistant)\b|\[/?INST\]"
    r"|(?:bỏ qua|phớt lờ|quên|lờ đi)\s+(?:mọi|tất cả|các|những|toàn bộ)\s+(?:chỉ dẫn|hướng dẫn|chỉ thị|câu lệnh)"
    r"|\binstead,?\s+(?:write|output|reply|respond)\b|\b(?:respond|reply|answer) only with\b"
    r"|chỉ\s+(?:trả lời|viết|xuất)\s*(?:ra)?\s*:|(?:trả lời|xuất ra)\s+duy nhất"
    r"|\bignore[zr]?\s+(?:les|toutes les|ces)\s+(?:instructions|consignes)\b"
    r"|\babaikan\s+(?:semua\s+)?(?:instruksi|perintah)\b",
    re.I,
)
# One of these stands in everything _INJECTION matches; looking for them first takes a sixth of the time.
_INJECTION_HINTS = ("ignor", "disregard", "forget", "you are now", "system", "im_start", "im_end", "assistant", "inst]",
                    "instead", " only with", "bỏ qua", "phớt lờ", "quên", "lờ đi", "chỉ", "duy nhất", "abaikan")  # fmt: skip
_MACHINE = re.compile(
    r"\bas an ai\b|\b(?:large )?language model\b|\bi(?:'m| am) sorry\b|\bhere is (?:a|the) summary\b|^\s*(?:summary|tóm tắt)\s*:"
    r"|mô hình ngôn ngữ|^\s*dưới đây là (?:bản )?tóm tắt",
    re.I,
)


def has_markup(text: str) -> bool:
    """HTML, Markdown, template marks, entities, links or mail addresses."""
    return bool(_MARKUP_HINT.search(text) and _MARKUP.search(text))


def has_injection(text: str) -> bool:
    """An order aimed at a language model. An article that holds one must never be given to a model."""
    low = text.lower()
    return any(hint in low for hint in _INJECTION_HINTS) and bool(_INJECTION.search(text))


def speaks_as_machine(text: str) -> bool:
    """The small talk of a language model in place of a summary."""
    return bool(_MACHINE.search(text))
