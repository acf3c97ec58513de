#include <bit>
#include <cstring>

#include "base/error.h"
#include "bundle/pickle.h"

namespace vesal::bundle {
namespace {

constexpr int kMaxDepth = 64;

template <class T>
void raw(std::string& out, T v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof(T));
}

}  // namespace

std::string PickleWriter::write(const Value& tree) {
  out_ = "\x80\x02";
  value(tree);
  out_ += '.';
  return std::move(out_);
}

void PickleWriter::global(std::string_view module, std::string_view name) {
  out_ += 'c';
  out_.append(module) += '\n';
  out_.append(name) += '\n';
}

void PickleWriter::integer(std::int64_t v) {
  if (v >= 0 && v < 256) {
    out_ += 'K';
    raw(out_, static_cast<std::uint8_t>(v));
  } else if (v == static_cast<std::int32_t>(v)) {
    out_ += 'J';
    raw(out_, static_cast<std::int32_t>(v));
  } else {
    out_ += "\x8a\x08";
    raw(out_, v);
  }
}

void PickleWriter::text(std::string_view s) {
  if (s.size() > 0xffffffffu) throw Error(ErrorKind::memory, "a string of " + std::to_string(s.size()) + " bytes in a pickle");
  out_ += 'X';
  raw(out_, static_cast<std::uint32_t>(s.size()));
  out_.append(s);
}

void PickleWriter::value(const Value& v) {
  if (++depth_ > kMaxDepth) throw Error(ErrorKind::format, "pickle: nested deeper than " + std::to_string(kMaxDepth));
  if (v.is_none()) out_ += 'N';
  else if (v.is_bool()) out_ += v.as_bool() ? '\x88' : '\x89';
  else if (v.is_int()) integer(v.as_int());
  else if (v.is_string()) text(v.as_string());
  else if (v.is_dtype()) global("torch", name_of(v.as_dtype()));
  else if (v.is_array()) tensor_(*this, v.as_array());
  else if (v.is_float()) {
    out_ += 'G';
    raw(out_, __builtin_bswap64(std::bit_cast<std::uint64_t>(v.as_float())));
  } else if (v.is_list()) {
    out_ += "](";
    for (const Value& item : v.items()) value(item);
    out_ += 'e';
  } else if (v.is_tuple()) {
    out_ += '(';
    for (const Value& item : v.items()) value(item);
    out_ += 't';
  } else if (v.is_dict()) {
    out_ += "}(";
    for (const auto& [key, item] : v.as_dict()) {
      value(key);
      value(item);
    }
    out_ += 'u';
  } else {
    throw Error(ErrorKind::unsupported, "a " + v.type_name() + " in a checkpoint");
  }
  --depth_;
}

}  // namespace vesal::bundle
