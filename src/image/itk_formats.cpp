#include "image/itk_formats.h"

#include <itkMetaImageIO.h>
#include <itkNrrdImageIO.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

using Component = itk::IOComponentEnum;
constexpr std::pair<Component, DType> kComponents[] = {
    {Component::UCHAR, DType::u8},  {Component::CHAR, DType::i8},  {Component::USHORT, DType::u16},    {Component::SHORT, DType::i16},
    {Component::UINT, DType::u32},  {Component::INT, DType::i32},  {Component::ULONGLONG, DType::u64}, {Component::LONGLONG, DType::i64},
    {Component::ULONG, DType::u64}, {Component::LONG, DType::i64}, {Component::FLOAT, DType::f32},     {Component::DOUBLE, DType::f64}};

/// The reader of a file: MetaImage or NRRD, by name.
itk::ImageIOBase::Pointer io_of(const std::filesystem::path& path) {
  const std::string extension = lower(path.extension().string());
  if (extension == ".nrrd" || extension == ".nhdr") return itk::NrrdImageIO::New().GetPointer();
  return itk::MetaImageIO::New().GetPointer();
}

/// ITK's failures tell file, line and object first; what a person wants is at the end.
template <class F>
auto itk_call(F&& work) {
  try {
    return work();
  } catch (const itk::ExceptionObject& e) {
    std::string text = e.GetDescription();
    if (const auto colon = text.rfind("): "); colon != std::string::npos) text = text.substr(colon + 3);
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw Error(ErrorKind::format, text);
  }
}

/// What a header in text says about where its voxels lie.
struct Payload {
  std::uint64_t bytes = 0;  ///< there are
  bool compressed = false;
};

/// The value after `key` on its line, without blanks, '=' and ':'; nothing if there is no such line.
std::optional<std::string> field(std::string_view text, std::string_view key) {
  const auto at = text.starts_with(key) ? 0 : text.find("\n" + std::string(key));
  if (at == std::string_view::npos) return std::nullopt;
  const auto begin = at + key.size() + (at > 0 ? 1 : 0), end = std::min(text.find('\n', begin), text.size());
  std::string value(text.substr(begin, end - begin));
  std::erase_if(value, [](unsigned char c) { return std::isspace(c) || c == '=' || c == ':' || c == '"'; });
  return value;
}

/// Throws Error(refused) if the header names voxels outside of its own folder, Error(unsupported) if they are spread over files.
Payload payload_of(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), std::min<std::size_t>(file.bytes().size(), 1 << 16));
  Payload payload{file.bytes().size(), false};
  for (const std::string_view key : {"ElementDataFile", "data file", "datafile"}) {
    const auto name = field(text, key);
    if (!name) continue;
    if (name->starts_with("LIST") || name->find('%') != std::string::npos)
      throw Error(ErrorKind::unsupported, "volumes in several files (" + *name + ") are not supported");
    if (*name == "LOCAL" || *name == "local") {
      const auto end = text.find('\n', text.find(std::string("\n") + std::string(key)) + 1);
      payload.bytes -= end == std::string_view::npos ? payload.bytes : end + 1;
    } else {
      std::error_code error;
      payload.bytes = std::filesystem::file_size(inside(path.parent_path(), *name), error);
      if (error) throw Error(ErrorKind::not_found, "its data file " + *name + ": " + error.message());
    }
  }
  payload.compressed = field(text, "CompressedData").value_or("") == "True";
  const std::string packed = field(text, "CompressedDataSize").value_or("0");
  if (payload.compressed && std::strtoull(packed.c_str(), nullptr, 10) > payload.bytes)
    throw Error(ErrorKind::format, "cut short: " + packed + " bytes of compressed voxels declared, " + std::to_string(payload.bytes) + " are there");
  return payload;
}

