#include "nn/process_group.h"

#ifdef VESAL_C10D
#include <fmt/format.h>
#include <sys/random.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <cstring>
#include <thread>

#include "base/cancel.h"
#include "base/log.h"
#include "base/roll_call.h"

namespace vesal::nn {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Store = c10::intrusive_ptr<c10d::Store>;

constexpr const char* kEverywhere = "what all ranks meet at (metrics, MetricsSaver, barriers) must run on every rank";

std::string text_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::string random_token() {
  std::uint64_t words[2];
  if (getrandom(words, sizeof words, 0) != sizeof words) throw Error(ErrorKind::io, "no random numbers from the system");
  return fmt::format("{:016x}{:016x}", words[0], words[1]);
}

std::string place(const ranks::Seat& seat) { return fmt::format("{}:{}", seat.address, seat.port); }

/// The table of names and values that rank 0, or torchrun, keeps for all.
Store open_store(const ranks::Seat& seat, milliseconds patience, tcp::Deadline deadline) {
  const bool serve = seat.rank == 0 && !seat.store_elsewhere;
  if (serve) {
    with_context("MASTER_PORT", [&] { tcp::listen(seat.port); });  // in our words; libtorch would fill the screen
  } else {
    try {
      tcp::connect(seat.address, seat.port, deadline);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled) throw;
      throw Error(ErrorKind::io, fmt::format("rank {} of {} cannot reach rank 0 (MASTER_ADDR, MASTER_PORT) within {} s: {}", seat.rank, seat.size,
                                             patience.count() / 1000, e.what()));
    }
  }
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(seat.port);
  options.isServer = serve;
  options.waitWorkers = false;
  options.timeout = std::max<milliseconds>(patience, std::chrono::seconds(10));
  return c10::make_intrusive<c10d::TCPStore>(seat.address, options);
}

/// A value somebody puts into the store, for as long as `alive` does not throw.
template <class F>
std::string await(const Store& store, const std::string& key, tcp::Deadline deadline, F&& alive) {
  while (!store->check({key})) {
    check_cancelled();
    alive();
    if (steady_clock::now() > deadline) return {};
    std::this_thread::sleep_for(milliseconds(20));
  }
  return text_of(store->get(key));
}

std::string join(const std::vector<int>& numbers) { return fmt::format("{}", fmt::join(numbers, ", ")); }

class Ranks : public TensorGroup {
 public:
  Ranks(const ranks::Seat& seat, const ranks::Patience& patience) : seat_(seat), step_(patience.step) {
    const auto deadline = steady_clock::now() + patience.joining;
    store_ = open_store(seat, patience.joining, deadline);
    prefix_ = "vesal/" + seat.attempt + "/";
    if (store_->add(prefix_ + "seat/" + std::to_string(seat.rank), 1) > 1)
      throw Error(ErrorKind::config, fmt::format("two processes say that they are rank {} (RANK) at {}", seat.rank, place(seat)));
    const auto gone = [this](int rank, const std::string& why) { lose(rank, why); };
    std::string address;
    if (seat.rank == 0) {
      const std::string token = random_token();
      roll_ = std::make_unique<ranks::RollCall>(seat.size, token, gone);
      store_->set(prefix_ + "door", bytes_of(std::to_string(roll_->port()) + " " + token));
      while (!roll_->missing().empty()) {
        check_cancelled();
        check_lost();
        if (steady_clock::now() > deadline) fail_missing(patience.joining);
        std::this_thread::sleep_for(milliseconds(20));
      }
      address = roll_->address();
      store_->set(prefix_ + "all", bytes_of(address));
    } else {
      const std::string door = await(store_, prefix_ + "door", deadline, [] {});
      const auto space = door.find(' ');
      if (space == std::string::npos)
        throw Error(ErrorKind::io, fmt::format("rank 0 did not come to {} within {} s", place(seat), patience.joining.count() / 1000));
      roll_ = std::make_unique<ranks::RollCall>(seat.rank, seat.address, std::stoi(door.substr(0, space)), door.substr(space + 1), deadline, gone);
      const std::string shared = await(store_, prefix_ + "all", deadline + std::chrono::seconds(2), [this] { check_lost(); });
      if (shared.empty())
        throw Error(ErrorKind::io, fmt::format("not all {} ranks came to {} within {} s", seat.size, place(seat), patience.joining.count() / 1000));
      address = roll_->address();
      if (tcp::is_loopback(address)) address = shared;  // on rank 0's own machine: others may reach both only by its outer address
    }
    connect(address);
  }

  ~Ranks() override {
    leave("");
    // After a failure some work may never end, and the destructor would wait for it: the process is about to end anyway.
    if (broken_ || !gone().empty()) {
      (void)gloo_.release();
      (void)device_.release();
    }
  }

  std::vector<std::string> gather(const std::string& what, const std::string& bytes) override {
    return ranks::meeting([&] {
      const std::int64_t own[3]{static_cast<std::int64_t>(bytes.size()), static_cast<std::int64_t>(std::hash<std::string>{}(what) >> 1), ++meetings_};
      const Tensor header = torch::tensor({own[0], own[1], own[2]}, torch::kInt64);
      const std::vector<Tensor> headers = all_gather(header, what);
      std::int64_t longest = 0;
      for (std::size_t r = 0; r < headers.size(); ++r) {
        const auto* h = headers[r].data_ptr<std::int64_t>();
        if (h[1] != own[1] || h[2] != own[2])
          throw Error(ErrorKind::config, fmt::format("rank {} is at '{}', but rank {} stands elsewhere: {}", seat_.rank, what, r, kEverywhere));
        longest = std::max(longest, h[0]);
      }
      std::vector<std::string> out(headers.size());
      if (longest == 0) return out;
      Tensor padded = torch::zeros({longest}, torch::kUInt8);
      std::memcpy(padded.data_ptr(), bytes.data(), bytes.size());
      const std::vector<Tensor> parts = all_gather(padded, what);
      for (std::size_t r = 0; r < parts.size(); ++r)
        out[r].assign(static_cast<const char*>(parts[r].data_ptr()), static_cast<std::size_t>(headers[r].data_ptr<std::int64_t>()[0]));
      return out;
    });
  }

