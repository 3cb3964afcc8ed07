"""Files of figures as platforms give them, made up: the columns are theirs, the numbers nobody's."""

import csv
import io

from openpyxl import Workbook

UCI_COLUMNS = (
    "Page total likes", "Type", "Category", "Post Month", "Post Weekday", "Post Hour", "Paid", "Total Reach",
    "Total Impressions", "comment", "like", "share", "Total Interactions",
)  # fmt: skip

META_COLUMNS = (
    "Post ID", "Page ID", "Page name", "Title", "Description", "Duration (sec)", "Publish time", "Caption type",
    "Permalink", "Post type", "Languages", "Date", "Views", "Reach", "Reactions, Comments and Shares", "Reactions",
    "Comments", "Shares", "Total clicks",
)  # fmt: skip

META_FR_COLUMNS = (
    "Identifiant de la publication", "Nom de la Page", "Titre", "Heure de publication", "Permalien",
    "Type de publication", "Vues", "Couverture", "Réactions, commentaires et partages", "Réactions", "Commentaires",
    "Partages", "Total des clics",
)  # fmt: skip

INSTAGRAM_COLUMNS = (
    "Post ID", "Account ID", "Account username", "Account name", "Description", "Duration (sec)", "Publish time",
    "Permalink", "Post type", "Data comment", "Date", "Views", "Reach", "Likes", "Shares", "Follows", "Comments",
    "Saves",
)  # fmt: skip

X_COLUMNS = (
    "Post id", "Date", "Post text", "Post Link", "Impressions", "Likes", "Engagements", "Bookmarks", "Shares",
    "New follows", "Replies", "Reposts", "Profile visits", "Detail Expands", "URL Clicks", "Hashtag Clicks",
    "Permalink Clicks",
)  # fmt: skip

X_OLD_COLUMNS = (
    "Tweet id", "Tweet permalink", "Tweet text", "time", "impressions", "engagements", "engagement rate", "retweets",
    "replies", "likes", "user profile clicks", "url clicks",
)  # fmt: skip

LINKEDIN_COLUMNS = (
    "Post title", "Post link", "Post type", "Campaign name", "Posted by", "Created date", "Campaign start date",
    "Campaign end date", "Audience", "Impressions", "Views", "Offsite Views", "Clicks", "Click through rate (CTR)",
    "Likes", "Comments", "Reposts", "Follows", "Engagement rate", "Content Type",
)  # fmt: skip

YOUTUBE_COLUMNS = (
    "Content", "Video title", "Video publish time", "Duration", "Views", "Watch time (hours)", "Subscribers",
    "Impressions", "Impressions click-through rate (%)", "Likes", "Comments added", "Shares",
)  # fmt: skip

YOUTUBE_FR_COLUMNS = (
    "Contenu", "Titre de la vidéo", "Heure de publication de la vidéo", "Durée", "Vues", "Impressions",
)  # fmt: skip


def table(columns, *rows, lead=()):
    """Lines of `lead`, the header, and rows given by column; what a row leaves out is blank."""
    return [*lead, list(columns), *([str(row.get(column, "")) for column in columns] for row in rows)]


def as_csv(rows, delimiter=",", encoding="utf-8"):
    """The rows as the bytes of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows):
    """The rows as a workbook, whole numbers as numbers."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append([int(cell) if cell.isdigit() else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def meta(post, reach="1000", total="30", **more):
    """A row of Meta's export."""
    row = {
        "Post ID": post, "Title": f"Publication {post}", "Publish time": "11/23/2026 09:00", "Date": "Lifetime",
        "Permalink": f"https://www.facebook.com/tilleuls/posts/{post}", "Post type": "Photos", "Reach": reach,
        "Reactions, Comments and Shares": total, "Reactions": "20", "Comments": "4", "Shares": "6",
    }  # fmt: skip
    return {**row, **more}


def uci(kind, reach, total, **more):
    """A row in the manner of UCI's."""
    row = {"Page total likes": "10000", "Type": kind, "Paid": "0", "Total Reach": reach, "Total Impressions": "5000"}
    return {**row, "comment": "1", "like": "2", "share": "3", "Total Interactions": total, **more}
