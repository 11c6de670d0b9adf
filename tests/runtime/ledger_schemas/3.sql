-- A ledger of schema 3 as it was released. Never edit it: it is what households have on their disks.
PRAGMA application_id = 1162759239;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE import (
    site INTEGER NOT NULL, revision INTEGER NOT NULL, made INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (site, revision)) STRICT, WITHOUT ROWID;
INSERT INTO "import" VALUES(1,3,1767300000,'ores-2026-01.csv');
CREATE TABLE price (
    site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), price INTEGER NOT NULL,
    PRIMARY KEY (site, start)) STRICT, WITHOUT ROWID;
INSERT INTO "price" VALUES(1,1767222000,123456);
INSERT INTO "price" VALUES(1,1767222900,-20000);
CREATE TABLE quarter_hour (
    site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), revision INTEGER NOT NULL,
    offtake INTEGER CHECK (offtake >= 0),
    injection INTEGER CHECK (injection >= 0),
    production INTEGER CHECK (production >= 0),
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 3),
    imported INTEGER NOT NULL CHECK (imported BETWEEN 0 AND 7),
    doubtful INTEGER NOT NULL CHECK (doubtful BETWEEN 0 AND 7 AND doubtful & ~imported = 0),
    PRIMARY KEY (site, start)) STRICT, WITHOUT ROWID;
INSERT INTO "quarter_hour" VALUES(1,1767222000,2,105,1,40,1,4,4);
INSERT INTO "quarter_hour" VALUES(1,1767222900,3,3,240,NULL,0,3,0);
INSERT INTO "quarter_hour" VALUES(1,1767223800,1,NULL,NULL,7,2,0,0);
INSERT INTO "quarter_hour" VALUES(1,1767224700,3,9,0,NULL,3,3,0);
INSERT INTO "quarter_hour" VALUES(2,1767222000,1,77,0,NULL,0,0,0);
CREATE TABLE site (
    id INTEGER PRIMARY KEY, entry TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, state TEXT) STRICT;
INSERT INTO "site" VALUES(1,'01JHOUSE',3,'{"counters":{"L1+":[1767224700,2345.6]}}');
INSERT INTO "site" VALUES(2,'01JWORKSHOP',1,'{}');
CREATE TABLE superseded (
    site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), revision INTEGER NOT NULL,
    offtake INTEGER CHECK (offtake >= 0),
    injection INTEGER CHECK (injection >= 0),
    production INTEGER CHECK (production >= 0),
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 3),
    imported INTEGER NOT NULL CHECK (imported BETWEEN 0 AND 7),
    doubtful INTEGER NOT NULL CHECK (doubtful BETWEEN 0 AND 7 AND doubtful & ~imported = 0),
    PRIMARY KEY (site, start, revision)) STRICT, WITHOUT ROWID;
INSERT INTO "superseded" VALUES(1,1767222000,1,100,0,40,0,0,0);
INSERT INTO "superseded" VALUES(1,1767222900,1,0,250,NULL,1,0,0);
CREATE TABLE community (
    id INTEGER PRIMARY KEY, entry TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, closed INTEGER,
    rules TEXT) STRICT;
INSERT INTO "community" VALUES(1,'01JSTREET',2,1767222000,'{"members":["ash"]}');
CREATE TABLE share (
    community INTEGER NOT NULL, site INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    revision INTEGER NOT NULL, reading INTEGER,
    offered INTEGER CHECK (offered >= 0), allocated INTEGER CHECK (allocated BETWEEN 0 AND offered),
    surplus INTEGER CHECK (surplus >= 0),
    version INTEGER NOT NULL, provisional INTEGER NOT NULL CHECK (provisional BETWEEN 0 AND 1),
    PRIMARY KEY (community, site, start)) STRICT, WITHOUT ROWID;
INSERT INTO "share" VALUES(1,1,1767222000,2,2,40,35,NULL,1,0);
INSERT INTO "share" VALUES(1,2,1767222000,1,NULL,NULL,NULL,12,1,1);
CREATE TABLE total (
    community INTEGER NOT NULL, profile TEXT NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    production INTEGER NOT NULL, offtake INTEGER NOT NULL, allocated INTEGER NOT NULL, surplus INTEGER NOT NULL,
    known INTEGER NOT NULL, expected INTEGER NOT NULL,
    provisional INTEGER NOT NULL CHECK (provisional BETWEEN 0 AND 1),
    PRIMARY KEY (community, profile, start)) STRICT, WITHOUT ROWID;
INSERT INTO "total" VALUES(1,'',1767222000,52,105,40,12,1,2,1);
CREATE TABLE due (
    community INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0),
    PRIMARY KEY (community, start)) STRICT, WITHOUT ROWID;
INSERT INTO "due" VALUES(1,1767222900);
CREATE TABLE acknowledged (
    community INTEGER NOT NULL, site INTEGER NOT NULL, start INTEGER NOT NULL, revision INTEGER NOT NULL, refused TEXT,
    PRIMARY KEY (community, site, start)) STRICT, WITHOUT ROWID;
INSERT INTO "acknowledged" VALUES(1,1,1767222000,2,NULL);
INSERT INTO "acknowledged" VALUES(1,1,1767222900,3,'absurd');
CREATE TABLE coefficient (
    community INTEGER NOT NULL, start INTEGER NOT NULL CHECK (start % 900 = 0), producer TEXT NOT NULL,
    member TEXT NOT NULL, part INTEGER NOT NULL CHECK (part BETWEEN 0 AND 1000000),
    PRIMARY KEY (community, start, producer, member)) STRICT, WITHOUT ROWID;
INSERT INTO "coefficient" VALUES(1,1767222000,'','ash',125000);
INSERT INTO "coefficient" VALUES(1,1767222900,'roof','ash',1000000);
CREATE TABLE member (
    community INTEGER NOT NULL, site INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (community, site)) STRICT, WITHOUT ROWID;
INSERT INTO "member" VALUES(1,1,'{"device":"01JDEVICE"}');
CREATE TABLE carried (
    community INTEGER NOT NULL, site INTEGER NOT NULL, until INTEGER NOT NULL,
    neighbours INTEGER NOT NULL CHECK (neighbours >= 0), supplier INTEGER NOT NULL CHECK (supplier >= 0),
    PRIMARY KEY (community, site)) STRICT, WITHOUT ROWID;
INSERT INTO "carried" VALUES(1,1,1767222000,420,690);
COMMIT;
