"""What the daily calendar needs: objectives, steps that can be undone, figures of posts from elsewhere, search."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("created", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_actor", "change", ["actor", "id"], unique=False)
    op.create_table(
        "changed_post",
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["change.id"],
        ),
        sa.PrimaryKeyConstraint("change_id", "post_id"),
    )
    op.create_table(
        "outside",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("permalink", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=True),
        sa.Column("reach", sa.Integer(), nullable=True),
        sa.Column("impressions", sa.Integer(), nullable=True),
        sa.Column("reactions", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("shares", sa.Integer(), nullable=True),
        sa.Column("saves", sa.Integer(), nullable=True),
        sa.Column("clicks", sa.Integer(), nullable=True),
        sa.Column("views", sa.Integer(), nullable=True),
        sa.Column("engagements", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel"],
            ["channel.name"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "source", "key", "taken_at"),
    )
    op.create_index("ix_outside_published", "outside", ["channel", "published_at"], unique=False)
    op.add_column("post", sa.Column("objective", sa.String(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _index_words()


def _index_words() -> None:
    """The index behind `cm find`, see `cm.calendar.search_index`. What copies `post` has to make the trigger anew."""
    op.execute("CREATE VIRTUAL TABLE post_words USING fts5(said, about, tokenize = 'ascii')")
    op.execute("CREATE TABLE post_words_rev (post_id INTEGER PRIMARY KEY, rev INTEGER NOT NULL)")
    op.execute(
        "CREATE TRIGGER post_words_gone AFTER DELETE ON post"
        " WHEN EXISTS (SELECT 1 FROM post_words_rev WHERE post_id = old.id)"
        " BEGIN"
        " DELETE FROM post_words WHERE rowid = old.id;"
        " DELETE FROM post_words_rev WHERE post_id = old.id;"
        " END"
    )
