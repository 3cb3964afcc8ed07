"""`cm add`: write posts, in the editor or at once; the everyday name of `cm post add`."""

from cm.cli import post_write
from cm.cli.lazy import command

app, register = command(post_write.ADD)
register(post_write.add)
