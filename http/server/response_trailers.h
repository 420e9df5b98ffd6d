#pragma once

#include <squall/http/message/headers.h>

#include <string>

// The trailers of a response. Fields that say how a message is read or routed are left out (RFC 9110, 6.5.1).
namespace squall::http {

// The value of the Trailer field that announces them; empty if none is left.
std::string trailer_names(const Headers& trailers);
// The last chunk of a body, with the trailers.
std::string last_chunk(const Headers& trailers);

}  // namespace squall::http
