// Event files, read back by the formats' specifications: TFRecord, and the Event message of protocol buffers.
#include <gmock/gmock.h>

#include <bit>
#include <cmath>

#include "base/file.h"
#include "engines.h"
#include "infer/event_file.h"
#include "paths.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

struct Point {
  std::string tag;
  std::int64_t step;
  float value;
  bool operator==(const Point&) const = default;
};
void PrintTo(const Point& p, std::ostream* out) { *out << p.tag << " " << p.step << " " << p.value; }

std::uint64_t number(std::string_view bytes) {
  std::uint64_t v = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) v = v << 8 | static_cast<std::uint8_t>(bytes[i]);
  return v;
}

/// The polynomial division itself, bit by bit.
std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
  }
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/// Field number -> the bytes of its value.
std::map<std::uint64_t, std::string> fields(std::string_view message) {
  std::map<std::uint64_t, std::string> out;
  const auto varint = [&] {
    std::uint64_t v = 0;
    for (int shift = 0; !message.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(message[0]);
      message.remove_prefix(1);
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return v;
  };
  while (!message.empty()) {
    const std::uint64_t key = varint();
    std::string value;
    if (key % 8 == 0) {
      const std::uint64_t v = varint();
      for (int i = 0; i < 8; ++i) value += static_cast<char>(v >> 8 * i & 0xff);
    } else {
      const std::size_t n = key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : varint();
      value = message.substr(0, n);
      message.remove_prefix(std::min(n, message.size()));
    }
    out[key / 8] = value;
  }
  return out;
}

std::vector<Point> read_events(const fs::path& path) {
  const std::string file = read_text(path);
  std::string_view rest = file;
  std::vector<Point> points;
  bool first = true;
  while (!rest.empty()) {
    const std::string_view length = rest.substr(0, 8), data = rest.substr(12, number(length));
    EXPECT_EQ(number(rest.substr(8, 4)), masked_crc(length));
    EXPECT_EQ(number(rest.substr(12 + data.size(), 4)), masked_crc(data));
    rest.remove_prefix(16 + data.size());
    auto event = fields(data);
    EXPECT_GT(std::bit_cast<double>(number(event[1])), 1.7e9);  // seconds since 1970
    if (first) {
      EXPECT_EQ(event[3], "brain.Event:2");
    } else {
      auto point = fields(fields(event[5])[1]);
      points.push_back({point[1], static_cast<std::int64_t>(number(event[2])), std::bit_cast<float>(static_cast<std::uint32_t>(number(point[2])))});
    }
    first = false;
  }
  return points;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::shared_ptr<Workflow> engine_with_losses() {
  auto engine = std::make_shared<ScriptedEngine>(std::vector<Value>{Value(1), Value(2)}, 2, [](const Value& v) -> Value {
    return Dict{{"loss", 1.0 / static_cast<double>(v.as_int())}, {"ce", 0.5}, {"pred", Array::zeros({3}, DType::f32)}};
  });
  engine->on(Event::epoch_completed, [](Workflow& w) {
    w.state().metrics = Dict{{"val_mean_dice", 0.25 * static_cast<double>(w.state().epoch)}, {"per_class", Array::zeros({3}, DType::f32)}};
  });
  return engine;
}

TEST(TensorBoardStatsHandler, WritesTagsAndStepsOfThePeer) {
  const tests::TempDir dir;
  auto engine = engine_with_losses();
  const Value handler = make("TensorBoardStatsHandler", {{"log_dir", (dir / "runs").string()}, {"state_attributes", List{{"max_epochs"}}}});
  EXPECT_FALSE(fs::exists(dir / "runs"));
  attach(handler, *engine);
  engine->run();
  const auto files = files_in(dir / "runs");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_TRUE(files[0].filename().string().starts_with("events.out.tfevents."));
  EXPECT_THAT(read_events(files[0]),
              ElementsAre(Point{"ce", 1, 0.5f}, Point{"loss", 1, 1.0f}, Point{"ce", 2, 0.5f}, Point{"loss", 2, 0.5f},
                          Point{"val_mean_dice", 1, 0.25f}, Point{"max_epochs", 1, 2.0f}, Point{"ce", 3, 0.5f}, Point{"loss", 3, 1.0f},
                          Point{"ce", 4, 0.5f}, Point{"loss", 4, 0.5f}, Point{"val_mean_dice", 2, 0.5f}, Point{"max_epochs", 2, 2.0f}));
}

TEST(TensorBoardStatsHandler, TakesTransformsIntervalsAndWriters) {
  const tests::TempDir dir;
  auto engine = engine_with_losses();
  const Value writer = make("torch.utils.tensorboard.SummaryWriter", {{"log_dir", dir.path().string()}});
  const Value own = make_function("own", [](const CallArgs& args) -> Value {
    return call_value(*args.positional[1].as_object()->attribute("add_scalar"),
                      {{"own", args.positional[0].object<Workflow>()->state().epoch, 300}, {}});
  });
  attach(make("TensorBoardStatsHandler", {{"summary_writer", writer},
                                          {"iteration_log", 2},
                                          {"tag_name", "train_loss"},
                                          {"output_transform", function([](const Value& out) { return out.items()[0].as_dict().at("loss"); })},
                                          {"epoch_event_writer", own}}),
         *engine);
  attach(make("TensorBoardStatsHandler", {{"log_dir", dir.path().string()},
                                          {"iteration_log", false},
                                          {"global_epoch_transform", function([](const Value& e) { return Value(e.as_int() + 100); })}}),
         *engine);
  engine->run();
  const auto files = files_in(dir.path());
  ASSERT_EQ(files.size(), 2u);
  EXPECT_THAT(read_events(files[0]),
              ElementsAre(Point{"train_loss", 2, 0.5f}, Point{"own", 300, 1.0f}, Point{"train_loss", 4, 0.5f}, Point{"own", 300, 2.0f}));
  EXPECT_THAT(read_events(files[1]), ElementsAre(Point{"val_mean_dice", 101, 0.25f}, Point{"val_mean_dice", 102, 0.5f}));
}

TEST(EventFile, KeepsNumbersOfAllKindsAndNamesAFolderThatIsNone) {
  const tests::TempDir dir;
  EventFile file(dir.path());
  file.add("α/loss", std::nan(""), 0);
  file.add("big", 1e30, 1ll << 40);
  file.flush();
  const auto points = read_events(file.path());
  ASSERT_EQ(points.size(), 2u);
  EXPECT_TRUE(std::isnan(points[0].value));
  EXPECT_EQ(points[1], (Point{"big", 1ll << 40, 1e30f}));
  write_file(dir / "taken", "");
  EventFile other(dir / "taken");
  EXPECT_THAT(failure([&] { other.add("loss", 1, 1); }), testing::HasSubstr("taken"));
}

}  // namespace
}  // namespace vesal::infer
