#include "bundle/checkpoint_torch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "base/cancel.h"

namespace vesal::bundle {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are read as they lie in the file");

constexpr std::uint64_t kMaxPickle = 16 << 20;
constexpr std::int64_t kMaxRepeated = 1 << 20;  // elements a tensor may have beyond its storage, by strides of zero

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, what); }

const std::map<std::string, DType>& storage_types() {
  static const std::map<std::string, DType> table{{"FloatStorage", DType::f32},    {"DoubleStorage", DType::f64},    {"HalfStorage", DType::f16},
                                                  {"LongStorage", DType::i64},     {"BFloat16Storage", DType::bf16}, {"IntStorage", DType::i32},
                                                  {"ShortStorage", DType::i16},    {"CharStorage", DType::i8},       {"ByteStorage", DType::u8},
                                                  {"BoolStorage", DType::boolean}, {"UntypedStorage", DType::u8}};
  return table;
}

/// A storage type, as the pickle names it.
struct StorageType : Object {
  explicit StorageType(std::string n, DType t) : name(std::move(n)), type(t) {}
  std::string type_name() const override { return "class torch." + name; }
  std::string name;
  DType type;
};

/// The elements tensors are views of.
struct Storage : Object {
  std::string type_name() const override { return "storage"; }
  std::shared_ptr<Array> bytes;  ///< uint8
  DType type;
  std::int64_t numel;
};

Shape extents(const Value& v, const char* what) {
  if (!v.is_sequence()) damaged(std::string("tensor: its ") + what + " is " + v.type_name());
  Shape out;
  for (const Value& item : v.items()) {
    if (!item.is_int() || item.as_int() < 0) damaged(std::string("tensor: ") + what + " " + item.repr());
    out.push_back(item.as_int());
  }
  if (out.size() > 64) damaged("tensor: " + std::to_string(out.size()) + " axes");
  return out;
}

/// A view of the storage; every element it can reach lies in it.
Value rebuild_tensor(const std::vector<Value>& args, std::optional<DType> type) {
  const auto storage = args.size() >= 4 ? args[0].object<Storage>() : nullptr;
  if (!storage || !args[1].is_int()) damaged("tensor: not a storage, offset, shape and strides");
  const DType element = type.value_or(storage->type);
  const std::int64_t width = static_cast<std::int64_t>(size_of(element));
  const std::int64_t room = storage->numel * static_cast<std::int64_t>(size_of(storage->type)) / width;
  const Shape shape = extents(args[2], "shape"), strides = extents(args[3], "strides");
  const std::int64_t offset = args[1].as_int(), numel = numel_of(shape);
  if (shape.size() != strides.size()) damaged("tensor: shape " + to_string(shape) + ", strides " + to_string(strides));
  std::int64_t last = offset;
  bool fits = offset >= 0 && offset <= room && numel <= std::max(room, kMaxRepeated);
  for (std::size_t i = 0; i < shape.size() && fits && numel > 0; ++i) {
    std::int64_t reach = 0;
    fits = !__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) && !__builtin_add_overflow(last, reach, &last);
  }
  if (!fits || (numel > 0 && last >= room))
    damaged("tensor: shape " + to_string(shape) + ", strides " + to_string(strides) + ", offset " + std::to_string(offset) + " in a storage of " +
            std::to_string(room) + " elements");
  auto* data = storage->bytes->data<std::uint8_t>() + offset * width;
  return Array::wrap(data, shape, element, storage->bytes, strides);
}

Value tensor_argument(const std::vector<Value>& args) {
  if (args.empty() || !args[0].is_array()) damaged("parameter: not made of a tensor");
  return args[0];
}

Value size(const std::vector<Value>& args) {
  if (args.size() != 1) damaged("torch.Size of " + std::to_string(args.size()) + " values");
  return Tuple{args[0].items()};
}

Value device_name(const std::vector<Value>& args) {
  std::string name;
  for (const Value& part : args) name += (name.empty() ? "" : ":") + part.str();
  return name;
}

/// The globals of torch.
Value torch_global(const std::string& module, const std::string& name) {
  const auto callable = [&](PickleGlobal::Call call) { return Value(std::make_shared<PickleGlobal>(module + "." + name, std::move(call))); };
  if (module == "torch._utils") {
    if (name == "_rebuild_tensor_v2") return callable([](const auto& args) { return rebuild_tensor(args, std::nullopt); });
    if (name == "_rebuild_tensor_v3")
      return callable([](const auto& args) {
        if (args.size() < 7) damaged("tensor: no dtype");
        return rebuild_tensor(args, args[6].as_dtype());
      });
    if (name == "_rebuild_parameter" || name == "_rebuild_parameter_with_state") return callable(tensor_argument);
  }
  if (module == "torch" || module == "torch.storage" || module == "torch.cuda") {
    if (const auto it = storage_types().find(name); it != storage_types().end()) return std::make_shared<StorageType>(name, it->second);
    for (const char* odd : {"ComplexFloatStorage", "ComplexDoubleStorage", "QInt8Storage", "QUInt8Storage", "QInt32Storage"})
      if (name == odd) throw Error(ErrorKind::unsupported, "tensors of type " + name + " are not read");
  }
  if (module != "torch") return nullptr;
  if (name == "Size") return callable(size);
  if (name == "device") return callable(device_name);
  if (const auto type = dtype_from_name(name)) return *type;
  return nullptr;
}

