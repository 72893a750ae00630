// SPDX-License-Identifier: Apache-2.0
// Who holds attempts, and what those print.
#include "store/sqlite/encoding.hpp"
#include "store/sqlite/transaction.hpp"

namespace turboci::sqlite {

namespace {

const Sql kBeat(
    "INSERT INTO beats(holder, at, name, runners, draining, started_at) VALUES(?1, ?2, ?3, ?4, ?5, ?2)"
    " ON CONFLICT DO UPDATE SET at = excluded.at, name = excluded.name, runners = excluded.runners,"
    " draining = max(draining, excluded.draining)");
const Sql kLastBeat("SELECT " TURBOCI_BEAT_COLUMNS " FROM beats WHERE holder = ?1");
const Sql kWorkers("SELECT " TURBOCI_BEAT_COLUMNS " FROM beats WHERE name <> '' ORDER BY holder");
const Sql kEndBeats("DELETE FROM beats WHERE holder = ?1");
const Sql kForgetBeats("DELETE FROM beats WHERE at < ?1");
const Sql kParts(
    "SELECT seq, begin_at, length(bytes) FROM log_parts WHERE stage_key = ?1 AND idx = ?2 ORDER BY seq");
const Sql kPart("SELECT begin_at, bytes FROM log_parts WHERE stage_key = ?1 AND idx = ?2 AND seq = ?3");
const Sql kInsertPart(
    "INSERT INTO log_parts(stage_key, idx, seq, begin_at, bytes) VALUES(?1, ?2, ?3, ?4, ?5)");
const Sql kDropPart("DELETE FROM log_parts WHERE stage_key = ?1 AND idx = ?2 AND seq = ?3");

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span<const char>(text));
}

}  // namespace

void SqliteTransaction::change_beats(const ChangeSet& changes) {
    for (const BeatRow& beat : changes.beats) {
        const std::string runners = join_lines(beat.runners);
        Query(db_, kBeat, beat.holder, beat.at, beat.name, runners, beat.draining).run();
    }
    for (const std::string& holder : changes.ended_beats) Query(db_, kEndBeats, holder).run();
    if (changes.old_beats) Query(db_, kForgetBeats, *changes.old_beats).run();
}

std::optional<BeatRow> SqliteTransaction::last_beat(std::string_view holder) {
    Query row(db_, kLastBeat, holder);
    if (!row.step()) return std::nullopt;
    return read_beat(row);
}

std::vector<BeatRow> SqliteTransaction::workers() {
    std::vector<BeatRow> all;
    Query row(db_, kWorkers);
    while (row.step()) all.push_back(read_beat(row));
    return all;
}

void SqliteTransaction::change_log_parts(const ChangeSet& changes) {
    for (const LogPartRow& part : changes.log_parts)
        Query(db_, kInsertPart, part.stage, part.idx, part.seq, part.begin, bytes_of(part.bytes)).run();
    for (const LogPartName& name : changes.dropped_log)
        Query(db_, kDropPart, name.stage, name.idx, name.seq).run();
}

std::vector<LogPartRow> SqliteTransaction::log_parts(const AttemptName& name) {
    std::vector<LogPartRow> all;
    Query row(db_, kParts, name.stage, name.idx);
    while (row.step())
        all.push_back({name.stage, name.idx, row.integer(0), row.integer(1), row.integer(2), {}});
    return all;
}

std::optional<LogPartRow> SqliteTransaction::log_part(const LogPartName& name) {
    Query row(db_, kPart, name.stage, name.idx, name.seq);
    if (!row.step()) return std::nullopt;
    const auto bytes = row.blob(1);
    return LogPartRow{name.stage,
                      name.idx,
                      name.seq,
                      row.integer(0),
                      static_cast<std::int64_t>(bytes.size()),
                      {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

}  // namespace turboci::sqlite
