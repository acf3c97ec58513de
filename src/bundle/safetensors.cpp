#include "bundle/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/json.h"

namespace vesal::bundle {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, "safetensors: " + what); }

struct Row {
  const char* name;
  DType type;
};
constexpr Row kTypes[] = {{"BOOL", DType::boolean}, {"U8", DType::u8},   {"I8", DType::i8},   {"U16", DType::u16}, {"I16", DType::i16},
                          {"U32", DType::u32},      {"I32", DType::i32}, {"U64", DType::u64}, {"I64", DType::i64}, {"F16", DType::f16},
                          {"BF16", DType::bf16},    {"F32", DType::f32}, {"F64", DType::f64}};

DType type_of(const std::string& tensor, const std::string& name) {
  for (const Row& row : kTypes)
    if (name == row.name) return row.type;
  throw Error(ErrorKind::unsupported, "safetensors: " + tensor + " has type " + name);
}
const char* name_of_type(DType type) {
  for (const Row& row : kTypes)
    if (type == row.type) return row.name;
  throw Error(ErrorKind::internal, "no safetensors type");
}

std::uint64_t whole(const std::string& tensor, const Value& v) {
  if (!v.is_int() || v.as_int() < 0) damaged(tensor + ": " + v.repr() + " where a number of 0 or more is wanted");
  return static_cast<std::uint64_t>(v.as_int());
}

const Value& field(const std::string& tensor, const Value& entry, const char* name) {
  const Value* v = entry.is_dict() ? entry.as_dict().find(name) : nullptr;
  if (!v) damaged(tensor + " has no " + name);
  return *v;
}

struct Place {
  std::string name;
  DType type;
  Shape shape;
  std::uint64_t begin, end;
};

Place place_of(const std::string& name, const Value& entry, std::uint64_t room) {
  Place p{name, type_of(name, field(name, entry, "dtype").as_string()), {}, 0, 0};
  for (const Value& extent : field(name, entry, "shape").items()) p.shape.push_back(static_cast<std::int64_t>(whole(name, extent)));
  const auto& offsets = field(name, entry, "data_offsets").items();
  if (offsets.size() != 2) damaged(name + ": two data_offsets wanted");
  p.begin = whole(name, offsets[0]);
  p.end = whole(name, offsets[1]);
  std::int64_t size = 0;
  if (p.begin > p.end || p.end > room || __builtin_mul_overflow(numel_of(p.shape), static_cast<std::int64_t>(size_of(p.type)), &size) ||
      static_cast<std::uint64_t>(size) != p.end - p.begin)
    damaged(name + ": shape " + to_string(p.shape) + " and offsets " + std::to_string(p.begin) + ".." + std::to_string(p.end) + " of " +
            std::to_string(room) + " bytes");
  return p;
}

Array load(const Place& p, std::span<const std::byte> data) {
  Array out = Array::empty(p.shape, p.type);
  const auto part = data.subspan(p.begin, p.end - p.begin);
  if (p.type != DType::boolean) {
    if (!part.empty()) std::memcpy(out.raw(), part.data(), part.size());
  } else {
    std::transform(part.begin(), part.end(), out.data<bool>(), [](std::byte b) { return b != std::byte{0}; });
  }
  return out;
}

}  // namespace

StateDict read_safetensors(std::span<const std::byte> bytes, SafetensorsMetadata* metadata) {
  std::uint64_t size = 0;
  if (bytes.size() < 8) damaged("truncated");
  std::memcpy(&size, bytes.data(), 8);
  if (size > kMaxHeader || size > bytes.size() - 8)
    damaged("a header of " + std::to_string(size) + " bytes in a file of " + std::to_string(bytes.size()));
  const Value header = with_context("safetensors: header", [&] { return parse_json({reinterpret_cast<const char*>(bytes.data()) + 8, size}); });
  if (!header.is_dict()) damaged("its header is a " + header.type_name());
  const auto data = bytes.subspan(8 + size);

  std::vector<Place> places;
  for (const auto& [name, entry] : header.as_dict()) {
    if (name == Value("__metadata__")) {
      if (!entry.is_dict()) damaged("its metadata is a " + entry.type_name());
      for (const auto& [key, value] : entry.as_dict())
        if (metadata) (*metadata)[key.as_string()] = value.str();
    } else {
      places.push_back(place_of(name.as_string(), entry, data.size()));
    }
  }
  std::vector<const Place*> order;
  for (const Place& p : places) order.push_back(&p);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return std::tie(a->begin, a->end) < std::tie(b->begin, b->end); });
  std::uint64_t at = 0;
  for (const Place* p : order) {
    if (p->begin != at) damaged(p->name + (p->begin < at ? " overlaps another tensor" : ": bytes before it that belong to none"));
    at = p->end;
  }
  if (at != data.size()) damaged(std::to_string(data.size() - at) + " bytes after the last tensor");

  StateDict state;
  for (const Place& p : places) state.emplace_back(p.name, load(p, data));
  return state;
}

StateDict read_safetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata) {
  return with_context("reading " + path.string(), [&] {
    const MappedFile file(path);
    return read_safetensors(file.bytes(), metadata);
  });
}

void write_safetensors(const std::filesystem::path& path, const StateDict& state, const SafetensorsMetadata& metadata) {
  with_context("writing " + path.string(), [&] {
    std::vector<const StateDict::value_type*> order;
    for (const auto& entry : state) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) {
      const std::size_t wa = size_of(a->second.dtype()), wb = size_of(b->second.dtype());
      return wa != wb ? wa > wb : a->first < b->first;
    });
    Dict header;
    if (!metadata.empty()) {
      Dict strings;
      for (const auto& [key, value] : metadata) strings[key] = value;
      header["__metadata__"] = std::move(strings);
    }
    std::int64_t at = 0;
    for (const auto* entry : order) {
      const Array& array = entry->second;
      List shape;
      for (std::int64_t extent : array.shape()) shape.items.emplace_back(extent);
      const std::int64_t end = at + static_cast<std::int64_t>(array.nbytes());
      if (header.contains(entry->first)) throw Error(ErrorKind::weights, "the name '" + entry->first + "' is there twice");
      header[entry->first] = Dict{{"dtype", name_of_type(array.dtype())}, {"shape", std::move(shape)}, {"data_offsets", List{{at, end}}}};
      at = end;
    }
    std::string text = to_json(std::move(header), -1);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = text.size();
    AtomicFile file(path);
    file.write(&size, sizeof size);
    file.write(text);
    for (const auto* entry : order) {
      const Array dense = entry->second.contiguous();
      file.write(dense.raw(), dense.nbytes());
    }
    file.commit();
  });
}

}  // namespace vesal::bundle
