// numpy's types and constants; its functions on arrays are in allow_arrays.cpp.
#include <cmath>
#include <limits>
#include <numbers>

#include "base/registry.h"

namespace vesal::bundle {
namespace {

const Allow constants[]{{"numpy.pi", std::numbers::pi},
                        {"numpy.e", std::numbers::e},
                        {"numpy.inf", std::numeric_limits<double>::infinity()},
                        {"numpy.nan", std::numeric_limits<double>::quiet_NaN()},
                        {"numpy.newaxis", Value()}};

struct Types {
  Types() {
    for (const char* name :
         {"bool_", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64", "single", "double"})
      allowed::add(std::string("numpy.") + name, *dtype_from_name(name));
  }
};
const Types types;

}  // namespace
}  // namespace vesal::bundle
