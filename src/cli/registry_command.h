// What the commands over the registry share.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "judge/dataset_gate.h"
#include "tune/registry.h"

namespace vesal::cli {

/// --registry, by default where tune::default_registry() says.
void add_registry_option(CLI::App& app, std::filesystem::path& folder);
tune::Registry registry_at(const std::filesystem::path& folder);
/// A model, its link to the champion put right. Throws Error(not_found | usage).
tune::Model open_model(const std::filesystem::path& folder, const std::string& name);
/// This program, as decisions record it.
tune::Program program();

/// A version for scripts: status, parent, time, who, scores.
Dict version_value(const tune::VersionInfo& version);
/// Mean Dice on the reference set that the journal holds for a version; NaN if none.
double reference_dice(const tune::VersionInfo& version);
/// What a command that decided says: in words, or with --json the journal's entry.
void show_decision(const tune::Model& model, const tune::JournalEntry& entry);
void show_findings(const std::vector<judge::Finding>& findings);

}  // namespace vesal::cli
