// Work on all cores: a process-wide pool of threads.
#pragma once
#include <cstdint>
#include <functional>

namespace vesal {

/// Threads used by parallel_for, the caller included; at least 1. Set it before the first use.
int thread_count();
void set_thread_count(int n);

/// Calls body(begin, end) over disjoint ranges that cover [0, n), each of at least `grain` items, on all threads.
/// Nested calls run on the calling thread. The first exception is rethrown here after all ranges ended.
void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace vesal
