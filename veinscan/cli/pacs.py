"""`veinscan pacs ...`: the hospital's archive."""

from __future__ import annotations

import typer

from veinscan.cli.pacs_places import cache, list_archives, login, logout
from veinscan.cli.pacs_queue import queue
from veinscan.cli.pacs_read import pull, query
from veinscan.cli.pacs_send import push

pacs = typer.Typer(
    help="The hospital's archive (PACS): find a study, pull it, push its plan back.", rich_markup_mode=None
)

pacs.command("query")(query)
pacs.command("pull")(pull)
pacs.command("push")(push)
pacs.command("queue")(queue)
pacs.command("cache")(cache)
pacs.command("list")(list_archives)
pacs.command("login")(login)
pacs.command("logout")(logout)
