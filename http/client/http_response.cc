#include <squall/http/client/http_response.h>

#include <squall/http/client/http_client_error.h>

namespace squall::http {

HTTPResponse::HTTPResponse() : HTTPResponse(std::make_unique<Data>(HTTPRequest(std::string()))) {}
HTTPResponse::HTTPResponse(const HTTPResponse& other) : data_(std::make_unique<Data>(*other.data_)) {}
HTTPResponse& HTTPResponse::operator=(const HTTPResponse& other) {
  if (this != &other) data_ = std::make_unique<Data>(*other.data_);
  return *this;
}
HTTPResponse::~HTTPResponse() = default;

void HTTPResponse::rethrow() const {
  if (!ok()) throw HTTPClientError(*this);
}

}  // namespace squall::http
