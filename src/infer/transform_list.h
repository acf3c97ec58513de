// A bundle's transform lists, looked at from outside: what is in them, before and after they are made.
#pragma once
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace vesal::infer {

/// The callables of a list, a Compose or one callable, with those of the Composes inside it.
std::vector<Value> flat_transforms(const Value& transforms);
/// By the name of its class: "SaveImage", "SaveImaged".
bool is_named(const Value& transform, std::initializer_list<std::string_view> names);
/// SaveImage and SaveImaged.
bool is_saver(const Value& transform);

/// Calls visit(MONAI's bare name, arguments) for each component of a transform list as get_parsed_content() describes it with
/// instantiate = false; nothing for what it cannot describe.
void for_each_described(const Value& described, const std::function<void(const std::string& name, const Dict& arguments)>& visit);
/// The "keys" of a described dictionary transform; empty if it has none.
std::vector<std::string> keys_of(const Dict& arguments);
/// The keys a described list reads from files.
std::vector<std::string> loaded_keys(const Value& described);

}  // namespace vesal::infer