/// Voxel -> world in RAS of what ITK calls origin, spacing and direction, in LPS.
Affine affine_of(const itk::ImageIOBase& io) {
  const unsigned rank = std::min(io.GetNumberOfDimensions(), 3u);
  Affine a;
  for (unsigned column = 0; column < rank; ++column) {
    const std::vector<double> direction = io.GetDirection(column);
    for (unsigned row = 0; row < rank; ++row) a(static_cast<int>(row), static_cast<int>(column)) = direction[row] * io.GetSpacing(column);
    a(static_cast<int>(column), 3) = io.GetOrigin(column);
  }
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 4; ++column) a(row, column) = a(row, column) == 0 ? 0 : -a(row, column);
  check(a);
  return a;
}

Image read(const std::filesystem::path& path, const ReadOptions& options) {
  const Payload payload = payload_of(path);
  const auto io = io_of(path);
  itk_call([&] {
    io->SetFileName(path.string());
    if (!io->CanReadFile(path.string().c_str())) throw Error(ErrorKind::format, "not a NRRD or MetaImage file");
    io->ReadImageInformation();
  });
  const auto* found = std::find_if(std::begin(kComponents), std::end(kComponents), [&](const auto& c) { return c.first == io->GetComponentType(); });
  if (found == std::end(kComponents))
    throw Error(ErrorKind::unsupported,
                "voxels of type " + itk::ImageIOBase::GetComponentTypeAsString(io->GetComponentType()) + " are not supported");
  if (io->GetPixelType() == itk::IOPixelEnum::COMPLEX) throw Error(ErrorKind::unsupported, "complex voxels are not supported");
  Shape shape;
  for (unsigned i = 0; i < io->GetNumberOfDimensions(); ++i) {
    shape.push_back(static_cast<std::int64_t>(io->GetDimensions(i)));
    if (shape.back() < 1)
      throw Error(ErrorKind::format, "header: extent " + std::to_string(i) + " is " + std::to_string(shape.back()) + ", want at least 1");
  }
  if (shape.size() < 2 || shape.size() > 3)
    throw Error(ErrorKind::unsupported, "images of " + std::to_string(shape.size()) + " axes are not supported here");
  const int spatial = static_cast<int>(shape.size());
  const auto components = static_cast<std::int64_t>(io->GetNumberOfComponents());
  const Affine affine = with_context("header", [&] { return affine_of(*io); });

  // ITK keeps the components of a voxel together: they are the fastest axis.
  Shape stored = shape;
  if (components > 1) stored.insert(stored.begin(), components);
  const std::int64_t count = numel_of(stored);
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), size_of(found->second), &bytes))
    throw Error(ErrorKind::memory, "header: shape " + to_string(shape) + " is too large");
  // MetaIO does not mind missing voxels, NrrdIO does; neither may be asked for more than DEFLATE can hold.
  const bool packed = payload.compressed || dynamic_cast<itk::NrrdImageIO*>(io.GetPointer());
  if (bytes > payload.bytes * (packed ? 1032 : 1))
    throw Error(ErrorKind::format,
                "cut short: the header declares " + std::to_string(bytes) + " bytes of voxels, " + std::to_string(payload.bytes) + " are there");
  check_allocation(bytes, payload.bytes);
  const auto buffer = allocate(bytes);
  itk::ImageIORegion region(io->GetNumberOfDimensions());
  for (unsigned i = 0; i < io->GetNumberOfDimensions(); ++i) region.SetIndex(i, 0), region.SetSize(i, io->GetDimensions(i));
  io->SetIORegion(region);
  itk_call([&] { io->Read(buffer.get()); });

  Array voxels = Array::wrap(buffer.get(), stored, found->second, buffer, fortran_strides(stored));
  if (components > 1) {
    std::vector<int> axes;
    for (int i = 1; i < voxels.dim(); ++i) axes.push_back(i);
    axes.push_back(0);
    voxels = voxels.permute(axes);
  }
  Image image(options.dtype ? voxels.to(*options.dtype) : voxels, affine);
  set_read_meta(image, path, {.spatial = spatial, .stored = found->second});
  return image;
}

