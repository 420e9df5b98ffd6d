#include <squall/http/client/http_client.h>

#include <squall/http/client/simple_http_client.h>

#include <stdexcept>
#include <utility>

namespace squall::http {

// The current loop of the thread, if it has one, stays current.
IOLoop::Options HTTPClient::loop_options() {
  IOLoop::Options options;
  options.make_current = false;
  return options;
}

HTTPClient::HTTPClient(Options options)
    : loop_(loop_options()), client_(std::make_unique<SimpleAsyncHTTPClient>(std::move(options), loop_)) {}
HTTPClient::HTTPClient(const AsyncHTTPClient::Factory& make) : loop_(loop_options()), client_(make(loop_)) {}
HTTPClient::~HTTPClient() = default;

HTTPResponse HTTPClient::fetch(HTTPRequest request, RaiseError raise_error) {
  if (const IOLoop* const current = IOLoop::current_or_null(); current && current->running())
    throw std::logic_error("HTTPClient::fetch() would block the loop that runs on this thread");
  return loop_.run_sync(client_->fetch(std::move(request), raise_error));
}

}  // namespace squall::http
