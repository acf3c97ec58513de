// Torch archives and their pickles: anything may come, only vesal::Error may leave. Bytes that are no archive are taken as the
// pickle of one, so that the fuzzer need not learn zip first.
#include "bundle/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/json.h"
#include "bundle/checkpoint_torch.h"

namespace {

/// Storages of 64 bytes stand for those of an archive.
struct FixedStorage {
  vesal::Value operator()(const vesal::Value&) const { return vesal::Array::zeros({16}, vesal::DType::f32); }
};

void use(const vesal::Value& tree) {
  (void)vesal::to_json(tree);
  try {
    for (const auto& [name, array] : vesal::bundle::find_state_dict(tree)) (void)array.clone();
  } catch (const vesal::Error&) {}
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vesal;
  try {
    use(bundle::read_checkpoint(std::as_bytes(std::span(data, size))));
  } catch (const Error&) {}
  try {
    const bundle::PickleRules rules{.global =
                                        [](const std::string& module, const std::string& name) {
                                          const Value known = bundle::plain_data_global(module, name);
                                          if (known.is_none()) throw Error(ErrorKind::refused, module + "." + name);
                                          return known;
                                        },
                                    .persistent = FixedStorage{}};
    use(bundle::read_pickle({reinterpret_cast<const char*>(data), size}, rules));
  } catch (const Error&) {}
  return 0;
}
