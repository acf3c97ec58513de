#include "image/nifti_header.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace vesal::image {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Datatype {
  int code;
  const char* name;
  std::optional<DType> dtype;
};
constexpr Datatype kDatatypes[] = {
    {2, "uint8", DType::u8},   {4, "int16", DType::i16},    {8, "int32", DType::i32},    {16, "float32", DType::f32}, {64, "float64", DType::f64},
    {256, "int8", DType::i8},  {512, "uint16", DType::u16}, {768, "uint32", DType::u32}, {1024, "int64", DType::i64}, {1280, "uint64", DType::u64},
    {1, "binary (1 bit)", {}}, {32, "complex64", {}},       {128, "RGB colour", {}},     {1536, "float128", {}},      {1792, "complex128", {}},
    {2048, "complex256", {}},  {2304, "RGBA colour", {}}};

template <class T>
T byte_swapped(T value) {
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

/// Fields by offset, in the file's byte order.
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  template <class T>
  T get(std::size_t offset) const {
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return swapped_ ? byte_swapped(value) : value;
  }
  template <class T, std::size_t N>
  std::array<double, N> numbers(std::size_t offset) const {
    std::array<double, N> out;
    for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<double>(get<T>(offset + i * sizeof(T)));
    return out;
  }
  std::string text(std::size_t offset, std::size_t size) const {
    const char* p = reinterpret_cast<const char*>(bytes_.data()) + offset;
    return {p, strnlen(p, size)};
  }

 private:
  std::span<const std::byte> bytes_;
  bool swapped_;
};

/// Where NIfTI-1 and NIfTI-2 keep the same things, and in which types.
struct Layout1 {
  using Int = std::int16_t;
  using Real = float;
  using Offset = float;
  using Code = std::int16_t;
  static constexpr int kVersion = 1;
  static constexpr std::size_t kSize = 348, kMagic = 344, kDatatype = 70, kBitpix = 72, kDim = 40, kPixdim = 76, kVoxOffset = 108, kScale = 112,
                               kDescrip = 148, kCodes = 252, kQuatern = 256, kQoffset = 268, kSrow = 280, kUnits = 123;
  static constexpr char kSingle[] = "n+1", kPair[] = "ni1";
  static constexpr std::size_t kFirstVoxel = 352;
};
struct Layout2 {
  using Int = std::int64_t;
  using Real = double;
  using Offset = std::int64_t;
  using Code = std::int32_t;
  static constexpr int kVersion = 2;
  static constexpr std::size_t kSize = 540, kMagic = 4, kDatatype = 12, kBitpix = 14, kDim = 16, kPixdim = 104, kVoxOffset = 168, kScale = 176,
                               kDescrip = 240, kCodes = 344, kQuatern = 352, kQoffset = 376, kSrow = 400, kUnits = 500;
  static constexpr char kSingle[] = "n+2", kPair[] = "ni2";
  static constexpr std::size_t kFirstVoxel = 544;
};

Error bad(const std::string& what) { return Error(ErrorKind::format, "header: " + what); }

template <class L>
Shape read_shape(const Fields& fields) {
  const auto rank = fields.get<typename L::Int>(L::kDim);
  if (rank < 1 || rank > 7) throw bad("dim[0] = " + std::to_string(rank) + ", want 1..7");
  Shape shape;
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t extent = fields.get<typename L::Int>(L::kDim + static_cast<std::size_t>(i) * sizeof(typename L::Int));
    if (extent < 1) throw bad("dim[" + std::to_string(i) + "] = " + std::to_string(extent) + ", want at least 1");
    shape.push_back(extent);
  }
  return shape;
}

