#include "dicom/dicomweb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/cancel.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "dicom/attributes.h"
#include "dicom/http.h"
#include "dicom/multipart.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

constexpr std::uint64_t kJson = 256ull << 20, kStudy = 200'000'000'000ull;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || std::string_view("-._~*").find(c) != std::string_view::npos)
      out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

/// One value of DICOM JSON as text: names of persons are objects, the rest are texts and numbers.
std::string text_of(const Value& value) {
  if (value.is_dict()) {
    const Value* name = value.as_dict().find("Alphabetic");
    return name && name->is_string() ? name->as_string() : "";
  }
  return value.is_string() || value.is_number() ? value.str() : "";
}

Attributes attributes_of_json(const Value& match) {
  Attributes out;
  if (!match.is_dict()) throw Error(ErrorKind::format, "a match is no JSON object");
  for (const auto& [tag, element] : match.as_dict()) {
    const std::string keyword = keyword_of(tag.str());
    const Value* values = element.is_dict() ? element.as_dict().find("Value") : nullptr;
    if (keyword.empty() || !values || !values->is_list()) continue;
    std::string text;
    for (const Value& value : values->items()) text += (text.empty() ? "" : "\\") + text_of(value);
    out.emplace_back(keyword, text);
  }
  return out;
}

std::string first_uid(const Value& item, const char* tag) {
  const Value* element = item.is_dict() ? item.as_dict().find(tag) : nullptr;
  const Value* values = element && element->is_dict() ? element->as_dict().find("Value") : nullptr;
  return values && values->is_list() && !values->items().empty() ? text_of(values->items()[0]) : "";
}

/// The items of a sequence at the top.
std::vector<Value> items_of(const Value& dataset, const char* tag) {
  const Value* element = dataset.is_dict() ? dataset.as_dict().find(tag) : nullptr;
  const Value* values = element && element->is_dict() ? element->as_dict().find("Value") : nullptr;
  return values && values->is_list() ? values->items() : std::vector<Value>{};
}

/// Parts of a WADO-RS answer as files of a sink.
class Received {
 public:
  Received(ObjectSink& sink, std::string caller) : sink_(sink), caller_(std::move(caller)) {}
  ~Received() { drop(); }
  void begin() {
    check_cancelled();
    path_ = sink_.incoming();
    file_ = std::fopen(path_.c_str(), "wb");
    if (!file_) throw Error(ErrorKind::io, "writing " + path_.string());
  }
  void data(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
      throw Error(ErrorKind::io, "writing " + path_.string() + ": no space left");
  }
  void end() {
    const bool good = std::fclose(file_) == 0;
    file_ = nullptr;
    if (!good) throw Error(ErrorKind::io, "writing " + path_.string());
    const ObjectFacts facts = read_object_facts(path_);
    sink_.keep({path_, facts.sop, facts.sop_class, caller_});
    drop();
    ++count;
  }
  std::size_t count = 0;

 private:
  void drop() {
    if (file_) std::fclose(file_);
    file_ = nullptr;
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  ObjectSink& sink_;
  std::string caller_;
  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

}  // namespace

std::vector<Attributes> Dicomweb::find(const std::string& level, const Attributes& keys, std::size_t most) const {
  std::string url = peer_.url + (level == "STUDY" ? "/studies" : level == "SERIES" ? "/series" : "/instances");
  char separator = '?';
  for (const auto& [keyword, value] : keys) {
    if (keyword == "QueryRetrieveLevel") continue;
    url += separator + (value.empty() ? "includefield=" + tag_digits(keyword) : tag_digits(keyword) + "=" + escaped(value));
    separator = '&';
  }
  url += fmt::format("{}limit={}", separator, most + 1);
  std::string body;
  http(peer_, {.url = url, .headers = {"Accept: application/dicom+json"}}, kJson, [&](const std::string&, std::string_view bytes) { body += bytes; });
  std::vector<Attributes> out;
  if (body.empty()) return out;  // 204: no matches
  return with_context(peer_.name + ": QIDO-RS", [&] {
    const Value matches = parse_json(body);
    if (!matches.is_list()) throw Error(ErrorKind::format, "the answer is no list");
    for (const Value& match : matches.items()) {
      if (out.size() == most) {
        log::warning("{}: more than {} matches; the rest is left out", peer_.name, most);
        break;
      }
      out.push_back(attributes_of_json(match));
    }
    return std::move(out);
  });
}

std::size_t Dicomweb::get(const std::string& study, ObjectSink& sink) const {
  if (!is_uid(study)) throw Error(ErrorKind::usage, "'" + study + "' is no study's identifier");
  Received received(sink, peer_.name);
  std::optional<MultipartReader> reader;
  with_context(peer_.name + ": WADO-RS", [&] {
    http(peer_, {.url = peer_.url + "/studies/" + study, .headers = {"Accept: multipart/related; type=\"application/dicom\"; transfer-syntax=*"}},
         kStudy, [&](const std::string& type, std::string_view bytes) {
           if (!reader)
             reader.emplace(type,
                            MultipartReader::Sink{[&] { received.begin(); }, [&](std::string_view b) { received.data(b); }, [&] { received.end(); }});
           reader->add(bytes);
         });
    if (reader) reader->finish();
  });
  return received.count;
}

std::string stow_refusal(const std::string& json, const std::string& sop) {
  const Value answer = parse_json(json);
  for (const Value& item : items_of(answer, "00081199"))
    if (first_uid(item, "00081155") == sop) return "";
  for (const Value& item : items_of(answer, "00081198"))
    if (first_uid(item, "00081155") == sop) return "refused with reason " + first_uid(item, "00081197");
  return "the answer does not name the object";
}

void Dicomweb::store(const std::vector<Parcel>& parcels, const std::function<void(std::size_t, const std::string&)>& told) const {
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    check_cancelled();
    const std::string boundary = "vesal-" + new_uid();
    HttpRequest request{.method = "POST", .url = peer_.url + "/studies"};
    request.headers = {"Content-Type: multipart/related; type=\"application/dicom\"; boundary=" + boundary, "Accept: application/dicom+json"};
    request.files = {parcels[i].file};
    request.before = "--" + boundary + "\r\nContent-Type: application/dicom\r\n\r\n";
    request.after = "\r\n";
    request.end = "--" + boundary + "--\r\n";
    std::string body, why;
    try {
      http(peer_, request, kJson, [&](const std::string&, std::string_view bytes) { body += bytes; });
      why = stow_refusal(body, parcels[i].sop);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::cancelled || e.kind() == ErrorKind::io) throw;
      why = e.what();
    }
    told(i, why);
  }
}

}  // namespace vesal::dicom
