// Checkpoints that torch.load opens, with weights_only=True as well.
#include <map>
#include <tuple>

#include "base/zip_archive.h"
#include "bundle/checkpoint.h"
#include "bundle/pickle.h"

namespace vesal::bundle {
namespace {

const char* storage_name(DType type) {
  switch (type) {
    case DType::boolean: return "BoolStorage";
    case DType::u8: return "ByteStorage";
    case DType::i8: return "CharStorage";
    case DType::i16: return "ShortStorage";
    case DType::i32: return "IntStorage";
    case DType::i64: return "LongStorage";
    case DType::f16: return "HalfStorage";
    case DType::bf16: return "BFloat16Storage";
    case DType::f32: return "FloatStorage";
    case DType::f64: return "DoubleStorage";
    default: throw Error(ErrorKind::unsupported, "torch.save knows no tensors of " + std::string(name_of(type)) + ": convert it first");
  }
}

/// The storages of one file, numbered as they come; one for all arrays of the same memory and type.
class Storages {
 public:
  void write(PickleWriter& out, const Array& array) {
    const Array dense = array.contiguous();
    const auto [place, fresh] = keys_.try_emplace({dense.raw(), dense.nbytes(), dense.dtype()}, kept_.size());
    if (fresh) kept_.push_back(dense);
    Tuple shape, strides;
    std::int64_t step = 1;
    for (int axis = dense.dim(); axis-- > 0;) {
      shape.items.insert(shape.items.begin(), dense.size(axis));
      strides.items.insert(strides.items.begin(), step);
      step *= std::max<std::int64_t>(dense.size(axis), 1);
    }
    out.global("torch._utils", "_rebuild_tensor_v2");
    out.opcode(kMark);
    out.opcode(kMark);
    out.value("storage");
    out.global("torch", storage_name(dense.dtype()));
    out.value(std::to_string(place->second));
    out.value("cpu");
    out.value(dense.numel());
    out.opcode(kTuple);
    out.opcode(kPersistent);
    out.value(0);
    out.value(std::move(shape));
    out.value(std::move(strides));
    out.value(false);
    out.global("collections", "OrderedDict");
    out.opcode(kEmptyTuple);
    out.opcode(kReduce);
    out.opcode(kTuple);
    out.opcode(kReduce);
  }
  const std::vector<Array>& kept() const { return kept_; }

 private:
  std::map<std::tuple<const void*, std::size_t, DType>, std::size_t> keys_;
  std::vector<Array> kept_;  ///< keeps the memory, so that no two arrays get one address
};

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Value& tree) {
  with_context("writing " + path.string(), [&] {
    Storages storages;
    PickleWriter writer([&](PickleWriter& out, const Array& array) { storages.write(out, array); });
    const std::string pickle = writer.write(tree);
    ZipWriter zip(path);
    zip.add("archive/data.pkl", pickle);
    zip.add("archive/byteorder", "little");
    for (std::size_t i = 0; i < storages.kept().size(); ++i) {
      const Array& array = storages.kept()[i];
      zip.add("archive/data/" + std::to_string(i), std::span(static_cast<const std::byte*>(array.raw()), array.nbytes()));
    }
    zip.add("archive/version", "3\n");
    zip.finish();
  });
}

void write_state_dict(const std::filesystem::path& path, const StateDict& state, const std::string& key) {
  Value tree = to_value(state);
  if (!key.empty()) tree = Dict{{key, tree}};
  write_checkpoint(path, tree);
}

}  // namespace vesal::bundle
