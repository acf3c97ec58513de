#include "server/page.h"

#include <libdeflate.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/zip_archive.h"
#include "server/page_archive.h"

namespace vesal::server {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostBytes = 64ull << 20;

const char* const kWithoutPage =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>vesal</title><body><h1>vesal</h1><p>This build has no page. "
    "Build web/ and vesal again, or name a folder with --web. The API is described at <a "
    "href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></body></html>\n";

std::string type_of(const std::string& name) {
  static const std::map<std::string, std::string> types{{".html", "text/html; charset=utf-8"},
                                                        {".js", "text/javascript; charset=utf-8"},
                                                        {".mjs", "text/javascript; charset=utf-8"},
                                                        {".css", "text/css; charset=utf-8"},
                                                        {".json", "application/json"},
                                                        {".svg", "image/svg+xml"},
                                                        {".png", "image/png"},
                                                        {".ico", "image/x-icon"},
                                                        {".wasm", "application/wasm"},
                                                        {".woff2", "font/woff2"},
                                                        {".txt", "text/plain; charset=utf-8"},
                                                        {".webmanifest", "application/manifest+json"}};
  const auto found = types.find(fs::path(name).extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

/// Scripts of our own only; WebGL's workers are made from blobs, and shaders' styles are set by script.
constexpr const char* kPolicy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; "
    "connect-src 'self' blob: data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const ZipReader* archive() {
  static const ZipReader* const reader = page_archive().empty() ? nullptr : new ZipReader(page_archive());
  return reader;
}

}  // namespace

std::string gzipped(std::string_view bytes) {
  constexpr int kLevel = 6;
  const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(libdeflate_alloc_compressor(kLevel),
                                                                                            libdeflate_free_compressor);
  if (!compressor) throw Error(ErrorKind::memory, "no memory to compress");
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

Page::Page(fs::path folder) : folder_(std::move(folder)) {
  if (!folder_.empty() && !fs::is_regular_file(folder_ / "index.html"))
    throw Error(ErrorKind::not_found, folder_.string() + " has no index.html; build the page first (web/README.md)");
}

std::shared_ptr<const Page::File> Page::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = files_.find(name); found != files_.end() && folder_.empty()) return found->second;
  auto file = std::make_shared<File>();
  if (!folder_.empty()) {
    const fs::path path = inside(folder_, name);
    std::error_code ec;
    if (!fs::is_regular_file(path, ec)) return nullptr;
    file->content = read_text(path, kMostBytes);
  } else if (archive()) {
    const ZipEntry* entry = archive()->find(name);
    if (!entry) return nullptr;
    file->content = archive()->text(*entry, kMostBytes);
  } else if (name == "index.html") {
    file->content = kWithoutPage;
  } else {
    return nullptr;
  }
  file->type = type_of(name);
  file->gzip = gzipped(file->content);
  if (file->gzip.size() > file->content.size() * 9 / 10) file->gzip.clear();
  file->etag = "\"" + sha256(file->content).substr(0, 32) + "\"";
  if (folder_.empty()) files_[name] = file;
  return file;
}

Response Page::respond(const Request& request) {
  std::string name = request.path.substr(1);
  auto file = name.empty() ? nullptr : find(name);
  if (!file && fs::path(name).extension().empty()) {
    name = "index.html";
    file = find(name);
  }
  if (!file) throw Error(ErrorKind::not_found, "there is no such file");
  Response response{.type = file->type};
  // Names of built files hold a hash of their content; the page itself is asked for again each time.
  response.headers = {{"ETag", file->etag},
                      {"Cache-Control", name.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"Content-Security-Policy", kPolicy},
                      {"Vary", "Accept-Encoding"}};
  if (request.header("if-none-match") == file->etag) {
    response.status = 304;
  } else if (!file->gzip.empty() && request.header("accept-encoding").find("gzip") != std::string::npos) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file->gzip;
  } else {
    response.body = file->content;
  }
  return response;
}

}  // namespace vesal::server
