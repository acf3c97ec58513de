#include "tune/registry.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bundle/bundle_folder.h"
#include "paths.h"
#include "tune/durable.h"
#include "tune/file_lock.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Program kProgram{"0.1.0", std::string(64, 'e')};

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return std::string(error_codes(e.kind()).name) + ": " + e.what(); }
  return "";
}

class RegistryFolder : public testing::Test {
 protected:
  fs::path bundle(const std::string& version, const std::string& weights = "weights") const {
    const fs::path folder = dir / ("bundle-" + version);
    write_file(folder / "configs/metadata.json", to_json(Dict{{"name", "tiny"}, {"version", version}}));
    write_file(folder / "configs/inference.json", "{}");
    write_file(folder / "models/model.pt", weights);
    write_file(folder / "docs/.part-1-0-README.md", "left by a crash");
    return folder;
  }
  std::vector<HashedCase> cases(const std::string& prefix, int count) const {
    judge::CaseSet set;
    for (int i = 0; i < count; ++i) {
      const std::string id = prefix + std::to_string(i);
      write_file(dir / id, "scan " + id);
      write_file(dir / (id + "_label"), "label " + id);
      set.cases.push_back({id, dir / id, dir / (id + "_label"), "", {}});
    }
    return hash_cases(set);
  }
  NewModel first() const {
    NewModel what;
    what.name = "spleen";
    what.bundle = bundle("0.1.0");
    what.reference = cases("reference", 3);
    what.pool = cases("pool", 2);
    return what;
  }
  Model make() const { return registry.create(first(), kProgram); }
  JournalEntry month(const Model& model, const std::string& version, const std::string& parent, bool accepted,
                     const std::vector<HashedCase>& data = {}) const {
    const Dict what{{"parent", parent}, {"month", version}, {"data", model.put_object(to_value(data, model.folder()))}};
    return model.add_version(bundle(version), version, "increment", what, accepted, "", kProgram);
  }
  static std::vector<std::string> ids(const std::vector<HashedCase>& cases) {
    std::vector<std::string> out;
    for (const HashedCase& c : cases) out.push_back(c.source.id);
    return out;
  }

  tests::TempDir dir;
  Registry registry{dir / "registry"};
};

TEST_F(RegistryFolder, AModelHasItsBundleReferencePoolAndChampion) {
  const Model model = make();
  EXPECT_THAT(registry.models(), ElementsAre("spleen"));
  const ModelState state = model.state();
  EXPECT_EQ(state.champion(), "0.1.0");
  EXPECT_EQ(state.versions.at(0).status, "champion");
  EXPECT_THAT(ids(model.cases(state.reference)), ElementsAre("reference0", "reference1", "reference2"));
  EXPECT_THAT(ids(model.pool(state)), ElementsAre("pool0", "pool1"));
  EXPECT_EQ(read_text(model.folder() / "champion/models/model.pt"), "weights");
  EXPECT_FALSE(fs::exists(model.folder() / "champion/docs/.part-1-0-README.md"));
  EXPECT_EQ(fs::status(model.version_folder("0.1.0") / "models/model.pt").permissions() & fs::perms::owner_write, fs::perms::none);
  const VerifyReport report = verify(model, true, state.journal.front().hash);
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.head, state.journal.back().hash);
  EXPECT_THAT(message_of([&] { make(); }), HasSubstr("has a model spleen already"));
  EXPECT_THAT(message_of([&] { registry.model("spleem"); }), testing::AllOf(testing::StartsWith("not-found"), HasSubstr("spleen")));
}

