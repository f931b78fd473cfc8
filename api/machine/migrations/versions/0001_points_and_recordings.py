"""Points, their recordings, alarms and notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "points",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("bearing", sa.String(500), nullable=False),
        sa.Column("sampling_rate", sa.Float),
        sa.Column("rpm", sa.Float),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("unit", sa.String(8), nullable=False),
        sa.Column("learned_from", sa.Float),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("since", sa.Float),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("severity", sa.Float, nullable=False),
        sa.Column("last_taken_at", sa.Float),
        sa.Column("watch", sa.LargeBinary),
        sa.UniqueConstraint("machine", "name"),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("point_id", sa.Integer, sa.ForeignKey("points.id", ondelete="CASCADE"), nullable=False),
        sa.Column("taken_at", sa.Float, nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("indicators", sa.LargeBinary, nullable=False),
        sa.Column("rms", sa.Float, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("severity", sa.Float, nullable=False),
        sa.Column("parts", sa.String, nullable=False),
        sa.Column("diagnosis", sa.String),
        sa.UniqueConstraint("point_id", "taken_at", "sha256"),
    )
    op.create_index("recordings_trend", "recordings", ["point_id", "taken_at", "rms", "severity"])
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("point_id", sa.Integer, sa.ForeignKey("points.id", ondelete="CASCADE"), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("raised_at", sa.Float, nullable=False),
        sa.Column("cleared_at", sa.Float),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("acknowledged_by", sa.String(200)),
        sa.Column("acknowledged_at", sa.Float),
        sa.Column("note", sa.String),
        sa.UniqueConstraint("point_id", "raised_at", "level"),
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("point_id", sa.Integer, sa.ForeignKey("points.id", ondelete="CASCADE"), nullable=False),
        sa.Column("written_at", sa.Float, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
    op.create_index("ix_notes_point_id", "notes", ["point_id"])


def downgrade() -> None:
    for table in ("notes", "alarms", "recordings", "points"):
        op.drop_table(table)
