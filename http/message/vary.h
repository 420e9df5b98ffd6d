#pragma once

#include <string_view>

namespace squall::http {

class Headers;

// Adds the name of a request header to Vary: caches then keep a response for each value of that header (RFC
// 9110, 12.5.5). Does nothing if Vary has the name or `*`.
void add_vary(Headers& headers, std::string_view name);

}  // namespace squall::http