DType read_dtype(int code, int bitpix) {
  const auto* found = std::find_if(std::begin(kDatatypes), std::end(kDatatypes), [&](const Datatype& d) { return d.code == code; });
  if (found == std::end(kDatatypes)) throw bad("datatype = " + std::to_string(code) + ", which NIfTI does not know");
  if (!found->dtype)
    throw Error(ErrorKind::unsupported, std::string("voxels of type ") + found->name + " are not supported; integers and floats are");
  const auto bits = static_cast<int>(size_of(*found->dtype)) * 8;
  if (bitpix != bits && bitpix != 0) throw bad("bitpix = " + std::to_string(bitpix) + ", want " + std::to_string(bits) + " for " + found->name);
  return *found->dtype;
}

template <class L>
NiftiHeader parse(std::span<const std::byte> head, bool swapped) {
  const Fields fields(head, swapped);
  NiftiHeader h;
  h.version = L::kVersion;
  h.swapped = swapped;
  const std::string magic = fields.text(L::kMagic, 4);
  if (magic == L::kPair) throw Error(ErrorKind::unsupported, "a NIfTI pair (.hdr and .img) is not supported; make it one .nii file");
  if (magic != L::kSingle) throw bad("the magic is not \"" + std::string(L::kSingle) + "\": not a NIfTI-" + std::to_string(L::kVersion) + " file");
  h.shape = read_shape<L>(fields);
  h.dtype = read_dtype(fields.get<std::int16_t>(L::kDatatype), fields.get<std::int16_t>(L::kBitpix));
  h.pixdim = fields.numbers<typename L::Real, 8>(L::kPixdim);
  const auto offset = static_cast<double>(fields.get<typename L::Offset>(L::kVoxOffset));
  if (!(offset == 0 || (offset >= static_cast<double>(L::kFirstVoxel) && offset < 1e12)) || offset != std::floor(offset))
    throw bad("vox_offset = " + std::to_string(offset) + ", want a whole number from " + std::to_string(L::kFirstVoxel));
  h.vox_offset = offset == 0 ? L::kFirstVoxel : static_cast<std::uint64_t>(offset);
  const auto scale = fields.numbers<typename L::Real, 2>(L::kScale);
  if (scale[0] != 0 && std::isfinite(scale[0])) {
    if (!std::isfinite(scale[1])) throw bad("scl_inter is not finite while scl_slope is");
    h.scaling = {scale[0], scale[1]};
  }
  const auto code = [&](std::size_t at) {
    const auto value = fields.get<typename L::Code>(at);
    return value >= 0 && value <= 5 ? static_cast<int>(value) : 0;
  };
  h.qform_code = code(L::kCodes);
  h.sform_code = code(L::kCodes + sizeof(typename L::Code));
  h.quatern = fields.numbers<typename L::Real, 3>(L::kQuatern);
  h.qoffset = fields.numbers<typename L::Real, 3>(L::kQoffset);
  for (std::size_t r = 0; r < 3; ++r) h.srow[r] = fields.numbers<typename L::Real, 4>(L::kSrow + r * 4 * sizeof(typename L::Real));
  h.xyzt_units = L::kVersion == 1 ? fields.get<std::uint8_t>(L::kUnits) : fields.get<std::int32_t>(L::kUnits);
  h.descrip = fields.text(L::kDescrip, 80);
  return h;
}

