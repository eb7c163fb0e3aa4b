"""All tables of `newsletter`. People and addresses are not here: they live in `subscribers`, and no key crosses over."""

import sqlalchemy as sa

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)

Id = sa.String(16)  # model.new_id(): 16 characters, time-ordered

from newsletter.store.schema import collecting, delivering, machines, pacing, picturing, publishing, staff  # noqa: E402, F401 (registers the tables)
