"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), and RSS written as JSON. Pure, types never trusted."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.collect.feeds.entry import dated, first_text
from newsletter.collect.text.clean import html_to_text, is_markup, one_line, paragraphs, title_text
from newsletter.collect.text.links import absolute, first_image
from newsletter.errors import Unreadable
from newsletter.model import Feed, RawItem


def read_json(text: str, *, url: str, max_entries: int) -> Feed:
    """Raises Unreadable when it is not JSON or holds no list of items."""
    try:
        value = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the JSON cannot be read: {type(error).__name__}", where=url) from error
    feed = value if isinstance(value, dict) else {}
    rss = feed.get("rss")
    channel = rss.get("channel") if isinstance(rss, dict) else None
    if isinstance(channel, dict):
        feed = {**channel, "items": channel.get("item")}
    items = feed.get("items")
    if not isinstance(items, list):
        raise Unreadable("the answer is JSON, but no JSON Feed: it has no list of items", where=url)
    usable = [item for item in items if isinstance(item, dict)]
    entries = tuple(_item(item, feed, url) for item in usable[:max_entries])
    title = title_text(first_text([feed.get("title")]), literal=True) or None
    return Feed(title=title, entries=entries, truncated=len(usable) > max_entries)


def _item(item: Mapping[str, Any], feed: Mapping[str, Any], base: str) -> RawItem:
    markup = first_text([item.get("content_html"), item.get("content_text"), item.get("description")]) or ""
    text = paragraphs(markup) if not item.get("content_html") and not is_markup(markup) else html_to_text(markup)
    url = absolute(base, first_text([item.get("url"), item.get("external_url"), item.get("link")]))
    published, raw, rule = dated(
        {
            "published": first_text([item.get("date_published"), item.get("pubDate")]) or "",
            "modified": first_text([item.get("date_modified")]) or "",
        }
    )
    given = absolute(url or base, first_text([item.get("image"), item.get("banner_image")]))
    image = given or first_image(markup, url or base)
    standfirst = html_to_text(first_text([item.get("summary")]) or "") or None
    authors = tuple(dict.fromkeys(_authors(item) or _authors(feed)))
    title = title_text(first_text([item.get("title")]))
    found = {
        "title": title and "feed",
        "text": "feed:content" if text else "",
        "standfirst": standfirst and "feed:summary",
        "published": f"feed:{rule}" if published else "",
        "image": "feed:media" if given else "feed:content" if image else "",
        "authors": "feed" if authors else "",
    }
    return RawItem(
        title=title,
        url=url,
        guid=first_text([item.get("id"), item.get("guid")]),
        text=text or (standfirst or ""),
        standfirst=standfirst,
        authors=authors,
        image=image,
        language=first_text([item.get("language"), feed.get("language")]),
        published=published,
        published_raw=raw,
        provenance={name: value for name, value in found.items() if value},
    )


def _authors(holder: Mapping[str, Any]) -> list[str]:
    return [name for name in _names(holder) if name and "@" not in name]


def _names(holder: Mapping[str, Any]) -> Iterator[str]:
    listed = holder.get("authors")
    for author in [*(listed if isinstance(listed, list) else []), holder.get("author")]:
        name = author.get("name") if isinstance(author, dict) else author
        if isinstance(name, str):
            yield one_line(title_text(name), 200)
