#include "transforms/elementwise.h"

namespace vesal::transforms {

Array copy_as(const Array& in, DType type) {
  Array out = Array::empty(in.shape(), type);
  int axis = 0;
  while (axis + 1 < in.dim() && in.size(axis) == 1) ++axis;
  if (in.dim() == 0 || in.numel() < (1 << 16)) {
    out.copy_from(in);
    return out;
  }
  parallel_for(in.size(axis), std::max<std::int64_t>(1, (1 << 16) * in.size(axis) / in.numel()),
               [&](std::int64_t begin, std::int64_t end) { out.slice(axis, begin, end).copy_from(in.slice(axis, begin, end)); });
  return out;
}

}  // namespace vesal::transforms
