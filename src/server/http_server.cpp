#include "server/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "server/page.h"

namespace vesal::server {
namespace {

constexpr std::size_t kThreads = 96;
constexpr std::size_t kMostPath = 2048;
constexpr std::uint64_t kDrained = 8ull << 20;  ///< of a body that nobody wants
constexpr std::size_t kPiece = 1 << 16;

Request request_of(const httplib::Request& from, bool secure) {
  Request request;
  request.method = from.method;
  request.path = from.path;
  request.peer = from.remote_addr;
  request.secure = secure;
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  for (const auto& [name, value] : from.headers) request.headers.emplace(lower(name), value);
  return request;
}

/// Sends bytes that are there. `close`: the connection ends after them, as there may be more of a body in it that would be taken for a request.
void give(httplib::Response& to, const std::string& type, std::shared_ptr<const std::string> body, bool close) {
  to.set_content_provider(body->size(), type, [body, close](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
    if (offset > body->size()) return false;
    const std::size_t n = std::min({length, kPiece, body->size() - offset});
    if (!sink.write(body->data() + offset, n)) return false;
    return !(close && offset + n == body->size());
  });
}

void give_file(httplib::Response& to, const Response& from) {
  const auto file = std::make_shared<std::ifstream>(from.file, std::ios::binary);
  std::error_code ec;
  const auto size = std::filesystem::file_size(from.file, ec);
  if (!*file || ec) {
    to.status = 404;
    return;
  }
  to.set_content_provider(
      size, from.type, [file, buffer = std::make_shared<std::string>(kPiece, '\0')](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        file->seekg(static_cast<std::streamoff>(offset));
        const std::size_t n = std::min(length, kPiece);
        return file->read(buffer->data(), static_cast<std::streamsize>(n)) && sink.write(buffer->data(), n);
      });
}

/// Numbers are worth compressing on the way, files and small answers are not.
bool worth_compressing(const httplib::Request& request, const Response& response) {
  return response.body.size() > 2000 && request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos &&
         (response.type.starts_with("application/json") || response.type.starts_with("text/")) &&
         std::none_of(response.headers.begin(), response.headers.end(), [](const auto& h) { return h.first == "Content-Encoding"; });
}

void send(const httplib::Request& request, Response&& from, httplib::Response& to, bool secure, bool close) {
  to.status = from.status;
  to.set_header("X-Content-Type-Options", "nosniff");
  to.set_header("Referrer-Policy", "no-referrer");
  to.set_header("Cross-Origin-Opener-Policy", "same-origin");
  to.set_header("Cross-Origin-Resource-Policy", "same-origin");
  if (secure) to.set_header("Strict-Transport-Security", "max-age=31536000");
  bool caching = false;
  for (const auto& [name, value] : from.headers) {
    to.set_header(name, value);
    caching = caching || name == "Cache-Control";
  }
  if (!caching) to.set_header("Cache-Control", "no-store");
  if (from.stream) {
    to.set_chunked_content_provider(from.type, [stream = std::move(from.stream)](std::size_t, httplib::DataSink& sink) {
      bool more = false;
      try {  // what is thrown here would end the program
        more = stream([&](std::string_view piece) { return sink.is_writable() && sink.write(piece.data(), piece.size()); });
      } catch (const std::exception& e) { log::warning("a stream ended: {}", e.what()); }
      if (!more) sink.done();
      return true;
    });
    return;
  }
  if (!from.file.empty()) return give_file(to, from);
  if (worth_compressing(request, from)) {
    from.body = gzipped(from.body);
    to.set_header("Content-Encoding", "gzip");
  }
  if (from.body.empty()) return;
  if (close) to.set_header("Connection", "close");
  give(to, from.type, std::make_shared<const std::string>(std::move(from.body)), close);
}

Response refusal(int status, const std::string& name, const std::string& words) { return error_response(HttpError(status, name, words)); }

}  // namespace

bool is_local(const std::string& host) { return host == "127.0.0.1" || host == "::1" || host == "localhost"; }

struct HttpServer::Inside {
  std::unique_ptr<httplib::Server> server;
  std::function<Response(Request&)> answer;
  bool secure = false;
  int socket = -1, port = 0;
  std::thread thread;

