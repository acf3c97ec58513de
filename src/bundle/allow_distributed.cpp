// torch.distributed: the ranks that train together (base/ranks.h). A process that no launcher started is rank 0 of 1.
#include <cstring>

#include "base/device.h"
#include "base/json.h"
#include "base/log.h"
#include "base/ranks.h"
#include "bundle/allow.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle {
namespace {

/// datetime.timedelta or a number of seconds.
std::chrono::milliseconds duration(const Value& v) {
  if (v.is_none()) return std::chrono::milliseconds(0);
  const double seconds = v.is_number() ? v.as_float() : expr::call(expr::attribute(v, "total_seconds"), {}).as_float();
  if (!(seconds > 0 && seconds < 1e7)) expr::fail("timeout must be positive");
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::string& backend_name() {
  static std::string name = "gloo";
  return name;
}

Value init(const Args& a) {
  const std::string backend = a.is_none("backend") ? "gloo" : a["backend"].as_string();
  if (backend.find("nccl") == std::string::npos && backend.find("gloo") == std::string::npos)
    throw Error(ErrorKind::unsupported, "backend '" + backend + "'; nccl and gloo are available");
  if (!a.is_none("init_method") && a["init_method"].as_string() != "env://")
    throw Error(ErrorKind::unsupported,
                "init_method '" + a["init_method"].as_string() + "'; the ranks find each other by MASTER_ADDR and MASTER_PORT");
  const bool nccl = backend.find("nccl") != std::string::npos && cuda_device_count() > 0;
  if (backend == "nccl" && !nccl && ranks::seat_from_environment()) ranks::say_no_cuda();
  backend_name() = nccl ? "nccl" : "gloo";
  const auto timeout = duration(a["timeout"]);
  ranks::start({.joining = timeout, .step = timeout});
  return {};
}

Array bytes_of(const Value& v) {
  const Array array = image::array_of(v);
  if (!array.is_contiguous()) expr::fail("the array must be contiguous");
  return array;
}

std::string text_of(const Array& array) {
  return {static_cast<const char*>(array.raw()), static_cast<std::size_t>(array.numel()) * size_of(array.dtype())};
}

void fill(const Array& array, const std::string& bytes) {
  if (bytes.size() != static_cast<std::size_t>(array.numel()) * size_of(array.dtype()))
    throw Error(ErrorKind::shape, "the ranks give arrays of different shapes or types");
  Array target = array;
  std::memcpy(target.raw(), bytes.data(), bytes.size());
}

Array combined(const Array& like, const std::vector<std::string>& parts, const std::string& op) {
  Array total = Array::zeros(like.shape(), DType::f64);
  double* t = total.data<double>();
  for (std::size_t r = 0; r < parts.size(); ++r) {
    Array part = Array::empty(like.shape(), like.dtype());
    fill(part, parts[r]);
    const Array wide = part.to(DType::f64);
    const double* p = wide.data<double>();
    for (std::int64_t i = 0; i < total.numel(); ++i) {
      if (r == 0) t[i] = p[i];
      else if (op == "max") t[i] = std::max(t[i], p[i]);
      else if (op == "min") t[i] = std::min(t[i], p[i]);
      else if (op == "product") t[i] *= p[i];
      else t[i] += p[i];
    }
  }
  if (op == "avg")
    for (std::int64_t i = 0; i < total.numel(); ++i) t[i] /= static_cast<double>(parts.size());
  return total.to(like.dtype());
}

Value all_reduce(const Args& a) {
  const Array array = bytes_of(a["tensor"]);
  fill(array, text_of(combined(array, ranks::gather("all_reduce", text_of(array)), a.get<std::string>("op")).contiguous()));
  return {};
}

Value all_gather(const Args& a) {
  const auto& list = a["tensor_list"].items();
  const auto parts = ranks::gather("all_gather", text_of(bytes_of(a["tensor"])));
  if (list.size() != parts.size()) expr::fail("tensor_list must have " + std::to_string(parts.size()) + " tensors, one for each rank");
  for (std::size_t r = 0; r < parts.size(); ++r) fill(bytes_of(list[r]), parts[r]);
  return {};
}

const std::string& of_rank(const std::vector<std::string>& parts, const Value& src) {
  const std::int64_t r = src.as_int();
  if (r < 0 || r >= static_cast<std::int64_t>(parts.size())) expr::fail("there is no rank " + std::to_string(r));
  return parts[static_cast<std::size_t>(r)];
}

Value broadcast(const Args& a) {
  const Array array = bytes_of(a["tensor"]);
  fill(array, of_rank(ranks::gather("broadcast", ranks::rank() == a["src"].as_int() ? text_of(array) : ""), a["src"]));
  return {};
}

Value all_gather_object(const Args& a) {
  Value list = a["object_list"];
  const auto parts = ranks::gather("all_gather_object", to_json(a["obj"], -1));
  if (list.items().size() != parts.size()) expr::fail("object_list must have " + std::to_string(parts.size()) + " places, one for each rank");
  for (std::size_t r = 0; r < parts.size(); ++r) list.mutable_items()[r] = parse_json(parts[r]);
  return {};
}

Value broadcast_object_list(const Args& a) {
  Value list = a["object_list"];
  const auto parts = ranks::gather("broadcast_object_list", ranks::rank() == a["src"].as_int() ? to_json(list, -1) : "");
  const Value given = parse_json(of_rank(parts, a["src"]));
  if (given.items().size() != list.items().size()) expr::fail("object_list must have the same length on every rank");
  list.mutable_items() = given.items();
  return {};
}

/// monai.utils.evenly_divisible_all_gather: arrays that may differ in their first axis, one after another.
Value gather_rows(const Args& a) {
  const Array own = image::array_of(a["data"]).contiguous();
  const auto parts = ranks::gather("evenly_divisible_all_gather", text_of(own));
  Shape shape = own.shape();
  if (shape.empty()) shape = {1};
  std::int64_t row = static_cast<std::int64_t>(size_of(own.dtype())), rows = 0;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) row *= shape[axis];
  List arrays;
  std::string all;
  for (const std::string& part : parts) {
    if (row == 0 || part.size() % static_cast<std::size_t>(row)) throw Error(ErrorKind::shape, "the ranks give arrays of different shapes or types");
    shape[0] = static_cast<std::int64_t>(part.size()) / row;
    rows += shape[0];
    Array one = Array::empty(shape, own.dtype());
    fill(one, part);
    arrays.items.emplace_back(one);
    all += part;
  }
  if (!a.get<bool>("concat")) return arrays;
  shape[0] = rows;
  Array whole = Array::empty(shape, own.dtype());
  fill(whole, all);
  return whole;
}

/// monai.utils.string_list_all_gather: the strings of all ranks, in their order.
Value gather_strings(const Args& a) {
  List all;
  for (const std::string& part : ranks::gather("string_list_all_gather", to_json(a["strings"], -1))) {
    const Value list = parse_json(part);
    all.items.insert(all.items.end(), list.items().begin(), list.items().end());
  }
  return all;
}

Value meet(const CallArgs&) {
  ranks::barrier();
  return {};
}
Value rank(const CallArgs&) { return ranks::rank(); }
Value size(const CallArgs&) { return ranks::size(); }

const AllowFunctions functions{
    {"torch.distributed.is_available", [](const CallArgs&) { return Value(true); }},
    {"torch.distributed.is_nccl_available", [](const CallArgs&) { return Value(cuda_device_count() > 0); }},
    {"torch.distributed.is_gloo_available", [](const CallArgs&) { return Value(true); }},
    {"torch.distributed.is_initialized", [](const CallArgs&) { return Value(ranks::started()); }},
    {"torch.distributed.get_rank", rank},
    {"torch.distributed.get_world_size", size},
    {"torch.distributed.get_backend", [](const CallArgs&) { return Value(backend_name()); }},
    {"torch.distributed.destroy_process_group", [](const CallArgs&) { return ranks::stop(), Value(); }},
    {"torch.distributed.barrier", meet},
    {"ignite.distributed.get_rank", rank},
    {"ignite.distributed.get_world_size", size},
    {"ignite.distributed.barrier", meet},
    {"ignite.distributed.get_local_rank",
     [](const CallArgs&) {
       const auto seat = ranks::seat_from_environment();
       return Value(ranks::started() && seat ? seat->local_rank : 0);
     }},
};
const AllowBound init_process_group("torch.distributed.init_process_group",
                                    {optional("backend", nullptr, "nccl or gloo"), optional("init_method", nullptr, "env://"),
                                     optional("timeout", nullptr, "to come together, and at each meeting"),
                                     optional("world_size", -1, "as the launcher says"), optional("rank", -1, "as the launcher says"),
                                     optional("store", nullptr, "accepted; there is one"), optional("group_name", "", "accepted")},
                                    init);
const Param kTensor = required("tensor", "an array"), kGroup = optional("group", nullptr, "accepted; all ranks");
const Param kAsync = optional("async_op", false, "accepted; the call waits");
const AllowBound reduce("torch.distributed.all_reduce", {kTensor, optional("op", "sum", "a ReduceOp"), kGroup, kAsync}, all_reduce);
const AllowBound gather("torch.distributed.all_gather", {required("tensor_list", "an array for each rank"), kTensor, kGroup, kAsync}, all_gather);
const AllowBound spread("torch.distributed.broadcast", {kTensor, required("src", "whose"), kGroup, kAsync}, broadcast);
const AllowBound gather_object("torch.distributed.all_gather_object",
                               {required("object_list", "a place for each rank"), required("obj", "numbers, text, lists, dicts"), kGroup},
                               all_gather_object);
const AllowBound spread_objects("torch.distributed.broadcast_object_list",
                                {required("object_list", "numbers, text, lists, dicts"), optional("src", 0, "whose"), kGroup}, broadcast_object_list);
const AllowBound rows({"monai.utils.evenly_divisible_all_gather", "monai.utils.dist.evenly_divisible_all_gather"},
                      {required("data", "an array"), optional("concat", true, "one after another, or a list")}, gather_rows);
const AllowBound strings({"monai.utils.string_list_all_gather", "monai.utils.dist.string_list_all_gather"},
                         {required("strings", "a list"), optional("delimiter", "\t", "accepted")}, gather_strings);
const Allow operations[]{{"torch.distributed.ReduceOp.SUM", "sum"},
                         {"torch.distributed.ReduceOp.AVG", "avg"},
                         {"torch.distributed.ReduceOp.MAX", "max"},
                         {"torch.distributed.ReduceOp.MIN", "min"},
                         {"torch.distributed.ReduceOp.PRODUCT", "product"}};

}  // namespace
}  // namespace vesal::bundle
