"""Parts as columns, compressed diagnoses, chunks of recordings, the history of alarms, and its outbox."""

import json
import zlib

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0002"
down_revision = "0001"

PARTS = {"outer_race": "OuterRace", "inner_race": "InnerRace", "ball": "Ball", "other_lines": "other lines"}
PARTS |= {"impacts": "impacts", "loudness": "level"}
CHUNK = 16
AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column("points", sa.Column("learned_until", sa.Float))
    op.add_column("points", sa.Column("recent", sa.LargeBinary, nullable=False, server_default=""))
    op.add_column("points", sa.Column("thinned_until", sa.Float))
    op.add_column("points", sa.Column("thinned_watch", sa.LargeBinary))
    op.add_column("points", sa.Column("thinned_level", sa.String(16)))
    for name in PARTS:
        op.add_column("recordings", sa.Column(name, sa.Float, nullable=False, server_default="0"))
    op.add_column("recordings", sa.Column("prediction", sa.String(16)))
    op.add_column("recordings", sa.Column("packed", sa.LargeBinary))
    op.add_column("recordings", sa.Column("healthy", sa.LargeBinary))
    op.add_column("recordings", sa.Column("file", sa.String(300)))
    convert_recordings()
    op.drop_column("recordings", "parts")
    op.drop_column("recordings", "diagnosis")
    op.execute("ALTER TABLE recordings RENAME COLUMN packed TO diagnosis")
    create_chunks()
    create_changes()
    keep_history()


def convert_recordings() -> None:
    """Bring parts and diagnosis of each recording into their new columns."""
    names = ("id", "parts", "diagnosis", "prediction", "packed", *PARTS)
    recordings = sa.table("recordings", *(sa.column(name) for name in names))
    change = recordings.update().where(recordings.c.id == sa.bindparam("number"))
    change = change.values({name: sa.bindparam(f"new_{name}") for name in names[3:]})
    connection, last = op.get_bind(), 0
    query = sa.select(recordings.c.id, recordings.c.parts, recordings.c.diagnosis).order_by(recordings.c.id)
    while rows := connection.execute(query.where(recordings.c.id > last).limit(AT_ONCE)).all():
        connection.execute(change, [convert(*row) for row in rows])
        last = rows[-1].id


def convert(number: int, parts: str, diagnosis: str | None) -> dict[str, object]:
    sizes = json.loads(parts)
    return {f"new_{name}": sizes.get(known, 0.0) for name, known in PARTS.items()} | {
        "number": number,
        "new_prediction": json.loads(diagnosis)["prediction"] if diagnosis else None,
        "new_packed": zlib.compress(diagnosis.encode()) if diagnosis else None,
    }


def create_chunks() -> None:
    low_and_high = ("rms_low", "rms_high", "severity_low", "severity_high", *PARTS)
    op.create_table(
        "chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("point_id", sa.Integer, sa.ForeignKey("points.id", ondelete="CASCADE"), nullable=False),
        sa.Column("first_id", sa.Integer, nullable=False),
        sa.Column("begin", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("recordings", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in low_and_high),
    )
    op.create_index("chunks_trend", "chunks", ["point_id", "begin"])
    largest = ", ".join(f"max({name})" for name in PARTS)
    op.execute(f"""
        INSERT INTO chunks (point_id, first_id, "begin", "end", recordings, {", ".join(low_and_high)})
        SELECT point_id, min(CASE WHEN place % {CHUNK} = 0 THEN id END), min(taken_at), max(taken_at), count(*),
            min(rms), max(rms), min(severity), max(severity), {largest}
        FROM (SELECT recordings.*, row_number() OVER (PARTITION BY point_id ORDER BY taken_at, sha256) - 1 AS place
            FROM recordings) AS placed
        GROUP BY point_id, place / {CHUNK}""")  # noqa: S608 - all names are typed here


def create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("point", sa.String(64), nullable=False),
        sa.Column("written_at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("since", sa.Float),
        sa.Column("taken_at", sa.Float),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("by", sa.String(200)),
        sa.Column("note", sa.String),
    )
    op.create_index("changes_point", "changes", ["machine", "point", "id"])
    op.create_table(
        "deliveries",
        sa.Column("change_id", sa.Integer, sa.ForeignKey("changes.id"), primary_key=True),
        sa.Column("receiver", sa.String(16), primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.Float, nullable=False),
        sa.Column("error", sa.String, nullable=False),
    )
    op.create_index("ix_deliveries_next_try_at", "deliveries", ["next_try_at"])


def keep_history() -> None:
    """Begin the history with the alarms that there are; their recordings' moments stand for those of writing."""
    columns = 'machine, point, written_at, kind, level, since, taken_at, reason, "by", note'
    for kind, moment in (("raised", "raised_at"), ("cleared", "cleared_at"), ("acknowledged", "acknowledged_at")):
        said = "acknowledged_by, note" if kind == "acknowledged" else "NULL, NULL"
        op.execute(f"""
            INSERT INTO changes ({columns})
            SELECT machine, name, {moment}, '{kind}', alarms.level, alarms.since, {moment}, alarms.reason, {said}
            FROM alarms JOIN points ON points.id = point_id WHERE {moment} IS NOT NULL ORDER BY {moment}""")  # noqa: S608 - all names are typed here


def downgrade() -> None:
    """Refuse, in words on alembic's command line: what was thinned, packed and told since has no older form."""
    raise CommandError("an older form cannot hold what was stored since: restore the database from before the update")
