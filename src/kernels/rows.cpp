#include "kernels/rows.h"

#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void WeightedRows(const float* const* rows, const float* weights, int n, std::int64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto sum = hn::Mul(hn::Set(d, weights[0]), hn::LoadU(d, rows[0] + i));
    for (int k = 1; k < n; ++k) sum = hn::MulAdd(hn::Set(d, weights[k]), hn::LoadU(d, rows[k] + i), sum);
    hn::StoreU(sum, d, out + i);
  }
  for (; i < count; ++i) {
    float sum = weights[0] * rows[0][i];
    for (int k = 1; k < n; ++k) sum += weights[k] * rows[k][i];
    out[i] = sum;
  }
}

void GatherRow(const float* row, const std::int32_t* index, const float* weight, int taps, std::int64_t pitch, std::int64_t count, float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    auto sum = hn::Mul(hn::LoadU(d, weight + j), hn::GatherIndex(d, row, hn::LoadU(di, index + j)));
    for (int k = 1; k < taps; ++k)
      sum = hn::MulAdd(hn::LoadU(d, weight + k * pitch + j), hn::GatherIndex(d, row, hn::LoadU(di, index + k * pitch + j)), sum);
    hn::StoreU(sum, d, out + j);
  }
  for (; j < count; ++j) {
    float sum = weight[j] * row[index[j]];
    for (int k = 1; k < taps; ++k) sum += weight[k * pitch + j] * row[index[k * pitch + j]];
    out[j] = sum;
  }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vesal::kernels {
namespace {

HWY_EXPORT(WeightedRows);
HWY_EXPORT(GatherRow);

void weighted_rows_scalar(const float* const* rows, const float* weights, int n, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (int k = 0; k < n; ++k) sum += weights[k] * rows[k][i];
    out[i] = sum;
  }
}

void gather_row_scalar(const float* row, const std::int32_t* index, const float* weight, int taps, std::int64_t pitch, std::int64_t count,
                       float* out) {
  for (std::int64_t j = 0; j < count; ++j) {
    float sum = 0;
    for (int k = 0; k < taps; ++k) sum += weight[k * pitch + j] * row[index[k * pitch + j]];
    out[j] = sum;
  }
}

}  // namespace

void weighted_rows(const float* const* rows, const float* weights, int n, std::int64_t count, float* out) {
  if (use_scalar()) return weighted_rows_scalar(rows, weights, n, count, out);
  HWY_DYNAMIC_DISPATCH(WeightedRows)(rows, weights, n, count, out);
}

void gather_row(const float* row, const std::int32_t* index, const float* weight, int taps, std::int64_t pitch, std::int64_t count, float* out) {
  if (use_scalar()) return gather_row_scalar(row, index, weight, taps, pitch, count, out);
  HWY_DYNAMIC_DISPATCH(GatherRow)(row, index, weight, taps, pitch, count, out);
}

}  // namespace vesal::kernels
#endif
