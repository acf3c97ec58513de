#include "server/accounts.h"

#include <algorithm>

#include "base/sha256.h"
#include "server/route.h"
#include "server/secrets.h"

namespace vesal::server {
namespace {

constexpr Time kSessionIdle = 12ll * 3600 * 1000;
constexpr std::size_t kMostTokens = 50;

/// Of 256 random bits a plain hash is enough: there is nothing to guess from a list.
std::string hash_of(const std::string& secret) { return sha256(secret); }

void check_new_password(const std::string& password) {
  if (password.size() < 10) throw Error(ErrorKind::usage, "a password needs at least 10 characters");
  if (password.size() > 200) throw Error(ErrorKind::usage, "a password has at most 200 bytes");
}

Identity identity(const Query& row) {
  Identity who;
  who.user = row.number(0);
  who.name = row.text(1);
  who.role = role_of(row.text(2));
  who.must_change = row.number(3) != 0;
  return who;
}

}  // namespace

std::optional<std::string> Accounts::first_password() {
  if (store_.look([](Database& db) { return Query(db, "SELECT 1 FROM user LIMIT 1").next(); })) return std::nullopt;
  return add_user("admin", Access::administrator).at("one_time_password").as_string();
}

std::int64_t Accounts::checked_user(const std::string& user, const std::string& password) {
  // Someone without an account waits as long as someone with a wrong password.
  static const std::string nobody = hash_password(random_hex(16));
  std::int64_t id = 0;
  std::string hash = nobody;
  store_.look([&](Database& db) {
    Query row(db, "SELECT id, hash FROM user WHERE name = ? AND disabled = 0");
    if (row.bind(user).next()) id = row.number(0), hash = row.text(1);
  });
  return password_fits(hash, password) ? id : 0;
}

Session Accounts::login(const std::string& user, const std::string& password, const std::string& peer) {
  by_user_.check(user);
  by_peer_.check(peer);
  const std::int64_t id = checked_user(user, password);
  if (id == 0) {
    by_user_.failed(user);
    by_peer_.failed(peer);
    throw HttpError(401, "unauthorized", "user or password are wrong");
  }
  by_user_.succeeded(user);
  Session session{random_hex(32), {}};
  store_.change([&](Database& db) {
    Query(db, "DELETE FROM session WHERE seen < ?").bind(now() - kSessionIdle).run();
    Query(db, "INSERT INTO session (hash, user, csrf, seen) VALUES (?, ?, ?, ?)")
        .bind(hash_of(session.cookie))
        .bind(id)
        .bind(random_hex(32))
        .bind(now())
        .run();
  });
  session.who = by_cookie(session.cookie, peer);
  return session;
}

void Accounts::logout(const Identity& who) {
  store_.change([&](Database& db) { Query(db, "DELETE FROM session WHERE hash = ?").bind(who.session).run(); });
}

Identity Accounts::by_cookie(const std::string& cookie, const std::string& peer) {
  constexpr Time kNoted = 60'000;  // a look changes the database once a minute at most
  Identity who;
  const std::string hash = hash_of(cookie);
  Time seen = 0;
  store_.look([&](Database& db) {
    Query row(db,
              "SELECT u.id, u.name, u.role, u.must_change, s.csrf, s.seen FROM session s JOIN user u ON u.id = s.user "
              "WHERE s.hash = ? AND s.seen > ? AND u.disabled = 0");
    if (!row.bind(hash).bind(now() - kSessionIdle).next()) return;
    who = identity(row);
    who.csrf = row.text(4);
    seen = row.number(5);
  });
  if (who.user == 0) {
    by_peer_.check(peer);
    by_peer_.failed(peer);
    return who;
  }
  who.by_cookie = true;
  who.session = hash;
  if (now() - seen > kNoted)
    store_.change([&](Database& db) { Query(db, "UPDATE session SET seen = ? WHERE hash = ?").bind(now()).bind(hash).run(); });
  return who;
}

Identity Accounts::by_token(const std::string& token, const std::string& peer) {
  Identity who;
  store_.look([&](Database& db) {
    Query row(db, "SELECT u.id, u.name, u.role, u.must_change FROM token t JOIN user u ON u.id = t.user WHERE t.hash = ? AND u.disabled = 0");
    if (row.bind(hash_of(token)).next()) who = identity(row);
  });
  if (who.user == 0) {
    by_peer_.check(peer);
    by_peer_.failed(peer);
  }
  return who;
}

void Accounts::change_password(const Identity& who, const std::string& old, const std::string& wanted) {
  by_user_.check(who.name);
  if (checked_user(who.name, old) != who.user) {
    by_user_.failed(who.name);
    throw HttpError(403, "forbidden", "the old password is wrong");
  }
  check_new_password(wanted);
  if (wanted == old) throw Error(ErrorKind::usage, "the new password is the old one");
  const std::string hash = hash_password(wanted);
  store_.change([&](Database& db) {
    Query(db, "UPDATE user SET hash = ?, must_change = 0 WHERE id = ?").bind(hash).bind(who.user).run();
    Query(db, "DELETE FROM session WHERE user = ? AND hash <> ?").bind(who.user).bind(who.session).run();
  });
}

std::vector<Dict> Accounts::users() {
  return store_.look([](Database& db) {
    std::vector<Dict> out;
    Query row(
        db, "SELECT id, name, role, must_change, disabled, created, (SELECT total(bytes) FROM upload WHERE user = user.id) FROM user ORDER BY name");
    while (row.next())
      out.push_back({{"id", row.number(0)},
                     {"name", row.text(1)},
                     {"role", row.text(2)},
                     {"must_change", row.number(3) != 0},
                     {"disabled", row.number(4) != 0},
                     {"created", row.number(5)},
                     {"bytes", row.number(6)}});
    return out;
  });
}

Dict Accounts::add_user(const std::string& name, Access role) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; };
  if (name.empty() || name.size() > 60 || !std::all_of(name.begin(), name.end(), letter))
    throw Error(ErrorKind::usage, "a user's name has 1 to 60 of the characters a-z 0-9 . - _");
  const std::string password = random_password(), hash = hash_password(password);
  const auto id = store_.change([&](Database& db) {
    Query(db, "INSERT OR IGNORE INTO user (name, hash, role, must_change, created) VALUES (?, ?, ?, 1, ?)")
        .bind(name)
        .bind(hash)
        .bind(name_of(role))
        .bind(now())
        .run();
    if (db.changes() == 0) throw HttpError(409, "conflict", "there is a user of this name");
    return db.last_id();
  });
  return {{"id", id}, {"name", name}, {"role", std::string(name_of(role))}, {"one_time_password", password}};
}

