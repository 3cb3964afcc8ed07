BEGIN TRANSACTION;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY,
    account TEXT, op TEXT NOT NULL, error TEXT NOT NULL, moment TEXT NOT NULL, retry_after REAL, times INTEGER NOT NULL
);
INSERT INTO "fault" VALUES(1,NULL,'send','unknown','after',NULL,1);
CREATE TABLE key (
    account TEXT NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL REFERENCES post,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
INSERT INTO "key" VALUES('other','k1',3);
INSERT INTO "key" VALUES('page','k1',1);
INSERT INTO "key" VALUES('page','k2',2);
CREATE TABLE post (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, link TEXT, language TEXT NOT NULL,
    role TEXT NOT NULL, visibility TEXT NOT NULL, media TEXT NOT NULL, parent TEXT, created_at TEXT NOT NULL
);
INSERT INTO "post" VALUES(1,'page','k1','Bonjour','https://hopital.example/x','fr','part','public','[{"sha256": "abababababababababababababababababababababababababababababababab", "mime": "image/jpeg", "alt": "Le jardin"}]',NULL,'2026-11-23T08:30:00+00:00');
INSERT INTO "post" VALUES(2,'page','k2','La suite',NULL,'','part','public','[]','sb-1','2026-11-23T08:30:00+00:00');
INSERT INTO "post" VALUES(3,'other','k1','Autre page',NULL,'','part','public','[]',NULL,'2026-11-23T08:30:00+00:00');
CREATE INDEX post_account ON post (account, n);
INSERT INTO "sqlite_sequence" VALUES('post',3);
COMMIT;