TEST_F(RegistryFolder, HostileNamesAreRefused) {
  const Model model = make();
  for (const char* name : {"", "..", "../x", "a/b", "/etc", ".hidden", "-rf", "a b", "caf\xc3\xa9", "a\nb"}) {
    EXPECT_THAT(message_of([&] { registry.model(name); }), testing::StartsWith("usage")) << name;
    EXPECT_THAT(message_of([&] { model.add_version(bundle("9"), name, "add", {}, false, "", kProgram); }), testing::StartsWith("usage")) << name;
    NewModel what = first();
    what.name = name;
    EXPECT_THAT(message_of([&] { registry.create(what, kProgram); }), testing::StartsWith("usage")) << name;
  }
  EXPECT_THROW(check_name(std::string(101, 'a'), "model"), Error);
  EXPECT_THROW(model.object("../../etc/passwd"), Error);
  fs::create_symlink("/etc/hostname", bundle("2.0.0") / "models/stolen");
  EXPECT_THAT(message_of([&] { model.add_version(dir / "bundle-2.0.0", "2.0.0", "add", {}, false, "", kProgram); }), testing::StartsWith("refused"));
  EXPECT_EQ(model.state().versions.size(), 1u);
}

TEST_F(RegistryFolder, PromoteAndRollback) {
  const Model model = make();
  month(model, "0.1.1", "0.1.0", true, cases("september", 2));
  month(model, "0.1.2", "0.1.1", false, cases("october", 2));
  ModelState state = model.state();
  EXPECT_EQ(state.champion(), "0.1.1");
  EXPECT_EQ(state.version("0.1.0").status, "former champion");
  EXPECT_EQ(state.version("0.1.2").status, "rejected");
  EXPECT_THAT(ids(model.pool(state)), ElementsAre("september0", "september1", "pool0", "pool1")) << "a rejected month is not in the pool";
  EXPECT_EQ(Model::next_version(state, "0.1.1"), "0.1.3");
  EXPECT_EQ(Model::next_version(state, "odd"), "odd.1");

  model.promote("0.1.2", "checked", kProgram);
  state = model.state();
  EXPECT_EQ(state.champion(), "0.1.2");
  EXPECT_EQ(model.pool(state).size(), 6u);
  EXPECT_EQ(fs::read_symlink(model.folder() / "champion"), "versions/0.1.2");
  EXPECT_THAT(message_of([&] { model.promote("0.1.2", "", kProgram); }), HasSubstr("already"));
  EXPECT_THAT(message_of([&] { model.promote("7", "", kProgram); }), HasSubstr("there are 0.1.0, 0.1.1, 0.1.2"));

  model.rollback("", kProgram);
  model.rollback("", kProgram);
  state = model.state();
  EXPECT_EQ(state.champion(), "0.1.0");
  EXPECT_THAT(ids(model.pool(state)), ElementsAre("pool0", "pool1")) << "rolled back months leave the pool";
  EXPECT_THAT(message_of([&] { model.rollback("", kProgram); }), HasSubstr("first champion"));
  EXPECT_THAT(message_of([&] { month(model, "0.1.1", "0.1.0", true); }), HasSubstr("a version 0.1.1 already"));
  EXPECT_THAT(message_of([&] { model.add_version(bundle("3"), "3", "increment", {}, true, "0.1.1", kProgram); }), HasSubstr("in the meantime"));
  EXPECT_THAT(verify(model, true).faults, IsEmpty());
}

TEST_F(RegistryFolder, WhatIsTamperedWithIsFound) {
  const Model model = make();
  const fs::path weights = model.version_folder("0.1.0") / "models/model.pt";
  const auto faults = [&] { return verify(model, true).faults; };
  fs::permissions(weights, fs::perms::owner_all);
  write_file(weights, "poison");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("model.pt was changed")));
  fs::rename(weights, dir / "moved");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("model.pt is missing")));
  write_file(weights, "weights");
  write_file(model.version_folder("0.1.0") / "extra", "");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("extra was added")));
  fs::remove(model.version_folder("0.1.0") / "extra");
  write_file(dir / "reference1_label", "another");
  fs::remove(dir / "pool0");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("reference1_label has changed"), HasSubstr("pool0")));
  write_file(dir / "reference1_label", "label reference1");
  write_file(dir / "pool0", "scan pool0");
  EXPECT_THAT(faults(), IsEmpty());

  const fs::path list = model.folder() / "objects" / (model.state().reference + ".json");
  write_file(list, read_text(list) + " ");
  EXPECT_THAT(faults(), testing::Each(HasSubstr("was changed: it is not what its name and the journal say")));
  EXPECT_THROW(model.cases(model.state().reference), Error);
  EXPECT_THAT(verify(model, false, std::string(64, 'a')).faults, testing::Contains(HasSubstr("no entry of the journal has the hash")));
}

