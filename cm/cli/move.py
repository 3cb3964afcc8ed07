"""`cm move`: `cm post move`, for every day."""

from cm.cli import post_plan
from cm.cli.lazy import command

app, register = command(post_plan.MOVE)

register(post_plan.move)
