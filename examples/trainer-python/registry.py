"""What must outlive a kill: requests and how far they have come, versions, and what is still to be said.

One SQLite file. Every change is one transaction, synced before it counts; so after a kill at any point the trainer
finds either all of a step or nothing of it. Several trainers of one machine may share it: whoever works on a request
holds a lock on it, which the operating system lets go of when the process dies.
"""

import contextlib
import fcntl
import json
import os
import pickle
import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    request_id TEXT PRIMARY KEY, model TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cells (
    request_id TEXT NOT NULL, metric TEXT NOT NULL, horizon INTEGER NOT NULL, cell BLOB NOT NULL,
    PRIMARY KEY (request_id, metric, horizon));
CREATE TABLE IF NOT EXISTS versions (
    model TEXT NOT NULL, version TEXT NOT NULL, cells BLOB NOT NULL, keep_shadow_ms INTEGER NOT NULL,
    serves_from INTEGER, shadow_until INTEGER, replaced TEXT, state TEXT NOT NULL,
    PRIMARY KEY (model, version));
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT NOT NULL, topic TEXT NOT NULL, body TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS positions (
    topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, number));
CREATE TABLE IF NOT EXISTS issued (model TEXT, entity TEXT, at INTEGER, PRIMARY KEY (model, entity));
"""


class Registry:
    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA)
        self.locks = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT) if path != ":memory:" else None

    # Requests

    def state(self, request_id):
        """accepted, succeeded, failed or rejected; None where the request was never seen."""
        row = self.database.execute("SELECT state FROM requests WHERE request_id = ?", [request_id]).fetchone()
        return row and row[0]

    def positions(self):
        """The next offset of each (topic, partition) that was read."""
        return {(topic, number): offset for topic, number, offset in self.database.execute("SELECT * FROM positions")}

    def note_position(self, topic, partition, offset):
        self.database.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", [topic, partition, offset])

    def unfinished(self):
        """Requests that have not come to an end, or of which something is still to be said; oldest first."""
        rows = self.database.execute(
            "SELECT body FROM requests WHERE state = 'accepted' OR request_id IN"
            " (SELECT request_id FROM outbox WHERE sent = 0) ORDER BY rowid").fetchall()
        return [json.loads(body) for (body,) in rows]

    def take(self, request, topic, status):
        """Notes a new request together with what is to be said about it; false where another trainer was faster."""
        with self.transaction():
            is_new = self.database.execute(
                "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?)",
                [request["request_id"], request["model"], json.dumps(request), status["status"]]).rowcount > 0
            if is_new:
                self._say(topic, status)
        return is_new

    @contextlib.contextmanager
    def claim(self, request_id):
        """Whether the request is this process's alone while the block runs: one byte of a file, locked."""
        (number,) = self.database.execute("SELECT rowid FROM requests WHERE request_id = ?", [request_id]).fetchone()
        try:
            if self.locks is not None:
                fcntl.lockf(self.locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            if self.locks is not None:
                fcntl.lockf(self.locks, fcntl.LOCK_UN, 1, number)

    def finish(self, request, topic, status, cells=None):
        """Ends a request; where it made a version, in the same transaction as that."""
        with self.transaction():
            self.database.execute(
                "UPDATE requests SET state = ? WHERE request_id = ?", [status["status"], request["request_id"]])
            if cells is not None:
                self._add_version(
                    request["model"], status["model_version"], cells, int(request["keep_shadow_hours"] * 3_600_000))
            self.database.execute("DELETE FROM cells WHERE request_id = ?", [request["request_id"]])
            self._say(topic, status)

    # What has been trained of a request so far

    def cells(self, request_id):
        rows = self.database.execute("SELECT metric, horizon, cell FROM cells WHERE request_id = ?", [request_id])
        return {(metric, horizon): pickle.loads(cell) for metric, horizon, cell in rows}

    def add_cell(self, request_id, metric, horizon, cell):
        """The primary key refuses a cell that was trained already."""
        self.database.execute("INSERT INTO cells VALUES (?, ?, ?, ?)", [request_id, metric, horizon, pickle.dumps(cell)])

    # Outbox: said at least once, in order

    def say(self, topic, status):
        with self.transaction():
            self._say(topic, status)

    def unsaid(self, request_id):
        rows = self.database.execute(
            "SELECT number, topic, body FROM outbox WHERE sent = 0 AND request_id = ? ORDER BY number", [request_id])
        return [(number, topic, json.loads(body)) for number, topic, body in rows]

    def said(self, numbers):
        with self.transaction():
            self.database.executemany("UPDATE outbox SET sent = 1 WHERE number = ?", [[number] for number in numbers])

    def last_word(self, request_id):
        row = self.database.execute(
            "SELECT topic, body FROM outbox WHERE request_id = ? ORDER BY number DESC LIMIT 1", [request_id]).fetchone()
        return row and (row[0], json.loads(row[1]))

    # Versions: new → serving → shadow → retired; a regressed one goes straight to retired

    def add_version(self, model, version, cells, keep_shadow_ms=0):
        with self.transaction():
            self._add_version(model, version, cells, keep_shadow_ms)

    def versions(self, model):
        """Names of all versions, oldest first."""
        rows = self.database.execute("SELECT version FROM versions WHERE model = ? ORDER BY rowid", [model])
        return [version for (version,) in rows]

    def newest(self, model):
        """The version that a training goes on from: the one in service, or else the newest; (name, cells) or None."""
        row = self.database.execute(
            "SELECT version, cells FROM versions WHERE model = ? AND state IN ('serving', 'new')"
            " ORDER BY state = 'serving' DESC, rowid DESC LIMIT 1", [model]).fetchone()
        return row and (row[0], pickle.loads(row[1]))

    def in_use(self, model):
        """[(version, is_shadow, cells)]: the one in service and the one that predicts beside it."""
        rows = self.database.execute(
            "SELECT version, state = 'shadow', cells FROM versions WHERE model = ? AND state IN ('serving', 'shadow')",
            [model])
        return [(version, bool(shadow), pickle.loads(cells)) for version, shadow, cells in rows]

    def advance(self, model, now):
        """Moves versions on at a time; whether anything changed. A new version serves at once."""
        with self.transaction():
            retired = self.database.execute(
                "UPDATE versions SET state = 'retired' WHERE model = ? AND state = 'shadow' AND shadow_until <= ?",
                [model, now]).rowcount
            new = self.database.execute(
                "SELECT version, keep_shadow_ms FROM versions WHERE model = ? AND state = 'new' ORDER BY rowid DESC",
                [model]).fetchall()
            if not new:
                return retired > 0
            version, keep_shadow = new[0]
            old = self._serving(model)
            self._set(model, "state = 'shadow'", "retired")
            self.database.execute(
                "UPDATE versions SET state = 'shadow', shadow_until = ? WHERE model = ? AND state = 'serving'",
                [now + keep_shadow, model])
            self._set(model, "state = 'new'", "retired")
            self.database.execute(
                "UPDATE versions SET state = 'serving', serves_from = ?, replaced = ? WHERE model = ? AND version = ?",
                [now, old, model, version])
            return True

    def roll_back(self, model, version):
        """Puts the version that `version` replaced back into service, though it may have stopped predicting beside it.

        Its name; None where `version` does not serve, or replaced none.
        """
        with self.transaction():
            if self._serving(model) != version:
                return None
            (old,) = self.database.execute(
                "SELECT replaced FROM versions WHERE model = ? AND version = ?", [model, version]).fetchone()
            if old is None:
                return None
            self._set(model, "state IN ('serving', 'shadow')", "retired")
            self.database.execute(
                "UPDATE versions SET state = 'serving' WHERE model = ? AND version = ?", [model, old])
            return old

    # Forecasts that are out

    def issued(self, model):
        return dict(self.database.execute("SELECT entity, at FROM issued WHERE model = ?", [model]).fetchall())

    def note_issued(self, marks):
        """`marks`: (model, entity, at)."""
        with self.transaction():
            self.database.executemany("INSERT OR REPLACE INTO issued VALUES (?, ?, ?)", marks)

    # Inside a transaction

    def transaction(self):
        return _Transaction(self.database)

    def _say(self, topic, status):
        self.database.execute(
            "INSERT INTO outbox (request_id, topic, body) VALUES (?, ?, ?)",
            [status["request_id"], topic, json.dumps(status)])

    def _add_version(self, model, version, cells, keep_shadow_ms):
        self.database.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, NULL, NULL, NULL, 'new')",
            [model, version, pickle.dumps(cells), keep_shadow_ms])

    def _serving(self, model):
        row = self.database.execute(
            "SELECT version FROM versions WHERE model = ? AND state = 'serving'", [model]).fetchone()
        return row and row[0]

    def _set(self, model, condition, state):
        self.database.execute(f"UPDATE versions SET state = ? WHERE model = ? AND {condition}", [state, model])


class _Transaction:
    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind, error, trace):
        self.database.execute("COMMIT" if kind is None else "ROLLBACK")
