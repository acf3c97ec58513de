#include "base/roll_call.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace vesal::ranks {
namespace {

constexpr std::size_t kLongestLine = 4096;

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  if (text.size() > kLongestLine / 2) text.resize(kLongestLine / 2);
  return text;
}

/// "12 text" as (12, "text"); -1 if there is no number.
std::pair<int, std::string> numbered(const std::string& text) {
  int n = -1;
  const auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{}) return {-1, text};
  const auto used = static_cast<std::size_t>(p - text.data());
  return {n, used < text.size() ? text.substr(used + 1) : ""};
}

}  // namespace

RollCall::RollCall(int size, std::string token, Gone gone) : rank_(0), size_(size), token_(std::move(token)), gone_(std::move(gone)) {
  listener_ = tcp::listen(0);
  listen_in();
}

RollCall::RollCall(int rank, const std::string& host, int port, const std::string& token, tcp::Deadline deadline, Gone gone)
    : rank_(rank), size_(0), token_(token), gone_(std::move(gone)) {
  auto peer = std::make_unique<Peer>();
  peer->socket = tcp::connect(host, port, deadline);
  peer->rank = 0;
  tcp::watch(peer->socket);
  if (!tcp::send(peer->socket, "HELLO " + std::to_string(rank) + " " + token + "\n"))
    throw Error(ErrorKind::io, host + ":" + std::to_string(port) + ": the connection was closed");
  came_[0] = tcp::address_of(peer->socket);
  peers_.push_back(std::move(peer));
  listen_in();
}

void RollCall::listen_in() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorKind::io, std::strerror(errno));
  wake_read_ = tcp::Socket(ends[0]);
  wake_write_ = tcp::Socket(ends[1]);
  thread_ = std::thread([this] { loop(); });
}

RollCall::~RollCall() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake();
  thread_.join();
}

void RollCall::wake() {
  if (write(wake_write_.fd(), "w", 1) < 0) return;  // a full pipe wakes as well
}

int RollCall::port() const { return tcp::port_of(listener_); }

std::vector<int> RollCall::missing() const {
  const std::lock_guard lock(mutex_);
  std::vector<int> out;
  for (int r = 1; r < size_; ++r)
    if (!came_.contains(r)) out.push_back(r);
  return out;
}

std::vector<int> RollCall::left() const {
  const std::lock_guard lock(mutex_);
  return left_peers_;
}

std::string RollCall::address() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [rank, address] : came_)
    if (!tcp::is_loopback(address)) return address;
  return came_.empty() ? "127.0.0.1" : came_.begin()->second;
}

void RollCall::leave(const std::string& failure) {
  const std::lock_guard lock(mutex_);
  if (left_) return;
  left_ = true;
  const std::string line = failure.empty() ? "BYE\n" : "GONE " + std::to_string(rank_) + " stopped: " + one_line(failure) + "\n";
  for (const auto& peer : peers_)
    if (peer->rank >= 0 && !peer->left) tcp::send(peer->socket, line);
}

/// Called with the lock held.
void RollCall::lose(int rank, const std::string& why) {
  if (lost_ || left_) return;
  lost_ = true;
  if (rank_ == 0)
    for (const auto& peer : peers_)
      if (peer->rank >= 0 && peer->rank != rank && !peer->left) tcp::send(peer->socket, "GONE " + std::to_string(rank) + " " + one_line(why) + "\n");
  gone_(rank, why);
}

/// One message; false ends the connection. Called with the lock held.
bool RollCall::hear(Peer& peer, const std::string& line) {
  const auto space = line.find(' ');
  const std::string word = line.substr(0, space), rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (peer.rank < 0) {
    const auto [rank, token] = numbered(rest);
    if (word != "HELLO" || token != token_ || rank < 1 || rank >= size_ || came_.contains(rank)) return false;
    peer.rank = rank;
    came_[rank] = tcp::address_of(peer.socket);
    tcp::watch(peer.socket);
    return true;
  }
  if (word == "BYE") {
    left_peers_.push_back(peer.rank);
    return peer.left = true;
  }
  if (word != "GONE") return false;
  const auto [rank, why] = numbered(rest);
  if (rank == peer.rank) peer.left = true;
  lose(rank, why);
  return true;
}

/// Reads what there is; false ends the connection. Called with the lock held.
bool RollCall::read(Peer& peer) {
  char buffer[1024];
  const ssize_t n = recv(peer.socket.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) {
    if (peer.rank >= 0 && !peer.left)
      lose(peer.rank,
           n == 0 || errno == ECONNRESET ? "the connection was closed (killed or crashed?)" : std::string("no answer: ") + std::strerror(errno));
    return false;
  }
  peer.unread.append(buffer, static_cast<std::size_t>(n));
  for (auto end = peer.unread.find('\n'); end != std::string::npos; end = peer.unread.find('\n')) {
    const std::string line = peer.unread.substr(0, end);
    peer.unread.erase(0, end + 1);
    if (!hear(peer, line)) return false;
  }
  return peer.unread.size() <= kLongestLine;
}

void RollCall::loop() {
  for (;;) {
    std::vector<pollfd> fds{{wake_read_.fd(), POLLIN, 0}};
    if (listener_) fds.push_back({listener_.fd(), POLLIN, 0});
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      for (const auto& peer : peers_) fds.push_back({peer->socket.fd(), POLLIN, 0});
    }
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    std::erase_if(peers_, [&](const std::unique_ptr<Peer>& peer) {
      const auto found = std::find_if(fds.begin(), fds.end(), [&](const pollfd& p) { return p.fd == peer->socket.fd(); });
      return found != fds.end() && found->revents && !read(*peer);
    });
    const auto at_door = std::count_if(peers_.begin(), peers_.end(), [](const auto& peer) { return peer->rank < 0; });
    if (!listener_ || !fds[1].revents) continue;
    if (tcp::Socket s = tcp::accept(listener_, std::chrono::milliseconds(0)); s && at_door < 64) {
      peers_.push_back(std::make_unique<Peer>());
      peers_.back()->socket = std::move(s);
    }
  }
}

}  // namespace vesal::ranks
