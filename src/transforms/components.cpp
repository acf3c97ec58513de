#include "transforms/components.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>

#include "base/parallel.h"

namespace vesal::transforms {
namespace {

/// Rows in C order with the runs in each: runs of row r are [first[r], first[r + 1]).
struct RunTable {
  std::vector<Run> runs;
  std::vector<std::int64_t> first;
};

void find_runs(const std::uint8_t* row, std::int64_t n, std::int64_t number, std::vector<Run>& out) {
  std::int64_t i = 0;
  while (i < n) {
    std::uint64_t eight;
    while (i + 8 <= n && (std::memcpy(&eight, row + i, 8), eight == 0)) i += 8;
    while (i < n && row[i] == 0) ++i;
    if (i == n) return;
    const std::int64_t begin = i;
    while (i < n && row[i] != 0) ++i;
    out.push_back({number, begin, i, 0});
  }
}

RunTable run_table(const Array& mask, std::int64_t rows, std::int64_t length) {
  const std::uint8_t* p = mask.data<std::uint8_t>();
  const std::int64_t block = std::max<std::int64_t>(1, (1 << 20) / std::max<std::int64_t>(length, 1)), blocks = (rows + block - 1) / block;
  std::vector<std::vector<Run>> parts(static_cast<std::size_t>(blocks));
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b)
      for (std::int64_t r = b * block; r < std::min(rows, (b + 1) * block); ++r) find_runs(p + r * length, length, r, parts[b]);
  });
  RunTable t;
  for (auto& part : parts) t.runs.insert(t.runs.end(), part.begin(), part.end());
  t.first.assign(static_cast<std::size_t>(rows) + 1, 0);
  for (const Run& run : t.runs) ++t.first[run.row + 1];
  std::partial_sum(t.first.begin(), t.first.end(), t.first.begin());
  return t;
}

/// A step to a row before this one that may touch it, and by how much runs may miss each other along the row: 1 where diagonal
/// contact counts, 0 where not.
struct Neighbour {
  std::vector<int> step;
  std::int64_t offset, reach;
};

std::vector<Neighbour> neighbours(const Shape& rows, int connectivity) {
  const std::size_t rank = rows.size();
  std::vector<Neighbour> out;
  std::vector<int> step(rank, -1);
  for (;;) {
    std::int64_t offset = 0;
    int moved = 0, leading = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      offset = offset * rows[i] + step[i];
      moved += step[i] != 0;
      if (leading == 0) leading = step[i];
    }
    if (leading < 0 && moved <= connectivity) out.push_back({step, offset, moved < connectivity ? 1 : 0});
    std::size_t axis = rank;
    while (axis > 0 && step[axis - 1] == 1) step[--axis] = -1;
    if (axis == 0) return out;
    ++step[axis - 1];
  }
}

class UnionFind {
 public:
  explicit UnionFind(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), std::int64_t{0}); }
  std::int64_t root(std::int64_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  /// The smaller number stays, so that components are numbered by their first run.
  void join(std::int64_t a, std::int64_t b) {
    a = root(a), b = root(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::int64_t> parent_;
};

void join_rows(const RunTable& t, std::int64_t above, std::int64_t row, std::int64_t reach, UnionFind& sets) {
  std::int64_t i = t.first[above], j = t.first[row];
  while (i < t.first[above + 1] && j < t.first[row + 1]) {
    const Run &a = t.runs[i], &b = t.runs[j];
    if (a.begin < b.end + reach && b.begin < a.end + reach) sets.join(i, j);
    if (a.end < b.end) ++i;
    else ++j;
  }
}

}  // namespace

Components components_of(const Array& mask, int connectivity) {
  const int rank = mask.dim();
  if (connectivity < 1 || connectivity > rank)
    throw Error(ErrorKind::config, "connectivity " + std::to_string(connectivity) + ": 1 to " + std::to_string(rank) + " wanted");
  Components out;
  if (mask.numel() == 0) return out;
  const std::int64_t length = mask.size(rank - 1), rows = mask.numel() / length;
  const Shape grid(mask.shape().begin(), mask.shape().end() - 1);
  RunTable table = run_table(mask, rows, length);
  UnionFind sets(table.runs.size());
  const auto around = neighbours(grid, connectivity);
  Shape at(grid.size(), 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    if (table.first[row] != table.first[row + 1]) {
      for (std::int64_t rest = row, k = static_cast<std::int64_t>(grid.size()) - 1; k >= 0; --k) at[k] = rest % grid[k], rest /= grid[k];
      for (const Neighbour& n : around) {
        bool inside = true;
        for (std::size_t k = 0; k < grid.size(); ++k) inside = inside && at[k] + n.step[k] >= 0 && at[k] + n.step[k] < grid[k];
        if (inside) join_rows(table, row + n.offset, row, n.reach, sets);
      }
    }
  }
  std::vector<std::int64_t> number(table.runs.size(), -1);
  for (std::size_t i = 0; i < table.runs.size(); ++i) {
    const auto root = static_cast<std::size_t>(sets.root(static_cast<std::int64_t>(i)));
    if (number[root] < 0) number[root] = static_cast<std::int64_t>(out.sizes.size()), out.sizes.push_back(0);
    Run& run = table.runs[i];
    run.component = number[root];
    out.sizes[run.component] += run.end - run.begin;
  }
  out.runs = std::move(table.runs);
  return out;
}

void fill_runs(Array& voxels, const Components& components, const std::vector<bool>& chosen, double value) {
  const int rank = voxels.dim();
  visit_dtype(voxels.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* data = voxels.data<T>();
    const T fill = convert<T>(value);
    const std::int64_t stride = voxels.strides()[rank - 1];
    for (const Run& run : components.runs) {
      if (!chosen[run.component]) continue;
      std::int64_t offset = 0;
      for (std::int64_t rest = run.row, k = rank - 2; k >= 0; --k) offset += rest % voxels.size(k) * voxels.strides()[k], rest /= voxels.size(k);
      for (std::int64_t i = run.begin; i < run.end; ++i) data[offset + i * stride] = fill;
    }
  });
}

}  // namespace vesal::transforms
