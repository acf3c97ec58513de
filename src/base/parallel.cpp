#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vesal {
namespace {

int& wanted_threads() {
  static int n = std::max(1u, std::thread::hardware_concurrency());
  return n;
}
thread_local bool inside_pool = false;

/// One parallel_for under way: ranges are claimed from `next` until none is left.
struct Job {
  std::int64_t n, chunk;
  const std::function<void(std::int64_t, std::int64_t)>* body;
  std::atomic<std::int64_t> next{0};
  std::atomic<int> running{0};
  std::mutex mutex;
  std::condition_variable done;
  std::exception_ptr error;

  void work() {
    for (;;) {
      const std::int64_t begin = next.fetch_add(chunk);
      if (begin >= n) return;
      try {
        (*body)(begin, std::min(n, begin + chunk));
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(n);
      }
    }
  }
};

class Pool {
 public:
  explicit Pool(int helpers) {
    for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { loop(); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  void run(const std::shared_ptr<Job>& job) {
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back(job);
    }
    wake_.notify_all();
    inside_pool = true;
    job->work();
    inside_pool = false;
    {
      std::lock_guard lock(mutex_);
      std::erase(jobs_, job);
    }
    std::unique_lock lock(job->mutex);
    job->done.wait(lock, [&] { return job->running.load() == 0; });
  }

 private:
  void loop() {
    inside_pool = true;
    std::unique_lock lock(mutex_);
    for (;;) {
      std::shared_ptr<Job> job;
      wake_.wait(lock, [&] {
        if (stop_) return true;
        for (const auto& j : jobs_)
          if (j->next.load() < j->n) {
            job = j;
            return true;
          }
        return false;
      });
      if (stop_) return;
      ++job->running;
      lock.unlock();
      job->work();
      {
        std::lock_guard done(job->mutex);
        --job->running;
      }
      job->done.notify_all();
      lock.lock();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Job>> jobs_;
  bool stop_ = false;
};

Pool& pool() {
  static Pool p(thread_count() - 1);
  return p;
}

}  // namespace

int thread_count() { return wanted_threads(); }
void set_thread_count(int n) { wanted_threads() = std::max(1, n); }

void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (n <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  const int threads = thread_count();
  if (threads == 1 || inside_pool || n <= grain) return body(0, n);
  auto job = std::make_shared<Job>();
  job->n = n;
  job->chunk = std::max(grain, n / (threads * 4));
  job->body = &body;
  pool().run(job);
  if (job->error) std::rethrow_exception(job->error);
}

}  // namespace vesal