/// Reads the storages of one archive, each once.
class Storages {
 public:
  Storages(const ZipReader& zip, std::string prefix, bool verify) : zip_(zip), prefix_(std::move(prefix)), verify_(verify) {}

  Value get(const Value& id) {
    if (!id.is_tuple() || id.items().size() < 5 || !(id.items()[0] == Value("storage")))
      damaged("persistent id " + id.type_name() + " is no storage");
    const auto& parts = id.items();
    const auto type = parts[1].object<StorageType>();
    if (!type || !parts[2].is_string() || !parts[4].is_int() || parts[4].as_int() < 0) damaged("storage: not a type, key and size");
    auto storage = std::make_shared<Storage>();
    storage->type = type->type;
    storage->numel = parts[4].as_int();
    storage->bytes = load(parts[2].as_string(), type->type == DType::boolean);
    const std::int64_t there = storage->bytes->numel() / static_cast<std::int64_t>(size_of(type->type));
    if (storage->numel > there)
      damaged("storage " + parts[2].as_string() + ": " + std::to_string(storage->numel) + " elements of " + type->name + " wanted, " +
              std::to_string(there) + " are in the file");
    return storage;
  }

 private:
  std::shared_ptr<Array> load(const std::string& key, bool boolean) {
    auto& loaded = loaded_[{key, boolean}];
    if (loaded) return loaded;
    check_cancelled();
    const ZipEntry* entry = zip_.find(prefix_ + "data/" + key);
    if (!entry) damaged("storage " + key + " is not in the file");
    auto bytes = std::make_shared<Array>(Array::empty({static_cast<std::int64_t>(entry->size)}, DType::u8));
    const std::span<std::byte> out(static_cast<std::byte*>(bytes->raw()), entry->size);
    zip_.extract(*entry, out);
    if (verify_ && !ZipReader::crc_matches(*entry, out)) damaged(entry->name + ": its checksum differs, the file is damaged");
    if (boolean)  // any byte but 0 and 1 would be no bool to C++
      for (std::byte& b : out) b = std::byte{b != std::byte{0}};
    return loaded = std::move(bytes);
  }

  const ZipReader& zip_;
  std::string prefix_;
  bool verify_;
  std::map<std::pair<std::string, bool>, std::shared_ptr<Array>> loaded_;
};

}  // namespace

std::string torch_prefix(const ZipReader& zip) {
  for (const ZipEntry& e : zip.entries()) {
    const auto slash = e.name.find('/');
    if (slash != std::string::npos && e.name.substr(slash) == "/data.pkl") return e.name.substr(0, slash + 1);
  }
  damaged("a zip archive without data.pkl: nothing torch.save wrote");
}

Value read_torch_archive(const ZipReader& zip) {
  const std::string prefix = torch_prefix(zip);
  if (const ZipEntry* order = zip.find(prefix + "byteorder"))
    if (const std::string said = zip.text(*order, 64); said != "little") throw Error(ErrorKind::unsupported, "byte order '" + said + "'");
  // torch can be told to leave the checksums out; then that of the version is wrong as well.
  const ZipEntry* version = zip.find(prefix + "version");
  const bool verify = version && ZipReader::crc_matches(*version, zip.text(*version, 64));
  const ZipEntry& entry = *zip.find(prefix + "data.pkl");
  const std::string pickle = zip.text(entry, kMaxPickle);
  if (verify && !ZipReader::crc_matches(entry, pickle)) damaged(entry.name + ": its checksum differs, the file is damaged");

  Storages storages(zip, prefix, verify);
  const PickleRules rules{.global =
                              [](const std::string& module, const std::string& name) {
                                Value known = torch_global(module, name);
                                if (known.is_none()) known = plain_data_global(module, name);
                                if (known.is_none())
                                  throw Error(ErrorKind::refused, "its pickle wants " + module + "." + name +
                                                                      ", which is neither a tensor nor plain data; nothing of it was run");
                                return known;
                              },
                          .persistent = [&](const Value& id) { return storages.get(id); }};
  return read_pickle(pickle, rules);
}

}  // namespace vesal::bundle
