#include "dicom/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/cancel.h"
#include "base/error.h"

namespace vesal::dicom {
namespace {
namespace fs = std::filesystem;

/// The body of a request as one stream: before, file, after, before, file, after, ..., end.
class Body {
 public:
  explicit Body(const HttpRequest& request) : request_(request) {
    for (const fs::path& file : request.files) size_ += fs::file_size(file) + request.before.size() + request.after.size();
    size_ += request.end.size();
    next();
  }
  std::uint64_t size() const { return size_; }

  std::size_t read(char* to, std::size_t most) {
    while (true) {
      std::size_t n = 0;
      if (file_) n = std::fread(to, 1, most, file_.get());
      else if (!text_.empty()) {
        n = std::min(most, text_.size());
        std::copy_n(text_.data(), n, to);
        text_.remove_prefix(n);
      }
      if (n > 0 || done_) return n;
      next();
    }
  }

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  void next() {
    file_.reset();
    const std::size_t part = step_ / 3;
    if (part >= request_.files.size()) {
      text_ = step_ == 3 * request_.files.size() ? std::string_view(request_.end) : std::string_view();
      done_ = step_ > 3 * request_.files.size();
    } else if (step_ % 3 == 1) {
      file_ = File(std::fopen(request_.files[part].c_str(), "rb"), std::fclose);
      if (!file_) throw Error(ErrorKind::not_found, "opening " + request_.files[part].string());
    } else {
      text_ = step_ % 3 == 0 ? request_.before : request_.after;
    }
    ++step_;
  }

  const HttpRequest& request_;
  std::uint64_t size_ = 0;
  std::size_t step_ = 0;
  std::string_view text_;
  File file_{nullptr, std::fclose};
  bool done_ = false;
};

struct Transfer {
  CURL* curl;
  std::uint64_t limit, got = 0;
  const std::function<void(const std::string&, std::string_view)>* take;
  Body* body = nullptr;
  std::string refusal;
  std::exception_ptr error;

  bool good() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
  }
  std::string type() const {
    char* text = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text);
    return text ? text : "";
  }
};

/// Errors must not pass through curl: they wait in the transfer.
template <class F>
std::size_t guarded(Transfer& t, std::size_t on_error, F&& work) {
  try {
    return work();
  } catch (...) {
    t.error = std::current_exception();
    return on_error;
  }
}

std::size_t on_data(char* data, std::size_t, std::size_t n, void* user) {
  Transfer& t = *static_cast<Transfer*>(user);
  return guarded(t, 0, [&] {
    t.got += n;
    if (t.got > t.limit) throw Error(ErrorKind::memory, fmt::format("the answer is larger than {} bytes", t.limit));
    if (t.good()) (*t.take)(t.type(), {data, n});
    else if (t.refusal.size() < (64 << 10)) t.refusal.append(data, n);
    return n;
  });
}

std::size_t on_read(char* to, std::size_t size, std::size_t n, void* user) {
  Transfer& t = *static_cast<Transfer*>(user);
  return guarded(t, CURL_READFUNC_ABORT, [&] { return t.body->read(to, size * n); });
}

int on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return cancel_requested() ? 1 : 0; }

[[noreturn]] void refused(const Peer& peer, long status, std::string why) {
  for (char& c : why)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  const ErrorKind kind = status == 404 ? ErrorKind::not_found : status >= 500 ? ErrorKind::io : ErrorKind::refused;
  throw Error(kind, fmt::format("{}: HTTP {} {}", peer.name, status, why.substr(0, 300)));
}

}  // namespace

HttpResponse http(const Peer& peer, const HttpRequest& request, std::uint64_t limit,
                  const std::function<void(const std::string&, std::string_view)>& take) {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(started ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!curl) throw Error(ErrorKind::internal, "libcurl does not start");
  CURL* c = curl.get();
  Body body(request);
  Transfer transfer{c, limit, 0, &take, &body, "", nullptr};

  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  if (peer.token.given()) list = curl_slist_append(list, ("Authorization: Bearer " + peer.token.read()).c_str());
  list = curl_slist_append(list, "Expect:");
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl_slist_free_all);

  curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(peer.connect_timeout.count()));
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::max<std::int64_t>(1, peer.timeout.count() / 1000)));
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  if (request.method == "POST") {
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, &transfer);
  }
  if (!peer.user.empty()) {
    curl_easy_setopt(c, CURLOPT_USERNAME, peer.user.c_str());
    if (peer.password.given()) curl_easy_setopt(c, CURLOPT_PASSWORD, peer.password.read().c_str());
  }
  if (!peer.tls.authorities.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, peer.tls.authorities.c_str());
  if (!peer.tls.certificate.empty()) {
    curl_easy_setopt(c, CURLOPT_SSLCERT, peer.tls.certificate.c_str());
    curl_easy_setopt(c, CURLOPT_SSLKEY, peer.tls.key.c_str());
  }
  if (peer.tls.on && !peer.tls.verify) {
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  const CURLcode code = curl_easy_perform(c);
  if (transfer.error) std::rethrow_exception(transfer.error);
  check_cancelled();
  if (code != CURLE_OK) throw Error(ErrorKind::io, peer.name + ": " + curl_easy_strerror(code));
  HttpResponse response;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &response.status);
  response.type = transfer.type();
  if (!transfer.good()) refused(peer, response.status, transfer.refusal);
  return response;
}

}  // namespace vesal::dicom
