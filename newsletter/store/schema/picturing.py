"""Pictures made for mail, which mailing shows which, and what became of the publishers' addresses they were fetched from.

The files are rows, not a folder: they are in every backup, no mailing is committed without its pictures, and each of many
machines can serve and embed them. An issue's are about 0.3 MB (a lead of at most 150 kB, thumbnails of at most 20).
"""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

images = sa.Table(
    "images",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),  # of the content: 32 digits of its SHA-256, .jpg or .png
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("used_at", UtcDateTime, nullable=False),  # when an issue was last composed with it
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("ix_images_used_at", "used_at"),  # cleaning: which nobody has used for long
)

mailing_images = sa.Table(
    "mailing_images",
    metadata,
    sa.Column("mailing_id", Id, sa.ForeignKey("mailings.id"), primary_key=True),
    sa.Column("name", sa.String(40), sa.ForeignKey("images.name"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("ix_mailing_images_name", "name"),  # cleaning: mail that is out still shows it
)

image_fetches = sa.Table(
    "image_fetches",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # SHA-256 of the address and the slot
    sa.Column("url", sa.Text, nullable=False),
    sa.Column(
        "name", sa.String(40), sa.ForeignKey("images.name")
    ),  # NULL: there is no picture to be had, with the reason
    sa.Column("reason", sa.Text),
    sa.Column("fetched_at", UtcDateTime, nullable=False),
    sa.Index("ix_image_fetches_name", "name"),
    sa.Index("ix_image_fetches_fetched_at", "fetched_at"),
)
