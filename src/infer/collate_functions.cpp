// Collating functions that configurations name.
#include "base/registry.h"
#include "infer/loader.h"

namespace vesal::infer {
namespace {

Value items_of(const CallArgs& call) { return bind("collate", {required("batch", "items")}, call)["batch"]; }

const AllowFunctions functions{
    {"monai.data.utils.no_collation", items_of},
    {"monai.data.utils.list_data_collate", [](const CallArgs& call) { return collate(items_of(call).items()); }},
};

}  // namespace
}  // namespace vesal::infer