TEST_F(RegistryFolder, TheLinkFollowsTheJournal) {
  const Model model = make();
  month(model, "0.1.1", "0.1.0", true);
  fs::remove(model.folder() / "champion");
  fs::create_directory_symlink("versions/0.1.0", model.folder() / "champion");
  EXPECT_THAT(verify(model, false).faults, ElementsAre(HasSubstr("journal's champion is 0.1.1")));
  model.heal();
  EXPECT_THAT(verify(model, false).faults, IsEmpty());
}

TEST_F(RegistryFolder, OnlyOneDecidesAtATime) {
  const Model model = make();
  const FileLock held(model.lock_file(), "promote", 0);
  EXPECT_THAT(message_of([&] { FileLock(model.lock_file(), "rollback", 0.05); }),
              testing::AllOf(testing::StartsWith("io"), HasSubstr(std::to_string(::getpid())), HasSubstr("promote")));
}

TEST_F(RegistryFolder, ManyProcessesAtOnceLoseNothing) {
  const Model model = make();
  constexpr int kProcesses = 6;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        model.record("note", Dict{{"by", i}}, kProgram);
      } catch (...) { _exit(1); }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(model.state().journal.size(), 1u + kProcesses);
}

/// Runs `work` in a process that ends at its n-th step, without cleaning up, as kill -9 would. False once it comes to its end.
bool dies_at_step(int n, const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    int seen = 0;
    step_hook() = [&](std::string_view) {
      if (seen++ == n) _exit(9);
    };
    try {
      work();
    } catch (...) { _exit(1); }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 1);
  return WIFEXITED(status) && WEXITSTATUS(status) == 9;
}

TEST_F(RegistryFolder, AnInitThatIsKilledLeavesAllOrNothing) {
  int n = 0;
  while (dies_at_step(n, [&] { make(); })) {
    if (registry.models().empty()) {
      make();  // what was left is no hindrance
    }
    EXPECT_THAT(verify(registry.model("spleen"), true).faults, IsEmpty()) << "step " << n;
    for (const auto& entry : fs::directory_iterator(registry.folder()))
      EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("spleen", "lock")) << "step " << n;
    fs::remove_all(registry.folder());
    ++n;
  }
  EXPECT_GE(n, 6) << "steps were walked through";
}

TEST_F(RegistryFolder, ADecisionThatIsKilledIsMadeOrNot) {
  int n = 0, before = 0, after = 0;
  for (bool died = true; died; ++n) {
    const Model model = make();
    died = dies_at_step(n, [&] { month(model, "0.1.1", "0.1.0", true, cases("september", 2)); });
    model.heal();
    const ModelState state = model.state();
    (state.champion() == "0.1.0" ? before : after)++;
    EXPECT_THAT(verify(model, true).faults, IsEmpty()) << "step " << n;
    EXPECT_EQ(fs::read_symlink(model.folder() / "champion"), "versions/" + state.champion());
    if (!state.find("0.1.1")) month(model, "0.1.1", "0.1.0", true, cases("september", 2));  // the same again
    EXPECT_EQ(model.state().champion(), "0.1.1");
    EXPECT_EQ(model.pool(model.state()).size(), 4u) << "nothing is counted twice, step " << n;
    const VerifyReport report = verify(model, true);
    EXPECT_THAT(report.faults, IsEmpty()) << "step " << n;
    EXPECT_THAT(report.notes, IsEmpty()) << "step " << n;
    fs::remove_all(registry.folder());
  }
  EXPECT_GE(before, 3);
  EXPECT_GE(after, 3);
}

}  // namespace
}  // namespace vesal::tune