/// Writes fields by offset, little endian.
class Writer {
 public:
  explicit Writer(std::size_t size) : bytes_(size) {}
  template <class T>
  void put(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

bool looks_like_nifti(std::span<const std::byte> head) {
  const auto at = [&](std::size_t offset, const char* magic) {
    return head.size() >= offset + 4 && std::memcmp(head.data() + offset, magic, 4) == 0;
  };
  return at(Layout1::kMagic, Layout1::kSingle) || at(Layout1::kMagic, Layout1::kPair) || at(Layout2::kMagic, Layout2::kSingle) ||
         at(Layout2::kMagic, Layout2::kPair);
}

NiftiHeader parse_nifti_header(std::span<const std::byte> head) {
  if (head.size() < Layout1::kSize) throw bad(std::to_string(head.size()) + " bytes, want at least 348: not a NIfTI file or cut short");
  const auto size = Fields(head, false).get<std::int32_t>(0), other = byte_swapped(size);
  if (size == 540 || other == 540) {
    if (head.size() < Layout2::kSize) throw bad(std::to_string(head.size()) + " bytes, want 540: cut short");
    return parse<Layout2>(head, other == 540);
  }
  if (size == 348 || other == 348) return parse<Layout1>(head, other == 348);
  throw bad("sizeof_hdr = " + std::to_string(size) + ", want 348 or 540: not a NIfTI file");
}

namespace {

/// The rotation of a unit quaternion's b, c, d parts; a follows. As nibabel: in extended precision, a little rounding forgiven.
Affine affine_of_qform(const NiftiHeader& h) {
  long double x = h.quatern[0], y = h.quatern[1], z = h.quatern[2];
  const long double w2 = 1 - (x * x + y * y + z * z);
  const double eps = h.version == 1 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  if (!(w2 >= -3 * eps)) throw Error(ErrorKind::geometry, "header: the qform's quaternion is longer than 1");
  const long double w = w2 > 0 ? std::sqrt(w2) : 0;
  const long double s = 2 / (w * w + x * x + y * y + z * z);
  const long double X = x * s, Y = y * s, Z = z * s;
  const long double r[3][3] = {{1 - (y * Y + z * Z), x * Y - w * Z, x * Z + w * Y},
                               {x * Y + w * Z, 1 - (x * X + z * Z), y * Z - w * X},
                               {x * Z - w * Y, y * Z + w * X, 1 - (x * X + y * Y)}};
  Affine a;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) {
      const double length = std::fabs(h.pixdim[static_cast<std::size_t>(column) + 1]);
      const double sign = column == 2 && h.pixdim[0] == -1 ? -1 : 1;
      a(row, column) = static_cast<double>(r[row][column] * (length == 0 ? 1 : length) * sign);
    }
    a(row, 3) = h.qoffset[static_cast<std::size_t>(row)];
  }
  return a;
}

Affine affine_of_pixdim(const NiftiHeader& h) {
  Affine a;
  for (std::size_t i = 0; i < 3; ++i) {
    const bool given = i < h.shape.size();
    const double length = given ? std::fabs(h.pixdim[i + 1]) : 1;
    const double zoom = (length == 0 ? 1 : length) * (i == 0 ? -1 : 1);
    a(static_cast<int>(i), static_cast<int>(i)) = zoom;
    a(static_cast<int>(i), 3) = -static_cast<double>((given ? h.shape[i] : 1) - 1) / 2.0 * zoom;
  }
  return a;
}

}  // namespace

Affine affine_of(const NiftiHeader& h) {
  Affine a;
  const char* form = "sform";
  if (h.sform_code > 0) {
    for (std::size_t r = 0; r < 3; ++r) a.m[r] = h.srow[r];
  } else if (h.qform_code > 0) {
    a = affine_of_qform(h);
    form = "qform";
  } else {
    a = affine_of_pixdim(h);
    form = "pixdim";
  }
  with_context(std::string("header: ") + form, [&] { check(a); });
  return a;
}

namespace {

/// b, c, d of the quaternion (a >= 0) of the rotation nearest to the affine's axes; handed: -1 if the third axis had to be turned round.
struct Qform {
  std::array<double, 3> quatern{};
  double qfac = 1;
};
Qform qform_of(const Affine& affine) {
  auto r = nearest_rotation(affine);
  Qform q;
  const double det = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
                     r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  if (det < 0) {
    q.qfac = -1;
    for (auto& row : r) row[2] = -row[2];
  }
  // The largest of 4a^2, 4b^2, 4c^2, 4d^2 first, for precision.
  const double t[4] = {1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2], 1 - r[0][0] + r[1][1] - r[2][2],
                       1 - r[0][0] - r[1][1] + r[2][2]};
  const auto best = std::max_element(std::begin(t), std::end(t)) - std::begin(t);
  const double root = std::sqrt(t[best]), f = 0.5 / root;
  const double p = r[2][1] - r[1][2], u = r[0][2] - r[2][0], v = r[1][0] - r[0][1];
  const double xy = r[1][0] + r[0][1], xz = r[0][2] + r[2][0], yz = r[2][1] + r[1][2];
  double a = 0;
  switch (best) {
    case 0: a = root / 2, q.quatern = {p * f, u * f, v * f}; break;
    case 1: a = p * f, q.quatern = {root / 2, xy * f, xz * f}; break;
    case 2: a = u * f, q.quatern = {xy * f, root / 2, yz * f}; break;
    default: a = v * f, q.quatern = {xz * f, yz * f, root / 2}; break;
  }
  if (a < 0)
    for (double& part : q.quatern) part = -part;
  return q;
}

