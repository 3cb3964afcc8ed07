"""What exactly-once publishing needs: holds, look-ups, withdrawals, pauses with their kind, what people were told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _new_tables()
    op.add_column("account", sa.Column("pause_kind", sa.String(), nullable=True))
    op.add_column("account", sa.Column("app", sa.String(), nullable=False, server_default=""))
    op.add_column("account", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("channel", sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("channel", sa.Column("backlog_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("post", sa.Column("crisis", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("post", sa.Column("held_by", sa.Integer(), nullable=True))
    op.add_column("post", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("post", sa.Column("withdrawal", sa.String(), nullable=True))
    op.add_column("post", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("post", sa.Column("motive", sa.String(), nullable=True))
    op.add_column("message", sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("absent_resends", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("receipt", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_attempt_open", "attempt", ["account_id"], unique=False, sqlite_where=sa.text("finished_at IS NULL")
    )
    op.create_index(
        "ix_post_due",
        "post",
        ["channel", "scheduled_at", "id", "wake_at"],
        unique=False,
        sqlite_where=sa.text("wake_at IS NOT NULL"),
    )
    op.execute("UPDATE account SET pause_kind = 'auth' WHERE paused_at IS NOT NULL AND paused_until IS NULL")
    op.execute("UPDATE account SET pause_kind = 'rate_limit' WHERE paused_at IS NOT NULL AND paused_until IS NOT NULL")


def _new_tables() -> None:
    op.create_table(
        "stray",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("permalink", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opening", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "remote_id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channels", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("os_user", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notice",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
