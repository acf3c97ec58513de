// The tables of journal.h. Older files are brought to the newest form when they are opened; newer ones are refused.
#pragma once

namespace vesal::dicom {

constexpr int kJournalVersion = 1;

constexpr const char* kJournalSchema = R"(
CREATE TABLE studies(
  study TEXT PRIMARY KEY, caller TEXT NOT NULL, last_id INTEGER NOT NULL, last_at INTEGER NOT NULL,
  broken INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE instances(
  id INTEGER PRIMARY KEY AUTOINCREMENT, study TEXT NOT NULL REFERENCES studies, series TEXT NOT NULL, sop TEXT NOT NULL,
  sop_class TEXT NOT NULL, bytes INTEGER NOT NULL, UNIQUE(study, series, sop));
CREATE TABLE looked(
  study TEXT NOT NULL, rule TEXT NOT NULL, upto INTEGER NOT NULL, PRIMARY KEY(study, rule)) WITHOUT ROWID;
CREATE TABLE jobs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, study TEXT NOT NULL, rule TEXT NOT NULL, series TEXT NOT NULL, digest TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued', 'running', 'sending', 'done', 'failed', 'superseded')),
  error TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, changed INTEGER NOT NULL, UNIQUE(study, rule, series, digest));
CREATE INDEX jobs_by_state ON jobs(state, next_at);
CREATE TABLE results(
  id INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, sop TEXT NOT NULL, sop_class TEXT NOT NULL,
  path TEXT NOT NULL);
CREATE INDEX results_by_job ON results(job);
CREATE TABLE sendings(
  result INTEGER NOT NULL REFERENCES results ON DELETE CASCADE, peer TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('queued', 'sent', 'failed')), error TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL, PRIMARY KEY(result, peer)) WITHOUT ROWID;
CREATE INDEX sendings_by_state ON sendings(state, next_at);
)";

}  // namespace vesal::dicom
