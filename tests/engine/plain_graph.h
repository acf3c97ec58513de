// A graph run node by node with plain loops in double: what the engine is compared with. And small graphs to run.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace vesal::engine::tests {

struct PlainValue {
  std::int64_t channels = 0;
  std::int64_t extents[3] = {1, 1, 1};
  std::vector<double> numbers;  ///< [channels][x][y][z]

  std::int64_t voxels() const { return extents[0] * extents[1] * extents[2]; }
};

/// One sample. Operators that nothing here knows run through their External.
std::vector<PlainValue> run_plain(const Graph& graph, const std::vector<Array>& inputs);

Array random_array(std::mt19937& random, Shape shape, float scale = 1);

/// Builds graphs: each function adds a node and returns its value.
class GraphMaker {
 public:
  explicit GraphMaker(unsigned seed) : random(seed) {}

  std::size_t input(Shape shape);
  struct Conv {
    std::int64_t out = 8, kernel = 3, stride = 1, dilation = 1, groups = 1, output_padding = 0;
    bool transposed = false, bias = true;
  };
  std::size_t conv(std::size_t value, Conv c);
  std::size_t batch_norm(std::size_t value);
  std::size_t instance_norm(std::size_t value, bool affine = false);
  std::size_t group_norm(std::size_t value, std::int64_t groups);
  std::size_t act(std::size_t value, const std::string& op);
  std::size_t add(std::size_t a, std::size_t b, const std::string& op = "add", double alpha = 1);
  std::size_t scalar(std::size_t value, const std::string& op, double s);
  std::size_t cat(const std::vector<std::size_t>& values);
  std::size_t max_pool(std::size_t value, std::int64_t kernel, std::int64_t stride);
  std::size_t avg_pool(std::size_t value, std::int64_t kernel, std::int64_t stride);
  std::size_t global_pool(std::size_t value);
  std::size_t upsample(std::size_t value, bool linear, bool align_corners = false);
  std::size_t softmax(std::size_t value);
  std::size_t pad(std::size_t value, std::int64_t before, std::int64_t after, double number);
  std::size_t identity(std::size_t value);
  /// Runs as an External: x * 2 with the last axis reversed.
  std::size_t external(std::size_t value);

  const Shape& shape(std::size_t value) const { return graph.values[value]; }
  std::int64_t channels(std::size_t value) const { return shape(value)[1]; }

  Graph graph;
  std::mt19937 random;

 private:
  std::size_t node(Node node, Shape shape);
};

}  // namespace vesal::engine::tests
