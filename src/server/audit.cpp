#include "server/audit.h"

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"

namespace vesal::server {
namespace {

/// JSON keeps fields apart whatever they hold.
std::string hash_of(std::int64_t id, Time at, const AuditEntry& e, const std::string& previous) {
  return sha256(to_json(List{{id, at, e.user, e.peer, e.action, e.object, e.outcome, previous}}, -1));
}

}  // namespace

void Audit::add(const AuditEntry& e) {
  store_.change([&](Database& db) {
    Query last(db, "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
    const bool any = last.next();
    const std::int64_t id = any ? last.number(0) + 1 : 1;
    const std::string previous = any ? last.text(1) : "";
    const Time at = now();
    Query(db, "INSERT INTO audit (id, at, user, peer, action, object, outcome, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(at)
        .bind(e.user)
        .bind(e.peer)
        .bind(e.action)
        .bind(e.object)
        .bind(e.outcome)
        .bind(previous)
        .bind(hash_of(id, at, e, previous))
        .run();
  });
}

std::vector<Dict> Audit::entries(std::int64_t before, std::int64_t most) {
  return store_.look([&](Database& db) {
    std::vector<Dict> out;
    Query row(db, "SELECT id, at, user, peer, action, object, outcome, hash FROM audit WHERE ? = 0 OR id < ? ORDER BY id DESC LIMIT ?");
    row.bind(before).bind(before).bind(most);
    while (row.next())
      out.push_back({{"id", row.number(0)},
                     {"at", row.number(1)},
                     {"user", row.text(2)},
                     {"peer", row.text(3)},
                     {"action", row.text(4)},
                     {"object", row.text(5)},
                     {"outcome", row.number(6)},
                     {"hash", row.text(7)}});
    return out;
  });
}

AuditState verify_audit(const std::filesystem::path& folder) {
  const auto file = database_file(folder);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) throw Error(ErrorKind::not_found, folder.string() + " is no folder of `vesal serve`");
  Database db(file);
  AuditState state;
  Query row(db, "SELECT id, at, user, peer, action, object, outcome, previous, hash FROM audit ORDER BY id");
  while (row.next()) {
    const AuditEntry entry{row.text(2), row.text(3), row.text(4), row.text(5), static_cast<int>(row.number(6))};
    const std::string which = file.string() + ": audit entry " + std::to_string(row.number(0));
    if (row.number(0) != state.entries + 1) throw Error(ErrorKind::format, which + ": entry " + std::to_string(state.entries + 1) + " is missing");
    if (row.text(7) != state.last) throw Error(ErrorKind::format, which + " does not follow the entry before it");
    if (row.text(8) != hash_of(row.number(0), row.number(1), entry, state.last)) throw Error(ErrorKind::format, which + " was changed");
    state.last = row.text(8);
    ++state.entries;
  }
  return state;
}

}  // namespace vesal::server
