#pragma once

namespace squall::http {

class ServerRequest;

// The logged status of a request whose client went away before the answer: nginx's number.
inline constexpr int kClientGone = 499;

// Writes a line in the access log (WEB-204): `200 GET /users/1 (127.0.0.1) 0.42ms`. The status decides
// whether the line is information, a warning or an error. Never throws.
void log_access(const ServerRequest& request, int status) noexcept;

}  // namespace squall::http
