#include <squall/http/client/curl_http_client.h>

#include <squall/http/client/curl_engine.h>

#include <utility>

namespace squall::http {

CurlAsyncHTTPClient::CurlAsyncHTTPClient(Options options, IOLoop& loop)
    : AsyncHTTPClient(std::move(options), loop),
      engine_(std::make_unique<CurlEngine>(this->options(), loop)) {}

CurlAsyncHTTPClient::~CurlAsyncHTTPClient() = default;

void CurlAsyncHTTPClient::close() {
  AsyncHTTPClient::close();
  if (close_.linked()) return;
  // At the end of the turn, as the caller may be a callback of a fetch.
  close_.set([](void* self) { static_cast<CurlAsyncHTTPClient*>(self)->engine_->close(); }, this);
  loop().at_turn_end(close_);
}

Task<> CurlAsyncHTTPClient::perform(Fetch& fetch) { return engine_->perform(fetch); }

}  // namespace squall::http