  void leave(const std::string& failure) override {
    if (!failure.empty()) broken_ = true;
    if (roll_) roll_->leave(failure);
  }

  std::string lost() const override {
    if (const std::string text = gone(); !text.empty()) return text;
    const std::vector<int> left = roll_ ? roll_->left() : std::vector<int>{};
    if (left.empty()) return {};
    return fmt::format("rank {} has ended already, but rank {} still wants to meet it: {}", join(left), seat_.rank, kEverywhere);
  }

  ProcessGroup process_group(const torch::Device& device) override {
    if (device.is_cpu()) return gloo_;
#ifdef USE_C10D_NCCL
    if (!device_) {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = step_;
      device_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>(prefix_ + "nccl", store_), seat_.rank, seat_.size,
                                                            options);
    }
    return device_;
#else
    throw Error(ErrorKind::unsupported, "ranks on " + device.str() + ": this build's libtorch has no NCCL");
#endif
  }

  void wait(c10d::Work& work, const std::string& what) override {
    // Not work.wait(): a machine that lost its power never closes its connections, only the roll call notices.
    const auto begin = steady_clock::now();
    bool warned = false;
    for (int turn = 0; !work.isCompleted(); ++turn) {
      check_cancelled();
      check_lost();
      if (turn % 1000 == 999 && !warned && steady_clock::now() - begin > std::chrono::seconds(60)) {
        log::warning("rank {} has waited for the other ranks for 60 s at '{}'", seat_.rank, what);
        warned = true;
      }
      if (turn < 64) std::this_thread::yield();
      else std::this_thread::sleep_for(std::chrono::microseconds(turn < 2000 ? 50 : 1000));
    }
    work.wait();
  }

  void broadcast(const std::vector<Tensor>& tensors) override {
    const torch::NoGradGuard no_grad;
    ranks::meeting([&] {
      for (const Tensor& tensor : tensors) {
        std::vector<Tensor> one{tensor.is_contiguous() ? tensor.detach() : tensor.detach().contiguous()};
        if (one[0].scalar_type() == torch::kBool) one[0] = one[0].to(torch::kUInt8);
        wait(*process_group(tensor.device())->broadcast(one), "rank 0's weights");
        if (seat_.rank != 0 && !one[0].is_alias_of(tensor)) tensor.detach().copy_(one[0]);
      }
    });
  }

 private:
  std::vector<Tensor> all_gather(Tensor tensor, const std::string& what) {
    std::vector<Tensor> input{std::move(tensor)};
    std::vector<std::vector<Tensor>> output(1);
    for (int r = 0; r < seat_.size; ++r) output[0].push_back(torch::empty_like(input[0]));
    wait(*gloo_->allgather(output, input), what);
    return output[0];
  }

  void connect(const std::string& address) {
    auto options = c10d::ProcessGroupGloo::Options::create(step_);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(interface && *interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                                       : c10d::ProcessGroupGloo::createDeviceForHostname(address));
    options->threads = 2;
    try {
      gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>(prefix_ + "gloo", store_), seat_.rank, seat_.size,
                                                          options);
    } catch (const std::exception& e) {
      check_lost();
      throw Error(ErrorKind::io,
                  fmt::format("rank {} at {} cannot connect to the other ranks (a firewall between them?): {}", seat_.rank, address, e.what()));
    }
  }

  void lose(int rank, const std::string& why) {
    const std::lock_guard lock(mutex_);
    lost_ = fmt::format("rank {} is gone: {}", rank, why);
  }
  std::string gone() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }
  void check_lost() const {
    if (const std::string text = gone(); !text.empty()) throw Error(ErrorKind::io, text);
  }
  [[noreturn]] void fail_missing(milliseconds waited) const {
    const std::vector<int> missing = roll_->missing();
    throw Error(ErrorKind::io, fmt::format("rank{} {} of {} did not come to {} within {} s", missing.size() == 1 ? "" : "s", join(missing),
                                           seat_.size, place(seat_), waited.count() / 1000));
  }

  const ranks::Seat seat_;
  const milliseconds step_;
  std::string prefix_;
  Store store_;
  std::unique_ptr<ranks::RollCall> roll_;
  ProcessGroup gloo_, device_;
  std::int64_t meetings_ = 0;
  bool broken_ = false;
  mutable std::mutex mutex_;
  std::string lost_;
};

const ranks::Connector connector([](const ranks::Seat& seat, const ranks::Patience& patience) -> std::shared_ptr<ranks::Group> {
  return with_context(
      "joining the ranks", [&] { return std::make_shared<Ranks>(seat, patience); }, ErrorKind::io);
});

}  // namespace

std::shared_ptr<TensorGroup> tensor_group() { return std::dynamic_pointer_cast<TensorGroup>(ranks::group()); }

}  // namespace vesal::nn
#endif
