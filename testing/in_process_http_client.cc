#include <squall/testing/in_process_http_client.h>

#include <squall/http/message/url.h>
#include <squall/http/server/http_server.h>
#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/new_fd.h>
#include <squall/ioloop/base/owned_fd.h>
#include <squall/iostream/stream/iostream.h>

#include <stdexcept>
#include <utility>

namespace squall::testing {
namespace {

using Protocol = http::HTTPServerOptions::Protocol;

http::HTTPServerOptions server_options(http::HTTPServerOptions options, Protocol protocol) {
  options.protocol = protocol;
  return options;
}

http::AsyncHTTPClient::Options without_timeouts(http::AsyncHTTPClient::Options options) {
  if (options.connector) throw std::invalid_argument("an InProcessHTTPClient has its own connector");
  http::FetchOptions& defaults = options.defaults;
  if (defaults.connect_timeout.is_open()) defaults.connect_timeout = std::nullopt;
  if (defaults.request_timeout.is_open()) defaults.request_timeout = std::nullopt;
  return options;
}

// A server of connections that it did not accept.
class PairServer final : public http::HTTPServer {
 public:
  using HTTPServer::HTTPServer;
  ~PairServer() override { destroy_all_connections(); }
  void serve(OwnedFd fd, const Address& peer) { accepted(std::move(fd), peer); }
};

}  // namespace

// A server for each scheme.
class InProcessHTTPClient::Servers {
 public:
  Servers(http::ServerDelegate& delegate, const InProcessOptions& options, IOLoop& loop)
      : http_(delegate, server_options(options.server, Protocol::http), loop),
        https_(delegate, server_options(options.server, Protocol::https), loop),
        peer_(options.peer) {}

  // The options of a client whose connections lead to these servers.
  http::AsyncHTTPClient::Options connected(http::AsyncHTTPClient::Options options) {
    options.connector = [this](const http::URL& url) { return connect(url); };
    return options;
  }

 private:
  Task<IOStream> connect(const http::URL& url) {
    OwnedFd near;
    OwnedFd far;
    if (!new_socket_pair(near, far)) throw_errno("socketpair");
    IOStream::Options options;
    options.receive_before_reset = true;
    IOStream stream(std::move(near), options, http_.loop());
    (url.is_https() ? https_ : http_).serve(std::move(far), peer_);
    co_return stream;
  }

  PairServer http_;
  PairServer https_;
  Address peer_;
};

InProcessHTTPClient::InProcessHTTPClient(http::ServerDelegate& delegate, InProcessOptions options,
                                         IOLoop& loop)
    : InProcessHTTPClient(std::make_unique<Servers>(delegate, options, loop),
                          without_timeouts(std::move(options.client)), loop) {}

InProcessHTTPClient::InProcessHTTPClient(std::unique_ptr<Servers> servers, Options options, IOLoop& loop)
    : SimpleAsyncHTTPClient(servers->connected(std::move(options)), loop), servers_(std::move(servers)) {}

InProcessHTTPClient::~InProcessHTTPClient() = default;

}  // namespace squall::testing
