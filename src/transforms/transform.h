// What a transform is, and the way to write one.
//
// Array form: derive from ImageTransform, register it with register_transform(). That registers both the array form
// ("Spacing") and the dictionary form ("Spacingd", "SpacingD", "SpacingDict") with keys and allow_missing_keys.
// A transform that also takes other values than images (EnsureType, Lambda) overrides apply().
// Transforms that work on the whole item (Invertd, CopyItemsd) derive from Transform and register a Component themselves.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/registry.h"
#include "image/image.h"

namespace vesal::transforms {

using image::Image;

/// Anything a Compose can hold: a value in (an image, or a dict item), a value out. Thread safe.
class Transform : public Object {
 public:
  virtual Value apply(const Value& data) const = 0;
  Value call(const CallArgs& args) override;
};
using TransformPtr = std::shared_ptr<Transform>;

/// A transform or any other callable on one value; looks at the cancel flag first.
Value apply(const Value& transform, const Value& data);

/// One image in, one image out. A spatial transform appends a SpatialStep to the trail.
class ImageTransform : public Transform {
 public:
  virtual Image transform(const Image& image) const = 0;
  Value apply(const Value& data) const override { return image::to_value(transform(image::image_of(data))); }
};

/// A transform that draws random numbers. Thread safe: every application draws from a stream of its own, given by the transform's seed
/// and the number of applications before it or, within a RandomScope, by the scope alone.
class Randomizable {
 public:
  virtual ~Randomizable() = default;
  /// From here on the draws repeat. Without it the seed hangs on the process's (base/random.h) and the order of construction.
  virtual void set_seed(std::uint64_t seed);

 protected:
  Randomizable();
  Random next_stream() const;

 private:
  mutable std::mutex mutex_;
  std::optional<std::uint64_t> seed_;
  std::uint64_t number_;
  mutable std::uint64_t applied_ = 0;
};

/// While it lives, random transforms applied on this thread draw from its seed, not from their own. A data loader puts one around each
/// item, so that an item's draws hang neither on the number of threads nor on what they do:
///     RandomScope scope(mix_seed(mix_seed(seed, epoch), index));
///     item = transform->apply(item);
/// Scopes nest; the inner one counts.
class RandomScope {
 public:
  explicit RandomScope(std::uint64_t seed);
  ~RandomScope();
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  Random random_;
  Random* outer_;
};

/// How an array transform registers itself.
struct TransformSpec {
  std::string name;     ///< MONAI's array name: "Spacing"
  std::string summary;  ///< one line
  std::vector<Param> params;
  std::vector<std::string> per_key;  ///< params that the dictionary form takes as one value or one per key ("mode", "pixdim" stays a list)
  std::function<TransformPtr(const Args&)> make;
  std::vector<Param> dict_params = {};                      ///< further arguments only the dictionary form has, accepted and handed to make()
  std::function<TransformPtr(const Args&)> make_dict = {};  ///< for a dictionary form that is more than the array form key by key
  std::vector<std::string> dict_order = {};                 ///< names of the params that come first in the dictionary form, if not as in `params`
};
/// Registers NAME and NAMEd/NAMED/NAMEDict. As MONAI has them, the dictionary form's arguments are keys, params, dict_params,
/// allow_missing_keys and then, if there are, "lazy" and the rest (**kwargs).
struct RegisterTransform {
  explicit RegisterTransform(TransformSpec spec);
};

/// The arguments of a dictionary transform as its i-th key has them: one entry of those that are `per_key` and given as a sequence.
Args args_of_key(const Args& args, const std::vector<std::string>& per_key, std::size_t i);

/// The keys of a dictionary transform; throws Error(config) naming a key that is not there unless allow_missing.
std::vector<std::string> present_keys(const Dict& item, const std::vector<std::string>& keys, bool allow_missing, const std::string& transform);

}  // namespace vesal::transforms