Dict Accounts::change_user(std::int64_t id, std::optional<Access> role, std::optional<bool> disabled, bool new_password) {
  const std::string password = new_password ? random_password() : "", hash = new_password ? hash_password(password) : "";
  Dict out{{"id", id}};
  store_.change([&](Database& db) {
    if (!Query(db, "SELECT 1 FROM user WHERE id = ?").bind(id).next()) throw Error(ErrorKind::not_found, "there is no such user");
    if (role) Query(db, "UPDATE user SET role = ? WHERE id = ?").bind(name_of(*role)).bind(id).run();
    if (disabled) Query(db, "UPDATE user SET disabled = ? WHERE id = ?").bind(*disabled ? 1 : 0).bind(id).run();
    if (new_password) Query(db, "UPDATE user SET hash = ?, must_change = 1 WHERE id = ?").bind(hash).bind(id).run();
    if (new_password || disabled.value_or(false)) Query(db, "DELETE FROM session WHERE user = ?").bind(id).run();
    if (!Query(db, "SELECT 1 FROM user WHERE role = 'administrator' AND disabled = 0").next())
      throw HttpError(409, "conflict", "this is the last administrator");
  });
  if (new_password) out["one_time_password"] = password;
  return out;
}

Dict Accounts::add_token(const Identity& who, const std::string& name) {
  const std::string token = "vesal_" + random_hex(32);
  const auto id = store_.change([&](Database& db) {
    Query count(db, "SELECT count(*) FROM token WHERE user = ?");
    count.bind(who.user).next();
    if (count.number(0) >= static_cast<std::int64_t>(kMostTokens)) throw HttpError(409, "conflict", "you have 50 tokens; please remove one first");
    Query(db, "INSERT INTO token (hash, user, name, created) VALUES (?, ?, ?, ?)").bind(hash_of(token)).bind(who.user).bind(name).bind(now()).run();
    return db.last_id();
  });
  return {{"id", id}, {"name", name}, {"token", token}};
}

std::vector<Dict> Accounts::tokens(const Identity& who) {
  return store_.look([&](Database& db) {
    std::vector<Dict> out;
    Query row(db, "SELECT id, name, created FROM token WHERE user = ? ORDER BY id");
    row.bind(who.user);
    while (row.next()) out.push_back({{"id", row.number(0)}, {"name", row.text(1)}, {"created", row.number(2)}});
    return out;
  });
}

void Accounts::remove_token(const Identity& who, std::int64_t id) {
  store_.change([&](Database& db) {
    Query(db, "DELETE FROM token WHERE id = ? AND user = ?").bind(id).bind(who.user).run();
    if (db.changes() == 0) throw Error(ErrorKind::not_found, "there is no such token");
  });
}

}  // namespace vesal::server
