// Checkpoints: what Python's torch.save leaves, read without running any of it, and written so that torch.load opens it.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "bundle/state.h"

namespace vesal::bundle {

/// What kind of file a checkpoint is, told by its first bytes and, for zip archives, by its entries.
enum class CheckpointFormat { torch, torchscript, torch_package, torch_legacy, torch_tar, safetensors, unknown };
CheckpointFormat checkpoint_format(const std::filesystem::path& path);
std::string_view name_of(CheckpointFormat format);
/// A TorchScript archive (torch.jit.save): it holds code and is loaded whole by libtorch.
bool is_torchscript(const std::filesystem::path& path);

/// Everything a torch.save file (zip format, since torch 1.6) or a safetensors file holds: dicts, lists, tuples, numbers, strings, None, and tensors
/// as Arrays with the strides they were saved with; tensors that shared a storage still do. bytes become uint8 arrays, torch.Size a tuple,
/// sets lists, torch.device a string. The bytes are copied: later changes of the file are not seen.
/// Throws Error(refused) on a pickle that names anything but tensors and plain data, Error(format) on damage, Error(unsupported) on other formats.
Value read_checkpoint(const std::filesystem::path& path);
/// The same from memory (a torch zip archive or safetensors).
Value read_checkpoint(std::span<const std::byte> bytes);

/// The named tensors of a checkpoint: of its entry `key`, or, without a key, of the file itself or of the usual wrapper
/// ("state_dict", "model", "network_weights", ...). A "module." or "_orig_mod." that starts every name is taken off.
/// As in the peer, a `key` that is not there means the file itself when that is a plain state_dict. Throws Error(weights) saying which keys there
/// are.
StateDict read_state_dict(const std::filesystem::path& path, const std::string& key = "");
/// The same from a tree read before; `wrapper`, if given, is set to the entry used, "" for the tree itself.
StateDict find_state_dict(const Value& checkpoint, const std::string& key = "", std::string* wrapper = nullptr);

/// Writes a state_dict, bare or as {key: state_dict}, that torch.load opens, also with weights_only=True. Equal input gives equal bytes.
void write_state_dict(const std::filesystem::path& path, const StateDict& state, const std::string& key = "");
/// Writes any tree of dicts, lists, tuples, numbers, strings, None, dtypes and arrays. Arrays on the same memory are stored once.
void write_checkpoint(const std::filesystem::path& path, const Value& tree);
/// A state_dict as a dict for write_checkpoint.
Value to_value(const StateDict& state);

}  // namespace vesal::bundle
