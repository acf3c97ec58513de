#include "tune/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "tune/durable.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostJournal = 1ull << 30, kMostHead = 4096;
const std::string kNoHash(64, '0');

/// Number and hash of the newest entry, as journal.head says; {0, ""} if it is not there.
struct Head {
  std::int64_t number = 0;
  std::string hash;
};

Head read_head(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {};
  const std::string text = read_text(file, kMostHead);
  Head head;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), head.number);
  if (error != std::errc() || head.number < 1 || text.size() != static_cast<std::size_t>(end - text.data()) + 66 || *end != ' ')
    throw Error(ErrorKind::refused, file.string() + ": not what vesal wrote");
  head.hash = std::string(end + 1, 64);
  return head;
}

/// An entry of a line; throws Error saying what is wrong with it.
JournalEntry parse(std::string_view line, std::int64_t number, const std::string& previous) {
  JournalEntry entry{number, sha256(line), parse_json(line)};
  if (!entry.value.is_dict()) throw Error(ErrorKind::format, "no entry");
  const Value* said = entry.value.as_dict().find("entry");
  if (!said || !said->is_int() || said->as_int() != number) throw Error(ErrorKind::format, "it does not carry its number");
  if (entry.text("previous") != previous)
    throw Error(ErrorKind::format,
                number == 1 ? "it is not the first one" : fmt::format("it does not follow on entry {} as that is now", number - 1));
  return entry;
}

/// Appends to a file so that either the whole text or nothing of it is there.
void append_durably(const fs::path& file, std::uint64_t length, const std::string& text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw Error(ErrorKind::io, "writing " + file.string() + ": " + std::strerror(errno));
  bool done = ::ftruncate(fd, static_cast<off_t>(length)) == 0 && ::lseek(fd, 0, SEEK_END) >= 0;
  std::size_t at = 0;
  while (done && at < text.size()) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    done = n > 0;
    if (done) at += static_cast<std::size_t>(n);
  }
  done = done && ::fsync(fd) == 0;
  const int error = errno;
  if (!done) (void)!::ftruncate(fd, static_cast<off_t>(length));
  ::close(fd);
  if (!done) throw Error(ErrorKind::io, "writing " + file.string() + ": " + std::strerror(error));
}

}  // namespace

std::string JournalEntry::text(const char* key) const {
  const Value* found = value.as_dict().find(key);
  return found && found->is_string() ? found->as_string() : "";
}

std::string JournalEntry::event() const { return text("event"); }

Program this_program(const std::string& version) {
  static const std::string hash = sha256_file("/proc/self/exe");
  return {version, hash};
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry && entry->pw_name && *entry->pw_name ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

std::string utc_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::vector<std::string> Journal::faults(std::vector<JournalEntry>& entries) const {
  entries.clear();
  const std::string text = read_text(file_, kMostJournal);
  std::string previous = kNoHash;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto number = static_cast<std::int64_t>(entries.size()) + 1;
    try {
      entries.push_back(parse(std::string_view(text).substr(begin, end - begin), number, previous));
    } catch (const Error& e) { return {fmt::format("{}: entry {} was tampered with, or the one before it: {}", file_.string(), number, e.what())}; }
    previous = entries.back().hash;
  }
  Head head;
  try {
    head = read_head(head_);
  } catch (const Error& e) { return {e.what()}; }
  const auto count = static_cast<std::int64_t>(entries.size());
  if (count < head.number)
    return {fmt::format("{}: it ends with entry {}, but there have been {}: the last were taken away", file_.string(), count, head.number)};
  if (head.number > 0 && entries[static_cast<std::size_t>(head.number - 1)].hash != head.hash)
    return {fmt::format("{}: entry {} was tampered with: its hash is not the one in {}", file_.string(), head.number, head_.filename().string())};
  if (count > head.number + 1)  // a crash can leave one more than the head knows
    return {fmt::format("{}: {} entries, but {} knows of {}", file_.string(), count, head_.filename().string(), head.number)};
  return {};
}

std::vector<JournalEntry> Journal::read() const {
  std::vector<JournalEntry> entries;
  const auto found = faults(entries);
  if (!found.empty()) throw Error(ErrorKind::refused, found.front() + "; `vesal registry verify` says more. Restore the registry from a backup");
  return entries;
}

JournalEntry Journal::append(const std::string& event, const Dict& what, const Program& program) {
  std::error_code ignored;
  std::vector<JournalEntry> entries;
  std::uint64_t length = 0;
  if (fs::exists(file_, ignored)) {
    entries = read();
    length = read_text(file_, kMostJournal).rfind('\n') + 1;  // npos + 1 is 0
  }
  if (!entries.empty())  // a crash may have left the head one behind
    write_durably(head_, fmt::format("{} {}\n", entries.size(), entries.back().hash));
  Dict entry{{"entry", entries.size() + 1},
             {"previous", entries.empty() ? kNoHash : entries.back().hash},
             {"time", utc_time()},
             {"who", user_name()},
             {"program", Dict{{"version", program.version}, {"sha256", program.sha256}}},
             {"event", event}};
  for (const auto& [key, value] : what) entry[key] = value;
  const std::string line = to_json(entry, -1);
  JournalEntry out = parse(line, static_cast<std::int64_t>(entries.size()) + 1, entries.empty() ? kNoHash : entries.back().hash);
  step("journal: before");
  append_durably(file_, length, line + "\n");
  step("journal: written");
  write_durably(head_, fmt::format("{} {}\n", out.number, out.hash));
  step("journal: head written");
  return out;
}

}  // namespace vesal::tune