  /// Requests without a body, and those that no route is to see.
  bool without_body(httplib::Request& request, httplib::Response& response) {
    request.ranges.clear();  // nobody here needs parts, and httplib does not hold them against the size
    const bool control = std::any_of(request.path.begin(), request.path.end(), [](unsigned char c) { return c < 32 || c == 127; });
    if (request.path.empty() || request.path[0] != '/' || request.path.size() > kMostPath || control) {
      send(request, refusal(400, "usage", "this path cannot be"), response, secure, true);
      return true;
    }
    if (request.method == "GET" || request.method == "HEAD") {
      const std::string length = request.get_header_value("Content-Length");
      if (request.has_header("Transfer-Encoding") || (!length.empty() && length != "0")) {
        send(request, refusal(400, "usage", "such a request has no body"), response, secure, true);
        return true;
      }
      Request ours = request_of(request, secure);
      ours.read_body = [](const auto&) { return true; };
      send(request, answer(ours), response, secure, false);
      return true;
    }
    if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH" && request.method != "DELETE") {
      send(request, refusal(405, "method", "this server does not know the method"), response, secure, true);
      return true;
    }
    if (request.is_multipart_form_data()) {
      send(request, refusal(415, "media-type", "forms with files are not taken here"), response, secure, true);
      return true;
    }
    return false;
  }

  void with_body(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
    Request ours = request_of(request, secure);
    const std::string declared = request.get_header_value("Content-Length");
    const bool chunked = request.has_header("Transfer-Encoding");
    const bool digits =
        !declared.empty() && declared.size() < 19 && std::all_of(declared.begin(), declared.end(), [](char c) { return c >= '0' && c <= '9'; });
    if ((!declared.empty() && !digits) || (chunked && !declared.empty()) || request.get_header_value_count("Content-Length") > 1)
      return send(request, refusal(400, "usage", "how long the body is cannot be told"), response, secure, true);
    ours.length = declared.empty() ? 0 : std::stoull(declared);
    const bool body = chunked || ours.length > 0;
    bool started = false, whole = false;
    ours.read_body = [&](const std::function<bool(std::string_view)>& take) {
      if (!body || started) return whole || !body;
      started = true;
      whole = reader([&](const char* data, std::size_t size) { return take({data, size}); });
      return whole;
    };
    Response out = answer(ours);
    // What is left of the body is read away, up to a size, so that a caller who is still sending sees the answer.
    if (body && !started && ours.length <= kDrained) {
      std::uint64_t drained = 0;
      ours.read_body([&](std::string_view piece) { return (drained += piece.size()) <= kDrained; });
    }
    send(request, std::move(out), response, secure, body && !whole);
  }
};

HttpServer::HttpServer(const Listening& where, std::function<Response(Request&)> answer) : inside_(std::make_unique<Inside>()) {
  Inside& in = *inside_;
  in.answer = std::move(answer);
  in.secure = !where.certificate.empty();
  if (in.secure) in.server = std::make_unique<httplib::SSLServer>(where.certificate.c_str(), where.key.c_str());
  else in.server = std::make_unique<httplib::Server>();
  if (!in.server->is_valid())
    throw Error(ErrorKind::format, where.certificate.string() + " and " + where.key.string() + " are no certificate with its key (PEM)");
  httplib::Server& server = *in.server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_max_count(1000);
  server.set_keep_alive_timeout(5);
  server.set_read_timeout(30);
  server.set_write_timeout(30);
  server.set_tcp_nodelay(true);
  // httplib would share the port with whoever asks for it, and let five callers wait.
  server.set_socket_options([&in](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    in.socket = socket;
  });
  server.set_pre_routing_handler([&in](const httplib::Request& request, httplib::Response& response) {
    // The request is httplib's own, not constant; its handlers only see it so.
    return in.without_body(const_cast<httplib::Request&>(request), response) ? httplib::Server::HandlerResponse::Handled
                                                                             : httplib::Server::HandlerResponse::Unhandled;
  });
  const httplib::Server::HandlerWithContentReader handler = [&in](const httplib::Request& request, httplib::Response& response,
                                                                  const httplib::ContentReader& reader) { in.with_body(request, response, reader); };
  server.Post(".*", handler);
  server.Put(".*", handler);
  server.Patch(".*", handler);
  server.Delete(".*", handler);
  in.port = where.port ? (server.bind_to_port(where.host.c_str(), where.port) ? where.port : -1) : server.bind_to_any_port(where.host.c_str());
  if (in.port <= 0) throw Error(ErrorKind::io, "port " + std::to_string(where.port) + " of " + where.host + " cannot be had; is it in use?");
  ::listen(in.socket, 256);
  in.thread = std::thread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

HttpServer::~HttpServer() {
  inside_->server->stop();
  inside_->thread.join();
}

int HttpServer::port() const { return inside_->port; }

}  // namespace vesal::server