template <class L>
std::vector<std::byte> make(const Shape& shape, DType dtype, const Affine& affine) {
  using Int = typename L::Int;
  using Real = typename L::Real;
  using Code = typename L::Code;
  Writer w(L::kFirstVoxel);
  w.template put<std::int32_t>(0, L::kSize);
  std::string magic(L::kSingle, 4);
  if (L::kVersion == 2) magic += "\r\n\x1a\n";
  for (std::size_t i = 0; i < magic.size(); ++i) w.put(L::kMagic + i, magic[i]);
  w.put(L::kDim, static_cast<Int>(shape.size()));
  const auto spacing = spacing_of(affine);
  const Qform q = qform_of(affine);
  w.put(L::kPixdim, static_cast<Real>(q.qfac));
  for (std::size_t i = 0; i < 7; ++i) {
    w.put(L::kDim + (i + 1) * sizeof(Int), static_cast<Int>(i < shape.size() ? shape[i] : 1));
    w.put(L::kPixdim + (i + 1) * sizeof(Real), static_cast<Real>(i < 3 ? spacing[i] : 1));
  }
  const auto* type = std::find_if(std::begin(kDatatypes), std::end(kDatatypes), [&](const Datatype& d) { return d.dtype == dtype; });
  w.put(L::kDatatype, static_cast<std::int16_t>(type->code));
  w.put(L::kBitpix, static_cast<std::int16_t>(size_of(dtype) * 8));
  w.put(L::kVoxOffset, static_cast<typename L::Offset>(L::kFirstVoxel));
  w.put(L::kScale, static_cast<Real>(1));
  w.put(L::kCodes, static_cast<Code>(1));
  w.put(L::kCodes + sizeof(Code), static_cast<Code>(1));
  for (std::size_t i = 0; i < 3; ++i) {
    w.put(L::kQuatern + i * sizeof(Real), static_cast<Real>(q.quatern[i]));
    w.put(L::kQoffset + i * sizeof(Real), static_cast<Real>(affine.m[i][3]));
    for (std::size_t c = 0; c < 4; ++c) w.put(L::kSrow + (i * 4 + c) * sizeof(Real), static_cast<Real>(affine.m[i][c]));
  }
  constexpr int kMillimetres = 2;
  if constexpr (L::kVersion == 1) w.put(L::kUnits, static_cast<std::uint8_t>(kMillimetres));
  else w.put(L::kUnits, static_cast<std::int32_t>(kMillimetres));
  return w.take();
}

}  // namespace

std::vector<std::byte> make_nifti_header(const Shape& shape, DType dtype, const Affine& affine) {
  if (shape.empty() || shape.size() > 7) throw Error(ErrorKind::shape, "NIfTI holds 1 to 7 axes, the image has shape " + to_string(shape));
  if (dtype == DType::boolean || dtype == DType::f16 || dtype == DType::bf16)
    throw Error(ErrorKind::unsupported, "NIfTI has no " + std::string(name_of(dtype)) + " voxels");
  check(affine);
  const bool large = std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent > 32767; });
  return large ? make<Layout2>(shape, dtype, affine) : make<Layout1>(shape, dtype, affine);
}

}  // namespace vesal::image
