// What training leaves in a checkpoint beside tensors: Python's containers, NumPy's scalars and arrays.
#include <algorithm>
#include <cstring>
#include <map>

#include "bundle/checkpoint_torch.h"

namespace vesal::bundle {
namespace {

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, "pickle: " + what); }

/// "f8" or "<f8" as a type.
DType numpy_type(const std::string& code) {
  static const std::map<std::string, DType, std::less<>> table{{"b1", DType::boolean}, {"?", DType::boolean}, {"u1", DType::u8},  {"i1", DType::i8},
                                                               {"u2", DType::u16},     {"i2", DType::i16},    {"u4", DType::u32}, {"i4", DType::i32},
                                                               {"u8", DType::u64},     {"i8", DType::i64},    {"f2", DType::f16}, {"f4", DType::f32},
                                                               {"f8", DType::f64}};
  const std::string bare = code.starts_with('<') || code.starts_with('|') || code.starts_with('=') ? code.substr(1) : code;
  const auto it = table.find(bare);
  if (it == table.end()) throw Error(ErrorKind::unsupported, "pickle: NumPy data of type '" + code + "'");
  return it->second;
}

/// A C-ordered array over raw bytes, which are copied.
Array from_bytes(const Array& bytes, DType type, const Shape& shape) {
  const std::int64_t numel = numel_of(shape);
  if (bytes.dtype() != DType::u8 || numel > static_cast<std::int64_t>(bytes.nbytes()) ||
      static_cast<std::size_t>(numel) * size_of(type) != bytes.nbytes())
    damaged("a NumPy array of shape " + to_string(shape) + " from " + std::to_string(bytes.nbytes()) + " bytes");
  Array out = Array::empty(shape, type);
  const Array source = bytes.contiguous();
  if (type != DType::boolean) std::memcpy(out.raw(), source.raw(), source.nbytes());
  else std::transform(source.data<std::uint8_t>(), source.data<std::uint8_t>() + numel, out.data<bool>(), [](std::uint8_t b) { return b != 0; });
  return out;
}

Shape shape_of(const Value& v) {
  Shape shape;
  for (const Value& extent : v.items()) shape.push_back(extent.as_int());
  return shape;
}

/// numpy.ndarray between its making and its state (version, shape, dtype, Fortran order, bytes).
class NumpyArray : public PickleShell {
 public:
  std::string type_name() const override { return "numpy.ndarray"; }
  void build(const Value& state) override {
    if (!state.is_tuple() || state.items().size() != 5 || !state.items()[4].is_array()) damaged("a NumPy array without its bytes");
    Shape shape = shape_of(state.items()[1]);
    const bool fortran = state.items()[3].truthy() && shape.size() > 1;
    if (fortran) std::reverse(shape.begin(), shape.end());
    array_ = from_bytes(state.items()[4].as_array(), state.items()[2].as_dtype(), shape);
    if (!fortran) return;
    std::vector<int> axes(shape.size());
    for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int>(axes.size() - 1 - i);
    array_ = array_.permute(axes);
  }
  Value built() const override {
    if (!array_.defined()) damaged("a NumPy array without its state");
    return array_;
  }

 private:
  Array array_;
};

const Value& argument(const std::vector<Value>& args, std::size_t i) {
  if (i >= args.size()) damaged("too few arguments of a call");
  return args[i];
}

Value scalar(const std::vector<Value>& args) {
  const Array one = from_bytes(argument(args, 1).as_array(), argument(args, 0).as_dtype(), {});
  if (one.dtype() == DType::boolean) return one.item() != 0;
  if (is_floating(one.dtype())) return one.item();
  if (one.dtype() == DType::u64 && one.item() > 9.2e18) return one.item();
  return *one.to(DType::i64).data<std::int64_t>();
}

/// Text whose characters are bytes, as protocol 2 writes bytes.
Value latin1(const std::vector<Value>& args) {
  const std::string& text = argument(args, 0).as_string();
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      if ((c != 0xc2 && c != 0xc3) || i + 1 >= text.size()) damaged("bytes that are not Latin-1");
      c = static_cast<unsigned char>((c << 6) | (text[++i] & 0x3f));
    }
    bytes.push_back(c);
  }
  return Array::from(std::span<const std::uint8_t>(bytes), {static_cast<std::int64_t>(bytes.size())});
}

/// OrderedDict(pairs), Counter(dict), dict().
Value dict(const std::vector<Value>& args) {
  Dict out;
  if (args.empty()) return out;
  if (args[0].is_dict()) return Dict(args[0].as_dict());
  for (const Value& pair : args[0].items()) {
    if (!pair.is_sequence() || pair.items().size() != 2 || !pair.items()[0].is_string()) damaged("a dict of something else than named values");
    out[pair.items()[0]] = pair.items()[1];
  }
  return out;
}

Value list(const std::vector<Value>& args) { return args.empty() ? List{} : List{args[0].items()}; }

Value no_bytes(const std::vector<Value>& args) {
  if (!args.empty()) damaged("bytes() of something");
  return Array::empty({0}, DType::u8);
}

}  // namespace

Value plain_data_global(const std::string& module, const std::string& name) {
  static const std::map<std::string, PickleGlobal::Call, std::less<>> table{
      {"collections.OrderedDict", dict},
      {"collections.Counter", dict},
      {"builtins.set", list},
      {"builtins.frozenset", list},
      {"builtins.bytes", no_bytes},
      {"_codecs.encode", latin1},
      {"numpy.ndarray", nullptr},
      {"numpy.dtype", [](const auto& args) { return Value(numpy_type(argument(args, 0).as_string())); }},
      {"numpy.core.multiarray.scalar", scalar},
      {"numpy.core.multiarray._reconstruct", [](const auto&) { return Value(std::make_shared<NumpyArray>()); }},
      {"numpy.core.numeric._frombuffer",
       [](const auto& args) { return Value(from_bytes(argument(args, 0).as_array(), argument(args, 1).as_dtype(), shape_of(argument(args, 2)))); }},
  };
  std::string full = module + "." + name;
  if (full.starts_with("__builtin__.")) full = "builtins." + name;
  if (full.starts_with("numpy._core.")) full = "numpy.core." + full.substr(12);  // NumPy 2
  const auto it = table.find(full);
  return it == table.end() ? Value() : Value(std::make_shared<PickleGlobal>(full, it->second));
}

}  // namespace vesal::bundle
