"""`cm edit`: change a post, in the editor or by options; the everyday name of `cm post edit`."""

from cm.cli import post_write
from cm.cli.lazy import command

app, register = command(post_write.EDIT)
register(post_write.edit)