bool looks_like_nrrd(std::span<const std::byte> head) { return head.size() > 4 && std::memcmp(head.data(), "NRRD", 4) == 0; }
bool looks_like_meta(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  return text.starts_with("ObjectType") || (text.find("NDims") < 200 && text.find("DimSize") != std::string_view::npos);
}

const RegisterFormat nrrd({.name = "NRRD", .extensions = {".nrrd", ".nhdr"}, .recognises = looks_like_nrrd, .read = read_itk, .write = write_itk});
const RegisterFormat meta({.name = "MetaImage", .extensions = {".mha", ".mhd"}, .recognises = looks_like_meta, .read = read_itk, .write = write_itk});

}  // namespace

Image read_itk(const std::filesystem::path& path, const ReadOptions& options) {
  return with_context(
      "reading " + path.string(), [&] { return read(path, options); }, ErrorKind::format);
}

void write_itk(const std::filesystem::path& path, const Image& image, const WriteOptions& options) {
  with_context("writing " + path.string(), [&] {
    const std::string extension = path.extension().string();
    if (extension == ".mhd" || extension == ".nhdr")
      throw Error(ErrorKind::unsupported, "a header with a separate data file is not written; use .mha or .nrrd");
    Array last = channel_last(image.array(), options);
    if (last.dim() < 3) last = channel_last(image.array(), {.channel_dim = options.channel_dim, .squeeze_end_dims = false}).select(3, 0);
    const DType dtype = options.dtype.value_or(last.dtype() == DType::boolean ? DType::u8 : last.dtype());
    const auto* found = std::find_if(std::begin(kComponents), std::end(kComponents), [&](const auto& c) { return c.second == dtype; });
    if (found == std::end(kComponents)) throw Error(ErrorKind::unsupported, "it holds no " + std::string(name_of(dtype)) + " voxels");
    check(image.affine);

    // [z, y, x] or [z, y, x, c]: ITK's memory order.
    const int spatial_axes[] = {2, 1, 0}, component_axes[] = {2, 1, 0, 3};
    const Array stored = (last.dim() == 4 ? last.permute(component_axes) : last.permute(spatial_axes)).to(dtype).contiguous();
    const auto io = io_of(path);
    io->SetNumberOfDimensions(3);
    io->SetNumberOfComponents(last.dim() == 4 ? static_cast<unsigned>(last.size(3)) : 1);
    io->SetPixelType(last.dim() == 4 ? itk::IOPixelEnum::VECTOR : itk::IOPixelEnum::SCALAR);
    io->SetComponentType(found->first);
    io->SetByteOrderToLittleEndian();
    io->SetFileTypeToBinary();
    io->SetUseCompression(true);
    const auto spacing = spacing_of(image.affine);
    itk::ImageIORegion region(3);
    for (unsigned i = 0; i < 3; ++i) {
      const int axis = static_cast<int>(i);
      io->SetDimensions(i, static_cast<itk::SizeValueType>(last.size(axis)));
      region.SetIndex(i, 0), region.SetSize(i, io->GetDimensions(i));
      io->SetSpacing(i, spacing[i]);
      io->SetOrigin(i, axis < 2 ? -image.affine(axis, 3) : image.affine(axis, 3));
      std::vector<double> direction(3);
      for (int row = 0; row < 3; ++row) direction[static_cast<std::size_t>(row)] = image.affine(row, axis) / spacing[i] * (row < 2 ? -1 : 1);
      io->SetDirection(i, direction);
    }
    io->SetIORegion(region);
    AtomicFile file(path);
    io->SetFileName(file.temporary().string());
    itk_call([&] {
      io->WriteImageInformation();
      io->Write(stored.raw());
    });
    file.commit();
  });
}

}  // namespace vesal::image
